/* What BullMQ's Node workers compute where clocks change: the answer of cron-parser 5.10.5.
 *
 * That library walks through local time in steps of months, days, hours, minutes and seconds, and remembers on its way
 * which hours it saw skipped or repeated. What it finds depends on where the walk began, so the same walk is gone here. */
#include "cron.h"

#include "civil.h"
#include "tz.h"

/* The library gives up after as many steps; clocks further away than MARGIN_S make no difference to it. */
enum { STEPS_MAX = 10000, MARGIN_S = 2 * SC__DAY_S, LAST_DAYS = 3, NONE = -1 };

struct walk {
    const sc_cron *cron;
    const sc_zone *zone;
    int64_t at_s;
    int offset_s;
    int64_t day; /* local, from 1970; and the time on it */
    int hour, minute, second;
    bool every_hour;
    int skipped, landing; /* the first hour that a gap left out, and the hour behind it; or NONE */
    int repeated;         /* the hour that begins for the second time; or NONE */
    int64_t checked_day;  /* whether clocks change on that day is known */
    bool is_change_day;
};

static int offset_at(const struct walk *w, int64_t at_s)
{
    return sc__zone_span_at(w->zone, at_s).offset_s;
}

static void stand(struct walk *w, int64_t at_s)
{
    int of_day;

    w->at_s = at_s;
    w->offset_s = offset_at(w, at_s);
    w->day = sc__floor_div(at_s + w->offset_s, SC__DAY_S);
    of_day = (int)sc__floor_mod(at_s + w->offset_s, SC__DAY_S);
    w->hour = of_day / 3600;
    w->minute = of_day / 60 % 60;
    w->second = of_day % 60;
}

/* An instant of a local time: the pass that `offset_s` belongs to; moved on by the gap when clocks jump over it. */
static int64_t instant(const struct walk *w, int64_t local_s, int offset_s)
{
    int second = offset_at(w, local_s - offset_s), third;

    if (second == offset_s)
        return local_s - offset_s;
    third = offset_at(w, local_s - second);
    return local_s - (second < third ? second : third);
}

static void set_local(struct walk *w, int64_t day, int hour, int minute, int second)
{
    int64_t local_s = day * SC__DAY_S + hour * 3600 + minute * 60 + second;

    if (local_s != w->at_s + w->offset_s)
        stand(w, instant(w, local_s, w->offset_s));
}

static void first_of_next_month(struct walk *w)
{
    sc__civil date = sc__civil_of_days(w->day);
    int year = date.year + date.month / 12, month = date.month % 12 + 1;
    int last = sc__civil_month_days(year, month);

    set_local(w, sc__civil_days(year, month, date.day < last ? date.day : last), w->hour, w->minute,
              w->second);
    date = sc__civil_of_days(w->day);
    set_local(w, sc__civil_days(date.year, date.month, 1), 0, 0, 0);
}

static void begin_next_day(struct walk *w)
{
    set_local(w, w->day + 1, w->hour, w->minute, w->second);
    set_local(w, w->day, 0, 0, 0);
}

/* Near the next day that matches: the library goes there day by day, which changes nothing but for the last steps. */
static bool skip_days(struct walk *w)
{
    int64_t day;

    if (!sc__cron_next_day(w->cron, w->day + 1, &day) || day - LAST_DAYS <= w->day)
        return false;
    set_local(w, day - LAST_DAYS, 0, 0, 0);
    return true;
}

/* To the beginning of the next month, or day. A midnight that doesn't exist counts as hours that were skipped. */
static void move_date(struct walk *w, void (*move)(struct walk *w))
{
    if (!skip_days(w))
        move(w);
    w->skipped = w->landing = NONE;
    if (!w->every_hour && w->hour > 0) {
        w->skipped = 0;
        w->landing = w->hour;
    }
}

/* To the beginning of the next hour, minute or second, in elapsed time. */
static void move_time(struct walk *w, int unit_s)
{
    int hour = w->hour, offset = w->offset_s, ahead;

    stand(w, w->at_s + unit_s);
    set_local(w, w->day, w->hour, unit_s < 3600 ? w->minute : 0, unit_s < 60 ? w->second : 0);
    ahead = (w->hour - hour + 24) % 24;
    if (w->every_hour)
        return;
    if (w->offset_s > offset && ahead >= 2) {
        w->skipped = (hour + 1) % 24;
        w->landing = w->hour;
    } else if (ahead == 0 && w->minute == 0 && w->second == 0) {
        w->repeated = w->hour;
    }
}

/* Whether clocks show another offset at the day's end than at its beginning. */
static bool on_change_day(struct walk *w)
{
    struct walk end = *w;

    if (w->checked_day == w->day)
        return w->is_change_day;
    begin_next_day(&end);
    w->checked_day = w->day;
    w->is_change_day =
        offset_at(w, instant(w, w->day * SC__DAY_S, w->offset_s)) != offset_at(w, end.at_s - 1);
    return w->is_change_day;
}

static bool skipped_a_match(const struct walk *w)
{
    if (w->skipped == NONE || w->landing != w->hour)
        return false;
    for (int hour = w->skipped; hour != w->hour; hour = (hour + 1) % 24)
        if (w->cron->hours >> hour & 1)
            return true;
    return false;
}

static bool match_hour(struct walk *w)
{
    uint32_t later = w->cron->hours & ~((2u << w->hour) - 1);
    int from = w->hour, next;

    if (skipped_a_match(w))
        return true;
    if (w->repeated == w->hour) {
        w->repeated = NONE;
        move_time(w, 3600);
        return false;
    }
    if (w->cron->hours >> w->hour & 1)
        return true;
    w->skipped = w->landing = NONE;
    if (!later) {
        move_date(w, begin_next_day);
        return false;
    }
    next = sc__cron_lowest(later);
    if (!on_change_day(w))
        set_local(w, w->day, next, w->minute, w->second);
    else
        for (int i = from; i < next && (i == from || w->hour < next); i++)
            move_time(w, 3600);
    set_local(w, w->day, w->hour, sc__cron_lowest(w->cron->minutes), w->second);
    set_local(w, w->day, w->hour, w->minute, sc__cron_lowest(w->cron->seconds));
    return false;
}

static void next_minute(struct walk *w)
{
    uint64_t later = w->cron->minutes & ~((2ull << w->minute) - 1);

    if (!later)
        move_time(w, 3600);
    set_local(w, w->day, w->hour, sc__cron_lowest(later ? later : w->cron->minutes), w->second);
    set_local(w, w->day, w->hour, w->minute, sc__cron_lowest(w->cron->seconds));
}

static void next_second(struct walk *w)
{
    uint64_t later = w->cron->seconds & ~((2ull << w->second) - 1);

    if (!later)
        move_time(w, 60);
    set_local(w, w->day, w->hour, w->minute, sc__cron_lowest(later ? later : w->cron->seconds));
}

/* One step. True when it stands on a match. */
static bool step(struct walk *w)
{
    sc__civil date = sc__civil_of_days(w->day);
    int64_t january = sc__civil_days(date.year, 1, 1);
    int first = sc__civil_weekday(w->day - date.day + 1);
    uint32_t days = w->cron->days[first][sc__civil_month_days(date.year, date.month) - 28];

    if (!(w->cron->months[sc__cron_year_kind(date.year, january)] >> date.month & 1))
        move_date(w, first_of_next_month);
    else if (!(days >> date.day & 1))
        move_date(w, begin_next_day);
    else if (!match_hour(w))
        return false;
    else if (!(w->cron->minutes >> w->minute & 1))
        next_minute(w);
    else if (!(w->cron->seconds >> w->second & 1))
        next_second(w);
    else
        return true;
    return false;
}

/* A walk that is where it was before goes round in a circle until the library gives up. */
static bool is_same(const struct walk *a, const struct walk *b)
{
    return a->at_s == b->at_s && a->skipped == b->skipped && a->landing == b->landing &&
           a->repeated == b->repeated;
}

static bool is_any_year(const sc_cron *cron)
{
    int count = 0;

    for (int i = 0; i < 4; i++)
        count += __builtin_popcountll(cron->years[i]);
    return count == SC__CRON_YEAR_LAST - SC__CRON_YEAR_FIRST + 1;
}

bool sc__cron_bullmq_next(const sc_cron *cron, const sc_zone *zone, int64_t after_ms,
                          int64_t plain_s, int64_t *ret_s)
{
    int64_t after_s = sc__floor_div(after_ms, 1000);
    struct walk w = {.cron = cron,
                     .zone = zone,
                     .every_hour = cron->hours == (1u << 24) - 1,
                     .skipped = NONE,
                     .landing = NONE,
                     .repeated = NONE,
                     .checked_day = INT64_MIN};
    struct walk before = w;
    bool found = false;

    if (!is_any_year(cron))
        return false; /* a field that the library does not have */
    if (sc__zone_span_at(zone, after_s - MARGIN_S).until_s > plain_s + MARGIN_S)
        return false;
    stand(&w, after_s);
    if (sc__floor_mod(after_ms, 1000))
        move_time(&w, 1);
    for (int i = 1; i < STEPS_MAX && !found; i++) {
        if ((i & (i - 1)) == 0) /* rarer and rarer, so that a circle of any length is noticed */
            before = w;
        found = step(&w);
        if (found && w.at_s * 1000 == after_ms) {
            found = false;
            move_time(&w, 1);
        } else if (!found && is_same(&w, &before)) {
            return false;
        }
    }
    if (!found || w.at_s <= after_s || !sc__cron_has_year(cron, sc__civil_of_days(w.day).year))
        return false;
    *ret_s = w.at_s;
    return true;
}
