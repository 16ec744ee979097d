#include "scheduler_policy.h"

#include <xxhash.h>

#include "scheduler_times.h"

enum {
    PUNCTUAL_MS = 10000, /* SC_CATCHUP_NONE: a run that is not later has not been missed */
    COUNT_MAX = 2000,
    JITTER_MAX_MS = 24 * 3600 * 1000 /* others may have stored more */
};

static const char *const overlaps[] = {NULL, "skip", "one", "all"};
static const char *const dsts[] = {NULL, "skip", "bullmq", "bullmq"};
static const char *const catchups[] = {NULL, "none", "one", "all"};

const char *sc__overlap_text(sc_overlap overlap)
{
    return overlaps[overlap];
}

const char *sc__catchup_text(sc_catchup catchup)
{
    return catchups[catchup];
}

const char *sc__dst_text(sc_cron_dst dst)
{
    return dsts[dst];
}

static int index_of(const char *const texts[4], sc_slice text)
{
    for (int i = 1; i < 4; i++)
        if (sc_slice_eq(text, sc_slice_of(texts[i])))
            return i;
    return 0;
}

sc_overlap sc__overlap_of(sc_slice text)
{
    return (sc_overlap)index_of(overlaps, text);
}

sc_catchup sc__catchup_of(sc_slice text)
{
    return (sc_catchup)index_of(catchups, text);
}

sc_cron_dst sc__dst_of(sc_slice text)
{
    return (sc_cron_dst)index_of(dsts, text);
}

bool sc__repeat_is_guarded(const sc_repeat *repeat)
{
    return repeat->overlap || repeat->catchup || repeat->jitter_ms || repeat->exclude.len ||
           repeat->dst || repeat->paused;
}

/* The same on all nodes: a hash of the schedule and the time, scaled to 0 … most - 1. */
static int64_t jitter_of(sc_slice id, int64_t nominal_ms, int64_t most)
{
    uint64_t hash = XXH3_64bits_withSeed(id.ptr, id.len, (uint64_t)nominal_ms);

    return most > 0 ? (int64_t)((hash >> 32) * (uint64_t)most >> 32) : 0;
}

/* What is computed with, and the first error: after it nothing is computed any more. */
struct planner {
    sc__times times;
    const sc_scheduler_info *rule;
    sc_reason *reason;
    sc_err err;
};

/* 0 when no time comes any more. */
static int64_t next_after(struct planner *p, int64_t after_ms)
{
    int64_t next_ms = 0;
    sc_err err = p->err ? p->err : sc__times_next(&p->times, after_ms, &next_ms, p->reason);

    if (!err)
        return next_ms;
    if (err != SC_ENOTFOUND)
        p->err = err;
    return 0;
}

static int64_t jittered(struct planner *p, int64_t nominal_ms)
{
    int64_t most = p->rule->jitter_ms < JITTER_MAX_MS ? p->rule->jitter_ms : JITTER_MAX_MS, next_ms;

    if (most <= 0 || !nominal_ms)
        return nominal_ms;
    next_ms = next_after(p, nominal_ms);
    if (next_ms && next_ms - nominal_ms < most)
        most = next_ms - nominal_ms;
    return nominal_ms + jitter_of(p->rule->id, nominal_ms, most);
}

/* Times after `from` and before `to`. */
static int64_t count_between(struct planner *p, int64_t from, int64_t to)
{
    int64_t count = 0;

    for (int64_t ms = next_after(p, from); ms && ms < to && count < COUNT_MAX;
         ms = next_after(p, ms))
        count++;
    return count;
}

/* The last time from `first`, which is one, to `until`. There is no way back in a pattern: steps that double find a time near `until`. */
static int64_t last_until(struct planner *p, int64_t first, int64_t until)
{
    int64_t from = until, last = first;

    for (int64_t back = 1000; last == first && from > first; back *= 2) {
        int64_t ms;

        from = until - back > first ? until - back : first;
        ms = next_after(p, from);
        for (int i = 0; ms && ms <= until && i < COUNT_MAX; i++) {
            last = ms;
            ms = next_after(p, ms);
        }
    }
    return last;
}

/* The last run that is due: its time with jitter has come. `nominal` is one that is. */
static int64_t last_due(struct planner *p, int64_t nominal, int64_t now_ms)
{
    int64_t last = last_until(p, nominal, now_ms);

    if (last != nominal && jittered(p, last) > now_ms)
        last = last_until(p, nominal, last - 1);
    return last;
}

static int64_t window_of(const sc_scheduler_info *rule)
{
    if (rule->catchup == SC_CATCHUP_NONE)
        return PUNCTUAL_MS;
    return rule->catchup_window_ms && rule->catchup != SC_CATCHUP_LATE ? rule->catchup_window_ms
                                                                       : INT64_MAX;
}

/* One run for all that are due: the first (LATE) or the last (ONE) of them; when paused, none. */
static void plan_one(struct planner *p, int64_t nominal, int64_t now_ms, sc__plan *plan)
{
    const sc_scheduler_info *rule = p->rule;
    int64_t last = last_due(p, nominal, now_ms);
    int64_t made = rule->catchup == SC_CATCHUP_ONE ? last : nominal;
    int64_t due_ms = made == nominal ? rule->next_ms : jittered(p, made);

    plan->next_nominal_ms = next_after(p, last);
    if (rule->is_paused)
        return;
    plan->missed = (last != nominal) + count_between(p, nominal, last);
    if (now_ms - due_ms <= window_of(rule)) {
        plan->run_ms = due_ms;
        plan->run_nominal_ms = made;
    } else {
        plan->missed++;
    }
}

/* Each run by itself; those that are too late are skipped at once. */
static void plan_each(struct planner *p, int64_t nominal, int64_t now_ms, sc__plan *plan)
{
    int64_t window = window_of(p->rule), since;

    if (now_ms - p->rule->next_ms <= window) {
        plan->run_ms = p->rule->next_ms;
        plan->run_nominal_ms = nominal;
        plan->next_nominal_ms = next_after(p, nominal);
        return;
    }
    since = now_ms - window - 1;
    plan->next_nominal_ms = next_after(p, since > nominal ? since : nominal);
    plan->missed = 1 + count_between(p, nominal, plan->next_nominal_ms);
}

/* Where many times in a row are excluded the rule stops at one of them, to look further when that has come: it is no run. */
static void drop_excluded(struct planner *p, sc__plan *plan)
{
    if (plan->run_ms && sc__times_exclude(&p->times, plan->run_nominal_ms))
        plan->run_ms = plan->run_nominal_ms = 0;
}

static int64_t nominal_of(const sc_scheduler_info *rule)
{
    return rule->nominal_ms ? rule->nominal_ms : rule->next_ms;
}

static sc_err planner_init(struct planner *p, sc__ticker *ticker, const sc_scheduler_info *rule,
                           int64_t phase_ms, sc_reason *reason)
{
    sc_err err;

    *p = (struct planner){.rule = rule, .reason = reason};
    err = sc__times_init(&p->times, ticker, rule, phase_ms, reason);
    return err == SC_ENOTFOUND ? SC_EINVAL
                               : err; /* a zone: not to be taken for the end of the schedule */
}

sc_err sc__rule_plan(sc__ticker *ticker, const sc_scheduler_info *rule, int64_t now_ms,
                     sc__plan *ret_plan, sc_reason *ret_reason)
{
    int64_t nominal = nominal_of(rule);
    sc__plan plan = {0};
    struct planner p;
    sc_err err = planner_init(&p, ticker, rule, nominal, ret_reason);

    if (err)
        return err;
    if (!rule->is_paused && (rule->catchup == SC_CATCHUP_NONE || rule->catchup == SC_CATCHUP_ALL))
        plan_each(&p, nominal, now_ms, &plan);
    else
        plan_one(&p, nominal, now_ms, &plan);
    drop_excluded(&p, &plan);
    plan.next_ms = jittered(&p, plan.next_nominal_ms);
    sc__times_release(&p.times);
    if (!p.err)
        *ret_plan = plan;
    return p.err;
}

sc_err sc__rule_jittered(sc__ticker *ticker, const sc_scheduler_info *rule, int64_t nominal_ms,
                         int64_t *ret_ms, sc_reason *ret_reason)
{
    struct planner p;
    sc_err err = planner_init(&p, ticker, rule, nominal_ms, ret_reason);

    if (err)
        return err;
    *ret_ms = jittered(&p, nominal_ms);
    sc__times_release(&p.times);
    return p.err;
}

sc_err sc__rule_next(sc__ticker *ticker, const sc_scheduler_info *rule, int64_t phase_ms,
                     int64_t after_ms, int64_t *ret_next_ms, sc_reason *ret_reason)
{
    struct planner p;
    sc_err err = planner_init(&p, ticker, rule, phase_ms, ret_reason);

    if (err)
        return err;
    err = sc__times_next(&p.times, after_ms, ret_next_ms, ret_reason);
    sc__times_release(&p.times);
    return err;
}
