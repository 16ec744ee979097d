/* A worker: its roles, wired together. The public half is <storychain/worker.h>. */
#ifndef SC_WORKER_WORKER_H
#define SC_WORKER_WORKER_H

#include <storychain/scheduler.h>
#include <storychain/tracer.h>
#include <storychain/worker.h>

#include <pthread.h>

#include "batcher.h"
#include "by_hand.h"
#include "canceller.h"
#include "fetcher.h"
#include "finisher.h"
#include "lock_keeper.h"
#include "ops/op_scheduler.h"
#include "stalled.h"
#include "time_keeper.h"

struct sc_worker {
    sc__core core;
    sc__fetcher fetcher;
    sc__finisher finisher;
    sc__lock_keeper lock_keeper;
    sc__stalled stalled;
    sc__canceller canceller;
    sc__batcher batcher;
    sc__time_keeper time_keeper;
    sc__by_hand by_hand;
    sc_tracer tracer; /* core.opts' points to it */
    sc__ticker *ticker;
    sc_queue *guarded; /* NULL: its schedules have no guardian here */
    sc_scheduler_guard *guard;
    sc__pool *pool;
    sc_run *spares;
    char *names; /* queue, prefix and worker name, which core's slices point into */

    /* The I/O thread's. */
    bool closing, paused;
    int given_back;

    pthread_mutex_t mutex; /* for what follows */
    pthread_cond_t changed;
    uint64_t changes;
    bool started, closed;
};

enum { SC__CONCURRENCY_MAX = 10000 };

/* Starts the roles. On the I/O thread. */
void sc__worker_begin(sc_worker *w);

/* A thread for each slot, and one for each that is late. On the I/O thread. */
static inline void sc__worker_fit_pool(sc_worker *w)
{
    sc__pool_resize(w->pool, (size_t)w->core.opts.concurrency + w->core.late);
}

#endif
