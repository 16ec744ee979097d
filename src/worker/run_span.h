/* The span of a run: around its processor, on the same thread. Does nothing in a worker without a tracer. */
#ifndef SC_WORKER_RUN_SPAN_H
#define SC_WORKER_RUN_SPAN_H

#include "run.h"

void sc__run_span_start(sc_run *run);

/* The outcome is decided: run->ended is what will be recorded. */
void sc__run_span_end(sc_run *run, sc_outcome outcome);

/* It took too long, and its end was decided meanwhile. */
void sc__run_span_end_late(sc_run *run);

#endif
