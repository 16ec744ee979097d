#include "cron.h"

#include "civil.h"
#include "tz.h"

/* Clocks are never further from UTC than this. */
enum { OFFSET_MAX_S = 26 * 3600 };

static uint64_t from_bit(uint64_t set, int bit)
{
    return bit < 64 ? set >> bit << bit : 0;
}

/* The first second of a day at or after `from_s` (0 to 86,399). */
static bool next_time(const sc_cron *cron, int from_s, int *ret_s)
{
    int hour = from_s / 3600, minute = from_s / 60 % 60, second = from_s % 60;
    uint64_t left;

    if (cron->hours >> hour & 1) {
        left = cron->minutes >> minute & 1 ? from_bit(cron->seconds, second) : 0;
        if (left) {
            *ret_s = hour * 3600 + minute * 60 + sc__cron_lowest(left);
            return true;
        }
        left = from_bit(cron->minutes, minute + 1);
        if (left) {
            *ret_s = hour * 3600 + sc__cron_lowest(left) * 60 + sc__cron_lowest(cron->seconds);
            return true;
        }
    }
    left = from_bit(cron->hours, hour + 1);
    if (!left)
        return false;
    *ret_s = sc__cron_lowest(left) * 3600 + sc__cron_lowest(cron->minutes) * 60 +
             sc__cron_lowest(cron->seconds);
    return true;
}

/* The first day of a year at or after the given month and day. */
static bool next_day_in_year(const sc_cron *cron, int year, int month, int day, int64_t *ret_days)
{
    int64_t january = sc__civil_days(year, 1, 1);
    uint64_t months = from_bit(cron->months[sc__cron_year_kind(year, january)], month);

    for (; months; months &= months - 1) {
        int m = sc__cron_lowest(months);
        int64_t first = m == 1 ? january : sc__civil_days(year, m, 1);
        uint32_t days = cron->days[sc__civil_weekday(first)][sc__civil_month_days(year, m) - 28];

        if (m == month)
            days = (uint32_t)from_bit(days, day);
        if (days) {
            *ret_days = first + sc__cron_lowest(days) - 1;
            return true;
        }
    }
    return false;
}

bool sc__cron_has_year(const sc_cron *cron, int year)
{
    int index = year - SC__CRON_YEAR_FIRST;

    return index >= 0 && year <= SC__CRON_YEAR_LAST && cron->years[index / 64] >> index % 64 & 1;
}

bool sc__cron_has_day(const sc_cron *cron, int64_t day)
{
    sc__civil date = sc__civil_of_days(day);
    int kind = sc__cron_year_kind(date.year, sc__civil_days(date.year, 1, 1));
    int first = sc__civil_weekday(day - date.day + 1);

    return sc__cron_has_year(cron, date.year) && cron->months[kind] >> date.month & 1 &&
           cron->days[first][sc__civil_month_days(date.year, date.month) - 28] >> date.day & 1;
}

bool sc__cron_matches(const sc_cron *cron, int64_t local_s)
{
    int of_day = (int)sc__floor_mod(local_s, SC__DAY_S);

    return cron->hours >> of_day / 3600 & 1 && cron->minutes >> of_day / 60 % 60 & 1 &&
           cron->seconds >> of_day % 60 & 1 &&
           sc__cron_has_day(cron, sc__floor_div(local_s, SC__DAY_S));
}

bool sc__cron_next_day(const sc_cron *cron, int64_t from, int64_t *ret_days)
{
    sc__civil date = sc__civil_of_days(from);

    if (date.year < SC__CRON_YEAR_FIRST)
        date = (sc__civil){SC__CRON_YEAR_FIRST, 1, 1};
    for (; date.year <= SC__CRON_YEAR_LAST; date = (sc__civil){date.year + 1, 1, 1})
        if (sc__cron_has_year(cron, date.year) &&
            next_day_in_year(cron, date.year, date.month, date.day, ret_days))
            return true;
    return false;
}

/* The first time at or after `from_s`, by clocks that are never changed. */
static bool next_local(const sc_cron *cron, int64_t from_s, int64_t *ret_s)
{
    int64_t today = sc__floor_div(from_s, SC__DAY_S), day;
    int of_day = 0;

    if (!sc__cron_next_day(cron, today, &day))
        return false;
    if (day == today && !next_time(cron, (int)sc__floor_mod(from_s, SC__DAY_S), &of_day) &&
        !sc__cron_next_day(cron, today + 1, &day))
        return false;
    if (day != today)
        (void)next_time(cron, 0, &of_day);
    *ret_s = day * SC__DAY_S + of_day;
    return true;
}

/* Between two changes of its clocks a zone is a plain calendar. So the jobs of an interval run at what matches in each
 * stretch: twice in an hour that comes twice, never in one that does not exist. */
static bool next_interval(const sc_cron *cron, const sc_zone *zone, int64_t from_s, int64_t *ret_s)
{
    sc__zone_span span = sc__zone_span_at(zone, from_s);
    int64_t from = from_s + span.offset_s, found;

    if (!next_local(cron, from, &found))
        return false;
    while (found - span.offset_s >= span.until_s) {
        int64_t start;

        span = sc__zone_span_after(zone, &span);
        start = span.from_s + span.offset_s;
        /* What was found stands unless the new stretch begins after it, or before where the search began. */
        if (found >= start && start >= from)
            continue;
        from = start;
        if (!next_local(cron, from, &found))
            return false;
    }
    *ret_s = found - span.offset_s;
    return true;
}

/* When clocks first show a local time; if they jump over it and `shift` is set, the first instant after the jump, unless
 * it is another day then. */
static bool instant_of(const sc_zone *zone, int64_t local_s, bool shift, int64_t *ret_s)
{
    sc__zone_span span = sc__zone_span_at(zone, local_s - OFFSET_MAX_S);
    bool jumped = false;

    for (;;) {
        int64_t at = local_s - span.offset_s, before = span.offset_s, change = span.until_s;

        if (at >= span.from_s && at < span.until_s) {
            *ret_s = at;
            return true;
        }
        if (change > local_s + OFFSET_MAX_S)
            return jumped;
        span = sc__zone_span_after(zone, &span);
        if (shift && !jumped && change + before <= local_s && local_s < change + span.offset_s &&
            sc__floor_div(local_s, SC__DAY_S) == sc__floor_div(change + span.offset_s, SC__DAY_S)) {
            jumped = true;
            *ret_s = change;
        }
    }
}

static bool next_fixed(const sc_cron *cron, const sc_zone *zone, int64_t from_s, int64_t *ret_s)
{
    int64_t local_s = from_s + sc__zone_span_at(zone, from_s).offset_s;
    int64_t day = sc__floor_div(local_s, SC__DAY_S), found = 0;
    bool shift = cron->dst != SC_CRON_DST_SKIP;
    int of_day = 0;

    (void)next_time(cron, 0, &of_day);
    while (sc__cron_next_day(cron, day, &day)) {
        if (instant_of(zone, day * SC__DAY_S + of_day, shift, &found) && found >= from_s) {
            *ret_s = found;
            return true;
        }
        day++;
    }
    return false;
}

sc_err sc_cron_next(const sc_cron *cron, const sc_zone *zone, int64_t after_ms,
                    int64_t *ret_next_ms)
{
    /* Days around the years that can match, so that sums below stay small. */
    const int64_t first = -7 * SC__DAY_S;
    const int64_t last = sc__civil_days(SC__CRON_YEAR_LAST + 1, 1, 8) * SC__DAY_S;
    int64_t from = sc__floor_div(after_ms, 1000) + 1, found = 0;

    if (from < first)
        from = first;
    if (from > last)
        return SC_ENOTFOUND;
    if (!(cron->is_fixed ? next_fixed(cron, zone, from, &found)
                         : next_interval(cron, zone, from, &found)))
        return SC_ENOTFOUND;
    if (cron->dst == SC_CRON_DST_BULLMQ)
        (void)sc__cron_bullmq_next(cron, zone, after_ms, found, &found);
    *ret_next_ms = found * 1000;
    return SC_OK;
}
