#include "scheduler_times.h"

#include <string.h>

#include "base/error.h"

enum { EXCLUDED_MAX = 10000 };

sc_err sc__exclusions_read(sc_slice text, sc_cron_exclusions **ret_exclusions,
                           sc_reason *ret_reason)
{
    sc_slice texts[SC_CRON_EXCLUSIONS_MAX];
    sc_cron_error error = {.text = ""};
    size_t count = 0;
    sc_err err;

    *ret_exclusions = NULL;
    while (text.len && count < SC_CRON_EXCLUSIONS_MAX) {
        const char *bar = memchr(text.ptr, '|', text.len);
        size_t len = bar ? (size_t)(bar - text.ptr) : text.len;

        texts[count++] = (sc_slice){text.ptr, len};
        len += bar != NULL;
        text = (sc_slice){text.ptr + len, text.len - len};
    }
    if (text.len)
        return sc__because(ret_reason, SC_ETOOBIG, "there are over %d exclusions",
                           SC_CRON_EXCLUSIONS_MAX);
    if (!count)
        return SC_OK;
    err = sc_cron_exclusions_parse(texts, count, ret_exclusions, NULL, &error);
    return err ? sc__because(ret_reason, err, "the exclusions: %s",
                             *error.text ? error.text : sc_err_text(err))
               : SC_OK;
}

static sc_err read_pattern(sc__times *t, sc_reason *ret_reason)
{
    int64_t next_ms;
    sc_err err;

    if (!t->rule->pattern.len)
        return t->rule->every_ms > 0 ? SC_OK
                                     : sc__because(ret_reason, SC_ELAYOUT,
                                                   "it has neither a pattern nor an interval");
    err = sc__strategy_next(sc__ticker_strategy(t->ticker), t->rule->id, t->rule->pattern,
                            t->rule->tz, 0, &next_ms, NULL);
    if (err != SC_ESYNTAX)
        return SC_OK;
    return sc__ticker_cron(t->rule->id, t->rule->pattern, t->rule->dst, &t->cron, ret_reason);
}

sc_err sc__times_init(sc__times *times, sc__ticker *ticker, const sc_scheduler_info *rule,
                      int64_t phase_ms, sc_reason *ret_reason)
{
    sc_err err;

    *times = (sc__times){.ticker = ticker, .rule = rule, .phase_ms = phase_ms};
    err = read_pattern(times, ret_reason);
    if (!err)
        err = sc__ticker_zone(ticker, rule->tz, &times->zone, ret_reason);
    if (!err)
        err = sc__exclusions_read(rule->exclude, &times->exclusions, ret_reason);
    if (err)
        sc__times_release(times);
    return err;
}

void sc__times_release(sc__times *times)
{
    sc_cron_free(times->cron);
    sc_cron_exclusions_free(times->exclusions);
}

static sc_err next_of_all(const sc__times *t, int64_t after_ms, int64_t *ret_next_ms,
                          sc_reason *ret_reason)
{
    const sc_scheduler_info *rule = t->rule;
    int64_t since;

    if (rule->pattern.len)
        return sc__ticker_strategy_next(t->ticker, rule->id, rule->pattern, rule->tz, after_ms,
                                        ret_next_ms, ret_reason);
    since = (after_ms - t->phase_ms) % rule->every_ms;
    if (since < 0)
        since += rule->every_ms;
    return __builtin_add_overflow(after_ms - since, rule->every_ms, ret_next_ms) ? SC_ENOTFOUND
                                                                                 : SC_OK;
}

/* By an interval, or by a strategy: time by time. */
static sc_err next_walking(const sc__times *t, int64_t after_ms, int64_t *ret_next_ms,
                           sc_reason *ret_reason)
{
    sc_err err = next_of_all(t, after_ms, ret_next_ms, ret_reason);

    for (int i = 0; !err && i < EXCLUDED_MAX && sc__times_exclude(t, *ret_next_ms); i++) {
        if (t->rule->end_ms && *ret_next_ms > t->rule->end_ms)
            return SC_ENOTFOUND;
        err = next_of_all(t, *ret_next_ms, ret_next_ms, ret_reason);
    }
    return err;
}

sc_err sc__times_next(const sc__times *times, int64_t after_ms, int64_t *ret_next_ms,
                      sc_reason *ret_reason)
{
    int64_t next_ms = 0;
    sc_err err;

    if (times->cron)
        err = sc_cron_next_except(times->cron, times->zone, times->exclusions, after_ms, &next_ms);
    else
        err = next_walking(times, after_ms, &next_ms, ret_reason);
    if (!err && times->rule->end_ms && next_ms > times->rule->end_ms)
        return SC_ENOTFOUND;
    if (!err)
        *ret_next_ms = next_ms;
    return err;
}

bool sc__times_exclude(const sc__times *times, int64_t ms)
{
    return times->exclusions && sc_cron_excludes(times->exclusions, times->zone, ms);
}
