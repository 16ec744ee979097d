/* base/cron.c over all zones of the machine and all changes of their clocks, 1970 to 2037.
 *
 * A sample that is always the same one, which takes a few seconds; with CRON_ALL=1 everything, in some minutes. */
#include "base/cron.h"
#include "cron_fixture.h"

static const int64_t end_s = 2145916800; /* 2038-01-01 */

enum { HOUR_S = 3600, DAY_S = 86400 };

static const char *const shapes[] = {
    "30 2 * * *",  "0 0 * * *",          "30 1 * * *",    "59 23 * * *", "*/15 * * * *",
    "0 */2 * * *", "30 0,1,2,23 * * *",  "15 23 * * 6,0", "45 2 L * *",  "*/20 0,2 1-7 * *",
    "0 3 * * 1#1", "*/7 1-4 * 3,4,10 *", "0 12 29 2 *",   "30 * * * *",  "15 1 13 * +5",
    "* * * * *",   "5 0-22/3 LW * *",    "0 2 1,15W * *",
};
enum { SHAPES = sizeof(shapes) / sizeof(*shapes) };

static sc_cron *vixie[SHAPES], *skip[SHAPES];

static void parse_shapes(void)
{
    for (int i = 0; i < SHAPES; i++) {
        vixie[i] = parse(shapes[i]);
        skip[i] = parse_with(shapes[i], &(sc_cron_opts){.dst = SC_CRON_DST_SKIP});
    }
}

static void free_shapes(void)
{
    for (int i = 0; i < SHAPES; i++) {
        sc_cron_free(vixie[i]);
        sc_cron_free(skip[i]);
    }
}

/* One in `of`, or everything. */
static bool chosen(const char *name, size_t number, unsigned of)
{
    uint32_t hash = 2166136261u + (uint32_t)number * 40503u;

    if (getenv("CRON_ALL"))
        return true;
    for (const char *p = name; *p; p++)
        hash = (hash ^ (unsigned char)*p) * 16777619u;
    return (hash ^ hash >> 15) % of == 0;
}

/* Times that go up: while the next run is ahead it stays the same one, then comes a later one. */
static void check_pure(const sc_cron *cron, const sc_zone *zone, int64_t change_s)
{
    int64_t next = 0, step_ms = 787321;

    for (int64_t at = (change_s - 26 * HOUR_S) * 1000 - 1; at < (change_s + 26 * HOUR_S) * 1000;
         at += step_ms) {
        int64_t now = next_of(cron, zone, at);

        if (now <= at || now % 1000 || (at < next && now != next))
            fail_msg("%s: next of %lld is %lld, but before it was %lld", sc_zone_name(zone),
                     (long long)at, (long long)now, (long long)next);
        if (now < INT64_MAX && now - at < step_ms)
            assert_true(next_of(cron, zone, now - 1) == now);
        next = now;
    }
}

static void check_zone_pure(const char *name)
{
    sc_zone *zone = zone_named(name);

    for (size_t i = 0; i < zone->count; i++)
        for (size_t j = 0; zone->at_s[i] >= 0 && zone->at_s[i] < end_s && j < SHAPES; j++)
            if (chosen(name, i * SHAPES + j, 40)) {
                check_pure(vixie[j], zone, zone->at_s[i]);
                check_pure(skip[j], zone, zone->at_s[i]);
            }
    sc_zone_close(zone);
}

TEST_LIMIT(next_is_pure_and_monotone_around_every_change_of_clocks_of_every_zone, 1800)
{
    parse_shapes();

    assert_true(each_zone("", check_zone_pure) > 400);

    free_shapes();
}

/* The minutes of a time, one by one, as the clocks of a zone show them. */
struct minutes {
    size_t count;
    struct {
        int64_t at_s, local_s;
    } of[64 * 60];
};

static int64_t offset_at(const sc_zone *zone, int64_t at_s)
{
    sc_local_time local;

    sc_zone_local(zone, at_s * 1000, &local);
    return local.offset_s;
}

static void look_at_clocks(const sc_zone *zone, int64_t from_s, int64_t to_s, struct minutes *m)
{
    m->count = 0;
    for (int64_t at = from_s; at < to_s; at++) {
        int64_t local = at + offset_at(zone, at), second = (local % 60 + 60) % 60;

        /* Offsets may have seconds, and clocks change at any minute: look once a minute, and at its beginning. */
        if (second) {
            at += 59 - second;
            continue;
        }
        m->of[m->count].at_s = at;
        m->of[m->count++].local_s = local;
        at += 58;
    }
}

static int64_t day_of(int64_t local_s)
{
    return (local_s - (local_s % DAY_S + DAY_S) % DAY_S) / DAY_S;
}

/* Whether a fixed time lies in the gap before minute `i`, on the day that the gap ends on. */
static bool gap_has_match(const sc_cron *cron, const struct minutes *m, size_t i)
{
    for (int64_t local = m->of[i - 1].local_s + 60; i && local < m->of[i].local_s; local += 60)
        if (sc__cron_matches(cron, local) && day_of(local) == day_of(m->of[i].local_s))
            return true;
    return false;
}

static bool was_before(const struct minutes *m, size_t i)
{
    for (size_t j = i; j-- > 0 && m->of[i].at_s - m->of[j].at_s < 27 * HOUR_S;)
        if (m->of[j].local_s == m->of[i].local_s)
            return true;
    return false;
}

/* When clocks changed between two minutes. */
static int64_t change_before(const sc_zone *zone, int64_t at_s)
{
    size_t i = 0;

    while (i < zone->count && zone->at_s[i] <= at_s)
        i++;
    return zone->at_s[i - 1];
}

/* The definition, by brute force: the run at minute `i`, or in the minute before it; INT64_MIN: none. */
static int64_t run_of(const sc_cron *cron, const sc_zone *zone, const struct minutes *m, size_t i)
{
    bool matches = sc__cron_matches(cron, m->of[i].local_s);

    if (cron->is_fixed && cron->dst == SC_CRON_DST_VIXIE && i && gap_has_match(cron, m, i))
        return change_before(zone,
                             m->of[i].at_s); /* Monrovia's gap of 1972 ended within a minute */
    return matches && (!cron->is_fixed || !was_before(m, i)) ? m->of[i].at_s : INT64_MIN;
}

static void check_definition(const sc_cron *cron, const sc_zone *zone, const struct minutes *m,
                             const char *text)
{
    size_t i = m->count / 2 - 20 * 60;
    int64_t at = m->of[i].at_s * 1000 - 1;

    for (; i < m->count; i++) {
        int64_t run = run_of(cron, zone, m, i), next;

        if (run == INT64_MIN)
            continue;
        next = next_of(cron, zone, at);
        if (next != run * 1000)
            fail_msg("%s in %s: after %lld comes %lld, not %lld", text, sc_zone_name(zone),
                     (long long)at, (long long)next, (long long)run * 1000);
        at = next;
    }
    assert_true(next_of(cron, zone, at) > m->of[m->count - 1].at_s * 1000);
}

static void check_zone_by_definition(const char *name)
{
    static struct minutes minutes;
    sc_zone *zone = zone_named(name);

    for (size_t i = 0; i < zone->count; i++) {
        if (zone->at_s[i] < 0 || zone->at_s[i] >= end_s || !chosen(name, i, 60))
            continue;
        look_at_clocks(zone, zone->at_s[i] - 30 * HOUR_S, zone->at_s[i] + 30 * HOUR_S, &minutes);
        for (size_t j = 0; j < SHAPES; j++) {
            check_definition(vixie[j], zone, &minutes, shapes[j]);
            check_definition(skip[j], zone, &minutes, shapes[j]);
        }
    }
    sc_zone_close(zone);
}

TEST_LIMIT(runs_are_those_of_the_definition_around_every_change_of_clocks, 1800)
{
    parse_shapes();

    assert_true(each_zone("", check_zone_by_definition) > 400);

    free_shapes();
}

static const char *const daily[] = {"30 2 * * *", "0 0 * * *", "45 23 * * *", "15 1 * * *",
                                    "0 12 * * *"};
enum { DAILY = sizeof(daily) / sizeof(*daily) };

static int64_t local_s(const sc_zone *zone, int64_t at_ms)
{
    return at_ms / 1000 + offset_at(zone, at_ms / 1000);
}

/* True if clocks jump over a local time, and on to another day. */
static bool is_jumped_over(const sc_zone *zone, int64_t time_s)
{
    for (size_t i = 0; i < zone->count; i++) {
        int64_t at = zone->at_s[i], after = at + offset_at(zone, at);

        if (at + offset_at(zone, at - 1) <= time_s && time_s < after &&
            day_of(after) != day_of(time_s))
            return true;
    }
    return false;
}

/* Each day has one run, but one whose evening, or which as a whole, is jumped over. */
static void check_daily(const sc_zone *zone, const sc_cron *cron, int64_t of_day_s)
{
    int64_t run = next_of(cron, zone, 0), day = day_of(local_s(zone, run));

    while (run < end_s * 1000) {
        int64_t next = next_of(cron, zone, run), next_day = day_of(local_s(zone, next));

        for (day++; day < next_day; day++)
            if (!is_jumped_over(zone, day * DAY_S + of_day_s))
                fail_msg("%s: no run on day %lld", sc_zone_name(zone), (long long)day);
        if (day != next_day)
            fail_msg("%s: run %lld is on day %lld, not %lld", sc_zone_name(zone), (long long)next,
                     (long long)next_day, (long long)day);
        run = next;
    }
}

static void check_zone_daily(const char *name)
{
    sc_zone *zone = zone_named(name);

    for (size_t i = 0; i < DAILY; i++)
        if (chosen(name, i, 16)) {
            sc_cron *cron = parse(daily[i]);

            check_daily(zone, cron, next_of(cron, NULL, 0) / 1000 % DAY_S);
            sc_cron_free(cron);
        }
    sc_zone_close(zone);
}

TEST_LIMIT(daily_jobs_run_once_on_every_day_there_is_in_every_zone, 1800)
{
    assert_true(each_zone("", check_zone_daily) > 400);
}

static void check_rhythm(const char *name)
{
    sc_zone *zone = chosen(name, 0, 64) ? zone_named(name) : NULL;
    sc_cron *cron = parse("*/15 * * * *");
    int64_t end = 2145916800000;

    /* Since 1987 all clocks are quarters of an hour from UTC, but Monrovia's were before. */
    for (int64_t t = date("1990-01-01T00:00:00Z"); zone && t < end;) {
        int64_t next = next_of(cron, zone, t);

        if (next - t != 900 * 1000)
            fail_msg("%s: from %lld to %lld", name, (long long)t, (long long)next);
        t = next;
    }
    sc_zone_close(zone);
    sc_cron_free(cron);
}

TEST_LIMIT(what_repeats_by_the_quarter_hour_keeps_its_rhythm_in_every_zone, 1800)
{
    assert_true(each_zone("", check_rhythm) > 400);
}
