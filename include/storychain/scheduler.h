/* Job schedulers: a queue's repeating jobs, by cron expression or interval, in BullMQ's layout (6.7).
 *
 * A scheduler is stored once, whatever number of nodes upsert it, and has one pending job; the worker that takes
 * that job adds the next one in the same breath, or a guardian does when all workers are busy. So each tick runs once over all nodes.
 *
 * Since 0.1. */
#ifndef STORYCHAIN_SCHEDULER_H
#define STORYCHAIN_SCHEDULER_H

#include <storychain/cron.h>
#include <storychain/queue.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What becomes of a run that is due while the run before is not over (it waits, runs, or will be tried again). */
typedef enum sc_overlap {
    SC_OVERLAP_ALLOW,      /* it is added like any job */
    SC_OVERLAP_SKIP,       /* it is left out, and counted */
    SC_OVERLAP_BUFFER_ONE, /* it follows the one that runs; further ones are left out, and counted */
    SC_OVERLAP_BUFFER_ALL  /* all follow, one after the other */
} sc_overlap;

/* What becomes of runs that nobody made in time: no guardian was up, the server was down, the queue was paused. */
typedef enum sc_catchup {
    SC_CATCHUP_LATE, /* the first of them comes late, however late; the others are skipped. BullMQ's rule */
    SC_CATCHUP_NONE, /* all that are more than 10 s late are skipped */
    SC_CATCHUP_ONE, /* the last of them comes late, if it is in the window; the others are skipped */
    SC_CATCHUP_ALL  /* all of the window come late, one after the other */
} sc_catchup;

/* When to repeat: exactly one of pattern and every_ms.
 *
 * With none of the members under "policies" the schedule is BullMQ's, and workers of all kinds keep it going. With any of them it is a
 * *guarded* one: its runs are made by guardians (see below) when they are due, and by nobody else; whoever works runs them. It needs a guardian
 * somewhere. BullMQ's programs list it, run its jobs, remove it; one that upserts it makes it one of BullMQ's again. */
typedef struct sc_repeat {
    sc_slice pattern; /* cron expression, or what the queue's repeat_strategy reads */
    sc_slice tz;      /* IANA zone of the pattern; empty: UTC */
    int64_t every_ms;
    int64_t offset_ms;        /* of `every` within its slots; -1: none given */
    int64_t start_ms, end_ms; /* dates; 0: none */
    int64_t
        limit; /* number of jobs since the upsert; 0: none. Of a guarded schedule over all upserts */
    bool immediately;     /* pattern only: the first job now */
    bool start_inclusive; /* pattern only: a run at the very start date, too */

    /* Policies: */
    sc_overlap overlap;
    sc_catchup catchup;
    int64_t
        catchup_window_ms; /* of SC_CATCHUP_ONE and _ALL: runs that are later are skipped; 0: none is */
    /* Each run comes later by 0 to so many ms, always the same for a time of a schedule, so that schedules of one time do not meet. Never as
     * late as the next run's time; 0 to a day. */
    int64_t jitter_ms;
    /* What sc_cron_exclusions_parse reads (days, ranges of days, cron expressions, in `tz`), separated by '|': no run then; at most 1,024
     * bytes */
    sc_slice exclude;
    sc_cron_dst dst; /* pattern only: where clocks change */
    bool paused;     /* runs are skipped, and not caught up later */
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
 * next run, `*ret_id` (may be NULL; sc_free) its pending job; NULL for a guarded one, which has none. SC_ESYNTAX /
 * SC_ENOTFOUND / SC_EINVAL / SC_ETOOBIG with a reason for a bad pattern, zone, policy or combination; SC_ESLOT; SC_EBUSY when others
 * changed a guarded one all the while; SC_ELAYOUT for a repeatable of old BullMQ. */
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
    /* Of guarded ones: */
    bool is_guarded, is_paused;
    bool is_over; /* no run comes any more: its limit, its end date, its pattern */
    sc_overlap overlap;
    sc_catchup catchup;
    int64_t catchup_window_ms, jitter_ms;
    sc_slice exclude;
    sc_cron_dst dst;
    int64_t nominal_ms; /* the next run's time without jitter */
    int64_t missed;     /* runs skipped because nobody made them in time */
    int64_t skipped;    /* runs left out because the run before was not over */
    sc_slice revision;  /* another one after each upsert */
    bool was_plain;     /* guarded only because it is paused: see sc_scheduler_resume() */
    int64_t
        plain_count; /* of such a one: the number, counted from its upsert, that its next job will have */
} sc_scheduler_info;

typedef struct sc_scheduler_list {
    size_t count;
    const sc_scheduler_info *items; /* by next run */
} sc_scheduler_list;

/* At most 1,000 from `start`, by next run. */
SC_API SC_MUST_USE sc_err sc_scheduler_list_get(sc_queue *queue, int64_t start, int64_t end,
                                                sc_scheduler_list **ret_list);
SC_API void sc_scheduler_list_free(sc_scheduler_list *list);

/* A list of one. SC_ENOTFOUND. */
SC_API SC_MUST_USE sc_err sc_scheduler_get(sc_queue *queue, sc_slice scheduler_id,
                                           sc_scheduler_list **ret_list);

/* Pauses a schedule: its runs are skipped until it is resumed, and it goes on with the first time after that. A run that is due already stays.
 * Calling either twice does nothing. SC_ENOTFOUND; SC_EBUSY when others changed it all the while. */
SC_API SC_MUST_USE sc_err sc_scheduler_pause(sc_queue *queue, sc_slice scheduler_id,
                                             sc_reason *ret_reason);
SC_API SC_MUST_USE sc_err sc_scheduler_resume(sc_queue *queue, sc_slice scheduler_id,
                                              sc_reason *ret_reason);

/* Adds one job of the schedule now, beside its runs and whatever its policies say. `*ret_job_id` (may be NULL; sc_free). SC_ENOTFOUND. */
SC_API SC_MUST_USE sc_err sc_scheduler_trigger(sc_queue *queue, sc_slice scheduler_id,
                                               char **ret_job_id, sc_reason *ret_reason);

/* Adds a job for each time that the schedule has in the past from `from_ms` to `to_ms` (both inclusive) and that has no job any more,
 * `per_minute` of them a minute (0: all at once; at most 60,000): they wait as delayed jobs. At most 10,000 times: SC_ETOOBIG, and nothing is
 * added. `*ret_added` (may be NULL). Start, end and exclusions count; overlap and limit do not. SC_EINVAL for a range that is none or not past; SC_ENOTFOUND. */
SC_API SC_MUST_USE sc_err sc_scheduler_backfill(sc_queue *queue, sc_slice scheduler_id,
                                                int64_t from_ms, int64_t to_ms, int64_t per_minute,
                                                int64_t *ret_added, sc_reason *ret_reason);

/* The next `count` times of a rule after `after_ms`, before anything is stored: without jitter, immediately and limit. `queue` may be NULL, then
 * patterns are cron expressions; `scheduler_id` is what H hashes. `*ret_count` may be less when no more times come. Errors as of an upsert. */
SC_API SC_MUST_USE sc_err sc_scheduler_preview(sc_queue *queue, sc_slice scheduler_id,
                                               const sc_repeat *repeat, int64_t after_ms,
                                               int64_t *ret_times, size_t count, size_t *ret_count,
                                               sc_reason *ret_reason);

/* The time that a job of a schedule stands for, without jitter and lateness; 0 for a job of none. */
SC_API int64_t sc_scheduler_nominal_ms(const sc_job *job);

/* A run of a schedule, and how it ended. */
typedef enum sc_scheduler_run_state {
    SC_SCHEDULER_RUN_OPEN, /* it waits, runs or will be tried again */
    SC_SCHEDULER_RUN_COMPLETED,
    SC_SCHEDULER_RUN_FAILED,
    SC_SCHEDULER_RUN_GONE,   /* its job was removed before anybody looked */
    SC_SCHEDULER_RUN_SKIPPED /* the run before was not over */
} sc_scheduler_run_state;

typedef struct sc_scheduler_run {
    int64_t run_ms; /* its job is repeat:<id>:<run_ms> */
    sc_scheduler_run_state state;
    int64_t started_ms, finished_ms; /* 0: not, or not known any more */
    sc_slice text;                   /* its return value, or why it failed; the first 1,000 bytes */
} sc_scheduler_run;

typedef struct sc_scheduler_runs {
    size_t count;
    const sc_scheduler_run *items; /* the newest first */
} sc_scheduler_runs;

/* The last 20 runs at most. Of a schedule that is not guarded those whose jobs are among the last 500 that were completed or failed in the queue.
 * `*ret_runs`: sc_scheduler_runs_free. SC_ENOTFOUND. */
SC_API SC_MUST_USE sc_err sc_scheduler_runs_get(sc_queue *queue, sc_slice scheduler_id,
                                                sc_scheduler_runs **ret_runs);
SC_API void sc_scheduler_runs_free(sc_scheduler_runs *runs);

/* Told once for each schedule and kind of error, beside a line in the log, what is wrong with it:
 *
 *   - no next job can be made: its rule can't be read, its strategy gives an error, something else has the place of its job;
 *   - its strategy gave a time that is not after the one before; or another program made a job of it for no time of its pattern, but for
 *     the moment, as those do that find a next time in the past. It goes on with the first time from now on.
 *
 * `text` is a sentence; all lives until the callback returns. On the client's I/O thread, where it must not wait. */
typedef void (*sc_scheduler_error_cb)(void *user, sc_slice scheduler_id, sc_err err,
                                      const char *text);

typedef struct sc_scheduler_guard_opts {
    /* How often it looks for what got lost, and for the first schedule of a queue that has none; 0: 5,000 */
    int64_t interval_ms;
    sc_scheduler_error_cb on_error; /* may be NULL */
    void *on_error_user;
} sc_scheduler_guard_opts;

/* A guardian keeps a queue's schedules going, whoever works and whoever dies. On the client's I/O thread it
 *
 *   - makes the next job of a schedule when its run is due. The worker that takes the run's job would do so, too, but when all workers are
 *     busy nobody takes it, and runs would be missed. In a queue that is paused nothing is made;
 *   - looks every `interval_ms` (the first run of a schedule that another node has stored is noticed within a second; a queue's only one at once when
 *     this client hears channels anyway, as that of a worker does from its first job on, or else within `interval_ms`) for schedules whose one pending job got lost (a failover, somebody's hand, a worker that died at the wrong moment), and makes it again. A
 *     last run before a limit or an end date is not made again, for it may have been removed when it was done;
 *   - computes next runs that are still to come anew when the system's time zone data was updated (another sc_tzdb_version).
 *
 * Each started worker is one, unless its options say otherwise; a program that only stores schedules can start one by itself. However many there
 * are, and with Node's workers beside them, a run is made once. A guardian costs the server a short script a second, and an EXISTS in `interval_ms` while its
 * queue has no schedules.
 *
 * `opts` may be NULL. SC_EINVAL for an interval below 0. Stop it before the queue is freed; not on the I/O thread. NULL is fine. */
typedef struct sc_scheduler_guard sc_scheduler_guard;

SC_API SC_MUST_USE sc_err sc_scheduler_guard_start(sc_queue *queue,
                                                   const sc_scheduler_guard_opts *opts,
                                                   sc_scheduler_guard **ret_guard);
SC_API void sc_scheduler_guard_stop(sc_scheduler_guard *guard);

#ifdef __cplusplus
}
#endif
#endif
