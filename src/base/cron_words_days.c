/* The days of a cron expression in words. */
#include "cron_words.h"

/* Parts of a sentence: nothing goes before the first, ", " or " and " before the others. */
struct parts {
    sc__str *s;
    int said, count;
};

static void begin(struct parts *parts)
{
    parts->said++;
    if (parts->said > 1)
        sc__str_text(parts->s, parts->said == parts->count ? " and " : ", ");
}

static void say_days(struct parts *parts, const char *before, uint32_t days)
{
    sc__cron_values values = sc__cron_values_of(days);

    if (!values.count)
        return;
    begin(parts);
    sc__str_printf(parts->s, "%sday%s ", before, values.count > 1 ? "s" : "");
    sc__cron_say_list(parts->s, &values, "and");
}

/* "the last day", "the day 3 days before the last one". */
static void say_from_last(struct parts *parts, uint32_t from_last)
{
    sc__cron_values values = sc__cron_values_of(from_last & ~1u);

    if (from_last & 1) {
        begin(parts);
        sc__str_text(parts->s, "the last day");
    }
    if (!values.count)
        return;
    begin(parts);
    sc__str_text(parts->s, values.count > 1 ? "the days " : "the day ");
    sc__cron_say_list(parts->s, &values, "and");
    sc__str_text(parts->s, values.count == 1 && values.of[0] == 1 ? " day before the last one"
                                                                  : " days before the last one");
}

static void say_days_of_month(sc__str *s, const sc__cron_days *spec)
{
    struct parts parts = {s, 0,
                          (spec->days != 0) + (spec->from_last & 1) +
                              ((spec->from_last & ~1u) != 0) + (spec->nearest != 0) +
                              spec->last_workday};

    say_days(&parts, "", spec->days);
    say_from_last(&parts, spec->from_last);
    say_days(&parts,
             spec->nearest & (spec->nearest - 1) ? "the workdays nearest to "
                                                 : "the workday nearest to ",
             spec->nearest);
    if (spec->last_workday) {
        begin(&parts);
        sc__str_text(s, "the last workday");
    }
    sc__str_text(s, " of the month");
}

static void say_weekdays(sc__str *s, const sc__cron_days *spec, const char *last)
{
    static const char *const ordinals[] = {"last", "first", "second", "third", "fourth", "fifth"};
    sc__cron_values plain = sc__cron_weekdays_of(spec->weekdays);
    struct parts parts = {s, 0, spec->weekdays != 0};

    for (int k = 0; k <= 5; k++)
        parts.count += spec->nth[k] != 0;
    if (plain.count) {
        begin(&parts);
        sc__cron_say_list(s, &plain, last);
    }
    for (int i = 1; i <= 6; i++) {
        sc__cron_values nth = sc__cron_weekdays_of(spec->nth[i % 6]);

        if (!nth.count)
            continue;
        begin(&parts);
        sc__str_printf(s, "the %s ", ordinals[i % 6]);
        sc__cron_say_list(s, &nth, last);
        sc__str_text(s, " of the month");
    }
}

void sc__cron_say_dates(sc__str *s, const sc__cron_days *spec, const uint64_t years[4], bool daily)
{
    sc__cron_values months = sc__cron_months_of(spec->months), all = sc__cron_years_of(years);

    if (daily && spec->any_day && spec->any_weekday)
        sc__str_text(s, " every day");
    else if (!spec->any_day || !spec->any_weekday)
        sc__str_text(s, daily ? " on " : ", on ");
    if (!spec->any_day)
        say_days_of_month(s, spec);
    if (!spec->any_day && !spec->any_weekday)
        sc__str_text(s, spec->both ? ", if that is " : " or on ");
    if (!spec->any_weekday)
        say_weekdays(s, spec, spec->both && !spec->any_day ? "or" : "and");
    if (months.count < 12) {
        sc__str_text(s, ", in ");
        sc__cron_say_list(s, &months, "and");
    }
    if (all.count < SC__CRON_VALUES_MAX) {
        sc__str_text(s, ", in ");
        sc__cron_say_list(s, &all, "and");
    }
}
