/* base/cron_exclude.c */
#include "cron_fixture.h"

/* "first; second; …" */
static sc_cron_exclusions *exclude(const char *texts)
{
    sc_cron_exclusions *all = NULL;
    sc_slice of[SC_CRON_EXCLUSIONS_MAX];
    sc_cron_error error = {.text = ""};
    char copy[1024], *save = NULL;
    size_t count = 0;

    snprintf(copy, sizeof(copy), "%s", texts);
    for (char *t = strtok_r(copy, ";", &save); t; t = strtok_r(NULL, ";", &save))
        of[count++] = sc_slice_of(t);
    if (sc_cron_exclusions_parse(of, count, &all, NULL, &error))
        fail_msg("%s: %s", texts, error.text);
    return all;
}

TEST(next_leaves_out_what_is_excluded)
{
    static const char *const rows[][4] = {
        {"0 9 * * *", "2026-12-25", "2026-12-24T12:00:00Z", "2026-12-26T08:00:00Z"},
        {"0 9 * * *", "2026-12-24/2027-01-01", "2026-12-23T12:00:00Z", "2027-01-02T08:00:00Z"},
        {"0 9 * * *", "* * * * 6,0;2026-12-28", "2026-12-25T12:00:00Z", "2026-12-29T08:00:00Z"},
        {"*/30 * * * *", "* 0-6,12,22-23 * * *", "2026-06-01T09:59:00Z", "2026-06-01T11:00:00Z"},
        {"*/30 * * * *", "* 0-6,12,22-23 * * *", "2026-06-01T19:30:00Z", "2026-06-02T05:00:00Z"},
        {"*/10 * * * *", "30 9 * * *", "2026-06-01T07:20:00Z", "2026-06-01T07:40:00Z"},
        {"*/10 * * * * *", "30 9 * * *", "2026-06-01T07:29:50Z", "2026-06-01T07:31:00Z"},
        {"*/10 * * * * *", "0 30 9 * * *", "2026-06-01T07:29:50Z", "2026-06-01T07:30:10Z"},
        {"0 * * * *", "10 9-17 * * *", "2026-06-01T07:29:50Z", "2026-06-01T08:00:00Z"},
        {"* * * * * *", "*/2 * * * * *", "2026-06-01T07:29:50Z", "2026-06-01T07:29:51Z"},
        /* A day by local time, with clocks that change on it: Berlin, 25 October */
        {"0 * * * *", "2026-10-25", "2026-10-24T21:00:00Z", "2026-10-25T23:00:00Z"},
        {"0 * * * *", "* 2 * * *", "2026-10-24T23:00:00Z", "2026-10-25T02:00:00Z"},
        {"30 2 * * *", "2026-03-29", "2026-03-28T12:00:00Z", "2026-03-30T00:30:00Z"},
        {"0 12 25 12 *", "* * 25 12 *", "2026-01-01T00:00:00Z", "none"},
        {"* * * * *", "* * * * *", "2026-01-01T00:00:00Z", "none"},
        {"* * * * *", "1970-01-01/2199-12-31", "2026-01-01T00:00:00Z", "none"},
        {"0 * * * *", "10 9-17 * * *", "2026-06-01T07:29:50Z", "2026-06-01T08:00:00Z"},
        {"* * * * * *", "*/2 * * * * *;1/2 * * * * *", "2026-01-01T00:00:00Z", "none"},
        {"0 9 * * *", "", "2026-12-24T12:00:00Z", "2026-12-25T08:00:00Z"},
    };
    sc_zone *zone = zone_named("Europe/Berlin");

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        sc_cron_exclusions *all = exclude(rows[i][1]);
        sc_cron *cron = parse(rows[i][0]);
        char got[SC__ISO8601_LEN + 1] = "none";
        int64_t next;

        if (sc_cron_next_except(cron, zone, all, date(rows[i][2]), &next) == SC_OK) {
            sc__iso8601_text(next, false, got);
            assert_false(sc_cron_excludes(all, zone, next));
        }
        if (strcmp(got, rows[i][3]) != 0)
            fail_msg("%s without %s: %s instead of %s", rows[i][0], rows[i][1], got, rows[i][3]);
        sc_cron_free(cron);
        sc_cron_exclusions_free(all);
    }
    sc_zone_close(zone);
}

TEST(a_moment_is_excluded_by_local_time)
{
    sc_cron_exclusions *all = exclude("2026-12-25;* 3 * * *");
    sc_zone *tokyo = zone_named("Asia/Tokyo");

    assert_true(sc_cron_excludes(all, tokyo, date("2026-12-24T15:00:00Z")));
    assert_true(sc_cron_excludes(all, tokyo, date("2026-12-25T14:59:59.999Z")));
    assert_false(sc_cron_excludes(all, tokyo, date("2026-12-25T15:00:00Z")));
    assert_true(sc_cron_excludes(all, NULL, date("2026-12-25T15:00:00Z")));
    assert_true(sc_cron_excludes(all, tokyo, date("2026-01-01T18:59:59Z")));
    assert_false(sc_cron_excludes(all, tokyo, date("2026-01-01T19:00:00Z")));
    assert_false(sc_cron_excludes(NULL, tokyo, date("2026-12-25T12:00:00Z")));
    sc_zone_close(tokyo);
    sc_cron_exclusions_free(all);
}

TEST(nothing_excluded_is_next_itself)
{
    sc_cron *cron = parse("*/7 3 * * *");
    int64_t next, plain = next_of(cron, NULL, 0);

    assert_ok(sc_cron_next_except(cron, NULL, NULL, 0, &next));
    assert_true(next == plain);
    sc_cron_free(cron);
}

TEST(wrong_exclusions_are_refused_with_their_number)
{
    static const char *const wrong[] = {"2026-02-30",
                                        "2026-12-25/2026-12-24",
                                        "2026-12-25 ",
                                        "2026-12-25/",
                                        "2026-12-25/2026-12-26/2026-12-27",
                                        "2026-1-1",
                                        "2026-",
                                        "1969-12-31",
                                        "* * 32 * *",
                                        "@every 5m",
                                        ""};
    sc_slice many[SC_CRON_EXCLUSIONS_MAX + 1], two[2] = {SC_S("2026-01-01")};
    sc_cron_exclusions *all = NULL;
    sc_cron_error error;

    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        size_t number = 9;

        two[1] = sc_slice_of(wrong[i]);
        assert_err(sc_cron_exclusions_parse(two, 2, &all, &number, &error), SC_ESYNTAX);
        assert_int_equal(number, 1);
        assert_non_null(strstr(error.text, "at column"));
    }
    for (size_t i = 0; i < sizeof(many) / sizeof(*many); i++)
        many[i] = SC_S("2026-01-01");
    assert_err(sc_cron_exclusions_parse(many, SC_CRON_EXCLUSIONS_MAX + 1, &all, NULL, NULL),
               SC_ETOOBIG);
    assert_ok(sc_cron_exclusions_parse(many, SC_CRON_EXCLUSIONS_MAX, &all, NULL, NULL));
    sc_cron_exclusions_free(all);
    sc_cron_exclusions_free(NULL);
}
