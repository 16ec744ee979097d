/* A client's own copy of its options, defaults filled in. */
#ifndef SC_REDIS_CLIENT_OPTS_H
#define SC_REDIS_CLIENT_OPTS_H

#include <storychain/client.h>

/* `from` may be NULL: all defaults. `*to` is to be released in any case. SC_EINVAL with a reason. */
SC_MUST_USE sc_err sc__client_opts_copy(const sc_client_opts *from, sc_client_opts *to,
                                        sc_reason *ret_reason);
void sc__client_opts_release(sc_client_opts *opts);

#endif
