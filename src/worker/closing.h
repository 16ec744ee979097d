/* Closing a worker: stops taking, drains, gives back what is left, waits for all that still uses its memory. */
#ifndef SC_WORKER_CLOSING_H
#define SC_WORKER_CLOSING_H

#include "worker.h"

/* The core's callback: something may have come that closing waits for. */
void sc__closing_on_change(sc__core *core);

/* Not on the I/O thread. When it returns, no thread, call or timer of the worker is at work. */
void sc__closing_run(sc_worker *w, int64_t drain_ms);

#endif
