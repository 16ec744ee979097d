/* Storing and removing schedulers. */
#include <storychain/scheduler.h>

#include "base/error.h"
#include "guarded.h"
#include "loop/loop.h"
#include "ops/job_limits.h"
#include "ops/job_opts.h"
#include "ops/op_scheduler.h"
#include "ops/queue_handle.h"
#include "ops/scheduler_policy.h"
#include "redis/client.h"
#include "first_run.h"
#include "repeat_check.h"

enum { OPTS_BYTES_MAX = 64 * 1024 };

bool sc__scheduler_may_not_wait(const sc_queue *queue)
{
    return sc__loop_is_current(sc__client_loop(sc__queue_client(queue)));
}

sc_err sc__end_check(const sc_repeat *repeat, int64_t now_ms, sc_reason *ret_reason)
{
    if (repeat->end_ms && repeat->end_ms < now_ms)
        return sc__because(ret_reason, SC_EINVAL, "the end date has passed already");
    return SC_OK;
}

static sc_err find_first(const sc_queue *queue, sc__scheduler_rule *rule, int64_t now_ms,
                         sc_reason *ret_reason)
{
    const sc_repeat_strategy *strategy = sc__queue_repeat_strategy(queue);
    sc__ticker *ticker;
    sc_err err = sc__ticker_new(sc__queue_client(queue), sc__queue_names(queue), strategy, &ticker);

    if (err)
        return sc__because(ret_reason, err, "%s", sc_err_text(err));
    err =
        sc__first_run(strategy, ticker, rule->id, rule->repeat, now_ms, &rule->next_ms, ret_reason);
    sc__ticker_free(ticker);
    return err;
}

/* BullMQ's kind: with a pending job. */
static sc_err upsert_plain(const sc_queue *queue, sc__scheduler_rule *rule, char **ret_id,
                           int64_t *ret_next_ms, sc_reason *ret_reason)
{
    const sc_repeat *repeat = rule->repeat;
    int64_t now_ms = 0;
    sc_err err = SC_OK;

    if (repeat->pattern.len || repeat->end_ms)
        err = sc__op_server_time(sc__queue_client(queue), &now_ms, ret_reason);
    if (!err)
        err = sc__end_check(repeat, now_ms, ret_reason);
    if (!err && repeat->pattern.len)
        err = find_first(queue, rule, now_ms, ret_reason);
    if (err)
        return err;
    return sc__op_scheduler_upsert(sc__queue_client(queue), sc__queue_names(queue), rule, ret_id,
                                   ret_next_ms, ret_reason);
}

static sc_err check(sc_slice id, const sc_repeat *repeat, const sc_job_spec *spec,
                    sc_reason *ret_reason)
{
    sc_err err = sc__scheduler_id_check(id, ret_reason);

    if (!err)
        err = sc__repeat_check(repeat, ret_reason);
    return err ? err : sc__scheduler_spec_check(spec, ret_reason);
}

sc_err sc_scheduler_upsert(sc_queue *queue, sc_slice scheduler_id, const sc_repeat *repeat,
                           const sc_job_spec *spec, char **ret_id, int64_t *ret_next_ms,
                           sc_reason *ret_reason)
{
    AUTO_STR opts = STR_MAX(OPTS_BYTES_MAX);
    sc__scheduler_rule rule = {.id = scheduler_id, .repeat = repeat, .name = spec->name};
    bool is_guarded = sc__repeat_is_guarded(repeat);
    sc_err err;

    if (sc__scheduler_may_not_wait(queue))
        return sc__because(ret_reason, SC_EDEADLK, "%s", sc_err_text(SC_EDEADLK));
    err = check(scheduler_id, repeat, spec, ret_reason);
    if (err)
        return err;
    rule.data = spec->data.len ? spec->data : SC_S("{}");
    rule.opts = sc__queue_default_opts(queue);
    if (spec->opts) {
        sc__job_opts_write(&opts, spec->opts);
        if (opts.err)
            return sc__because(ret_reason, opts.err, "the jobs' options are too large");
        rule.opts = sc__str_slice(&opts);
    }
    if (is_guarded || (spec->opts && sc__job_limits_any(spec->opts)))
        sc__queue_mark_extensions(queue);
    if (!is_guarded)
        return upsert_plain(queue, &rule, ret_id, ret_next_ms, ret_reason);
    err = sc__guarded_upsert(queue, &rule, ret_next_ms, ret_reason);
    if (!err && ret_id)
        *ret_id = NULL;
    return err;
}

sc_err sc_scheduler_remove(sc_queue *queue, sc_slice scheduler_id)
{
    if (sc__scheduler_may_not_wait(queue))
        return SC_EDEADLK;
    return sc__op_scheduler_remove(sc__queue_client(queue), sc__queue_names(queue), scheduler_id,
                                   NULL);
}
