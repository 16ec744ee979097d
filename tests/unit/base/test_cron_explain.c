/* base/cron_explain.c, base/cron_words.c, base/cron_words_days.c */
#include "cron_fixture.h"

TEST(expressions_are_said_in_words)
{
    static const char *const rows[][2] = {
        {"* * * * *", "Every minute"},
        {"* * * * * *", "Every second"},
        {"*/15 * * * *", "Every 15 minutes"},
        {"5/20 * * * *", "At minutes 5, 25 and 45 of every hour"},
        {"1/2 * * * *", "Every 2 minutes from minute 1 on"},
        {"*/7 * * * *", "At minutes 0, 7, 14, 21, 28, 35, 42, 49 and 56 of every hour"},
        {"0 * * * *", "At minute 0 of every hour"},
        {"0 */2 * * *", "At minute 0 of every 2nd hour from 00:00 on"},
        {"0 1/6 * * *", "At 01:00, 07:00, 13:00 and 19:00 every day"},
        {"30 9 * * 1-5", "At 09:30 on Monday to Friday"},
        {"0 9,17 * * *", "At 09:00 and 17:00 every day"},
        {"0,30 9 * * 1", "At 09:00 and 09:30 on Monday"},
        {"0 9-17 * * MON-FRI", "At minute 0 of hours 9 to 17, on Monday to Friday"},
        {"*/30 9-17 * * 1-5", "Every 30 minutes from 09:00 to 17:59, on Monday to Friday"},
        {"* 3 * * *", "Every minute from 03:00 to 03:59"},
        {"*/10 * * * * *", "Every 10 seconds"},
        {"*/10 5,25 9-17 * * *", "Every 10 seconds in minutes 5 and 25 of hours 9 to 17"},
        {"30 * 9,12 * * *", "At second 30 of every minute in hours 9 and 12"},
        {"15,45 30 9 * * *", "At 09:30:15 and 09:30:45 every day"},
        {"* 30 9 * * *", "Every second in minute 30 of hour 9"},
        {"*/20 */10 */3 * * *",
         "Every 20 seconds in minutes 0, 10, 20, 30, 40 and 50 of every 3rd hour from 00:00 on"},
        {"5 0-22/2 * * *", "At minute 5 of every 2nd hour from 00:00 on"},
        {"*/5 0-22/2 * * *", "Every 5 minutes in every 2nd hour from 00:00 on"},
        {"0 0 1 * *", "At 00:00 on day 1 of the month"},
        {"0 0 1,15 * *", "At 00:00 on days 1 and 15 of the month"},
        {"0 0 1-7 * +1", "At 00:00 on days 1 to 7 of the month, if that is Monday"},
        {"0 12 13 * 5", "At 12:00 on day 13 of the month or on Friday"},
        {"0 12 13 * +1,3,5",
         "At 12:00 on day 13 of the month, if that is Monday, Wednesday or Friday"},
        {"0 0 L * *", "At 00:00 on the last day of the month"},
        {"0 0 L-1 * *", "At 00:00 on the day 1 day before the last one of the month"},
        {"0 0 L-3,L-5 * *", "At 00:00 on the days 3 and 5 days before the last one of the month"},
        {"0 9 15W * *", "At 09:00 on the workday nearest to day 15 of the month"},
        {"0 9 1W,15W * *", "At 09:00 on the workdays nearest to days 1 and 15 of the month"},
        {"0 18 LW * *", "At 18:00 on the last workday of the month"},
        {"0 0 1,15W,L,L-2,LW * *",
         "At 00:00 on day 1, the last day, the day 2 days before the last one, the workday nearest "
         "to day 15 and the last workday of the month"},
        {"0 9 * * 1#1", "At 09:00 on the first Monday of the month"},
        {"0 9 * * MON#2,WED#2", "At 09:00 on the second Monday and Wednesday of the month"},
        {"0 17 * * FRIL", "At 17:00 on the last Friday of the month"},
        {"0 9 * * 1#1,5L,0",
         "At 09:00 on Sunday, the first Monday of the month and the last Friday of the month"},
        {"0 9 * * 6,0", "At 09:00 on Saturday and Sunday"},
        {"0 9 * * FRI-SUN", "At 09:00 on Friday to Sunday"},
        {"0 9 * * 0-6", "At 09:00 on Monday to Sunday"},
        {"0 9 1-31 * *", "At 09:00 on days 1 to 31 of the month"},
        {"0 0 1 1 *", "At 00:00 on day 1 of the month, in January"},
        {"0 9 * 3-10 *", "At 09:00 every day, in March to October"},
        {"0 9 * 1,4,7,10 1", "At 09:00 on Monday, in January, April, July and October"},
        {"0 0 0 1 1 * 2030", "At 00:00 on day 1 of the month, in January, in 2030"},
        {"0 0 0 1 1 * 2030-2034/2",
         "At 00:00 on day 1 of the month, in January, in 2030, 2032 and 2034"},
        {"* * * * * * 2026-2028", "Every second, in 2026 to 2028"},
        {"@yearly", "At 00:00 on day 1 of the month, in January"},
        {"@weekly", "At 00:00 on Sunday"},
        {"@daily", "At 00:00 every day"},
        {"@hourly", "At minute 0 of every hour"},
        {"@weekdays", "At 00:00 on Monday to Friday"},
        {"@weekends", "At 00:00 on Saturday and Sunday"},
        {"H H * * *", "At 12:33 every day"},
        {"H/15 * * * *", "At minutes 8, 23, 38 and 53 of every hour"},
        {"0 0 29 2 *", "At 00:00 on day 29 of the month, in February"},
        {"0 0 */2 * *", "At 00:00 on days 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29 "
                        "and 31 of the month"},
        {"59 59 23 31 12 *", "At 23:59:59 on day 31 of the month, in December"},
        {"0 0,6,12,18 * * *", "At 00:00, 06:00, 12:00 and 18:00 every day"},
        {"0 0,4,8,12,16,20,23 * * *", "At minute 0 of hours 0, 4, 8, 12, 16, 20 and 23"},
        {"0 9 ? 1 ?", "At 09:00 every day, in January"},
        {"0 22-23,0-4 * * *", "At minute 0 of hours 0 to 4, 22 and 23"},
        {"*/10 22-23,0-4 * * *", "Every 10 minutes in hours 0 to 4, 22 and 23"},
        {"0 9 L 2 1#5",
         "At 09:00 on the last day of the month or on the fifth Monday of the month, in February"},
    };
    int wrong = 0;

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        sc_cron_error error = {.text = ""};
        char *got = NULL;

        if (sc_cron_explain(sc_slice_of(rows[i][0]), &seeded, &got, &error))
            fail_msg("%s: %s", rows[i][0], error.text);
        if (strcmp(got, rows[i][1]) != 0) {
            print_message("%s: \"%s\" instead of \"%s\"\n", rows[i][0], got, rows[i][1]);
            wrong++;
        }
        sc_free(got);
    }
    assert_int_equal(wrong, 0);
}

TEST(what_cannot_be_parsed_cannot_be_explained)
{
    sc_cron_error error = {.text = ""};
    char *text = NULL;

    assert_err(sc_cron_explain(SC_S("* 25 * * *"), NULL, &text, &error), SC_ESYNTAX);
    assert_string_equal(error.field, "hour");
    assert_err(sc_cron_explain(SC_S("H * * * *"), NULL, &text, NULL), SC_ESYNTAX);
    assert_err(sc_cron_explain(SC_S("* *"), NULL, &text, NULL), SC_ESYNTAX);
    assert_null(text);
    assert_ok(sc_cron_explain(SC_S("5 *"), &(sc_cron_opts){.allow_short = true}, &text, NULL));
    assert_string_equal(text, "Every minute, in May");
    sc_free(text);
}

TEST(the_longest_explanation_fits)
{
    char *text = NULL;

    assert_ok(sc_cron_explain(
        SC_S("0,2,5,7,9,11,13,15,17,20,22,24,26,28,31,33,35,37,39,42,44,46,48,50,53,55,57,59 "
             "1,3,5,7,9,11,13,15,17,20,22,24,26,28,31,33,35,37,39,42,44,46,48,50,53,55,57,59 "
             "0,2,5,7,9,11,13,15,17,20,22 1/2,1W,3W,5W,7W,9W,L,L-2,L-4,L-6,LW 1,3,5,7,9,11 "
             "1#1,3#1,5#1,1#2,3#2,5#2,1#3,3#3,5#3,1#4,3#4,5#4,1#5,3#5,5#5,1L,3L,5L,0,2,4 1970/2"),
        NULL, &text, NULL));
    assert_non_null(strstr(text, "2196 and 2198"));
    sc_free(text);
}
