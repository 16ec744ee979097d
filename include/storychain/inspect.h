/* A closer look at a queue: jobs of several states, counts, its stored settings, how many jobs ended in each minute, who
 * works on it, and all that as Prometheus' text.
 *
 * All of these only read, wait for the server and are thread-safe; SC_EDEADLK on the client's I/O thread. `ret_reason` may be
 * NULL.
 *
 * Since 0.1. */
#ifndef STORYCHAIN_INSPECT_H
#define STORYCHAIN_INSPECT_H

#include <storychain/queue.h>

#ifdef __cplusplus
extern "C" {
#endif

/* sc_queue_get_jobs() for several states: the range is taken of each of them (at most 1,000 jobs of each), and the jobs come in the
 * order of the states. One that changed its state meanwhile comes once. At most 100 states; SC_EINVAL for SC_JOB_UNKNOWN.
 * Free with sc_job_list_free. */
SC_API SC_MUST_USE sc_err sc_queue_get_jobs_of(sc_queue *queue, const sc_job_state *states,
                                               size_t count, int64_t start, int64_t end,
                                               bool ascending, sc_job_list **ret_jobs,
                                               sc_reason *ret_reason);

/* How many jobs are still to be run: that wait, are delayed, prioritized, or wait for their children. */
SC_API SC_MUST_USE sc_err sc_queue_count(sc_queue *queue, int64_t *ret_count,
                                         sc_reason *ret_reason);

/* How many delayed jobs are due before `before_ms`, a date. */
SC_API SC_MUST_USE sc_err sc_queue_count_delayed(sc_queue *queue, int64_t before_ms,
                                                 int64_t *ret_count, sc_reason *ret_reason);

/* What is stored about the queue itself. Texts are NUL-terminated and live as long as it. */
typedef struct sc_queue_meta {
    bool paused;
    int64_t concurrency;      /* global; 0: none */
    int64_t max, duration_ms; /* global rate limit; 0: none */
    int64_t max_events;       /* cap of the event stream; 0: not said */
    sc_slice version;         /* who made the queue: "bullmq:6.7.0"; empty: not said */
    /* Other fields, as they are. */
    size_t other_count;
    const sc_slice *other_names, *other_values;
} sc_queue_meta;

/* One allocation: free with sc_free. A queue that was never used has no meta: all is empty. */
SC_API SC_MUST_USE sc_err sc_queue_get_meta(sc_queue *queue, sc_queue_meta **ret_meta,
                                            sc_reason *ret_reason);

/* How many jobs were completed, or failed for good, in each minute. Workers count them if they are told to
 * (sc_worker_opts.metrics_points; `metrics` in BullMQ). */
typedef struct sc_metrics {
    int64_t count;      /* in all */
    int64_t prev_ms;    /* when the newest point was made; 0: never */
    int64_t prev_count; /* `count` at that time */
    int64_t minutes;    /* points that are stored */
    size_t point_count; /* points of the range asked for */
    const int64_t
        *points; /* jobs a minute, the newest first; the current minute is not among them */
} sc_metrics;

/* `kind`: SC_JOB_COMPLETED or SC_JOB_FAILED, else SC_EINVAL. `start` and `end` count points from 0, inclusive; end -1: the last. At
 * most 20,160 points are given. One allocation: free with sc_free. */
SC_API SC_MUST_USE sc_err sc_queue_get_metrics(sc_queue *queue, sc_job_state kind, int64_t start,
                                               int64_t end, sc_metrics **ret_metrics,
                                               sc_reason *ret_reason);

/* A connection of a worker, as the server knows it. Texts live as long as the list. */
typedef struct sc_worker_info {
    sc_slice name; /* of the worker; empty: it has none */
    sc_slice address;
    int64_t client_id;
    int64_t age_s, idle_s; /* since it connected; since its last command */
} sc_worker_info;

typedef struct sc_worker_list {
    size_t count;
    const sc_worker_info *workers;
} sc_worker_list;

/* The workers of this queue that are connected, by the names of their connections; of those that share one
 * (`share_connection`) the first alone. It reads the list of all clients of the server.
 * One allocation: free with sc_free. SC_EREPLY where the server refuses CLIENT LIST. */
SC_API SC_MUST_USE sc_err sc_queue_get_workers(sc_queue *queue, sc_worker_list **ret_workers,
                                               sc_reason *ret_reason);

/* A label of all samples. The name must be one of Prometheus' ([a-zA-Z_][a-zA-Z0-9_]*). */
typedef struct sc_label {
    sc_slice name, value;
} sc_label;

/* The text that BullMQ's exportPrometheusMetrics() gives: `bullmq_job_count` by state, `bullmq_job_completed_total` and
 * `bullmq_job_failed_total`. `*ret_text`: free it with sc_free. SC_EINVAL for a label's name. */
SC_API SC_MUST_USE sc_err sc_queue_export_prometheus(sc_queue *queue, const sc_label *labels,
                                                     size_t label_count, char **ret_text,
                                                     sc_reason *ret_reason);

#ifdef __cplusplus
}
#endif
#endif
