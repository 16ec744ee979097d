/* Runs that go to threads that ask for them, instead of to the pool (see <storychain/take.h>).
 *
 * Each thread that waits is a taker, on its own stack. The fetcher takes as many jobs as there are takers (core->takers); a run that
 * arrives is the first taker's at once, and wakes it when it may be run. */
#ifndef SC_WORKER_BY_HAND_H
#define SC_WORKER_BY_HAND_H

#include <storychain/take.h>

#include "loop/waiter.h"
#include "run.h"

struct sc__taker {
    struct sc__taker *next;
    sc__waiter waiter;
    bool only_asks; /* doesn't wait for jobs to come */
    bool with_end;  /* the call that records its last run asks for it */
    sc_run *run;    /* its own from when it arrived; NULL: none */
    sc_err err;
};

typedef struct sc__by_hand {
    struct sc__taker *first, *last; /* without a run */
} sc__by_hand;

/* On the I/O thread, as all of these.
 *
 * A run arrived: the first taker's. False when nobody waits any more. */
bool sc__by_hand_assign(sc__core *core, sc_run *run);

/* It may be run: wakes its taker. */
void sc__by_hand_give(sc_run *run);

/* An answer brought fewer jobs than there are takers: those that only ask go without. */
void sc__by_hand_nothing(sc__core *core);

/* The worker closes: all takers go without. */
void sc__by_hand_close(sc__core *core);

/* Closing gave these back: the runs that are still in someone's hands are gone. */
void sc__by_hand_drop_all(sc__core *core);

#endif
