/* Job schedulers: a queue's repeating jobs, by cron expression or interval, in BullMQ's layout (6.7).
 *
 * A scheduler is stored once, whatever number of nodes upsert it, and has one pending job; the worker that takes
 * that job adds the next one in the same breath, or a guardian does when all workers are busy. So each tick runs once over all nodes.
 *
 * Since 0.1. */
#ifndef STORYCHAIN_SCHEDULER_H
#define STORYCHAIN_SCHEDULER_H

#include <storychain/queue.h>

#ifdef __cplusplus
extern "C" {
#endif

/* When to repeat: exactly one of pattern and every_ms. */
typedef struct sc_repeat {
    sc_slice pattern; /* cron expression, or what the queue's repeat_strategy reads */
    sc_slice tz;      /* IANA zone of the pattern; empty: UTC */
    int64_t every_ms;
    int64_t offset_ms;        /* of `every` within its slots; -1: none given */
    int64_t start_ms, end_ms; /* dates; 0: none */
    int64_t limit;            /* number of jobs; 0: none */
    bool immediately;         /* pattern only: the first job now */
} sc_repeat;

#define SC_REPEAT_INIT ((sc_repeat){.offset_ms = -1})

/* A way of your own to find the times of patterns that are no cron expressions, such as an RRULE. All programs that store schedulers with
 * such patterns, work on their queue or guard it need the same one: sc_queue_opts.repeat_strategy, sc_worker_opts.repeat_strategy. */
struct sc_repeat_strategy {
    void *user;

    /* The first time after `after_ms`, a date, by a pattern as it was given. SC_ESYNTAX: it is none of yours, and is read as a cron
     * expression. SC_ENOTFOUND: no time comes any more, and the schedule ends. After another error, with a reason, it is not stored;
     * or no next job is made, and the log says why. Any thread, also the client's I/O thread: it must not wait. */
    sc_err (*next)(void *user, sc_slice scheduler_id, sc_slice pattern, sc_slice tz,
                   int64_t after_ms, int64_t *ret_next_ms, sc_reason *ret_reason);
};

/* Makes or replaces a scheduler. `spec` is the template of its jobs. `*ret_next_ms` (may be NULL) is its
 * next run, `*ret_id` (may be NULL; sc_free) its pending job. SC_ESYNTAX / SC_ENOTFOUND / SC_EINVAL with a
 * reason for a bad pattern, zone or combination; SC_ESLOT; SC_ELAYOUT for a repeatable of old BullMQ. */
SC_API SC_MUST_USE sc_err sc_scheduler_upsert(sc_queue *queue, sc_slice scheduler_id,
                                              const sc_repeat *repeat, const sc_job_spec *spec,
                                              char **ret_id, int64_t *ret_next_ms,
                                              sc_reason *ret_reason);

/* Removes it and its pending job. SC_ENOTFOUND. */
SC_API SC_MUST_USE sc_err sc_scheduler_remove(sc_queue *queue, sc_slice scheduler_id);

/* A scheduler as it is stored. Texts live as long as the list. */
typedef struct sc_scheduler_info {
    sc_slice id, name, pattern, tz, data, opts;
    int64_t every_ms, offset_ms, start_ms, end_ms, limit; /* 0 (offset: -1): none */
    int64_t iterations;                                   /* jobs made so far */
    int64_t next_ms;
} sc_scheduler_info;

typedef struct sc_scheduler_list {
    size_t count;
    const sc_scheduler_info *items; /* by next run */
} sc_scheduler_list;

/* At most 1,000 from `start`, by next run. */
SC_API SC_MUST_USE sc_err sc_scheduler_list_get(sc_queue *queue, int64_t start, int64_t end,
                                                sc_scheduler_list **ret_list);
SC_API void sc_scheduler_list_free(sc_scheduler_list *list);

/* A guardian keeps a queue's schedules going, whoever works and whoever dies. On the client's I/O thread it
 *
 *   - makes the next job of a schedule when its run is due. The worker that takes the run's job would do so, too, but when all workers are
 *     busy nobody takes it, and runs would be missed. In a queue that is paused nothing is made;
 *   - looks every `interval_ms` (0: 5,000; the first run of a schedule that another node has stored is noticed within a second) for
 *     schedules whose one pending job got lost (a failover, somebody's hand, a worker that died at the wrong moment), and makes it again. A
 *     last run before a limit or an end date is not made again, for it may have been removed when it was done.
 *
 * Each node should have one for each queue with schedules. However many there are, and with Node's workers beside them, a run is made once. An idle
 * guardian costs the server one short script a second.
 *
 * SC_EINVAL for an interval below 0. Stop it before the queue is freed; not on the I/O thread. NULL is fine. */
typedef struct sc_scheduler_guard sc_scheduler_guard;

SC_API SC_MUST_USE sc_err sc_scheduler_guard_start(sc_queue *queue, int64_t interval_ms,
                                                   sc_scheduler_guard **ret_guard);
SC_API void sc_scheduler_guard_stop(sc_scheduler_guard *guard);

#ifdef __cplusplus
}
#endif
#endif
