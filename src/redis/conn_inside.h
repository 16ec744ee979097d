/* The inside of a connection, for conn.c (its life: attempts, limits, the end) and conn_io.c (its bytes: handshake,
 * TLS, replies, writes). */
#ifndef SC_REDIS_CONN_INSIDE_H
#define SC_REDIS_CONN_INSIDE_H

#include "loop/timer.h"
#include "conn.h"
#include "hello.h"
#include "resp.h"
#include "tls.h"

enum sc__conn_state { STARTING, RESOLVING, CONNECTING, HANDSHAKE, READY, ENDED };

struct sc__conn {
    sc__loop *loop;
    const sc__conn_target *target;
    const sc__conn_events *events;
    void *user;
    enum sc__conn_state state;
    int refs; /* the owner's, the lookup's, the handle's */

    sc__timer *limit; /* starts the first attempt, then ends the one under way */
    int64_t deadline_ms;
    uv_getaddrinfo_t lookup;
    struct addrinfo *found; /* to be freed */
    const struct addrinfo *address;

    union {
        uv_handle_t any;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } h;
    uv_connect_t connect;
    uv_write_t write;
    bool writing; /* bytes wait for the socket to take them */
    bool failed;  /* to be ended by the timer */

    sc__tls tls;
    char *sealed;      /* what the socket is read into, with TLS */
    char *sealed_rest; /* what it has not taken yet */

    sc__hello hello;
    sc__str hello_out;
    sc__resp in;
    uint64_t bytes_in;
    sc_reason why; /* the last attempt's failure */
};

/* conn_io.c: connected, so say hello. */
void sc__conn_begin(sc__conn *conn);

/* conn.c: the end, with `conn->why` or what `err` means as its text; at once, or from the loop, for calls that are
 * made inside of the owner's own. */
void sc__conn_fail(sc__conn *conn, sc_err err);
void sc__conn_fail_uv(sc__conn *conn, int uv_error);
void sc__conn_fail_later(sc__conn *conn, int uv_error);

#endif
