/* Runs beside a schedule's rule, those of the past, and those to come. */
#include <storychain/scheduler.h>

#include "base/error.h"
#include "base/mem.h"
#include "first_run.h"
#include "guarded.h"
#include "ops/queue_handle.h"
#include "ops/scheduler_opts.h"
#include "ops/scheduler_policy.h"
#include "ops/scheduler_times.h"
#include "repeat_check.h"

enum {
    RUNS_MAX = 20,
    BACKFILL_MAX = 10000,
    PER_MINUTE_MAX = 60000,
    PREVIEW_MAX = 10000,
    SLICE = 100,
    STATE_BYTES_MAX = 4 * 1024 * 1024
};

/* A schedule that is there. */
static sc_err find(sc_queue *queue, sc_slice id, sc__arena *arena, sc__scheduler_state *ret_state,
                   sc_reason *ret_reason)
{
    sc_err err;

    if (sc__scheduler_may_not_wait(queue))
        return sc__because(ret_reason, SC_EDEADLK, "%s", sc_err_text(SC_EDEADLK));
    err = sc__op_scheduler_get(sc__queue_client(queue), sc__queue_names(queue), id, arena,
                               ret_state, ret_reason);
    return err || ret_state->exists ? err : sc__no_scheduler(id, ret_reason);
}

sc_err sc_scheduler_trigger(sc_queue *queue, sc_slice scheduler_id, char **ret_job_id,
                            sc_reason *ret_reason)
{
    const sc__extra_run now = {0};
    sc__scheduler_state state;
    sc__arena arena;
    size_t added;
    sc_err err;

    sc__arena_init(&arena, STATE_BYTES_MAX);
    err = find(queue, scheduler_id, &arena, &state, ret_reason);
    if (!err)
        err = sc__op_scheduler_add_runs(sc__queue_client(queue), sc__queue_names(queue),
                                        &state.info, &now, 1, &added, ret_job_id, ret_reason);
    sc__arena_release(&arena);
    return err;
}

int64_t sc_scheduler_nominal_ms(const sc_job *job)
{
    sc__scheduler_opts opts;

    if (!job->scheduler_id.len)
        return 0;
    sc__scheduler_opts_read(job->opts, &opts);
    return opts.nominal_ms ? opts.nominal_ms : sc__time_of_job(job->scheduler_id, job->id);
}

/* Runs of the past to be made up for. */
struct backfill {
    const sc_scheduler_info *info;
    sc__ticker *ticker;
    int64_t from_ms, to_ms, per_minute;
    sc__extra_run *runs;
    size_t count;
};

static sc_err add_time(struct backfill *b, int64_t ms, sc_reason *ret_reason)
{
    int64_t run_ms = 0;
    sc_err err;

    if (b->count == BACKFILL_MAX)
        return sc__because(ret_reason, SC_ETOOBIG,
                           "the schedule has over %d times from the first date to the last",
                           BACKFILL_MAX);
    err = sc__rule_jittered(b->ticker, b->info, ms, &run_ms, ret_reason);
    if (err)
        return err;
    b->runs[b->count] = (sc__extra_run){
        .run_ms = run_ms,
        .nominal_ms = ms,
        .delay_ms = b->per_minute ? (int64_t)b->count * 60000 / b->per_minute : 0,
    };
    b->count++;
    return SC_OK;
}

static sc_err find_runs(struct backfill *b, sc_reason *ret_reason)
{
    const sc_scheduler_info *info = b->info;
    int64_t phase_ms = info->nominal_ms ? info->nominal_ms : info->next_ms;
    int64_t ms = (info->start_ms > b->from_ms ? info->start_ms : b->from_ms) - 1;
    sc__times times;
    sc_err err = sc__times_init(&times, b->ticker, info, phase_ms, ret_reason);

    if (err)
        return err;
    for (;;) {
        err = sc__times_next(&times, ms, &ms, ret_reason);
        if (err || ms > b->to_ms)
            break;
        if (!sc__times_exclude(&times, ms))
            err = add_time(b, ms, ret_reason);
        if (err)
            break;
    }
    sc__times_release(&times);
    return err == SC_ENOTFOUND ? SC_OK : err;
}

static sc_err add_runs(sc_queue *queue, const struct backfill *b, int64_t *ret_added,
                       sc_reason *ret_reason)
{
    sc_err err = SC_OK;
    size_t added;

    for (size_t i = 0; i < b->count && !err; i += SLICE) {
        size_t n = b->count - i < SLICE ? b->count - i : SLICE;

        err = sc__op_scheduler_add_runs(sc__queue_client(queue), sc__queue_names(queue), b->info,
                                        &b->runs[i], n, &added, NULL, ret_reason);
        if (!err)
            *ret_added += (int64_t)added;
    }
    return err;
}

static sc_err check_range(const struct backfill *b, int64_t now_ms, sc_reason *ret_reason)
{
    if (b->from_ms <= 0 || b->from_ms > b->to_ms)
        return sc__because(ret_reason, SC_EINVAL,
                           "the first date comes after the last, or is none");
    if (b->to_ms >= now_ms)
        return sc__because(ret_reason, SC_EINVAL, "the last date is not past");
    if (b->per_minute < 0 || b->per_minute > PER_MINUTE_MAX)
        return sc__because(ret_reason, SC_EINVAL, "at most %d jobs a minute", PER_MINUTE_MAX);
    return SC_OK;
}

static sc_err backfill(sc_queue *queue, struct backfill *b, int64_t *ret_added,
                       sc_reason *ret_reason)
{
    sc_err err = sc__ticker_new(sc__queue_client(queue), sc__queue_names(queue),
                                sc__queue_repeat_strategy(queue), &b->ticker);

    if (!err) {
        b->runs = sc__calloc(BACKFILL_MAX, sizeof(*b->runs));
        err = b->runs ? SC_OK : SC_ENOMEM;
    }
    if (err)
        sc__because(ret_reason, err, "%s", sc_err_text(err));
    if (!err)
        err = find_runs(b, ret_reason);
    if (!err)
        err = add_runs(queue, b, ret_added, ret_reason);
    sc_free(b->runs);
    sc__ticker_free(b->ticker);
    return err;
}

sc_err sc_scheduler_backfill(sc_queue *queue, sc_slice scheduler_id, int64_t from_ms, int64_t to_ms,
                             int64_t per_minute, int64_t *ret_added, sc_reason *ret_reason)
{
    sc__scheduler_state state;
    struct backfill b = {
        .info = &state.info, .from_ms = from_ms, .to_ms = to_ms, .per_minute = per_minute};
    int64_t added = 0;
    sc__arena arena;
    sc_err err;

    sc__arena_init(&arena, STATE_BYTES_MAX);
    err = find(queue, scheduler_id, &arena, &state, ret_reason);
    if (!err)
        err = check_range(&b, state.now_ms, ret_reason);
    if (!err)
        err = backfill(queue, &b, &added, ret_reason);
    if (!err && ret_added)
        *ret_added = added;
    sc__arena_release(&arena);
    return err;
}

/* Times of a rule from `first_ms`, which is one, on. */
static sc_err preview(sc__ticker *ticker, const sc_scheduler_info *rule, int64_t first_ms,
                      int64_t *ret_times, size_t count, size_t *ret_count, sc_reason *ret_reason)
{
    int64_t ms = first_ms;
    sc__times times;
    size_t n = 0;
    sc_err err = sc__times_init(&times, ticker, rule, first_ms, ret_reason);

    if (err)
        return err;
    for (int i = 0; n < count && !err && i < PREVIEW_MAX; i++) {
        ret_times[n] = ms;
        n += !sc__times_exclude(&times, ms);
        err = sc__times_next(&times, ms, &ms, ret_reason);
    }
    sc__times_release(&times);
    if (err && err != SC_ENOTFOUND)
        return err;
    *ret_count = n;
    return SC_OK;
}

sc_err sc_scheduler_preview(sc_queue *queue, sc_slice scheduler_id, const sc_repeat *repeat,
                            int64_t after_ms, int64_t *ret_times, size_t count, size_t *ret_count,
                            sc_reason *ret_reason)
{
    const sc_repeat_strategy *strategy = queue ? sc__queue_repeat_strategy(queue) : NULL;
    const sc_scheduler_info rule = sc__rule_of(scheduler_id, repeat);
    sc_repeat times = *repeat;
    sc__ticker *ticker;
    sc_err err = sc__repeat_check(repeat, ret_reason);

    if (err)
        return err;
    err = sc__ticker_new(NULL, NULL, strategy, &ticker);
    if (err)
        return sc__because(ret_reason, err, "%s", sc_err_text(err));
    times.immediately = false;
    err = sc__first_run(strategy, ticker, scheduler_id, &times, after_ms, &after_ms, ret_reason);
    if (!err)
        err = preview(ticker, &rule, after_ms, ret_times, count, ret_count, ret_reason);
    sc__ticker_free(ticker);
    return err;
}

/* The runs as they are handed out, and what holds their texts. */
struct runs {
    sc_scheduler_runs runs;
    sc__arena arena;
    sc_scheduler_run items[RUNS_MAX];
};

sc_err sc_scheduler_runs_get(sc_queue *queue, sc_slice scheduler_id, sc_scheduler_runs **ret_runs)
{
    struct runs *r;
    sc_err err;

    if (sc__scheduler_may_not_wait(queue))
        return SC_EDEADLK;
    r = sc__calloc(1, sizeof(*r));
    if (!r)
        return SC_ENOMEM;
    sc__arena_init(&r->arena, STATE_BYTES_MAX);
    r->runs.items = r->items;
    err = sc__op_scheduler_runs(sc__queue_client(queue), sc__queue_names(queue), scheduler_id,
                                &r->arena, r->items, RUNS_MAX, &r->runs.count, NULL);
    if (err) {
        sc_scheduler_runs_free(&r->runs);
        return err;
    }
    *ret_runs = &r->runs;
    return SC_OK;
}

void sc_scheduler_runs_free(sc_scheduler_runs *runs)
{
    struct runs *r = (struct runs *)runs;

    if (!r)
        return;
    sc__arena_release(&r->arena);
    sc_free(r);
}
