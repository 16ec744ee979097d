/* One question to a server on a unix socket, waiting for the answer: for programs that start or look for
 * a server and have no client yet. Not on an I/O thread. */
#ifndef SC_REDIS_ASK_H
#define SC_REDIS_ASK_H

#include <storychain/client.h>

/* `*ret_pid` (may be NULL) is the process that listens. The reply is the caller's: sc_reply_free.
 * SC_ECONNECT: nothing listens there. SC_ETIMEDOUT: no answer within `timeout_ms`. */
SC_MUST_USE sc_err sc__ask(const char *socket_path, const sc_slice *argv, size_t argc,
                           int64_t timeout_ms, sc_reply **ret_reply, int64_t *ret_pid);

#endif
