#include "civil.h"

/* Years are counted from March, so that the leap day ends them, and in eras of 400 years, after which the calendar
 * repeats itself: 146,097 days. */
enum { ERA_DAYS = 146097, EPOCH_DAY = 719468 /* from 0000-03-01 to 1970-01-01 */ };

int64_t sc__floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

int64_t sc__floor_mod(int64_t a, int64_t b)
{
    int64_t rest = a % b;

    return rest < 0 ? rest + b : rest;
}

int64_t sc__civil_days(int year, int month, int day)
{
    int64_t y = month > 2 ? year : (int64_t)year - 1;
    int64_t era = sc__floor_div(y, 400), of_era = y - era * 400;
    int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

    return era * ERA_DAYS + of_era * 365 + of_era / 4 - of_era / 100 + of_year - EPOCH_DAY;
}

sc__civil sc__civil_of_days(int64_t days)
{
    int64_t from_march = days + EPOCH_DAY;
    int64_t era = sc__floor_div(from_march, ERA_DAYS);
    int day = (int)(from_march - era * ERA_DAYS);
    int year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    int month;

    day -= 365 * year + year / 4 - year / 100;
    month = (5 * day + 2) / 153;
    day -= (153 * month + 2) / 5;
    month = month < 10 ? month + 3 : month - 9;
    return (sc__civil){(int)(year + era * 400) + (month <= 2), month, day + 1};
}

int sc__civil_weekday(int64_t days)
{
    return (int)sc__floor_mod(days + 4, 7);
}

bool sc__civil_is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int sc__civil_month_days(int year, int month)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month - 1] + (month == 2 && sc__civil_is_leap(year));
}
