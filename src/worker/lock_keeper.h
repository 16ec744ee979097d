/* Extends the locks of all jobs in hand, every quarter of their time, so that job code that blocks or spins
 * can't lose its job. A job whose lock is lost all the same is cancelled, and its outcome dropped. */
#ifndef SC_WORKER_LOCK_KEEPER_H
#define SC_WORKER_LOCK_KEEPER_H

#include "loop/timer.h"
#include "run.h"

typedef struct sc__lock_keeper {
    sc__core *core;
    sc__timer *timer;
    int64_t every_ms;
} sc__lock_keeper;

/* On the I/O thread, as all of these. */
SC_MUST_USE sc_err sc__lock_keeper_init(sc__lock_keeper *k, sc__core *core);
void sc__lock_keeper_release(sc__lock_keeper *k);
void sc__lock_keeper_start(sc__lock_keeper *k);
void sc__lock_keeper_look(sc__lock_keeper *k); /* renews now too, if it keeps any */
void sc__lock_keeper_stop(sc__lock_keeper *k);

#endif
