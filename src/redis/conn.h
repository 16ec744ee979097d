/* One connection, from its first attempt to its end; it is never opened again.
 *
 *     resolving -> connecting -> (TLS) -> handshake -> ready -> ended
 *
 * Each of the name's addresses is tried in turn, all within the connect timeout. Everything is on the
 * loop's thread. A connection frees itself after `ended` or sc__conn_close(). */
#ifndef SC_REDIS_CONN_H
#define SC_REDIS_CONN_H

#include <stdatomic.h>

#include <storychain/client.h>

#include "loop/loop.h"
#include "url.h"

typedef struct sc__conn sc__conn;

enum { SC__CONN_BUFS_MAX = 64 };

/* Counters over many connections. The I/O thread adds, any thread reads. */
typedef struct sc__traffic {
    atomic_uint_fast64_t bytes_in, bytes_out, writes;
} sc__traffic;

/* For counters with one writer: no need for a locked addition. */
static inline void sc__count_up(atomic_uint_fast64_t *counter, uint64_t more)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + more,
                          memory_order_relaxed);
}

/* Where to and how. Borrowed until the connection has ended. */
typedef struct sc__conn_target {
    const sc__url *url;
    const char *name; /* CLIENT SETNAME; NULL or empty: none */
    int64_t connect_timeout_ms;
    size_t max_reply_bytes;
    struct ssl_ctx_st *tls;      /* NULL: none */
    const char *tls_server_name; /* NULL: the URL's host */
    sc__traffic *traffic;        /* NULL: not counted */
    bool tracks;                 /* CLIENT TRACKING ON, if the server can … */
    const char *track_prefix;    /* … with BCAST PREFIX, unless NULL */
} sc__conn_target;

typedef struct sc__conn_events {
    void (*ready)(void *user, const sc_server_info *info);
    void (*reply)(void *user, const sc_reply *reply, bool is_push); /* borrowed for the call */
    void (*writable)(void *user); /* what sc__conn_write() could not write at once is written */
    /* Once, and nothing after it; never from inside of another call of this header. SC_ECONNECT, SC_EAUTH
     * and the like before `ready`; after it SC_ECONNLOST, SC_EPROTO, SC_ETOOBIG. `text` says what happened
     * ("connection refused") and is borrowed. */
    void (*ended)(void *user, sc_err err, const char *text);
} sc__conn_events;

/* `events` is borrowed until the end, too. */
SC_MUST_USE sc_err sc__conn_open(sc__loop *loop, const sc__conn_target *target,
                                 const sc__conn_events *events, void *user, sc__conn **ret_conn);

/* Ends it without a word: no event comes any more. NULL is fine. */
void sc__conn_close(sc__conn *conn);

/* Writes up to SC__CONN_BUFS_MAX pieces; only when sc__conn_can_write(). If that is false afterwards, the
 * bytes are borrowed until `writable` or the end. A failure comes as `ended`. */
void sc__conn_write(sc__conn *conn, const uv_buf_t *bufs, unsigned count);
bool sc__conn_can_write(const sc__conn *conn);

/* A descriptor of the same connection, for other threads to write whole commands to; the caller closes it. -1: there is none,
 * as with TLS. */
int sc__conn_dup(const sc__conn *conn);

/* By which the server knows it (CLIENT ID), when it is ready; 0: the server, of RESP2, didn't tell. */
int64_t sc__conn_id(const sc__conn *conn);

/* When it is ready, of one that is to track: whether it does, and how many ms the server's wall clock is ahead of our
 * monotonic one (INT64_MIN: not known). */
bool sc__conn_is_tracked(const sc__conn *conn);
int64_t sc__conn_server_ahead_ms(const sc__conn *conn);

/* Read so far: grows while the server is alive. */
uint64_t sc__conn_bytes_in(const sc__conn *conn);

#endif
