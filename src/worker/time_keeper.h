/* Tells runs that their soft timeout is over, and its owner that a hard one is.
 *
 * A timer for all runs, at the earliest date of any. A run that begins wakes the I/O thread only when its own is earlier
 * still, so that limits which are not reached cost nothing. */
#ifndef SC_WORKER_TIME_KEEPER_H
#define SC_WORKER_TIME_KEEPER_H

#include "loop/timer.h"
#include "run.h"

typedef struct sc__time_keeper {
    sc__task task;
    sc__core *core;
    sc__timer *timer;
    _Atomic int64_t next_at; /* mono ms; INT64_MAX: none */

    void (*on_time_out)(sc_run *run); /* the owner's */
} sc__time_keeper;

/* On the I/O thread. */
SC_MUST_USE sc_err sc__time_keeper_init(sc__time_keeper *k, sc__core *core);
void sc__time_keeper_release(sc__time_keeper *k);

/* The run's processor begins, and has so long; 0: as long as it takes. On its thread. */
void sc__time_keeper_begin(sc__time_keeper *k, sc_run *run, int64_t soft_ms, int64_t hard_ms);

#endif
