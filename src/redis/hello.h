/* The first words on a new connection: HELLO 3 with user, password and name, then SELECT. A server that
 * doesn't know HELLO gets AUTH, CLIENT SETNAME and INFO, and speaks RESP2. When asked to track, CLIENT TRACKING ON and TIME
 * follow; a server that refuses either is taken without. One that sentinels told of and that is no master any more is refused.
 *
 * Knows no sockets: give it a reply, it gives the next command. */
#ifndef SC_REDIS_HELLO_H
#define SC_REDIS_HELLO_H

#include <storychain/client.h>

#include "base/str.h"
#include "url.h"

enum sc__hello_step {
    SC__HELLO_START,
    SC__HELLO_HELLO,
    SC__HELLO_AUTH,
    SC__HELLO_SETNAME,
    SC__HELLO_INFO,
    SC__HELLO_SELECT,
    SC__HELLO_TRACKING,
    SC__HELLO_TIME,
    SC__HELLO_DONE
};

typedef struct sc__hello {
    const sc__url *url;
    const char *name;         /* NULL or empty: none */
    bool tracks;              /* tracking and the server's time are wanted */
    const char *track_prefix; /* NULL: of what is read; else of all keys that begin so */
    enum sc__hello_step step; /* whose reply is awaited */
    sc_server_info info;
    int64_t client_id; /* by which the server knows the connection; 0: not told */
    bool speaks_resp3, is_master, is_tracked;
    int64_t time_asked_ns; /* mono */
    int64_t
        server_ahead_ms; /* the server's wall clock less our monotonic one; INT64_MIN: not told */
} sc__hello;

/* Takes the reply to the command before (NULL at the start), appends the next one to `out`. At the end
 * step is SC__HELLO_DONE. SC_EAUTH, SC_EREPLY, SC_EPROTO with a reason. */
SC_MUST_USE sc_err sc__hello_next(sc__hello *h, const sc_reply *reply, sc__str *out,
                                  sc_reason *ret_reason);

#endif
