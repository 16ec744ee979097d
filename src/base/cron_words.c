#include "cron_words.h"

static void say_number(sc__str *s, int value)
{
    sc__str_int(s, value);
}

static void say_month(sc__str *s, int month)
{
    static const char *const names[] = {"",        "January",  "February", "March",  "April",
                                        "May",     "June",     "July",     "August", "September",
                                        "October", "November", "December"};

    sc__str_text(s, names[month]);
}

/* 1 to 7 here, so that a week that ends on Sunday is one run. */
static void say_weekday(sc__str *s, int weekday)
{
    static const char *const names[] = {"",         "Monday", "Tuesday",  "Wednesday",
                                        "Thursday", "Friday", "Saturday", "Sunday"};

    sc__str_text(s, names[weekday]);
}

sc__cron_values sc__cron_values_of(uint64_t set)
{
    sc__cron_values values = {.say = say_number};

    for (; set; set &= set - 1)
        values.of[values.count++] = sc__cron_lowest(set);
    return values;
}

sc__cron_values sc__cron_years_of(const uint64_t years[4])
{
    sc__cron_values values = {.say = say_number};

    for (int i = 0; i < SC__CRON_VALUES_MAX; i++)
        if (years[i / 64] >> i % 64 & 1)
            values.of[values.count++] = SC__CRON_YEAR_FIRST + i;
    return values;
}

sc__cron_values sc__cron_months_of(unsigned months)
{
    sc__cron_values values = sc__cron_values_of(months);

    values.say = say_month;
    return values;
}

sc__cron_values sc__cron_weekdays_of(unsigned weekdays)
{
    sc__cron_values values = sc__cron_values_of((weekdays & 0x7e) | (weekdays & 1) << 7);

    values.say = say_weekday;
    return values;
}

/* How many values from `at` on are one part of a list: three and more in a row, or one. */
static int run_length(const sc__cron_values *values, int at)
{
    int n = 1;

    while (at + n < values->count && values->of[at + n] == values->of[at] + n)
        n++;
    return n >= 3 ? n : 1;
}

void sc__cron_say_list(sc__str *s, const sc__cron_values *values, const char *last)
{
    for (int at = 0, n; at < values->count; at += n) {
        n = run_length(values, at);
        if (at && at + n == values->count)
            sc__str_printf(s, " %s ", last);
        else if (at)
            sc__str_text(s, ", ");
        values->say(s, values->of[at]);
        if (n > 1) {
            sc__str_text(s, " to ");
            values->say(s, values->of[at + n - 1]);
        }
    }
}

bool sc__cron_is_cycle(const sc__cron_values *values, int size, int *ret_every)
{
    int every = values->count > 1 ? values->of[1] - values->of[0] : 0;

    if (every < 2 || size % every || values->count != size / every || values->of[0] >= every)
        return false;
    for (int i = 1; i < values->count; i++)
        if (values->of[i] - values->of[i - 1] != every)
            return false;
    *ret_every = every;
    return true;
}

void sc__cron_say_ordinal(sc__str *s, int n)
{
    static const char *const endings[] = {"th", "st", "nd", "rd"};
    int of_ten = n / 10 % 10 == 1 ? 0 : n % 10;

    sc__str_printf(s, "%d%s", n, endings[of_ten < 4 ? of_ten : 0]);
}
