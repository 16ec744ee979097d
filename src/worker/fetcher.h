/* Gets jobs while slots are free: takes until the queue is empty, then waits for its marker.
 *
 * The marker is a hint that someone left for one worker. Behind the command that waits for it a take is sent along, which the
 * server runs as soon as the marker came: a job needs no second way there and back. The free slots are that take's
 * meanwhile. A worker that shares its connection (hub.h) takes after it was told of the marker.
 * Delayed jobs are taken by a timer of ours at their date, for the server ends a blocking call only some
 * time after its deadline. */
#ifndef SC_WORKER_FETCHER_H
#define SC_WORKER_FETCHER_H

#include "core.h"
#include "loop/timer.h"
#include "hub.h"
#include "redis/blocking.h"

enum { SC__LOST_CALLS_MAX = 8 };

/* A call that may have given us jobs, but its answer was lost. */
typedef struct sc__lost_call {
    sc__lock_token token;
    size_t wanted;
} sc__lost_call;

typedef struct sc__fetcher {
    sc__core *core;
    sc__blocking *blocking; /* NULL: it shares one, and has a seat there */
    sc__seat seat;
    sc__timer *timer;
    sc__lock_token token; /* of the call under way */
    size_t wanted;        /* jobs that it may bring */
    bool calling;
    bool again;    /* something happened meanwhile */
    bool pass_on;  /* a marker or a date was for others too: leave a marker if we can't take all */
    bool watching; /* blocked on the marker, with a take behind it */
    sc__lock_token watch_token;
    size_t watch_wanted;
    bool marker_heard;       /* of the two answers the first is here, ... */
    sc_err marker_err;       /* ... and was this */
    bool holds_delay_marker; /* popped: others don't know the date of the first delayed job */
    int leaves;              /* calls to come that leave our markers: see sc__fetcher_stop */
    /* When a delayed job is due, mono ms; 0: none known. By the last answer, and by the last marker: an answer that
     * was under way when the marker was popped doesn't know that job yet, so only a later one of ours clears it. */
    int64_t due_at, marker_due_at;
    bool marker_is_new;  /* popped since the call under way was sent */
    int64_t pause_until; /* mono ms; after a failure; 0: none */
    int failures;
    sc__lost_call lost[SC__LOST_CALLS_MAX];
    size_t lost_count;
    bool finding;
    bool given_up;

    void (*on_taken)(sc__core *core, const sc__taken *taken, const sc__lock_token *token,
                     bool fresh);
    void (*on_empty)(sc__core *core); /* fewer jobs came than there was room for */
} sc__fetcher;

/* On the I/O thread, as all of these. */
SC_MUST_USE sc_err sc__fetcher_init(sc__fetcher *f, sc__core *core, sc_slice connection_name);
void sc__fetcher_release(sc__fetcher *f);

/* Takes jobs if slots are free and core->taking. Call it whenever one of these may have changed. */
void sc__fetcher_poke(sc__fetcher *f);

/* Another's call answered: what it tells about more jobs, the rate limit and delayed ones. `wanted`: what it had asked for. */
void sc__fetcher_heard(sc__fetcher *f, const sc__taken *taken, size_t wanted);

/* No more than `wanted` jobs are wanted any more: a wait for the marker that would bring more is over now. */
void sc__fetcher_want_less(sc__fetcher *f, size_t wanted);

/* Stops waiting for the marker; gives those back that were popped. Calls under way still end, that one too. */
void sc__fetcher_stop(sc__fetcher *f);

/* Looks no more for jobs of lost answers. */
void sc__fetcher_give_up(sc__fetcher *f);

/* Looks for the jobs of a call whose answer was lost, until the server can be asked. Their slots stay
 * reserved in core->asked meanwhile. */
void sc__fetcher_find_lost(sc__fetcher *f, const sc__lock_token *token, size_t wanted);

#endif
