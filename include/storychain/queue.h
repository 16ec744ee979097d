/* A queue: adds jobs, looks at them, and steers. Its data in Redis is BullMQ's (6.7), so programs in
 * other languages use the same queue at the same time.
 *
 * A handle is cheap: it holds a name and its keys, no connection and no thread. All functions are
 * thread-safe; all that wait fail with SC_EDEADLK on the client's I/O thread.
 *
 * Since 0.1. */
#ifndef STORYCHAIN_QUEUE_H
#define STORYCHAIN_QUEUE_H

#include <storychain/client.h>
#include <storychain/job.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sc_queue sc_queue;
typedef struct sc_tracer sc_tracer;                   /* see tracer.h */
typedef struct sc_repeat_strategy sc_repeat_strategy; /* see scheduler.h */

typedef struct sc_queue_opts {
    sc_slice prefix; /* empty: "bull" */
    const sc_job_opts *
        default_opts; /* for what a job's own options say nothing of (are zero); copied; NULL: none */
    int64_t max_events;      /* approximate cap of the event stream; 0: 10,000 */
    bool skip_meta;          /* do not write the queue's `meta` hash */
    const sc_tracer *tracer; /* of the jobs that are added; copied; NULL: none */
    /* Of its job schedulers; copied; NULL: all patterns are cron expressions. */
    const sc_repeat_strategy *repeat_strategy;
} sc_queue_opts;

/* Makes a handle. The name must not be empty and holds no ':', control bytes or braces (unless it is a
 * hash tag, "{name}"). `name` and `opts` are copied. The queue's meta hash is written in the background.
 * SC_EINVAL with a reason. */
SC_API SC_MUST_USE sc_err sc_queue_new(sc_client *client, sc_slice name, const sc_queue_opts *opts,
                                       sc_queue **ret_queue, sc_reason *ret_reason);

/* Calls under way end first. NULL is fine. Not on the I/O thread. */
SC_API void sc_queue_free(sc_queue *queue);

SC_API sc_slice sc_queue_name(const sc_queue *queue);   /* lives as long as the queue */
SC_API sc_slice sc_queue_prefix(const sc_queue *queue); /* likewise */

/* Prefix and name, "bull:email", as sc_parent has them; lives as long as the queue. */
SC_API sc_slice sc_queue_qualified_name(const sc_queue *queue);

/* Ids of jobs; one allocation, free with sc_id_list_free. */
typedef struct sc_id_list {
    size_t count;
    const sc_slice *ids; /* NUL-terminated */
} sc_id_list;

SC_API void sc_id_list_free(sc_id_list *list);

/* Adds one job. `*ret_id` (may be NULL) is its id, free it with sc_free. An id that exists already
 * is not an error: that job is kept and its id given, as in BullMQ. So it is with a deduplication id that
 * another job owns (see sc_dedup). A job that exists becomes a child of opts.parent, if the one that it had is gone.
 * SC_EPARENT: opts.parent does not exist, or the job exists and has another parent; it is not added.
 * SC_EINVAL, SC_ETOOBIG, SC_EREPLY (…) with a reason. After SC_ECONNLOST or SC_ETIMEDOUT the job may have
 * been added; with an id of your own it is safe to add it again. Of a server that hangs it takes up to twice the client's
 * command_timeout_ms: the calls before it may have to end first. */
SC_API SC_MUST_USE sc_err sc_queue_add(sc_queue *queue, const sc_job_spec *spec, char **ret_id,
                                       sc_reason *ret_reason);

/* Adds many, in order, with as few script calls as the server's time allows (each takes a bounded slice).
 * All specs are checked before the first is added. On an error in the middle the
 * earlier slices stay added: `*ret_added` (may be NULL) says how many jobs. The slice that failed, and one that was on its
 * way behind it, may have been added in part.
 * SC_EPARENT is one job's alone: all others are added, and the reason names the first that is not. */
SC_API SC_MUST_USE sc_err sc_queue_add_bulk(sc_queue *queue, const sc_job_spec *specs, size_t count,
                                            sc_id_list **ret_ids, size_t *ret_added,
                                            sc_reason *ret_reason);

/* `ids` (of all jobs, in order; borrowed for the callback) is NULL unless `err` is SC_OK. */
typedef void (*sc_queue_add_cb)(void *user, sc_err err, const sc_id_list *ids);

/* At least one job. Everything of `specs` is copied before it returns. */
SC_API SC_MUST_USE sc_err sc_queue_add_async(sc_queue *queue, const sc_job_spec *specs,
                                             size_t count, sc_queue_add_cb cb, void *user);

/* One job by its id; free with sc_job_free. SC_ENOJOB. */
SC_API SC_MUST_USE sc_err sc_queue_get_job(sc_queue *queue, sc_slice id, sc_job **ret_job);

/* SC_JOB_UNKNOWN when the job doesn't exist. */
SC_API SC_MUST_USE sc_err sc_queue_get_state(sc_queue *queue, sc_slice id, sc_job_state *ret_state);

/* Jobs of a state; `start` and `end` count from 0, inclusive, as in BullMQ; end -1: the last. `ascending`:
 * oldest first. At most 1,000 jobs are given. Jobs that vanish meanwhile are left out. */
typedef struct sc_job_list {
    size_t count;
    sc_job *const *jobs;
} sc_job_list;

SC_API SC_MUST_USE sc_err sc_queue_get_jobs(sc_queue *queue, sc_job_state state, int64_t start,
                                            int64_t end, bool ascending, sc_job_list **ret_jobs);
SC_API void sc_job_list_free(sc_job_list *list);

/* How many jobs each state holds. `by_state` is indexed by sc_job_state. `paused` tells the queue's own state. */
typedef struct sc_queue_counts {
    int64_t by_state[SC_JOB_STATE_COUNT];
    bool paused;
} sc_queue_counts;

SC_API SC_MUST_USE sc_err sc_queue_get_counts(sc_queue *queue, sc_queue_counts *ret_counts);

/* `counts` is NULL unless `err` is SC_OK; borrowed for the callback. */
typedef void (*sc_queue_counts_cb)(void *user, sc_err err, const sc_queue_counts *counts);
SC_API SC_MUST_USE sc_err sc_queue_get_counts_async(sc_queue *queue, sc_queue_counts_cb cb,
                                                    void *user);

/* Stops handing out jobs, for all workers everywhere; running jobs go on. Resume undoes it. */
SC_API SC_MUST_USE sc_err sc_queue_pause(sc_queue *queue);
SC_API SC_MUST_USE sc_err sc_queue_resume(sc_queue *queue);
SC_API SC_MUST_USE sc_err sc_queue_is_paused(sc_queue *queue, bool *ret_paused);

/* Removes a job and all that belongs to it, its children too. SC_ENOJOB; SC_ELOCKLOST: a worker has it; SC_ESCHEDULED. */
SC_API SC_MUST_USE sc_err sc_queue_remove(sc_queue *queue, sc_slice id);

/* Failed or completed -> waiting again. SC_ENOJOB, SC_EJOBSTATE. */
SC_API SC_MUST_USE sc_err sc_queue_retry(sc_queue *queue, sc_slice id);

/* Delayed -> waiting at once. SC_ENOJOB, SC_EJOBSTATE. */
SC_API SC_MUST_USE sc_err sc_queue_promote(sc_queue *queue, sc_slice id);

/* Which job owns a deduplication id? `*ret_job_id`: free it with sc_free. SC_ENOJOB: none. */
SC_API SC_MUST_USE sc_err sc_queue_get_dedup_job(sc_queue *queue, sc_slice dedup_id,
                                                 char **ret_job_id);

/* Frees a deduplication id, so that the next job with it is added; only if `owner` (a job's id; empty: whichever) owns it.
 * The owner itself stays. `*ret_freed` (may be NULL) is false when nobody, or another job, owned it. */
SC_API SC_MUST_USE sc_err sc_queue_remove_dedup(sc_queue *queue, sc_slice dedup_id, sc_slice owner,
                                                bool *ret_freed);

/* The rows a processor logged, oldest first; start and end as for get_jobs. Free with sc_id_list_free. */
SC_API SC_MUST_USE sc_err sc_queue_get_logs(sc_queue *queue, sc_slice id, int64_t start,
                                            int64_t end, sc_id_list **ret_rows);

/* Queues that exist under a prefix, found by their `meta` keys in slices; sorted. Takes a moment on a
 * server with many keys, never holds it. Free with sc_id_list_free. */
SC_API SC_MUST_USE sc_err sc_queue_discover(sc_client *client, sc_slice prefix,
                                            sc_id_list **ret_names);

#ifdef __cplusplus
}
#endif
#endif
