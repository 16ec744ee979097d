/* Runs a job's processor on a thread of the pool, and says what is to be recorded about its end. */
#ifndef SC_WORKER_RUNNER_H
#define SC_WORKER_RUNNER_H

#include "run.h"

/* Reads the hash of a job that was taken into `run`. What can't be read fails the job when it runs. `fresh`: as it was
 * before it was taken, at `now_ms`. SC_ENOMEM, SC_ETOOBIG, SC_ELAYOUT with a reason: it can't even be failed. */
SC_MUST_USE sc_err sc__runner_load(sc_run *run, sc_slice id, const sc_reply *fields, bool fresh,
                                   int64_t now_ms, sc_reason *ret_reason);

/* Why a job must not be run at all, in words for its failedReason, in the run's arena; NULL: it may. Reads its options. */
const char *sc__runner_unfit(sc_run *run);

/* Its processor is through: decides what is to be recorded, tells the worker's on_job, and gives the outcome that counts. */
sc_outcome sc__runner_end(sc_run *run, sc_outcome outcome, int64_t took_ms);

/* For the pool: runs, then calls run->on_end. */
void sc__runner_work(sc__work *work);

/* The same in two parts, for a processor that takes many. False: the run must not be run, and has ended. */
SC_MUST_USE bool sc__runner_begin(sc_run *run, const sc_handler_opts *handler);
void sc__runner_through(sc_run *run, sc_outcome outcome, int64_t took_ms);

/* For the pool: the run's processor has not come to an end in time. Makes that its end, then calls run->on_end. */
void sc__runner_time_out(sc__work *work);

#endif
