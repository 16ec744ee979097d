/* Guarding: the worker's guardian of its queue's schedules. Any thread but the I/O thread. */
#ifndef SC_WORKER_GUARDING_H
#define SC_WORKER_GUARDING_H

#include "worker.h"

/* Makes the guardian's queue; does nothing for a worker that is to have none. `strategy` is copied. */
SC_MUST_USE sc_err sc__guarding_init(sc_worker *w, const sc_repeat_strategy *strategy,
                                     sc_reason *ret_reason);
void sc__guarding_release(sc_worker *w);

SC_MUST_USE sc_err sc__guarding_start(sc_worker *w);
void sc__guarding_stop(sc_worker *w);

#endif
