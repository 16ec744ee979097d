/* Changing jobs that are in a queue already, whatever program added them, and the settings of a queue that all its
 * workers everywhere obey.
 *
 * All of these wait for the server and are thread-safe; SC_EDEADLK on the client's I/O thread. `ret_reason` may be
 * NULL. SC_ENOJOB where there is no such job, SC_EINVAL for what BullMQ would refuse.
 *
 * Since 0.1. */
#ifndef STORYCHAIN_CONTROL_H
#define STORYCHAIN_CONTROL_H

#include <storychain/queue.h>

#ifdef __cplusplus
extern "C" {
#endif

/* `json` is stored byte for byte; a running processor keeps the data it began with. SC_ETOOBIG over 64 MiB. */
SC_API SC_MUST_USE sc_err sc_queue_update_data(sc_queue *queue, sc_slice id, sc_slice json,
                                               sc_reason *ret_reason);

/* Any JSON value; the event `progress` tells of it. SC_ETOOBIG over 64 MiB. */
SC_API SC_MUST_USE sc_err sc_queue_update_progress(sc_queue *queue, sc_slice id, sc_slice json,
                                                   sc_reason *ret_reason);

/* Adds a row to the job's log; of all rows the newest `keep` stay, 0: all. */
SC_API SC_MUST_USE sc_err sc_queue_add_log(sc_queue *queue, sc_slice id, sc_slice row, int64_t keep,
                                           sc_reason *ret_reason);

/* Removes all rows but the newest `keep`. A job without a log, or no job at all, is no error. */
SC_API SC_MUST_USE sc_err sc_queue_clear_logs(sc_queue *queue, sc_slice id, int64_t keep,
                                              sc_reason *ret_reason);

/* A delayed job is due in `delay_ms` from now instead. SC_EJOBSTATE when it is not delayed. */
SC_API SC_MUST_USE sc_err sc_queue_change_delay(sc_queue *queue, sc_slice id, int64_t delay_ms,
                                                sc_reason *ret_reason);

/* Another priority (0 to 2,097,151), from any state; a job that waits changes its place. `lifo`: it goes before
 * its equals, else behind them. */
SC_API SC_MUST_USE sc_err sc_queue_change_priority(sc_queue *queue, sc_slice id, int64_t priority,
                                                   bool lifo, sc_reason *ret_reason);

/* What a retried job forgets of its past. */
typedef struct sc_retry_opts {
    bool reset_attempts_made;    /* it has all its attempts again */
    bool reset_attempts_started; /* likewise for a worker's limit of starts */
} sc_retry_opts;

/* sc_queue_retry() with options. SC_EJOBSTATE when the job is neither failed nor completed. */
SC_API SC_MUST_USE sc_err sc_queue_retry_with(sc_queue *queue, sc_slice id,
                                              const sc_retry_opts *opts, sc_reason *ret_reason);

/* What became of a job that is cancelled. */
typedef enum sc_cancel_result {
    SC_CANCELLED, /* it was not running: it has failed for good */
    SC_CANCEL_TOLD, /* it runs in a worker of ours, whose run is told within milliseconds (SC_CANCEL_JOB). When it isn't
                            done it has failed for good, whatever attempts are left */
    SC_CANCEL_NOTED, /* it runs in a worker that can't be told (BullMQ's own): this run goes on, and if it fails there
                            is no other */
    SC_CANCEL_POSTPONED, /* it waits for its children, or far inside a list of more than 200,000: it fails for good when its
                            turn comes, without being run */
} sc_cancel_result;

/* "cancelled", "told", "noted", "postponed". */
SC_API const char *sc_cancel_result_name(sc_cancel_result result);

/* Cancels a job, wherever it is: it fails for good, its `failedReason` being "cancelled", or "cancelled: " and `reason` (text of
 * at most 4,096 bytes; may be empty). What a failure does to its parent and its deduplication id, this does. A run
 * that is told and still is done, is done. SC_ENOJOB; SC_EJOBSTATE: it is finished; SC_ESCHEDULED: a job
 * scheduler waits for it. `ret_result` may be NULL. */
SC_API SC_MUST_USE sc_err sc_queue_cancel(sc_queue *queue, sc_slice id, sc_slice reason,
                                          sc_cancel_result *ret_result, sc_reason *ret_reason);

/* What becomes of a removed job's children. */
typedef struct sc_remove_opts {
    bool keep_children; /* they stay, as jobs whose parent is gone; else they are removed, too */
} sc_remove_opts;

/* sc_queue_remove() with options. With children that go, in slices of 200. */
SC_API SC_MUST_USE sc_err sc_queue_remove_with(sc_queue *queue, sc_slice id,
                                               const sc_remove_opts *opts, sc_reason *ret_reason);

/* How many children of a job are where. All 0 for a job without children. */
typedef struct sc_dependency_counts {
    int64_t processed;   /* completed */
    int64_t unprocessed; /* not finished */
    int64_t ignored;     /* failed, and the parent goes on */
    int64_t failed;      /* failed, and the parent fails with them */
} sc_dependency_counts;

SC_API SC_MUST_USE sc_err sc_queue_get_dependency_counts(sc_queue *queue, sc_slice id,
                                                         sc_dependency_counts *ret_counts,
                                                         sc_reason *ret_reason);

/* At most so many jobs of the queue run at once, whatever each worker's own concurrency; at least 1. Workers learn of it
 * when they take their next job. */
SC_API SC_MUST_USE sc_err sc_queue_set_global_concurrency(sc_queue *queue, int64_t concurrency,
                                                          sc_reason *ret_reason);
SC_API SC_MUST_USE sc_err sc_queue_remove_global_concurrency(sc_queue *queue,
                                                             sc_reason *ret_reason);

/* 0: there is none. */
SC_API SC_MUST_USE sc_err sc_queue_get_global_concurrency(sc_queue *queue, int64_t *ret_concurrency,
                                                          sc_reason *ret_reason);

/* Do as many jobs run as the global concurrency allows? */
SC_API SC_MUST_USE sc_err sc_queue_is_maxed(sc_queue *queue, bool *ret_maxed,
                                            sc_reason *ret_reason);

/* At most `max` jobs of the queue are started in `duration_ms`; both at least 1. */
typedef struct sc_global_rate_limit {
    int64_t max; /* 0, when read: there is none */
    int64_t duration_ms;
} sc_global_rate_limit;

SC_API SC_MUST_USE sc_err sc_queue_set_global_rate_limit(sc_queue *queue,
                                                         const sc_global_rate_limit *limit,
                                                         sc_reason *ret_reason);
SC_API SC_MUST_USE sc_err sc_queue_remove_global_rate_limit(sc_queue *queue, sc_reason *ret_reason);
SC_API SC_MUST_USE sc_err sc_queue_get_global_rate_limit(sc_queue *queue,
                                                         sc_global_rate_limit *ret_limit,
                                                         sc_reason *ret_reason);

/* No job is started for the next `duration_ms` (at least 1), by workers that have a rate limit, their own or the queue's. */
SC_API SC_MUST_USE sc_err sc_queue_rate_limit(sc_queue *queue, int64_t duration_ms,
                                              sc_reason *ret_reason);

/* Ends what sc_queue_rate_limit() began, or the window of a rate limit: jobs are started again when workers ask the next time, at the
 * latest when they would have without this. No limit under way is no error. */
SC_API SC_MUST_USE sc_err sc_queue_remove_rate_limit_key(sc_queue *queue, sc_reason *ret_reason);

/* For how long no job is started because of the rate limit; 0: jobs are started. `max_jobs`: a worker's own limit; 0: the
 * queue's, and if it has none the time that is left of a window or of sc_queue_rate_limit(). */
SC_API SC_MUST_USE sc_err sc_queue_get_rate_limit_ttl(sc_queue *queue, int64_t max_jobs,
                                                      int64_t *ret_ttl_ms, sc_reason *ret_reason);

/* How many jobs wait with each of `count` priorities, in their order; 0 is `wait`. At most 1,000 priorities. */
SC_API SC_MUST_USE sc_err sc_queue_get_priority_counts(sc_queue *queue, const int64_t *priorities,
                                                       size_t count, int64_t *ret_counts,
                                                       sc_reason *ret_reason);

/* Cuts the event stream to about its newest `keep` (0 or more), in slices. `ret_removed` (may be NULL): how many events. */
SC_API SC_MUST_USE sc_err sc_queue_trim_events(sc_queue *queue, int64_t keep, int64_t *ret_removed,
                                               sc_reason *ret_reason);

/* Calls that touch many jobs go in slices of 250 (sc_sweep, which may be NULL). On SC_OK `ret_…` (may be NULL) is the number of
 * jobs. */

/* Removes all jobs that wait or are prioritized, and with `delayed` those too. The job that a job scheduler waits for
 * stays. A parent in this queue goes with its last child, one in another queue is made ready. */
SC_API SC_MUST_USE sc_err sc_queue_drain(sc_queue *queue, bool delayed, const sc_sweep *sweep,
                                         int64_t *ret_removed, sc_reason *ret_reason);

/* Removes the jobs of a state that are older than `grace_ms`, oldest first, at most `limit` (0: all); the event `cleaned` tells how
 * many. Waiting, prioritized and delayed jobs are as old as their creation or last start, active ones likewise and only if no
 * worker has locked them, completed and failed ones as their end. The job that a job scheduler waits for stays.
 * SC_EINVAL for other states. */
SC_API SC_MUST_USE sc_err sc_queue_clean(sc_queue *queue, sc_job_state state, int64_t grace_ms,
                                         int64_t limit, const sc_sweep *sweep, int64_t *ret_removed,
                                         sc_reason *ret_reason);

/* Failed or completed jobs wait again, those first that ended first: that ended up to `before_ms` (a date; 0: now), at most
 * `limit` (0: all). As in BullMQ they keep their attempts and lose their priority's place. */
SC_API SC_MUST_USE sc_err sc_queue_retry_jobs(sc_queue *queue, sc_job_state state,
                                              int64_t before_ms, int64_t limit,
                                              const sc_sweep *sweep, int64_t *ret_retried,
                                              sc_reason *ret_reason);

/* Delayed jobs wait no longer for their time, those first that are due first; at most `limit` (0: all). */
SC_API SC_MUST_USE sc_err sc_queue_promote_jobs(sc_queue *queue, int64_t limit,
                                                const sc_sweep *sweep, int64_t *ret_promoted,
                                                sc_reason *ret_reason);

/* Removes jobs that are in no state any more (someone removed their id, but not their data), with their logs, locks and lists of
 * children; at most `limit` (0: all). It walks over all keys of the server. SC_EBUSY while more than 200,000 jobs wait or run:
 * they can't be told from orphans within the server's time. */
SC_API SC_MUST_USE sc_err sc_queue_remove_orphans(sc_queue *queue, int64_t limit,
                                                  const sc_sweep *sweep, int64_t *ret_removed,
                                                  sc_reason *ret_reason);

/* Pauses the queue, then removes it with all its jobs, schedulers, events and settings. SC_EBUSY when jobs are active, unless
 * `force`: their workers then find them gone. SC_ESTATE when someone resumed the queue meanwhile. After an error the queue
 * stays paused. */
SC_API SC_MUST_USE sc_err sc_queue_obliterate(sc_queue *queue, bool force, const sc_sweep *sweep,
                                              int64_t *ret_removed, sc_reason *ret_reason);

#ifdef __cplusplus
}
#endif
#endif
