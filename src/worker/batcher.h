/* Gathers jobs whose processor takes many at once, and lets them wait for more as long as it says.
 *
 * A job that waits here is in hand: its lock is renewed, it takes a slot. No processor has seen it, so close gives it back.
 * On the I/O thread. */
#ifndef SC_WORKER_BATCHER_H
#define SC_WORKER_BATCHER_H

#include "loop/timer.h"
#include "run.h"

struct sc__batch_group;

typedef struct sc__batcher {
    sc__core *core;
    sc__timer *timer;
    struct sc__batch_group *groups; /* one for each handler that had a job */
    bool stopped;                   /* takes no more */

    void (*on_ready)(sc__core *core, sc__work *work); /* the owner's: to the pool */
} sc__batcher;

SC_MUST_USE sc_err sc__batcher_init(sc__batcher *b, sc__core *core);
void sc__batcher_release(sc__batcher *b);

/* True when it has the run now; else it is to be run by itself. Its batch begins at once if that makes it full, else at
 * the latest in sc__batcher_flush(). */
SC_MUST_USE bool sc__batcher_take(sc__batcher *b, sc_run *run);

/* All runs that have come are taken: begins the batches that need not wait for more. */
void sc__batcher_flush(sc__batcher *b);

/* Takes no more, and lets go of the runs that wait: they are the owner's (run->lingers still says which). */
void sc__batcher_stop(sc__batcher *b);

#endif
