/* What tells a run that it should stop. The processor asks; nothing is done to its thread.
 *
 * A run that is cancelled may be so for several causes; the last one of sc_cancel_cause's order is the one that is told.
 * The public half is in <storychain/worker.h>. */
#ifndef SC_WORKER_CANCEL_H
#define SC_WORKER_CANCEL_H

#include "run.h"

/* On the I/O thread. `text` (copied; may be empty) is for SC_CANCEL_RUN and SC_CANCEL_JOB; of the latter, as it is to stand in
 * failedReason. */
void sc__run_cancel(sc_run *run, sc_cancel_cause cause, sc_slice text);

/* Why its job must not be run, or run again, in words for its failedReason ("cancelled: …"); NULL: nobody cancelled the
 * job. Lives as long as the run. Any thread. */
const char *sc__run_job_cancelled(const sc_run *run);

/* Frees what it holds; before the run's memory is used again. */
void sc__run_forget_cancel(sc_run *run);

#endif
