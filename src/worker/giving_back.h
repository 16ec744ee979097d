/* Jobs that go back unfinished to the head of the queue when the worker closes: no attempt is counted. */
#ifndef SC_WORKER_GIVING_BACK_H
#define SC_WORKER_GIVING_BACK_H

#include "worker.h"

/* A job that came after closing began, and no processor has seen. On the I/O thread, as the others; the run's memory may
 * be put back at once. */
void sc__refuse(sc_worker *w, sc_run *run);

/* All that wait for a batch to begin, likewise; the runs are put back. The oldest is at the head in the end. */
void sc__refuse_lingering(sc_worker *w);

/* All that are still with their processors; w->given_back counts them as the server answers. The oldest is
 * at the head in the end. */
void sc__give_back_all(sc_worker *w);

#endif
