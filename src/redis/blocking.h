/* A connection of its own for commands that block on the server: BZPOPMIN, XREAD BLOCK.
 *
 * Same server, user and database as the client, whose loop it lives on; opened at the first call and
 * again when lost, with the client's backoff. One call at a time. TCP keepalive is on, and a call that
 * gets no answer within its block time and 2 s more counts as a dead connection: it is closed
 * and the call ends with SC_ECONNLOST. */
#ifndef SC_REDIS_BLOCKING_H
#define SC_REDIS_BLOCKING_H

#include "client.h"

typedef struct sc__blocking sc__blocking;

/* `name` is set by CLIENT SETNAME (copied; empty: none). Any thread. */
SC_MUST_USE sc_err sc__blocking_new(sc_client *client, sc_slice name, sc__blocking **ret_blocking);

/* Sends a command that the server answers within `block_ms`, and `cb` comes on the I/O thread:
 * SC_OK with the reply (nil: timed out), SC_ECONNECT / SC_ECONNLOST when there is no
 * connection (the caller tries again, after its own pause), SC_EREADONLY when the server has
 * become a replica (reconnects), SC_ECANCELED by cancel or free. Other error replies are SC_OK.
 * On the I/O thread only. SC_ESTATE while another call is under way. */
SC_MUST_USE sc_err sc__blocking_call(sc__blocking *b, const sc_slice *argv, size_t argc,
                                     int64_t block_ms, sc_reply_cb cb, void *user);

/* A command of a call. */
typedef struct sc__command {
    const sc_slice *argv;
    size_t argc;
} sc__command;

/* The same for a command that blocks and one that the server begins as soon as that is answered, without waiting for us. `cb`
 * comes for each answer, or with the first error; unless that is SC_ECONNECT, the second may have run. */
SC_MUST_USE sc_err sc__blocking_call_then(sc__blocking *b, const sc__command *first,
                                          const sc__command *second, int64_t block_ms,
                                          sc_reply_cb cb, void *user);

/* Has the server answer the call under way now, as if its block time were over; `cb` comes as ever. Where the server can't be
 * asked to, as sc__blocking_cancel(). I/O thread only. */
void sc__blocking_hurry(sc__blocking *b);

/* Ends the call under way with SC_ECANCELED (its connection is closed). Does nothing if there is
 * none. I/O thread only. */
void sc__blocking_cancel(sc__blocking *b);

/* Cancels and frees. Any thread; a callback under way on the I/O thread has ended when this
 * returns, unless called on the I/O thread itself. */
void sc__blocking_free(sc__blocking *b);

#endif
