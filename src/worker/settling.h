/* What becomes of a run when the server has answered its outcome: it is counted and told of. */
#ifndef SC_WORKER_SETTLING_H
#define SC_WORKER_SETTLING_H

#include "run.h"

/* `err` and `why`: what sc__taken_ended() says. An earlier call that was not answered may have recorded the outcome: then
 * this one is refused. On the I/O thread. */
void sc__run_settle(sc_run *run, sc_err err, const sc_reason *why);

/* A parent that cannot complete, or wait, has failed instead: for good if children of it did (`for_good`), else until they have
 * finished. True: that is its outcome now, to be recorded. */
bool sc__run_fail_instead(sc_run *run, sc_err err, const sc_reason *why, bool for_good);

#endif
