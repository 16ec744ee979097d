/* ops/scheduler_policy.c: which runs a guarded schedule gets, and when */
#include "ops/scheduler_policy.h"

#include "base/iso8601.h"
#include "support/test.h"

static sc__ticker *ticker;

static int64_t at(const char *date)
{
    int64_t ms = 0;

    assert_ok(sc__iso8601_parse(sc_slice_of(date), &ms, NULL));
    return ms;
}

static sc_scheduler_info rule_at(const char *pattern, const char *next)
{
    sc_scheduler_info rule = {.id = SC_S("s"), .pattern = sc_slice_of(pattern)};

    rule.nominal_ms = rule.next_ms = at(next);
    if (!ticker)
        assert_ok(sc__ticker_new(NULL, NULL, NULL, &ticker));
    return rule;
}

static sc__plan plan(const sc_scheduler_info *rule, const char *now)
{
    sc_reason reason = {""};
    sc__plan plan = {0};

    if (sc__rule_plan(ticker, rule, at(now), &plan, &reason))
        fail_msg("%s", reason.text);
    return plan;
}

static void assert_plan(sc__plan plan, const char *run, const char *next, int64_t missed)
{
    assert_int_equal(plan.run_nominal_ms, run ? at(run) : 0);
    assert_int_equal(plan.next_nominal_ms, next ? at(next) : 0);
    assert_int_equal(plan.missed, missed);
}

TEST(a_run_in_time_is_made_by_all_ways_of_catching_up)
{
    sc_scheduler_info rule = rule_at("0 * * * *", "2026-03-01T10:00:00Z");

    for (int catchup = SC_CATCHUP_LATE; catchup <= SC_CATCHUP_ALL; catchup++) {
        rule.catchup = (sc_catchup)catchup;
        assert_plan(plan(&rule, "2026-03-01T10:00:00.004Z"), "2026-03-01T10:00:00Z",
                    "2026-03-01T11:00:00Z", 0);
    }
    sc__ticker_free(ticker);
}

TEST(what_nobody_made_in_time_is_caught_up_with_by_the_policy)
{
    static const struct {
        sc_catchup catchup;
        int64_t window_ms;
        const char *run, *next;
        int64_t missed;
    } rows[] = {
        {SC_CATCHUP_LATE, 0, "2026-03-01T10:00:00Z", "2026-03-03T11:00:00Z", 48},
        {SC_CATCHUP_NONE, 0, NULL, "2026-03-03T11:00:00Z", 49},
        {SC_CATCHUP_ONE, 0, "2026-03-03T10:00:00Z", "2026-03-03T11:00:00Z", 48},
        {SC_CATCHUP_ONE, 3600 * 1000, "2026-03-03T10:00:00Z", "2026-03-03T11:00:00Z", 48},
        {SC_CATCHUP_ONE, 600 * 1000, NULL, "2026-03-03T11:00:00Z", 49},
        {SC_CATCHUP_ALL, 0, "2026-03-01T10:00:00Z", "2026-03-01T11:00:00Z", 0},
        {SC_CATCHUP_ALL, 7200 * 1000, NULL, "2026-03-03T09:00:00Z", 47},
        {SC_CATCHUP_ALL, 60 * 1000, NULL, "2026-03-03T11:00:00Z", 49},
    };
    sc_scheduler_info rule = rule_at("0 * * * *", "2026-03-01T10:00:00Z");

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        print_message("row %zu\n", i);
        rule.catchup = rows[i].catchup;
        rule.catchup_window_ms = rows[i].window_ms;
        assert_plan(plan(&rule, "2026-03-03T10:30:00Z"), rows[i].run, rows[i].next, rows[i].missed);
    }
    sc__ticker_free(ticker);
}

TEST(intervals_are_caught_up_with_in_phase)
{
    sc_scheduler_info rule = rule_at("", "2026-03-01T10:00:07Z");

    rule.every_ms = 60000;
    rule.catchup = SC_CATCHUP_ONE;
    assert_plan(plan(&rule, "2026-03-01T12:00:00Z"), "2026-03-01T11:59:07Z", "2026-03-01T12:00:07Z",
                119);
    sc__ticker_free(ticker);
}

TEST(a_paused_schedule_skips_its_runs_and_misses_none)
{
    sc_scheduler_info rule = rule_at("0 * * * *", "2026-03-01T10:00:00Z");

    rule.is_paused = true;
    for (int catchup = SC_CATCHUP_LATE; catchup <= SC_CATCHUP_ALL; catchup++) {
        rule.catchup = (sc_catchup)catchup;
        assert_plan(plan(&rule, "2026-03-03T10:30:00Z"), NULL, "2026-03-03T11:00:00Z", 0);
    }
    sc__ticker_free(ticker);
}

TEST(a_year_of_missed_seconds_is_planned_at_once)
{
    sc_scheduler_info rule = rule_at("* * * * * *", "2025-03-01T10:00:00Z");

    assert_plan(plan(&rule, "2026-03-01T10:00:00.500Z"), "2025-03-01T10:00:00Z",
                "2026-03-01T10:00:01Z", 2001);
    rule.catchup = SC_CATCHUP_NONE;
    assert_plan(plan(&rule, "2026-03-01T10:00:00.500Z"), NULL, "2026-03-01T09:59:51Z", 2001);
    sc__ticker_free(ticker);
}

TEST(excluded_times_are_none)
{
    sc_scheduler_info rule = rule_at("0 9 * * *", "2026-12-24T09:00:00Z");

    rule.exclude = SC_S("2026-12-25|* * * * SUN");
    assert_plan(plan(&rule, "2026-12-24T09:00:00Z"), "2026-12-24T09:00:00Z", "2026-12-26T09:00:00Z",
                0);
    rule = rule_at("0 9 * * *", "2026-12-26T09:00:00Z");
    rule.exclude = SC_S("* * 25 12 *|* * * * SUN");
    assert_plan(plan(&rule, "2026-12-26T09:00:00Z"), "2026-12-26T09:00:00Z", "2026-12-28T09:00:00Z",
                0);
    sc__ticker_free(ticker);
}

TEST(a_day_of_seconds_is_excluded_by_its_minutes)
{
    sc_scheduler_info rule = rule_at("* * * * * *", "2026-12-26T23:59:59Z");

    rule.exclude = SC_S("* * * * SUN");
    assert_plan(plan(&rule, "2026-12-26T23:59:59Z"), "2026-12-26T23:59:59Z", "2026-12-28T00:00:00Z",
                0);
    rule.exclude = SC_S("30 * * * * *");
    rule.nominal_ms = rule.next_ms = at("2026-12-26T23:59:29Z");
    assert_plan(plan(&rule, "2026-12-26T23:59:29Z"), "2026-12-26T23:59:29Z", "2026-12-26T23:59:31Z",
                0);
    sc__ticker_free(ticker);
}

TEST(a_schedule_goes_on_behind_a_long_time_that_is_excluded)
{
    sc_scheduler_info rule = rule_at("* * * * *", "2026-11-30T23:59:00Z");
    char now[SC__ISO8601_LEN + 1];
    sc__plan got = {.next_ms = rule.next_ms};

    rule.exclude = SC_S("2026-12-01/2026-12-31");
    assert_plan(plan(&rule, "2026-11-30T23:59:00Z"), "2026-11-30T23:59:00Z", "2027-01-01T00:00:00Z",
                0);
    rule.pattern =
        SC_S(""); /* by an interval it goes there in steps, and nothing runs on the way */
    rule.every_ms = 60000;
    for (int i = 0; i < 10 && got.next_nominal_ms < at("2027-01-01T00:00:00Z"); i++) {
        rule.next_ms = rule.nominal_ms = got.next_ms;
        sc__iso8601_text(rule.next_ms, true, now);
        got = plan(&rule, now);
        assert_int_equal(got.run_ms != 0, i == 0);
    }
    assert_int_equal(got.next_nominal_ms, at("2027-01-01T00:00:00Z"));
    sc__ticker_free(ticker);
}

TEST(clocks_that_change_are_met_as_the_rule_says)
{
    sc_scheduler_info rule = rule_at("30 2 * * *", "2026-03-28T01:30:00Z");

    rule.tz = SC_S("Europe/Berlin");
    assert_plan(plan(&rule, "2026-03-28T01:30:00Z"), "2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z",
                0);
    rule.dst = SC_CRON_DST_SKIP;
    assert_plan(plan(&rule, "2026-03-28T01:30:00Z"), "2026-03-28T01:30:00Z", "2026-03-30T00:30:00Z",
                0);
    sc__ticker_free(ticker);
}

TEST(no_run_comes_after_the_end_date)
{
    sc_scheduler_info rule = rule_at("0 9 * * *", "2026-12-24T09:00:00Z");

    rule.end_ms = at("2026-12-25T08:59:59Z");
    assert_plan(plan(&rule, "2026-12-24T09:00:00Z"), "2026-12-24T09:00:00Z", NULL, 0);
    sc__ticker_free(ticker);
}

TEST(jitter_spreads_schedules_is_the_same_on_all_nodes_and_keeps_their_order)
{
    sc_scheduler_info rule = rule_at("* * * * *", "2026-03-01T10:00:00Z");
    int64_t lowest = INT64_MAX, highest = 0, before = 0;
    char id[16];

    rule.jitter_ms = 3600 * 1000; /* more than the minute that there is */
    for (int64_t i = 0; i < 1000; i++) {
        int64_t nominal = rule.nominal_ms + i * 60000, ms = 0, again = 0;

        assert_ok(sc__rule_jittered(ticker, &rule, nominal, &ms, NULL));
        assert_ok(sc__rule_jittered(ticker, &rule, nominal, &again, NULL));
        assert_true(ms == again && ms >= nominal && ms < nominal + 60000 && ms > before);
        before = ms;
    }
    for (int i = 0; i < 1000; i++) {
        int64_t ms = 0;

        snprintf(id, sizeof(id), "s%d", i);
        rule.id = sc_slice_of(id);
        rule.jitter_ms = 30000;
        assert_ok(sc__rule_jittered(ticker, &rule, rule.nominal_ms, &ms, NULL));
        ms -= rule.nominal_ms;
        lowest = ms < lowest ? ms : lowest;
        highest = ms > highest ? ms : highest;
    }
    assert_true(lowest >= 0 && lowest < 1000 && highest > 29000 && highest < 30000);
    sc__ticker_free(ticker);
}

TEST(a_run_whose_jitter_is_still_to_come_is_not_missed)
{
    sc_scheduler_info rule = rule_at("0 * * * *", "2026-03-01T10:00:00Z");
    int64_t due = 0;
    sc__plan got;

    rule.jitter_ms = 30 * 60 * 1000;
    assert_ok(sc__rule_jittered(ticker, &rule, at("2026-03-01T12:00:00Z"), &due, NULL));
    assert_true(due > at("2026-03-01T12:00:02Z"));
    for (int catchup = SC_CATCHUP_LATE; catchup <= SC_CATCHUP_ONE; catchup += 2) {
        rule.catchup = (sc_catchup)catchup;
        got = plan(&rule, "2026-03-01T12:00:01Z");
        assert_int_equal(
            got.run_nominal_ms,
            at(catchup == SC_CATCHUP_LATE ? "2026-03-01T10:00:00Z" : "2026-03-01T11:00:00Z"));
        assert_int_equal(got.next_nominal_ms, at("2026-03-01T12:00:00Z"));
        assert_int_equal(got.next_ms, due);
        assert_int_equal(got.missed, 1);
    }
    sc__ticker_free(ticker);
}
