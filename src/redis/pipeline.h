/* The commands of all threads on one connection: taken in, written, answered, each within its deadline.
 *
 *     any thread      submit -> incoming
 *     I/O thread      incoming -> waiting -> in_flight -> callback
 *                                  again  ->
 *
 * Of a connection at rest the submitting thread writes its command itself: the I/O thread would have to wake for it. So all
 * but `incoming` belongs to who has the turn: the I/O thread from its first touch until it sleeps, or that thread.
 *
 * `again` holds what is to be written before anything that waits: commands whose script had to be
 * loaded, that met a server still loading its data, or that may be repeated on a new connection.
 * In flight, replies are matched by order; a command that timed out there stays, without its
 * callback, until its reply has come. */
#ifndef SC_REDIS_PIPELINE_H
#define SC_REDIS_PIPELINE_H

#include <stdatomic.h>

#include <pthread.h>

#include "loop/timer.h"
#include "conn.h"
#include "loads.h"
#include "request.h"

typedef struct sc__pipeline {
    /* shared by all threads */
    _Atomic(sc__request *) incoming; /* newest first */
    atomic_size_t waiting_bytes;     /* of all commands without an answer */
    atomic_bool asleep;              /* the I/O thread must be woken to look at `incoming` */
    uv_async_t wake;

    pthread_mutex_t turn;

    /* the I/O thread's */
    sc__loop *loop;
    uv_prepare_t before_sleep;
    bool has_turn;

    /* of who has the turn */
    sc__conn *conn; /* NULL: none that is ready */
    sc__requests again, waiting, in_flight;
    sc__timer *deadline; /* at `next_deadline_ms`, which no deadline is before */
    int64_t next_deadline_ms;
    int64_t
        unplanned_ms; /* the earliest deadline that the I/O thread has yet to plan for; 0: none */
    bool deadline_polled; /* it fired, and the loop got a turn to read first */
    sc__timer *pause;     /* active: the server is loading its data, nothing is written */
    int64_t heard_ms; /* when the connection last spoke, or got the first command after a rest */
    uint64_t heard_bytes;
    bool retiring; /* the connection must not be used for more: the server takes no writes now */
    bool closing;
    char *out;     /* small commands are joined here */
    uv_buf_t rest; /* of `out`: what another thread could not write at once */
    int fd;        /* for other threads to write to; -1: they can't */
    uint64_t order;
    sc__loads loads;

    /* settings */
    int64_t timeout_ms;
    size_t max_waiting_bytes;
    sc__traffic *traffic;
    /* The connection has been silent for longer than a command may take, or has answered all that was
     * under way after the server turned read-only: close it. On the I/O thread. */
    void (*give_up)(void *user, const char *why);
    void *user;

    atomic_uint_fast64_t commands, replies, timeouts;
} sc__pipeline;

/* `p` is zeroed but for its settings. On the I/O thread. */
SC_MUST_USE sc_err sc__pipeline_start(sc__pipeline *p, sc__loop *loop);

/* Ends everything with SC_ECANCELED; later submits get that, too. On the I/O thread. */
void sc__pipeline_stop(sc__pipeline *p);
void sc__pipeline_release(sc__pipeline *p); /* after the loop has ended */

/* Any thread. As sc__client_send(). */
SC_MUST_USE sc_err sc__pipeline_submit(sc__pipeline *p, const sc_slice *argv, size_t argc,
                                       const sc__send_opts *opts, sc_reply_cb cb, void *user);

/* Writes what has been submitted now, not when the loop is about to sleep: for who has long work to do before that. On the
 * I/O thread. */
void sc__pipeline_push(sc__pipeline *p);

/* The connection is ready; it is lost (`err`: what the command at the front gets, if its reply was what
 * could not be read; else SC_ECONNLOST). */
void sc__pipeline_attach(sc__pipeline *p, sc__conn *conn);
void sc__pipeline_detach(sc__pipeline *p, sc_err err);

/* A reply came. SC_EPROTO when nothing was asked. May call give_up(). */
SC_MUST_USE sc_err sc__pipeline_reply(sc__pipeline *p, const sc_reply *reply);
void sc__pipeline_flush(sc__pipeline *p);

#endif
