/* A timer on a loop: one sentence of behaviour in time. On the loop's thread only. */
#ifndef SC_LOOP_TIMER_H
#define SC_LOOP_TIMER_H

#include "loop.h"

typedef struct sc__timer sc__timer;

/* Does not run until started. */
SC_MUST_USE sc_err sc__timer_new(sc__loop *loop, void (*fire)(void *arg), void *arg,
                                 sc__timer **ret_timer);

/* Fires once, `after_ms` from now (0: next turn of the loop), instead of any earlier plan. */
void sc__timer_start(sc__timer *timer, int64_t after_ms);
void sc__timer_stop(sc__timer *timer);
bool sc__timer_is_active(const sc__timer *timer);

/* Never fires again, and is freed by the loop. NULL is fine. Fine inside its own `fire`. */
void sc__timer_free(sc__timer *timer);

#endif
