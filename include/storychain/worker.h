/* A worker: takes jobs of one queue and runs processors on a pool of threads.
 *
 * States: made, running, paused, closing, closed. One worker takes many jobs a call, up to its
 * concurrency; finishing one takes the next in the same call. Locks are renewed on the I/O thread, so
 * job code that blocks or spins can't lose its job. A job whose worker died is run again by another
 * (processors should be idempotent); its outcome is recorded once.
 *
 * Since 0.1. */
#ifndef STORYCHAIN_WORKER_H
#define STORYCHAIN_WORKER_H

#include <storychain/client.h>
#include <storychain/job.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sc_worker sc_worker;
typedef struct sc_run sc_run;
typedef struct sc_tracer sc_tracer;                   /* see tracer.h */
typedef struct sc_repeat_strategy sc_repeat_strategy; /* see scheduler.h */

/* What a processor made of its job. The details are set by the sc_run_… call that gives it. */
typedef enum sc_outcome {
    SC_DONE,         /* completed; the result of sc_run_return, else null */
    SC_FAILED,       /* failed: tried again while attempts are left */
    SC_GIVE_UP,      /* failed for good, whatever attempts are left */
    SC_DELAY,        /* back to delayed; not an attempt */
    SC_LIMITED,      /* back to the head of the queue, which rests for a time; not an attempt */
    SC_WAIT,         /* back to the head of the queue; not an attempt */
    SC_WAIT_CHILDREN /* run again when its children have ended; not an attempt */
} sc_outcome;

/* A processor: runs on a thread of the pool and may block. `run` and `job` live until it returns. */
typedef sc_outcome (*sc_processor)(sc_run *run, const sc_job *job, void *user);

/* Saves the job's result: JSON text, copied. */
SC_API sc_outcome sc_run_return(sc_run *run, sc_slice json);

/* Says why it failed; give the result to `return`. The text is copied. */
SC_API sc_outcome sc_run_fail(sc_run *run, sc_outcome failed_or_give_up, const char *fmt, ...)
    SC_PRINTF(3, 4);

/* Try again in `delay_ms`, without counting an attempt. */
SC_API sc_outcome sc_run_delay(sc_run *run, int64_t delay_ms);

/* The queue rests for `delay_ms` (for a 429 from someone else's service). */
SC_API sc_outcome sc_run_limit(sc_run *run, int64_t delay_ms);

/* Back to the head of the queue, without counting an attempt. */
SC_API sc_outcome sc_run_wait(sc_run *run);

/* Waits for the job's children, those that were added while it runs (see sc_run_as_parent) among them; `child_key` (copied; empty: all)
 * names the only one that counts. Asks the server, then gives one of
 *
 *   SC_DONE           no such child is pending: go on;
 *   SC_WAIT_CHILDREN  return it. The job is run again when the last of its children has ended (if that happened by then, at once):
 *                     its data should say how far it is, see sc_run_update_data();
 *   SC_GIVE_UP        a child failed with which it fails (SC_ON_FAILURE_FAIL): return it;
 *   SC_FAILED         the server could not be asked: return it. */
SC_API sc_outcome sc_run_wait_children(sc_run *run, sc_slice child_key);

/* The job as the parent of others, for sc_job_opts.parent; lives as long as the run. */
SC_API sc_parent sc_run_as_parent(const sc_run *run);

/* Stores other data in the job, JSON text, which its next run begins with; `job->data` stays as it is. Waits for the server. SC_ESYNTAX,
 * SC_ENOJOB, connection errors. */
SC_API SC_MUST_USE sc_err sc_run_update_data(sc_run *run, sc_slice json);

/* The results of the job's completed children; the failures of those that it goes on without. As
 * sc_queue_get_children_values() in flow.h; free with sc_child_list_free. Waits for the server. */
SC_API SC_MUST_USE sc_err sc_run_get_children_values(sc_run *run, sc_child_list **ret_children);
SC_API SC_MUST_USE sc_err sc_run_get_ignored_children_failures(sc_run *run,
                                                               sc_child_list **ret_children);

/* As sc_queue_remove_unprocessed_children(), so that a job can be completed that runs before its children have ended
 * (SC_ON_FAILURE_CONTINUE). Waits for the server. */
SC_API SC_MUST_USE sc_err sc_run_remove_unprocessed_children(sc_run *run);

/* Memory that is freed when the run ends; NULL when it is out (64 MiB a run). Not thread-safe. */
SC_API void *sc_run_alloc(sc_run *run, size_t size);

/* The job's progress: JSON text. Waits for the server. SC_ENOJOB, connection errors. */
SC_API SC_MUST_USE sc_err sc_run_progress(sc_run *run, sc_slice json);

/* Adds a row to the job's log. Waits for the server. */
SC_API SC_MUST_USE sc_err sc_run_log(sc_run *run, const char *fmt, ...) SC_PRINTF(2, 3);

/* Why a run should stop. Of several causes the last in this order is told. */
typedef enum sc_cancel_cause {
    SC_CANCEL_NONE,      /* it should not */
    SC_CANCEL_TIMEOUT,   /* it takes longer than its soft timeout; its outcome counts */
    SC_CANCEL_RUN,       /* sc_worker_cancel(): its outcome counts */
    SC_CANCEL_JOB,       /* sc_queue_cancel(): when it is not done, its job fails for good */
    SC_CANCEL_LOCK_LOST, /* from here on the outcome doesn't count: the lock is lost; */
    SC_CANCEL_CLOSING,   /* the drain time of close is over, and the job went back to the queue; */
    SC_CANCEL_TIMED_OUT  /* it took longer than its hard timeout, and has failed */
} sc_cancel_cause;

/* True once there is a cause. Long work should look now and then, and stop. Any thread while it runs, as the next two. */
SC_API bool sc_run_is_cancelled(const sc_run *run);
SC_API sc_cancel_cause sc_run_cancel_cause(const sc_run *run);

/* What who cancelled the run said; for SC_CANCEL_JOB as it is to stand in failedReason ("cancelled: …"). Else a word for the
 * cause: "timeout", "cancelled", "lock lost", "closing", "timed out"; "" when there is none. Lives as long as the run. */
SC_API const char *sc_run_cancel_reason(const sc_run *run);

typedef struct sc_rate_limit {
    int64_t max; /* jobs … ; 0: no limit */
    int64_t duration_ms;
} sc_rate_limit;

/* How long a failed job waits for its next try, in ms; 0: not at all; -1: it has failed for good. Asked for jobs whose
 * `backoff` is of a kind of the worker's own (SC_BACKOFF_CUSTOM), on a thread of the pool. `strategy` is that kind's name,
 * `attempts_made` counts the try that just failed, `error` is its reason. */
typedef int64_t (*sc_worker_backoff_cb)(void *user, const sc_job *job, sc_slice strategy,
                                        int64_t attempts_made, const char *error);

/* Told about all that happens in the worker: see worker_event.h. On the client's I/O thread, where it must not wait nor call the
 * worker; SC_WORKER_PROGRESS on the processor's thread. */
typedef struct sc_worker_event sc_worker_event;
typedef void (*sc_worker_event_cb)(void *user, const sc_worker_event *event);

/* Told about each job's end, on a thread of the pool. `error` is the reason, NULL when done. */
typedef void (*sc_worker_job_cb)(void *user, const sc_job *job, sc_outcome outcome, bool final,
                                 const char *error, int64_t took_ms);

typedef struct sc_worker_opts {
    sc_slice prefix;         /* empty: "bull" */
    sc_slice name;           /* shown as the job's `processedBy` and in client lists; empty: none */
    int concurrency;         /* jobs at once; 0: 1; at most 10,000 */
    sc_rate_limit limit;     /* over all workers of the queue that say the same */
    int64_t lock_ms;         /* 0: 30,000 */
    int64_t lock_renew_ms;   /* locks are renewed every so often; 0: a quarter of lock_ms */
    bool skip_lock_renewal;  /* a job that takes longer than lock_ms is lost */
    bool skip_stalled_check; /* others look for stalled jobs */
    /* Without it a started worker is a guardian of its queue's schedules, too: see sc_scheduler_guard_start() in scheduler.h. */
    bool skip_guardian;
    int64_t stalled_interval_ms; /* 0: 30,000 */
    int64_t max_stalled;         /* stalls that a job survives; 0: 1; -1: none */
    /* Starts that a job gets, whatever ended them; then it fails. 0: any number. */
    int64_t max_started;
    int64_t max_rest_ms;    /* longest rest by a rate limit before it is asked again; 0: 30,000 */
    int64_t drain_delay_ms; /* longest wait for a marker on an empty queue; 0: 5,000 */
    sc_keep keep_completed, keep_failed; /* for jobs that don't say */
    /* Minutes for which it is kept how many jobs were completed and how many failed (see inspect.h), at most 20,160 (two weeks). 0:
     * nothing is counted. */
    int64_t metrics_points;
    /* Bytes of data. A job of more, by whatever program it was added, fails for good without being run. 0, and the most: half of the
     * client's max_reply_bytes. */
    size_t max_data_size;
    sc_worker_backoff_cb backoff; /* NULL: such jobs wait for their backoff's delay_ms each time */
    void *backoff_user;
    size_t stack_bytes;      /* of a pool thread; 0: 256 KiB */
    sc_worker_job_cb on_job; /* may be NULL */
    void *on_job_user;
    const sc_tracer *tracer; /* of the jobs that are run; copied; NULL: none */
    /* Of the queue's job schedulers; copied; NULL: all patterns are cron expressions. */
    const sc_repeat_strategy *repeat_strategy;
    sc_worker_event_cb on_event; /* may be NULL */
    void *on_event_user;
    /* How long a run may take, from its processor's first line; for jobs and processors that don't say. 0: any time.
     * After the soft one sc_run_is_cancelled() tells it to stop, and what it returns counts. After the hard one the try has
     * failed ("timed out after … ms"), and may be repeated; what it returns is dropped, and another thread takes its place. */
    int64_t soft_timeout_ms, hard_timeout_ms;
    int max_late; /* threads past their hard timeout that are replaced; 0: 16. Each one more is a slot less
                     until it returns */
    /* All such workers of a client wait for jobs on one connection, and 1,000 queues take no more than one; else each has
     * its own. A job of an idle queue then takes a way to the server and back more, and BullMQ's getWorkers() lists only the
     * first of these workers. */
    bool share_connection;
} sc_worker_opts;

/* Makes a worker; nothing runs yet. `queue_name` and `opts` are copied. SC_EINVAL with a reason. */
SC_API SC_MUST_USE sc_err sc_worker_new(sc_client *client, sc_slice queue_name,
                                        const sc_worker_opts *opts, sc_worker **ret_worker,
                                        sc_reason *ret_reason);

/* The processor of jobs named `name`; an empty name: of all others. Replaces an earlier one; jobs under way
 * end with theirs. A job without a processor fails for good with a reason. `user` is kept until close. */
SC_API SC_MUST_USE sc_err sc_worker_handle(sc_worker *worker, sc_slice name, sc_processor processor,
                                           void *user);

/* What its processor's jobs get when they don't say. */
typedef struct sc_handler_opts {
    int64_t soft_timeout_ms, hard_timeout_ms; /* 0: the worker's; -1: none */
} sc_handler_opts;

/* sc_worker_handle() with options, copied. SC_EINVAL. */
SC_API SC_MUST_USE sc_err sc_worker_handle_with(sc_worker *worker, sc_slice name,
                                                sc_processor processor, void *user,
                                                const sc_handler_opts *opts);

/* Several jobs at once. Each has its run, as if it were alone: its lock, its timeouts, its cancellation, its arena. The arrays
 * are of `count` items and live until the processor returns. */
typedef struct sc_batch {
    size_t count;
    sc_run *const *runs;
    const sc_job *const *jobs;
    sc_outcome *outcomes; /* what became of each; SC_DONE unless it says otherwise (sc_run_fail and
                             the like, with the job's own run) */
} sc_batch;

/* Runs on a thread of the pool and may block. */
typedef void (*sc_batch_processor)(const sc_batch *batch, void *user);

/* A batch begins when `max` jobs are there; or when those that a call brought are taken in and they are `min` or more; or when
 * the first of them has waited for `linger_ms`; or when no more can come, because all slots of the worker are taken or it is
 * paused. A job in a batch, or waiting for one, takes a slot: a batch is never larger than the worker's concurrency. */
typedef struct sc_batch_opts {
    size_t max;        /* 1 to 10,000 */
    size_t min;        /* up to max; 0: 1 */
    int64_t linger_ms; /* 0: nothing is waited for */
    sc_handler_opts handler;
} sc_batch_opts;

/* As sc_worker_handle(), for jobs that are processed many at once; jobs of other names go on as ever. SC_EINVAL. */
SC_API SC_MUST_USE sc_err sc_worker_handle_batch(sc_worker *worker, sc_slice name,
                                                 sc_batch_processor processor, void *user,
                                                 const sc_batch_opts *opts);

/* SC_ESTATE when it was started or closed before; SC_ENOMEM. */
SC_API SC_MUST_USE sc_err sc_worker_start(sc_worker *worker);

/* Stops taking jobs, here only; running ones go on. Resume takes again. */
SC_API void sc_worker_pause(sc_worker *worker);
SC_API void sc_worker_resume(sc_worker *worker);

/* From now on up to `concurrency` jobs at once, 1 to 10,000: takes more at once, or none until so many have ended.
 * Running jobs go on. Before and after start, any thread. SC_EINVAL. */
SC_API SC_MUST_USE sc_err sc_worker_set_concurrency(sc_worker *worker, int concurrency);

/* Asks the run of a job in this worker to stop, as SC_CANCEL_RUN; what it returns counts, so that it may be tried again.
 * sc_queue_cancel() cancels the job itself, wherever it is. `reason` (copied; may be empty) is what sc_run_cancel_reason() tells.
 * False when this worker doesn't run that job. Any thread. */
SC_API bool sc_worker_cancel(sc_worker *worker, sc_slice id, sc_slice reason);

/* The same for all runs; how many. */
SC_API size_t sc_worker_cancel_all(sc_worker *worker, sc_slice reason);

typedef struct sc_worker_stats {
    uint64_t started, completed, failed;
    uint64_t retried; /* failed tries with tries left */
    uint64_t stalled, locks_lost;
    /* Runs that ended otherwise: put off, back to the head of the queue, waiting for children. */
    uint64_t delayed, returned, waiting_children;
    int running;     /* jobs at this moment */
    int concurrency; /* jobs at once, as it is set now */
    /* Of those that failed or were retried: not run because they had expired; past their hard timeout; cancelled as jobs. */
    uint64_t expired, timed_out, cancelled;
    uint64_t dropped_late; /* outcomes that came after their hard timeout */
    int late;              /* processors past their hard timeout that have not returned */
} sc_worker_stats;

SC_API void sc_worker_stats_get(const sc_worker *worker, sc_worker_stats *ret_stats);

/* Stops taking, waits up to `drain_ms` for running jobs while renewing their locks, then hands the
 * rest back to the head of the queue (not an attempt) and sets their cancelled flag. Waits for
 * their processors to return, for they use the caller's memory; `*ret_handed_back` (may be NULL) counts them.
 * Not on the I/O thread nor a processor's. */
SC_API SC_MUST_USE sc_err sc_worker_close(sc_worker *worker, int64_t drain_ms,
                                          int *ret_handed_back);

/* Closes without waiting (drain 0) unless that was done, and frees. NULL is fine. */
SC_API void sc_worker_free(sc_worker *worker);

#ifdef __cplusplus
}
#endif
#endif
