/* What happens in a queue, as it happens: a reader of BullMQ's event stream, custom events, and waiting for one job.
 *
 * A reader has a place in the stream. Started, it hands out one event after the other from there on; stopped, it keeps
 * its place; a lost connection is made again and the reader goes on behind the last event that it handed out, so none
 * comes twice, and none is missed unless the stream's cap (sc_queue_opts.max_events) took it away meanwhile.
 *
 * It has one blocking connection of its own, named as BullMQ's QueueEvents, so that `getQueueEvents` lists it.
 *
 * Since 0.1. */
#ifndef STORYCHAIN_EVENTS_H
#define STORYCHAIN_EVENTS_H

#include <storychain/queue.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The events, with BullMQ's names. Any other name is SC_EVENT_CUSTOM. */
#define SC_EVENTS(X)                                                                               \
    X(ADDED, "added")                         /* job_id, job_name */                               \
    X(WAITING, "waiting")                     /* job_id, prev: none for a new job */               \
    X(DELAYED, "delayed")                     /* job_id, due_ms */                                 \
    X(ACTIVE, "active")                       /* job_id, prev */                                   \
    X(WAITING_CHILDREN, "waiting-children")   /* job_id, prev */                                   \
    X(COMPLETED, "completed")                 /* job_id, return_value, prev */                     \
    X(FAILED, "failed")                       /* job_id, failed_reason, prev; for good */          \
    X(RETRIES_EXHAUSTED, "retries-exhausted") /* job_id, attempts_made */                          \
    X(PROGRESS, "progress")                   /* job_id, data */                                   \
    X(STALLED, "stalled")                     /* job_id */                                         \
    X(DRAINED, "drained")                     /* nothing is left to do */                          \
    X(REMOVED, "removed")                     /* job_id, prev */                                   \
    X(CLEANED, "cleaned")                     /* count */                                          \
    X(PAUSED, "paused")                       /* the queue */                                      \
    X(RESUMED, "resumed")                     /* the queue */                                      \
    X(DUPLICATED, "duplicated")               /* job_id */                                         \
    X(DEDUPLICATED, "deduplicated")           /* job_id, dedup_id, dedup_job_id */

typedef enum sc_event_kind {
    SC_EVENT_CUSTOM,
#define X(name, text) SC_EVENT_##name,
    SC_EVENTS(X)
#undef X
        SC_EVENT_KIND_COUNT
} sc_event_kind;

typedef struct sc_event_field {
    sc_slice name, value;
} sc_event_field;

/* One event. All of it is borrowed for the callback; texts are not NUL-terminated, absent ones have len 0. Those of its
 * kind (see SC_EVENTS) are set. */
typedef struct sc_event {
    sc_event_kind kind;
    sc_slice id;   /* its place in the stream: "1700000000000-0" */
    sc_slice name; /* "completed"; a custom one's own */

    sc_slice job_id, job_name;
    sc_slice prev;         /* name of the state before */
    sc_slice data;         /* JSON text of the progress */
    sc_slice return_value; /* JSON text */
    sc_slice failed_reason;
    sc_slice dedup_id;     /* deduplicationId */
    sc_slice dedup_job_id; /* deduplicatedJobId: the one that was dropped */
    int64_t due_ms;        /* of a delayed job: its date */
    int64_t attempts_made, count;

    const sc_event_field *fields; /* all but `event` as stored, in order; of custom events too */
    size_t field_count;
} sc_event;

/* On the I/O thread: must not wait. Nothing more is read until it returns, so a slow one holds back this reader (and the
 * client), never fills memory. */
typedef void (*sc_events_cb)(void *user, const sc_event *event);

typedef struct sc_events_opts {
    sc_slice
        last_id; /* hand out what comes behind this; "0": all there is; empty or "$": what comes from now on */
    size_t batch;     /* events a read; 0: 100; at most 1,000 */
    int64_t block_ms; /* how long a read waits for the first event; 0: 10,000 */
} sc_events_opts;

typedef struct sc_events sc_events;

/* Makes a reader, stopped. Its place is fixed now: events from here on come even if it is started later. `opts` (may be
 * NULL) is copied; `queue` must outlive it. Asks the server for "$", so it can fail like any call, SC_EDEADLK included.
 * SC_EINVAL with a reason. */
SC_API SC_MUST_USE sc_err sc_events_new(sc_queue *queue, const sc_events_opts *opts,
                                        sc_events **ret_events, sc_reason *ret_reason);

/* Begins to hand out events, or goes on after a stop. `cb` may be NULL when only waits are wanted. While the server is away
 * it tries again, for ever. SC_ESTATE: runs already. */
SC_API SC_MUST_USE sc_err sc_events_start(sc_events *events, sc_events_cb cb, void *user);

/* No callback comes after it returned, waits end with SC_ECANCELED, the place is kept. Fine inside the callback, and
 * when stopped already. */
SC_API void sc_events_stop(sc_events *events);

/* Stops and frees. Waits must have ended. NULL is fine. Not on the I/O thread. */
SC_API void sc_events_free(sc_events *events);

/* Adds an event of one's own to the queue's stream: a name (BullMQ's listeners get it by this) and fields, none called "event".
 * The stream is cut to about `max_len` events; 0: 1,000, as BullMQ's QueueEventsProducer. Waits.
 * SC_EINVAL with a reason. */
SC_API SC_MUST_USE sc_err sc_events_publish(sc_queue *queue, sc_slice name,
                                            const sc_event_field *fields, size_t count,
                                            int64_t max_len, sc_reason *ret_reason);

/* How a job ended. Texts are NUL-terminated and live as long as the result. */
typedef struct sc_job_result {
    sc_job_state state;     /* SC_JOB_COMPLETED or SC_JOB_FAILED */
    sc_slice return_value;  /* JSON text, when completed */
    sc_slice failed_reason; /* when failed */
} sc_job_result;

/* Waits until a job is completed or has failed for good. `events` reads this queue and is started. Free the result with sc_free.
 * SC_ETIMEDOUT after `timeout_ms` (> 0; then its state is asked once more, for events may have been cut from the stream).
 * SC_ENOJOB: no such job, also when it was removed as it ended before this was called. SC_ESTATE: not started.
 * SC_ECANCELED: stopped meanwhile. SC_EINVAL: `events` is another queue's. */
SC_API SC_MUST_USE sc_err sc_queue_wait_until_finished(sc_queue *queue, sc_events *events,
                                                       sc_slice id, int64_t timeout_ms,
                                                       sc_job_result **ret_result);

#ifdef __cplusplus
}
#endif
#endif
