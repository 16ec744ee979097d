/* What is to be recorded about the end of a run: by its outcome, the job's attempts, backoff and retention. */
#ifndef SC_WORKER_ENDING_H
#define SC_WORKER_ENDING_H

#include "run.h"

/* Fills run->ended from what the processor said (run->result, reason, delay_ms). A retry or a final failure is
 * decided here, as BullMQ does it. */
void sc__run_end(sc_run *run, sc_outcome outcome);

#endif
