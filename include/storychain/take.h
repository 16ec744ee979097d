/* Jobs taken by hand: without processors, by threads of your own, one at a time.
 *
 * A worker that was never started takes by hand from the first call of sc_worker_take() on. It does the rest as always: promotes delayed
 * jobs, makes the next runs of schedulers, obeys rate limits and pauses, renews the locks of jobs in hand, checks for stalled ones. How
 * many jobs are in hand at once is up to the caller; `concurrency` and processors are not used.
 *
 *     sc_run *run;
 *
 *     while (sc_worker_take(worker, 5000, &run) == SC_OK)
 *         err = sc_run_end(run, mail_it(sc_run_job(run)) ? SC_DONE : sc_run_fail(run, SC_FAILED, "away"), NULL);
 *
 * All of these wait and are thread-safe (a run: one thread at a time); SC_EDEADLK on the client's I/O thread.
 *
 * Since 0.1. */
#ifndef STORYCHAIN_TAKE_H
#define STORYCHAIN_TAKE_H

#include <storychain/worker.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Takes the next job, waiting up to `wait_ms` for one; 0: only asks. The run is yours until sc_run_end() or the worker's close,
 * whichever comes first. A job that must not be run (its options can't be read, a child of it failed, it was started too often) is failed
 * instead, and the next one taken.
 * SC_ENOTFOUND: there is none now; SC_ETIMEDOUT: none came, or the server did not answer; SC_ESTATE: the worker runs processors
 * or is closed; SC_ECANCELED: it was closed meanwhile. */
SC_API SC_MUST_USE sc_err sc_worker_take(sc_worker *worker, int64_t wait_ms, sc_run **ret_run);

/* Takes over a job that is active already: one that another process took, and handed on with its id and its lock's token. From now
 * on this worker renews the lock. SC_ENOJOB; SC_ELOCKLOST: the lock has another token; SC_ETOOBIG: a token of more than 59 bytes;
 * SC_ELAYOUT, SC_ESTATE as above. */
SC_API SC_MUST_USE sc_err sc_worker_adopt(sc_worker *worker, sc_slice id, sc_slice token,
                                          sc_run **ret_run);

/* The job of a run, and the token of its lock. Both live as long as the run. */
SC_API const sc_job *sc_run_job(const sc_run *run);
SC_API sc_slice sc_run_token(const sc_run *run);

/* The lock holds for `lock_ms` from now (at least 1). Only for workers that don't renew locks themselves (`skip_lock_renewal`), or to
 * learn that the lock is lost: SC_ELOCKLOST. */
SC_API SC_MUST_USE sc_err sc_run_extend_lock(sc_run *run, int64_t lock_ms);

/* Ends the run with an outcome, given as a processor would return it: SC_DONE, or what sc_run_return(), sc_run_fail(), sc_run_delay(),
 * sc_run_limit(), sc_run_wait(), sc_run_wait_children() give. It waits until the server has answered, also over lost connections. With `ret_next` the next job is taken in the same call; it is NULL when there is none. The run is gone
 * afterwards, also on an error.
 * SC_ELOCKLOST: the outcome was not recorded, for the lock is lost; SC_ENOJOB, SC_EJOBSTATE likewise; SC_ECANCELED: the worker was
 * closed before the server answered; SC_ESTATE: the run is a processor's, and goes on. */
SC_API SC_MUST_USE sc_err sc_run_end(sc_run *run, sc_outcome outcome, sc_run **ret_next);

#ifdef __cplusplus
}
#endif
#endif
