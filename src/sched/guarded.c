#include "guarded.h"

#include "base/error.h"
#include "first_run.h"
#include "ops/queue_handle.h"
#include "ops/scheduler_policy.h"

enum { TRIES = 16, STATE_BYTES_MAX = 4 * 1024 * 1024 };

/* One try to change a schedule: as it was read, and what it shall become. */
struct change {
    sc_queue *queue;
    sc__ticker *ticker;
    sc__scheduler_state state;
    const sc__scheduler_rule *rule;
    bool was_plain;
    int64_t next_ms, nominal_ms;
};

static bool has_same_times(const sc_scheduler_info *info, const sc_repeat *repeat)
{
    return sc_slice_eq(info->pattern, repeat->pattern) && sc_slice_eq(info->tz, repeat->tz) &&
           info->every_ms == repeat->every_ms && info->jitter_ms == repeat->jitter_ms &&
           (repeat->offset_ms <= 0 || info->offset_ms == repeat->offset_ms) &&
           sc_slice_eq(info->exclude, repeat->exclude) && info->dst == repeat->dst &&
           !repeat->immediately;
}

/* The schedule goes on with the times that it has: with its next run, also when that is due and not made yet; from now on when it was
 * paused, or when the run is due whose job a worker makes no next one for any more. */
static sc_err go_on(struct change *c, sc_reason *ret_reason)
{
    const sc_scheduler_info *info = &c->state.info;
    const sc_scheduler_info rule = sc__rule_of(c->rule->id, c->rule->repeat);
    int64_t at_ms = info->nominal_ms ? info->nominal_ms : info->next_ms, next_ms = 0;
    sc_err err;

    if (info->next_ms > c->state.now_ms || (info->is_guarded && !info->is_paused)) {
        c->nominal_ms = at_ms;
        c->next_ms = info->next_ms;
        return SC_OK;
    }
    err = sc__rule_next(c->ticker, &rule, at_ms, c->state.now_ms, &next_ms, ret_reason);
    if (err == SC_ENOTFOUND)
        return sc__because(ret_reason, SC_EINVAL, "it has no time any more");
    c->nominal_ms = next_ms;
    return err ? err : sc__rule_jittered(c->ticker, &rule, next_ms, &c->next_ms, ret_reason);
}

static sc_err begin(struct change *c, sc_reason *ret_reason)
{
    const sc_repeat *repeat = c->rule->repeat;
    const sc_scheduler_info rule = sc__rule_of(c->rule->id, repeat);
    sc_err err = sc__first_run(sc__queue_repeat_strategy(c->queue), c->ticker, c->rule->id, repeat,
                               c->state.now_ms, &c->nominal_ms, ret_reason);

    if (err)
        return err;
    c->next_ms = c->nominal_ms;
    if (repeat->immediately)
        return SC_OK;
    return sc__rule_jittered(c->ticker, &rule, c->nominal_ms, &c->next_ms, ret_reason);
}

/* Finds the next run and stores the rule. */
static sc_err store(struct change *c, sc_reason *ret_reason)
{
    const sc_scheduler_info *info = &c->state.info;
    sc_err err = sc__end_check(c->rule->repeat, c->state.now_ms, ret_reason);

    if (err)
        return err;
    if (c->state.score.len && !info->is_over && has_same_times(info, c->rule->repeat))
        err = go_on(c, ret_reason);
    else
        err = begin(c, ret_reason);
    if (err)
        return err;
    return sc__op_scheduler_store(sc__queue_client(c->queue), sc__queue_names(c->queue), c->rule,
                                  c->state.score, c->next_ms, c->nominal_ms, c->was_plain,
                                  ret_reason);
}

/* What a call makes of a schedule as it stands. Nothing is stored when it leaves c->rule NULL. */
typedef sc_err (*changer)(struct change *c, void *arg, sc_reason *ret_reason);

static sc_err try_change(struct change *c, sc_slice id, sc__arena *arena, changer prepare,
                         void *arg, sc_reason *ret_reason)
{
    sc_err err = sc__op_scheduler_get(sc__queue_client(c->queue), sc__queue_names(c->queue), id,
                                      arena, &c->state, ret_reason);

    if (!err)
        err = prepare(c, arg, ret_reason);
    return err || !c->rule ? err : store(c, ret_reason);
}

/* Guardians may move the schedule on between reading and storing: then once more. */
static sc_err change(struct change *c, sc_slice id, changer prepare, void *arg,
                     sc_reason *ret_reason)
{
    sc__arena arena;
    sc_err err = sc__ticker_new(sc__queue_client(c->queue), sc__queue_names(c->queue),
                                sc__queue_repeat_strategy(c->queue), &c->ticker);

    if (err)
        return sc__because(ret_reason, err, "%s", sc_err_text(err));
    sc__arena_init(&arena, STATE_BYTES_MAX);
    err = SC_EBUSY;
    for (int i = 0; i < TRIES && err == SC_EBUSY; i++) {
        sc__arena_release(&arena);
        sc__arena_init(&arena, STATE_BYTES_MAX);
        err = try_change(c, id, &arena, prepare, arg, ret_reason);
    }
    sc__arena_release(&arena);
    sc__ticker_free(c->ticker);
    return err;
}

static sc_err take_rule(struct change *c, void *arg, sc_reason *ret_reason)
{
    (void)ret_reason;
    c->rule = arg;
    return SC_OK;
}

sc_err sc__guarded_upsert(sc_queue *queue, sc__scheduler_rule *rule, int64_t *ret_next_ms,
                          sc_reason *ret_reason)
{
    struct change c = {.queue = queue};
    sc_err err = change(&c, rule->id, take_rule, rule, ret_reason);

    if (!err && ret_next_ms)
        *ret_next_ms = c.next_ms;
    return err;
}

sc_err sc__no_scheduler(sc_slice id, sc_reason *ret_reason)
{
    return sc__because(ret_reason, SC_ENOTFOUND, "there is no job scheduler \"%.*s\"",
                       id.len < 64 ? (int)id.len : 64, id.ptr);
}

/* A schedule as it stands, with another `paused`. */
struct turned {
    sc__scheduler_rule rule;
    sc_repeat repeat;
    bool is_paused;
};

static sc_err upsert_again(struct change *c, struct turned *t, sc_reason *ret_reason)
{
    const sc_repeat_strategy *strategy = sc__queue_repeat_strategy(c->queue);
    sc_err err = SC_OK;

    if (t->repeat.pattern.len)
        err = sc__first_run(strategy, c->ticker, t->rule.id, &t->repeat, c->state.now_ms,
                            &t->rule.next_ms, ret_reason);
    if (err)
        return err;
    return sc__op_scheduler_upsert(sc__queue_client(c->queue), sc__queue_names(c->queue), &t->rule,
                                   NULL, NULL, ret_reason);
}

static sc_err turn(struct change *c, void *arg, sc_reason *ret_reason)
{
    const sc_scheduler_info *info = &c->state.info;
    struct turned *t = arg;

    if (!c->state.exists)
        return sc__no_scheduler(t->rule.id, ret_reason);
    if (info->is_paused == t->is_paused)
        return SC_OK;
    t->repeat = sc__scheduler_repeat(info);
    t->repeat.paused = t->is_paused;
    t->rule.name = info->name;
    t->rule.data = info->data.len ? info->data : SC_S("{}");
    t->rule.opts = info->opts;
    t->rule.repeat = &t->repeat;
    t->rule.count = info->plain_count;
    if (info->was_plain && !(info->limit && info->plain_count > info->limit))
        return upsert_again(c, t, ret_reason);
    c->rule = &t->rule;
    c->was_plain = !info->is_guarded;
    return SC_OK;
}

static sc_err turn_to(sc_queue *queue, sc_slice id, bool is_paused, sc_reason *ret_reason)
{
    struct change c = {.queue = queue};
    struct turned t = {.rule = {.id = id}, .is_paused = is_paused};

    if (sc__scheduler_may_not_wait(queue))
        return sc__because(ret_reason, SC_EDEADLK, "%s", sc_err_text(SC_EDEADLK));
    if (is_paused)
        sc__queue_mark_extensions(queue);
    return change(&c, id, turn, &t, ret_reason);
}

sc_err sc_scheduler_pause(sc_queue *queue, sc_slice scheduler_id, sc_reason *ret_reason)
{
    return turn_to(queue, scheduler_id, true, ret_reason);
}

sc_err sc_scheduler_resume(sc_queue *queue, sc_slice scheduler_id, sc_reason *ret_reason)
{
    return turn_to(queue, scheduler_id, false, ret_reason);
}
