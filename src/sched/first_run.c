#include "first_run.h"

#include <storychain/cron.h>

#include "base/error.h"
#include "base/iso8601.h"
#include "ops/scheduler_policy.h"

sc_scheduler_info sc__rule_of(sc_slice id, const sc_repeat *repeat)
{
    return (sc_scheduler_info){
        .id = id,
        .pattern = repeat->pattern,
        .tz = repeat->tz,
        .every_ms = repeat->every_ms,
        .end_ms = repeat->end_ms,
        .exclude = repeat->exclude,
        .dst = repeat->dst,
        .jitter_ms = repeat->jitter_ms,
        .catchup = repeat->catchup,
    };
}

static sc_err parse_pattern(sc_slice id, const sc_repeat *repeat, sc_cron **ret_cron,
                            sc_reason *ret_reason)
{
    const sc_cron_opts opts = {.hash_seed = id, .dst = repeat->dst};
    sc_cron_error error = {.text = ""};
    sc_err err = sc_cron_parse(repeat->pattern, &opts, ret_cron, &error);

    return err ? sc__because(ret_reason, err, "%s", *error.text ? error.text : sc_err_text(err))
               : SC_OK;
}

static sc_err first_by_cron(sc_slice id, const sc_repeat *repeat, int64_t after_ms,
                            int64_t *ret_next_ms, sc_reason *ret_reason)
{
    sc_cron *cron = NULL;
    sc_zone *zone = NULL;
    sc_err err = parse_pattern(id, repeat, &cron, ret_reason);

    if (!err)
        err = sc_zone_open(repeat->tz, &zone, ret_reason);
    if (!err && sc_cron_next(cron, zone, after_ms, ret_next_ms))
        err = sc__because(ret_reason, SC_EINVAL, "the pattern has no time before the year 2200");
    sc_zone_close(zone);
    sc_cron_free(cron);
    return err;
}

static sc_err first_by_pattern(const sc_repeat_strategy *strategy, sc_slice id,
                               const sc_repeat *repeat, int64_t now_ms, int64_t *ret_next_ms,
                               sc_reason *ret_reason)
{
    int64_t start_ms = repeat->start_ms - repeat->start_inclusive;
    int64_t after_ms = start_ms > now_ms ? start_ms : now_ms;
    sc_err err = sc__strategy_next(strategy, id, repeat->pattern, repeat->tz, after_ms, ret_next_ms,
                                   ret_reason);

    if (err == SC_ENOTFOUND)
        return sc__because(ret_reason, SC_EINVAL, "the pattern has no time any more");
    return err == SC_ESYNTAX ? first_by_cron(id, repeat, after_ms, ret_next_ms, ret_reason) : err;
}

static int64_t first_by_interval(const sc_repeat *repeat, int64_t now_ms)
{
    int64_t slot;

    if (repeat->start_ms)
        return repeat->start_ms > now_ms ? repeat->start_ms : now_ms;
    if (repeat->offset_ms <= 0)
        return now_ms;
    slot = now_ms - now_ms % repeat->every_ms + repeat->offset_ms;
    return slot <= now_ms ? slot + repeat->every_ms : slot;
}

static sc_err too_late(const sc_repeat *repeat, sc_reason *ret_reason)
{
    char end[SC__ISO8601_LEN + 1];

    if (!repeat->end_ms)
        return sc__because(ret_reason, SC_EINVAL, "it has no time any more");
    sc__iso8601_text(repeat->end_ms, false, end);
    return sc__because(ret_reason, SC_EINVAL, "the pattern has no time before its end date, %s",
                       end);
}

sc_err sc__first_run(const sc_repeat_strategy *strategy, sc__ticker *ticker, sc_slice id,
                     const sc_repeat *repeat, int64_t now_ms, int64_t *ret_next_ms,
                     sc_reason *ret_reason)
{
    const sc_scheduler_info rule = sc__rule_of(id, repeat);
    int64_t first_ms = 0;
    sc_err err = SC_OK;

    if (repeat->pattern.len)
        err = first_by_pattern(strategy, id, repeat, now_ms, &first_ms, ret_reason);
    else
        first_ms = first_by_interval(repeat, now_ms);
    if (!err && repeat->immediately)
        first_ms = now_ms;
    else if (!err && sc__rule_next(ticker, &rule, first_ms, first_ms - 1, &first_ms, ret_reason))
        err = too_late(repeat, ret_reason);
    if (!err)
        *ret_next_ms = first_ms;
    return err;
}
