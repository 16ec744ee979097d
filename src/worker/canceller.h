/* Hears that a job in hand was cancelled, wherever that was done, and cancels its run. From the first job on: a worker that
 * never had one needs no ears. What it doesn't hear, because it may not listen or not yet, the lock keeper finds when it renews the
 * lock; its owner has that one look when a connection was lost and is back. */
#ifndef SC_WORKER_CANCELLER_H
#define SC_WORKER_CANCELLER_H

#include "core.h"
#include "redis/pubsub.h"

typedef struct sc__canceller {
    sc__core *core;
    char *channel;
    sc__subscription subscription;
    bool started, was_heard;

    void (*on_heard_again)(sc__core *core); /* the owner's: something may have been missed */
} sc__canceller;

/* On the I/O thread, as all of these. */
SC_MUST_USE sc_err sc__canceller_init(sc__canceller *c, sc__core *core);
void sc__canceller_release(sc__canceller *c);
void sc__canceller_start(sc__canceller *c); /* unless it was */
void sc__canceller_stop(sc__canceller *c);

#endif
