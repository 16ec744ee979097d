/* Hears that a job in hand was cancelled, wherever that was done, and cancels its run. What it doesn't hear because a
 * connection was lost, or can't because the server speaks RESP2, the lock keeper finds when it renews the lock. */
#ifndef SC_WORKER_CANCELLER_H
#define SC_WORKER_CANCELLER_H

#include "core.h"
#include "redis/pubsub.h"

typedef struct sc__canceller {
    sc__core *core;
    char *channel;
    sc__subscription subscription;
    bool started;
} sc__canceller;

/* On the I/O thread, as all of these. */
SC_MUST_USE sc_err sc__canceller_init(sc__canceller *c, sc__core *core);
void sc__canceller_release(sc__canceller *c);
void sc__canceller_start(sc__canceller *c);
void sc__canceller_stop(sc__canceller *c);

#endif
