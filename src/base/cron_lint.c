/* What is valid in a cron expression but perhaps not meant. Steps and lists are looked at when they are read. */
#include <stdio.h>

#include "civil.h"
#include "cron_fields.h"
#include "iso8601.h"
#include "tz.h"

enum { CLOCK_YEARS = 10, RARE_DAYS = 4 * 366 };

/* A stretch of local time that clocks jump over, or show twice. */
struct change {
    int64_t at_s, from_s, to_s;
};

static void warn_field(sc__cron_parser *p, const char *name, sc__cron_field id, const char *what)
{
    sc_slice word = p->words[id];

    sc__cron_warn(p, name, id, word.ptr, word.ptr + word.len, "%s", what);
}

static void warn_whole(sc__cron_parser *p, const char *name, const char *what)
{
    sc__cron_warn(p, name, SC__CRON_FIELDS, p->text, p->end, "%s", what);
}

static bool has_warning(const sc__cron_parser *p, const char *name, const char *field)
{
    for (size_t i = 0; i < p->warnings->count; i++)
        if (!strcmp(p->warnings->items[i].name, name) &&
            !strcmp(p->warnings->items[i].field, field))
            return true;
    return false;
}

/* The last day that is asked for and that not each of the months has; 0: none. */
static int missing_day(const sc__cron_days *spec)
{
    uint32_t late = (spec->days | spec->nearest) & ~0u << 29;
    int day = late ? 31 - __builtin_clz(late) : 0;

    if (spec->from_last >> 28 && day < 29)
        day = 29;
    for (int month = 1; day && month <= 12; month++)
        if (spec->months >> month & 1 && sc__civil_month_days(2001, month) < day)
            return day;
    return 0;
}

static void check_days(sc__cron_parser *p)
{
    const sc__cron_days *spec = &p->days;
    int day = spec->any_day || spec->days == ~1u ? 0 : missing_day(spec);

    if (!spec->any_day && !spec->any_weekday && !spec->both)
        warn_field(p, "both-days", SC__CRON_DAY,
                   "it runs when the day of month or the day of week matches; a '+' before the "
                   "day of week asks for both");
    if (!day || has_warning(p, "uneven-step", "day of month"))
        return;
    if (spec->months == 1u << 2)
        warn_field(p, "short-months", SC__CRON_DAY, "only leap years have a 29 February");
    else
        warn_field(p, "short-months", SC__CRON_DAY,
                   "not every month has that day, and those without have no run; L is the last day "
                   "of each");
}

/* "* 3 * * *" where "0 3 * * *" was meant. */
static void check_wildcards(sc__cron_parser *p)
{
    const sc_cron *c = p->cron;

    if (__builtin_popcountll(c->seconds) == 60 && __builtin_popcountll(c->minutes) == 1)
        warn_field(p, "every-second", SC__CRON_SECOND,
                   "it runs 60 times in that minute; 0 is once");
    if (__builtin_popcountll(c->minutes) == 60 && __builtin_popcount(c->hours) == 1)
        warn_field(p, "every-minute", SC__CRON_MINUTE, "it runs 60 times in that hour; 0 is once");
}

static void check_future(sc__cron_parser *p, const sc_zone *zone, int64_t from_ms)
{
    char date[SC__ISO8601_LEN + 1], what[120];
    int64_t next_ms;

    if (sc_cron_next(p->cron, zone, from_ms, &next_ms)) {
        warn_whole(p, "never", "there is no run any more");
    } else if (next_ms - from_ms > RARE_DAYS * 1000ll * SC__DAY_S) {
        sc__iso8601_text(next_ms, false, date);
        snprintf(what, sizeof(what), "rare: the next run is on %.10s", date);
        warn_whole(p, "rare", what);
    }
}

/* The first run after `after_s`; INT64_MAX: none. */
static int64_t next_s(const sc_cron *cron, const sc_zone *zone, int64_t after_s)
{
    int64_t next_ms;

    return sc_cron_next(cron, zone, after_s * 1000, &next_ms) ? INT64_MAX : next_ms / 1000;
}

/* "10:30", or "10:30:05". */
static const char *time_text(int64_t local_s, char out[16])
{
    int s = (int)sc__floor_mod(local_s, SC__DAY_S);
    int len = snprintf(out, 16, "%02d:%02d", s / 3600, s / 60 % 60);

    if (s % 60)
        snprintf(out + len, 16 - (size_t)len, ":%02d", s % 60);
    return out;
}

/* What becomes of the first match in the stretch, as the end of a sentence. */
static void say_outcome(const sc_cron *cron, const sc_zone *zone, const struct change *c,
                        bool is_gap, char *out, size_t size)
{
    int64_t run = next_s(cron, zone, c->at_s - 1);
    sc_local_time there;

    if (!is_gap) {
        snprintf(out, size, "comes twice: it runs at %s",
                 run < c->at_s + c->to_s - c->from_s ? "both passes" : "the first");
        return;
    }
    sc_zone_local(zone, run < INT64_MAX ? run * 1000 : 0, &there);
    if (cron->is_fixed && run < INT64_MAX &&
        sc__civil_days(there.year, there.month, there.day) == sc__floor_div(c->from_s, SC__DAY_S))
        snprintf(out, size, "does not exist: it runs at %02d:%02d", there.hour, there.minute);
    else
        snprintf(out, size, "does not exist, and has no run");
}

/* Warns of the change if something matches in its stretch. */
static bool check_change(sc__cron_parser *p, const sc_zone *zone, const struct change *c,
                         bool is_gap)
{
    char from[16], to[16], found[16], outcome[80], what[240];
    int64_t first = next_s(p->cron, NULL, c->from_s - 1);
    sc__civil day = sc__civil_of_days(sc__floor_div(c->from_s, SC__DAY_S));

    if (first >= c->to_s)
        return false;
    say_outcome(p->cron, zone, c, is_gap, outcome, sizeof(outcome));
    snprintf(what, sizeof(what), "on %d-%02d-%02d clocks in %s go %s from %s to %s: %s %s",
             day.year, day.month, day.day, sc_zone_name(zone), is_gap ? "forward" : "back",
             time_text(is_gap ? c->from_s : c->to_s, from),
             time_text(is_gap ? c->to_s : c->from_s, to), time_text(first, found), outcome);
    warn_whole(p, is_gap ? "clocks-skip" : "clocks-repeat", what);
    return true;
}

/* The first gap and the first repeated stretch that something matches in. What runs in every hour keeps its rhythm. */
static void check_clocks(sc__cron_parser *p, const sc_zone *zone, int64_t from_ms)
{
    sc__zone_span span = sc__zone_span_at(zone, from_ms / 1000);
    int64_t end_s = from_ms / 1000 + CLOCK_YEARS * 366ll * SC__DAY_S;
    bool gap = false, repeat = false;

    if (__builtin_popcount(p->cron->hours) == 24)
        return;
    while (span.until_s < end_s && !(gap && repeat)) {
        int64_t at = span.until_s, before = at + span.offset_s, after;

        span = sc__zone_span_after(zone, &span);
        after = at + span.offset_s;
        if (after > before && !gap)
            gap = check_change(p, zone, &(struct change){at, before, after}, true);
        if (after < before && !repeat)
            repeat = check_change(p, zone, &(struct change){at, after, before}, false);
    }
}

sc_err sc_cron_lint(sc_slice text, const sc_cron_opts *opts, const sc_zone *zone, int64_t from_ms,
                    sc_cron_warnings *ret_warnings, sc_cron_error *ret_error)
{
    sc_cron cron = {0};
    sc_cron_warnings warnings;
    sc__cron_parser p = {.cron = &cron, .error = ret_error, .warnings = &warnings};
    sc_err err;

    warnings.count = 0;
    err = sc__cron_read(text, opts, &p);
    if (err)
        return err;
    if (cron.dst == SC_CRON_DST_BULLMQ && sc__cron_is_foreign(&p))
        warn_whole(&p, "not-bullmq", "BullMQ's Node workers cannot read this, and give up the job");
    check_wildcards(&p);
    check_days(&p);
    check_future(&p, zone, from_ms);
    if (zone)
        check_clocks(&p, zone, from_ms);
    ret_warnings->count = warnings.count;
    memcpy(ret_warnings->items, warnings.items, warnings.count * sizeof(*warnings.items));
    return SC_OK;
}
