/* Jobs that one call of a processor works on. Each of them is a run of its own; only the call is shared. */
#ifndef SC_WORKER_BATCH_H
#define SC_WORKER_BATCH_H

#include "run.h"

typedef struct sc__batch {
    sc__work work; /* for the pool; frees the batch in the end */
    sc__handler_def def;
    size_t count, max;
    sc_run **runs;
    const sc_job **jobs;
    sc_outcome *outcomes;
} sc__batch;

/* Empty, with room for `max` (at least 1) runs. NULL without memory. */
SC_MUST_USE sc__batch *sc__batch_new(const sc__handler_def *def, size_t max);

void sc__batch_add(sc__batch *batch, sc_run *run);

#endif
