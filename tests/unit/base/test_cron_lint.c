/* base/cron_lint.c, and the warnings of base/cron_fields.c */
#include "cron_fixture.h"

/* "name, name" of the warnings. */
static void names_of(const sc_cron_warnings *warnings, char *out, size_t size)
{
    size_t len = 0;

    out[0] = '\0';
    for (size_t i = 0; i < warnings->count && len < size; i++)
        len +=
            (size_t)snprintf(out + len, size - len, "%s%s", i ? ", " : "", warnings->items[i].name);
}

static void lint(const char *text, const char *zone_name, sc_cron_dst dst, sc_cron_warnings *ret)
{
    const sc_cron_opts opts = {.hash_seed = SC_S("nightly"), .allow_short = true, .dst = dst};
    sc_zone *zone = *zone_name ? zone_named(zone_name) : NULL;
    sc_cron_error error = {.text = ""};

    if (sc_cron_lint(sc_slice_of(text), &opts, zone, date("2026-01-01T00:00:00Z"), ret, &error))
        fail_msg("%s: %s", text, error.text);
    sc_zone_close(zone);
}

TEST(what_people_get_wrong_is_named)
{
    static const char *const rows[][2] = {
        {"0 9 * * 1-5", ""},
        {"*/15 * * * *", ""},
        {"@weekly", ""},
        {"* * * * * *", ""},
        {"0 9 13 * 5", "both-days"},
        {"0 9 13 * +5", ""},
        {"0 9 */2 * 1", "uneven-step, both-days"},
        {"*/7 * * * *", "uneven-step"},
        {"5/7 * * * *", "uneven-step"},
        {"5/20 * * * *", ""},
        {"10-40/7 * * * *", ""},
        {"10-59/7 * * * *", "uneven-step"},
        {"H/7 * * * *", "uneven-step"},
        {"0 */5 * * *", "uneven-step"},
        {"0 0 1 */5 *", "uneven-step"},
        {"0 0 * * */2", "uneven-step"},
        {"0 0 */2 * *", "uneven-step"},
        {"*/60 * * * *", "wide-step"},
        {"10-20/15 * * * *", "wide-step"},
        {"0 */24 * * *", "wide-step"},
        {"0 0 0 1 1 * 2026/3", ""},
        {"1,1 * * * *", "repeated-value"},
        {"*,5 * * * *", "repeated-value"},
        {"0 0 L,L * *", "repeated-value"},
        {"0 0 * * 0,7", "repeated-value"},
        {"0 0 31 * *", "short-months"},
        {"0 0 29 2 *", "short-months"},
        {"0 0 30W * *", "short-months"},
        {"0 0 L-29 * *", "short-months"},
        {"0 0 31 1,3,5 *", ""},
        {"0 0 1-31 * *", ""},
        {"0 0 28 * *", ""},
        {"* 3 * * *", "every-minute"},
        {"* 30 9 * * *", "every-second"},
        {"* * 3 * * *", "every-minute"},
        {"0 0 0 1 1 * 2020", "never"},
        {"0 0 * 2 1#5", "rare"},
        {"0 0 0 1 1 * 2040", "rare"},
        {"", "short-form"},
        {"5 *", "short-form"},
        {"*/60 3 1 1 1,1", "wide-step, repeated-value, both-days"},
    };
    static sc_cron_warnings got;
    char names[200];

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        lint(rows[i][0], "", SC_CRON_DST_VIXIE, &got);
        names_of(&got, names, sizeof(names));
        if (strcmp(names, rows[i][1]) != 0)
            fail_msg("%s: \"%s\" instead of \"%s\"", rows[i][0], names, rows[i][1]);
    }
}

TEST(a_warning_says_where_and_what)
{
    static const char *const rows[][3] = {
        {"0 */5 * * *", "",
         "hour: \"*/5\" at column 3: 5 does not divide 24: after 20 the count begins anew with 0"},
        {"*/60 * * * *", "",
         "minute: \"*/60\" at column 1: a step of 60 is wider than its range: this means 0 alone"},
        {"0 0 29 2 *", "", "day of month: \"29\" at column 5: only leap years have a 29 February"},
        {"0 0 * 2 1#5", "",
         "expression: \"0 0 * 2 1#5\" at column 1: rare: the next run is on 2044-02-29"},
        {"30 2 * * *", "Europe/Berlin",
         "expression: \"30 2 * * *\" at column 1: on 2026-03-29 clocks in Europe/Berlin go forward "
         "from 02:00 to 03:00: 02:30 does not exist: it runs at 03:00"},
        {"0 0 * * *", "Africa/Cairo",
         "expression: \"0 0 * * *\" at column 1: on 2026-04-24 clocks in Africa/Cairo go forward "
         "from 00:00 to 01:00: 00:00 does not exist: it runs at 01:00"},
        {"*/15 2 * * *", "America/New_York",
         "expression: \"*/15 2 * * *\" at column 1: on 2026-03-08 clocks in America/New_York go "
         "forward from 02:00 to 03:00: 02:00 does not exist, and has no run"},
        {"30 1 * * *", "America/New_York",
         "expression: \"30 1 * * *\" at column 1: on 2026-11-01 clocks in America/New_York go back "
         "from 02:00 to 01:00: 01:30 comes twice: it runs at the first"},
        {"*/30 1 * * *", "America/New_York",
         "expression: \"*/30 1 * * *\" at column 1: on 2026-11-01 clocks in America/New_York go "
         "back from 02:00 to 01:00: 01:00 comes twice: it runs at both passes"},
    };
    static sc_cron_warnings got;

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        lint(rows[i][0], rows[i][1], SC_CRON_DST_VIXIE, &got);
        assert_int_equal(got.count >= 1, 1);
        assert_string_equal(got.items[0].text, rows[i][2]);
    }
}

TEST(changes_of_clocks_are_looked_at_by_the_mode)
{
    static sc_cron_warnings got;

    lint("30 2 * * *", "America/New_York", SC_CRON_DST_SKIP, &got);
    assert_int_equal(got.count, 1);
    assert_non_null(strstr(got.items[0].text, "02:30 does not exist, and has no run"));
    lint("30 2 * * *", "America/New_York", SC_CRON_DST_BULLMQ, &got);
    assert_non_null(strstr(got.items[0].text, "02:30 does not exist: it runs at 03:30"));
    lint("30 2 * * *", "Europe/Berlin", SC_CRON_DST_VIXIE, &got);
    assert_int_equal(got.count, 2);
    assert_string_equal(got.items[1].name, "clocks-repeat");

    lint("30 * * * *", "America/New_York", SC_CRON_DST_VIXIE, &got);
    assert_int_equal(got.count, 0);
    lint("0 12 * * *", "America/New_York", SC_CRON_DST_VIXIE, &got);
    assert_int_equal(got.count, 0);
    lint("30 2 * * *", "Asia/Tokyo", SC_CRON_DST_VIXIE, &got);
    assert_int_equal(got.count, 0);
}

TEST(what_node_workers_cannot_read_is_named_in_their_mode)
{
    static sc_cron_warnings got;

    lint("0 9 LW * *", "", SC_CRON_DST_BULLMQ, &got);
    assert_int_equal(got.count, 1);
    assert_string_equal(got.items[0].text,
                        "expression: \"0 9 LW * *\" at column 1: BullMQ's Node workers cannot read "
                        "this, and give up the job");
    lint("0 9 LW * *", "", SC_CRON_DST_VIXIE, &got);
    assert_int_equal(got.count, 0);
}

TEST(what_is_wrong_has_no_warnings)
{
    static sc_cron_warnings got;
    sc_cron_error error;

    got.count = 77;
    assert_err(sc_cron_lint(SC_S("* 25 * * *"), NULL, NULL, 0, &got, &error), SC_ESYNTAX);
    assert_string_equal(error.field, "hour");
    assert_int_equal(got.count, 77);
    assert_err(sc_cron_lint(SC_S("* *"), NULL, NULL, 0, &got, NULL), SC_ESYNTAX);
}

TEST(there_is_an_end_to_warnings)
{
    static sc_cron_warnings got;

    lint("1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1 * * * *", "", SC_CRON_DST_VIXIE, &got);
    assert_int_equal(got.count, SC_CRON_WARNINGS_MAX);
}
