/* base/iso8601.c, base/civil.c */
#include "base/civil.h"
#include "base/iso8601.h"
#include "support/test.h"

TEST(dates_with_z_and_offsets_are_read_and_written)
{
    static const struct {
        const char *text;
        int64_t ms;
        const char *back;
    } rows[] = {
        {"1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00.000Z"},
        {"2026-03-28T01:00:00Z", 1774659600000, "2026-03-28T01:00:00.000Z"},
        {"2026-03-28T02:00:00.25+01:00", 1774659600250, "2026-03-28T01:00:00.250Z"},
        {"2026-03-27T20:30:00.7-04:30", 1774659600700, "2026-03-28T01:00:00.700Z"},
        {"2024-02-29T23:59:59.999Z", 1709251199999, "2024-02-29T23:59:59.999Z"},
        {"9999-12-31T23:59:59Z", 253402300799000, "9999-12-31T23:59:59.000Z"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        char text[SC__ISO8601_LEN + 1];
        int64_t ms = -1;

        assert_ok(sc__iso8601_parse(sc_slice_of(rows[i].text), &ms, NULL));
        assert_true(ms == rows[i].ms);
        assert_int_equal(sc__iso8601_text(ms, true, text), 24);
        assert_string_equal(text, rows[i].back);
    }
}

TEST(dates_without_a_zone_may_lack_seconds_or_the_time)
{
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {{"2026-03-28", 1774656000000},
                {"2026-03-28T01:00", 1774659600000},
                {"2026-03-28 01:00", 1774659600000},
                {"2026-03-28T01:00:07", 1774659607000}};
    static const char *const wrong[] = {"",
                                        "2026-03",
                                        "2026-02-30",
                                        "2026-03-28T",
                                        "2026-03-28T1",
                                        "2026-03-28T24:00",
                                        "2026-03-28T01:00Z",
                                        "2026-03-28 "};
    sc__iso8601_local local;
    sc_reason reason;

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        assert_ok(sc__iso8601_parse_local(sc_slice_of(rows[i].text), &local, NULL));
        assert_true(local.utc_ms == rows[i].ms);
    }
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        assert_err(sc__iso8601_parse_local(sc_slice_of(wrong[i]), &local, &reason), SC_ESYNTAX);
        assert_non_null(strstr(reason.text, "is not a date like 2026-03-28, "));
    }
}

TEST(anything_else_is_refused_with_a_sentence)
{
    static const char *const texts[] = {
        "",
        "2026",
        "2026-03-28",
        "2026-03-28T01:00:00",
        "2026-03-28 01:00:00Z",
        "2026-3-28T01:00:00Z",
        "2026-13-01T01:00:00Z",
        "2026-02-29T01:00:00Z",
        "2026-00-10T00:00:00Z",
        "2026-03-28T24:00:00Z",
        "2026-03-28T01:60:00Z",
        "2026-03-28T01:00:60Z",
        "2026-03-28T01:00Z",
        "2026-03-28T01:00:00.Z",
        "2026-03-28T01:00:00.1234Z",
        "2026-03-28T01:00:00+0100",
        "2026-03-28T01:00:00+01:0",
        "2026-03-28T01:00:00+24:00",
        "2026-03-28T01:00:00Zx",
        "2026-03-28T01:00:00z",
        " 2026-03-28T01:00:00Z",
        "1969-12-31T23:59:59Z",
        "-026-03-28T01:00:00Z",
        "2026-03-28T+1:00:00Z",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        sc_reason reason = {""};
        int64_t ms;

        if (sc__iso8601_parse(sc_slice_of(texts[i]), &ms, &reason) != SC_ESYNTAX)
            fail_msg("\"%s\" was read", texts[i]);
        assert_non_null(strstr(reason.text, texts[i]));
    }
}

TEST(times_far_away_are_written_as_the_nearest_that_can_be)
{
    char text[SC__ISO8601_LEN + 1];

    sc__iso8601_text(INT64_MAX, false, text);
    assert_string_equal(text, "9999-12-31T23:59:59Z");
    sc__iso8601_text(INT64_MIN, false, text);
    assert_string_equal(text, "0000-01-01T00:00:00Z");
}

TEST(days_and_dates_are_each_others_inverse_over_eight_hundred_years)
{
    int64_t first = sc__civil_days(1600, 1, 1), last = sc__civil_days(2400, 1, 1);
    sc__civil before = sc__civil_of_days(first - 1);

    for (int64_t day = first; day < last; day++) {
        sc__civil date = sc__civil_of_days(day);

        assert_true(sc__civil_days(date.year, date.month, date.day) == day);
        if (date.day == 1)
            assert_int_equal(before.day, sc__civil_month_days(before.year, before.month));
        else
            assert_int_equal(date.day, before.day + 1);
        before = date;
    }
    assert_int_equal(sc__civil_weekday(0), 4);
    assert_int_equal(sc__civil_weekday(sc__civil_days(2026, 11, 23)), 1);
    assert_int_equal(sc__civil_weekday(sc__civil_days(1969, 12, 28)), 0);
}
