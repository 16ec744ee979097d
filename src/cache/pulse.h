/* A timer on the client's loop that runs while there is something to do, started from any thread. */
#ifndef SC_CACHE_PULSE_H
#define SC_CACHE_PULSE_H

#include <stdatomic.h>

#include "loop/timer.h"

typedef struct sc__pulse {
    sc__task start; /* first: a task is turned into its pulse */
    sc__loop *loop;
    sc__timer *timer; /* the loop's; NULL until it first started */
    int64_t every_ms;
    bool (*tick)(void *arg); /* on the loop's thread; false: nothing more to do */
    void *arg;
    atomic_bool runs;
} sc__pulse;

void sc__pulse_init(sc__pulse *p, sc__loop *loop, int64_t every_ms, bool (*tick)(void *arg),
                    void *arg);

/* There is something to do: ticks come from `every_ms` from now. Any thread. */
void sc__pulse_wake(sc__pulse *p);

/* No tick comes after it, and wake must not be called. Not on the loop's thread. */
void sc__pulse_release(sc__pulse *p);

#endif
