/* Where taken jobs go: to the pool, those of a job scheduler after its next run is stored; back, while closing. */
#ifndef SC_WORKER_INTAKE_H
#define SC_WORKER_INTAKE_H

#include "worker.h"

/* On the I/O thread. `fresh`: the hashes are as they were before the jobs were taken. */
void sc__intake(sc__core *core, const sc__taken *taken, const sc__lock_token *token, bool fresh);

#endif
