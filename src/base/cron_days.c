/* Which days of a month an expression means, for each kind of month there is. */
#include "cron.h"

#include "civil.h"

enum { SATURDAY = 6 };

static int weekday_of(int first, int day)
{
    return (first + day - 1) % 7;
}

static bool is_workday(int first, int day)
{
    int weekday = weekday_of(first, day);

    return weekday != 0 && weekday != SATURDAY;
}

/* The workday nearest to a day, in the same month. */
static int nearest_workday(int first, int length, int day)
{
    if (weekday_of(first, day) == SATURDAY)
        return day > 1 ? day - 1 : day + 2;
    if (weekday_of(first, day) == 0)
        return day < length ? day + 1 : day - 2;
    return day;
}

/* Bits 1 to `length`. */
static uint32_t all_days(int length)
{
    return (uint32_t)((2ull << length) - 2);
}

static uint32_t by_day(const sc__cron_days *spec, int first, int length)
{
    uint32_t days = spec->days;

    for (uint32_t left = spec->from_last & ((1u << length) - 1); left; left &= left - 1)
        days |= 1u << (length - __builtin_ctz(left));
    for (uint32_t left = spec->nearest & all_days(length); left; left &= left - 1)
        days |= 1u << nearest_workday(first, length, __builtin_ctz(left));
    if (spec->last_workday) {
        int day = length;

        while (!is_workday(first, day))
            day--;
        days |= 1u << day;
    }
    return days & all_days(length);
}

/* Weekdays as days of the week that begins on the weekday `first`: bit 0 is its first day. */
static uint64_t week_from(unsigned weekdays, int first)
{
    return (weekdays >> first | weekdays << (7 - first)) & 0x7f;
}

static uint32_t by_weekday(const sc__cron_days *spec, int first, int length)
{
    uint64_t days = week_from(spec->weekdays, first) * 0x10204081 << 1; /* five weeks of it */

    for (int k = 1; k <= 5; k++)
        days |= week_from(spec->nth[k], first) << (7 * (k - 1) + 1);
    days |= week_from(spec->nth[0], weekday_of(first, length - 6)) << (length - 6);
    return (uint32_t)days & all_days(length);
}

static uint32_t days_of(const sc__cron_days *spec, int first, int length)
{
    uint32_t day = spec->any_day ? all_days(length) : by_day(spec, first, length);
    uint32_t weekday = spec->any_weekday ? all_days(length) : by_weekday(spec, first, length);

    if (spec->both || spec->any_day || spec->any_weekday)
        return day & weekday;
    return day | weekday;
}

int sc__cron_year_kind(int year, int64_t first_day)
{
    return sc__civil_weekday(first_day) + (sc__civil_is_leap(year) ? 7 : 0);
}

/* True if each kind of month has a day. */
static bool fill_days(sc_cron *cron, const sc__cron_days *spec)
{
    const bool any_week = spec->any_weekday && !spec->nearest && !spec->last_workday;
    bool all = true;

    for (int first = 0; first < 7; first++) {
        /* Most often it does not matter how the weeks lie. */
        if (any_week && first) {
            memcpy(cron->days[first], cron->days[0], sizeof(cron->days[0]));
            continue;
        }
        for (int length = 28; length <= 31; length++) {
            cron->days[first][length - 28] = days_of(spec, first, length);
            all &= cron->days[first][length - 28] != 0;
        }
    }
    return all;
}

/* The months of a kind of year that have a day. */
static uint16_t months_of(const sc_cron *cron, unsigned months, int kind)
{
    /* Days of the year before each month, without 29 February, modulo 7. */
    static const unsigned char before[] = {0, 0, 3, 3, 6, 1, 4, 6, 2, 5, 0, 3, 5};
    static const unsigned char lengths[] = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const int leap = kind >= 7;
    unsigned found = 0;

    for (; months; months &= months - 1) {
        int month = sc__cron_lowest(months),
            first = (kind + before[month] + (leap && month > 2)) % 7;

        if (cron->days[first][lengths[month] - 28 + (leap && month == 2)])
            found |= 1u << month;
    }
    return (uint16_t)found;
}

void sc__cron_days_fill(sc_cron *cron, const sc__cron_days *spec)
{
    bool all = fill_days(cron, spec);

    for (int kind = 0; kind < SC__CRON_YEAR_KINDS; kind++)
        cron->months[kind] = all ? spec->months : months_of(cron, spec->months, kind);
}

bool sc__cron_days_possible(const sc__cron_days *spec)
{
    for (int month = 1; month <= 12; month++) {
        int length = sc__civil_month_days(2000, month); /* a leap year */

        for (int first = 0; first < 7 && spec->months >> month & 1; first++)
            if (by_day(spec, first, length) || (month == 2 && by_day(spec, first, 28)))
                return true;
    }
    return false;
}
