/* Runs past their hard timeout: the try has failed, and the slot is free, while the processor may go on.
 *
 * An heir, another sc_run with a copy of the job and the same lock, records the failure by the usual ways. The run
 * itself is late from then on: it keeps its memory until its processor returns, and that outcome is dropped. */
#ifndef SC_WORKER_TIMING_OUT_H
#define SC_WORKER_TIMING_OUT_H

#include "worker.h"

/* On the I/O thread, as the other. Does nothing when the processor was faster. */
void sc__time_out(sc_worker *w, sc_run *run);

/* The processor of a late run has returned. */
void sc__late_ended(sc_worker *w);

#endif
