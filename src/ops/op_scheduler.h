/* Job schedulers in Redis, in BullMQ's layout: the rule in the hash repeat:<id> and the zset `repeat` (its
 * score is the next run), and one pending job repeat:<id>:<ms>.
 *
 * What a worker needs is the ticker: it adds the next job of a scheduler when a job of it is taken. */
#ifndef SC_OPS_OP_SCHEDULER_H
#define SC_OPS_OP_SCHEDULER_H

#include <storychain/cron.h>
#include <storychain/scheduler.h>

#include "base/arena.h"
#include "base/str.h"
#include "keys.h"

/* Adds next jobs for one worker. Keeps the zones it met (bounded, for an hour), so that a tick reads no file as a rule.
 * Used on the client's I/O thread only. */
typedef struct sc__ticker sc__ticker;

/* `client` and `keys` must outlive it; `strategy` is copied, NULL: cron expressions alone. */
SC_MUST_USE sc_err sc__ticker_new(sc_client *client, const sc__queue_keys *keys,
                                  const sc_repeat_strategy *strategy, sc__ticker **ret_ticker);

/* Told what is complained of, too. Before the ticker is used. */
void sc__ticker_on_error(sc__ticker *ticker, sc_scheduler_error_cb cb, void *user);

/* Zones are read anew. */
void sc__ticker_forget_zones(sc__ticker *ticker);

/* After the last callback came. Any thread. NULL is fine. */
void sc__ticker_free(sc__ticker *ticker);

/* Schedules that have another next run now, and those that have not. */
typedef struct sc__ticked {
    int64_t advanced, stayed;
} sc__ticked;

/* SC_OK: the next job was added, or none was due: the scheduler has ended (limit, end date, no next time), was
 * removed, or this job is not the one that its next run hangs on (a retry, a stalled job's second start). Other
 * errors were logged once; in all cases the job itself is to be run as usual. */
typedef void (*sc__ticker_cb)(void *user, sc_err err, sc__ticked ticked);

/* Call it for each job taken that has a scheduler id (`rjk`), on every start, and run the job when `cb` came: so the
 * next run is stored before the job can fail, hang or kill its process.
 *
 * `job_id` and `opts` (the job's stored opts, JSON) are borrowed for the call. One script decides, by
 * the hash, by Redis' own clock, and only if `job_id` is repeat:<scheduler_id>:<score>; sent twice it does nothing
 * the second time. A pattern or zone that we cannot read (another client wrote it) ends in the log, and in
 * `cb` with its error. When this returns an error, `cb` never comes; run the job then too. */
SC_MUST_USE sc_err sc__ticker_tick(sc__ticker *ticker, sc_slice scheduler_id, sc_slice job_id,
                                   sc_slice opts, sc__ticker_cb cb, void *user);

/* By a job's stored options: is it a run of a guarded schedule, of which guardians have made the next one? */
bool sc__is_guarded_run(sc_slice opts);

/* The first time after `after_ms` by a pattern and zone as stored, read as the ticker reads them. SC_ENOTFOUND: none any more;
 * others with a reason. I/O thread only. */
SC_MUST_USE sc_err sc__ticker_next_time(sc__ticker *ticker, sc_slice scheduler_id, sc_slice pattern,
                                        sc_slice tz, int64_t after_ms, int64_t *ret_next_ms,
                                        sc_reason *ret_reason);

/* What the ticker works with: its strategy; a zone, borrowed until the next call; a cron expression of a schedule as it is stored.
 * Errors with a reason. */
const sc_repeat_strategy *sc__ticker_strategy(const sc__ticker *ticker);
SC_MUST_USE sc_err sc__ticker_zone(sc__ticker *ticker, sc_slice name, const sc_zone **ret_zone,
                                   sc_reason *ret_reason);
SC_MUST_USE sc_err sc__ticker_cron(sc_slice scheduler_id, sc_slice pattern, sc_cron_dst dst,
                                   sc_cron **ret_cron, sc_reason *ret_reason);

/* Asks the ticker's strategy. One whose time is not after `after_ms`, or that can't tell, is asked for the first time from now on; that is complained
 * of. SC_ESYNTAX as of sc__strategy_next. */
SC_MUST_USE sc_err sc__ticker_strategy_next(sc__ticker *ticker, sc_slice scheduler_id,
                                            sc_slice pattern, sc_slice tz, int64_t after_ms,
                                            int64_t *ret_next_ms, sc_reason *ret_reason);

/* Says, once for each schedule and kind of error, that no next job was made. */
void sc__ticker_complain(sc__ticker *ticker, sc_slice scheduler_id, sc_err err,
                         const sc_reason *reason);

/* The run that a job's id names: repeat:<scheduler id>:<ms>; 0 for another id. */
int64_t sc__time_of_job(sc_slice scheduler_id, sc_slice job_id);

/* Asks a strategy (NULL: none; then SC_ESYNTAX, as for a pattern that is none of its own). */
SC_MUST_USE sc_err sc__strategy_next(const sc_repeat_strategy *strategy, sc_slice scheduler_id,
                                     sc_slice pattern, sc_slice tz, int64_t after_ms,
                                     int64_t *ret_next_ms, sc_reason *ret_reason);

/* A rule to store, checked. */
typedef struct sc__scheduler_rule {
    sc_slice id, name, data;
    sc_slice opts; /* of its jobs, as stored */
    const sc_repeat *repeat;
    int64_t next_ms; /* by pattern: the first run after now, or after the start date */
    int64_t count;   /* the number of its pending job; 0: it is the first */
} sc__scheduler_rule;

/* `*ret_id` (sc_free) is the pending job. Waits, as do all below. */
SC_MUST_USE sc_err sc__op_scheduler_upsert(sc_client *client, const sc__queue_keys *keys,
                                           const sc__scheduler_rule *rule, char **ret_id,
                                           int64_t *ret_next_ms, sc_reason *ret_reason);

/* The rule as an upsert has it: policies too. Texts are borrowed. */
sc_repeat sc__scheduler_repeat(const sc_scheduler_info *info);

/* A scheduler as it is now. Texts are the arena's. */
typedef struct sc__scheduler_state {
    bool exists;
    sc_scheduler_info info; /* zeroed but for the id when there is none */
    sc_slice score;         /* as the server writes it; empty: none */
    int64_t now_ms;         /* the server's date */
} sc__scheduler_state;

SC_MUST_USE sc_err sc__op_scheduler_get(sc_client *client, const sc__queue_keys *keys, sc_slice id,
                                        sc__arena *arena, sc__scheduler_state *ret_state,
                                        sc_reason *ret_reason);

/* Stores the rule as a guarded one whose next run is `next_ms`. `score`: see above; SC_EBUSY when it is another one by now. `was_plain`: it is
 * guarded only because it is paused. */
SC_MUST_USE sc_err sc__op_scheduler_store(sc_client *client, const sc__queue_keys *keys,
                                          const sc__scheduler_rule *rule, sc_slice score,
                                          int64_t next_ms, int64_t nominal_ms, bool was_plain,
                                          sc_reason *ret_reason);

/* A job to add beside those that the rule makes. */
typedef struct sc__extra_run {
    int64_t run_ms;     /* which its id names; 0: now */
    int64_t nominal_ms; /* the time that it stands for; 0: not said */
    int64_t delay_ms;   /* from now */
} sc__extra_run;

/* Adds at most 100. `*ret_added`; `*ret_first_id` (may be NULL; sc_free): NULL when none was. SC_ENOTFOUND. */
SC_MUST_USE sc_err sc__op_scheduler_add_runs(sc_client *client, const sc__queue_keys *keys,
                                             const sc_scheduler_info *info,
                                             const sc__extra_run *runs, size_t count,
                                             size_t *ret_added, char **ret_first_id,
                                             sc_reason *ret_reason);

/* At most `most` are written; texts are the arena's. SC_ENOTFOUND. */
SC_MUST_USE sc_err sc__op_scheduler_runs(sc_client *client, const sc__queue_keys *keys, sc_slice id,
                                         sc__arena *arena, sc_scheduler_run *ret_items, size_t most,
                                         size_t *ret_count, sc_reason *ret_reason);

/* SC_ENOTFOUND. */
SC_MUST_USE sc_err sc__op_scheduler_remove(sc_client *client, const sc__queue_keys *keys,
                                           sc_slice id, sc_reason *ret_reason);

/* Schedulers by their next run, `start` to `end` (counted from 0, inclusive). Items and texts are the arena's; at most
 * `end - start + 1` items are written. */
SC_MUST_USE sc_err sc__op_scheduler_list(sc_client *client, const sc__queue_keys *keys,
                                         int64_t start, int64_t end, sc__arena *arena,
                                         sc_scheduler_info *ret_items, size_t *ret_count,
                                         sc_reason *ret_reason);

/* Appends the channel by which guardians are told of a queue's first schedule. */
void sc__scheduler_channel(sc__str *out, const sc__queue_keys *keys);

/* The server's date. */
SC_MUST_USE sc_err sc__op_server_time(sc_client *client, int64_t *ret_wall_ms,
                                      sc_reason *ret_reason);

#endif
