/* A timer on the client's loop that runs while there is something to do, started from any thread. */
#ifndef SC_CACHE_TICKER_H
#define SC_CACHE_TICKER_H

#include <stdatomic.h>

#include "loop/timer.h"

typedef struct sc__ticker {
    sc__task start; /* first: a task is turned into its ticker */
    sc__loop *loop;
    sc__timer *timer; /* the loop's; NULL until it first started */
    int64_t every_ms;
    bool (*tick)(void *arg); /* on the loop's thread; false: nothing more to do */
    void *arg;
    atomic_bool runs;
} sc__ticker;

void sc__ticker_init(sc__ticker *t, sc__loop *loop, int64_t every_ms, bool (*tick)(void *arg),
                     void *arg);

/* There is something to do: ticks come from `every_ms` from now. Any thread. */
void sc__ticker_wake(sc__ticker *t);

/* No tick comes after it, and wake must not be called. Not on the loop's thread. */
void sc__ticker_release(sc__ticker *t);

#endif
