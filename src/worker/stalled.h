/* Finds jobs whose worker died, at start and each interval, and gives them back to the queue. One check per queue and
 * interval, whatever number of workers there are. */
#ifndef SC_WORKER_STALLED_H
#define SC_WORKER_STALLED_H

#include "core.h"
#include "loop/timer.h"

typedef struct sc__stalled {
    sc__core *core;
    sc__timer *timer;
    bool calling, started;
} sc__stalled;

/* On the I/O thread, as all of these. */
SC_MUST_USE sc_err sc__stalled_init(sc__stalled *s, sc__core *core);
void sc__stalled_release(sc__stalled *s);
void sc__stalled_start(sc__stalled *s);
void sc__stalled_stop(sc__stalled *s);

#endif
