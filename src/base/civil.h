/* The calendar: days of the proleptic Gregorian calendar and their numbers. Pure arithmetic, any year that fits. */
#ifndef SC_BASE_CIVIL_H
#define SC_BASE_CIVIL_H

#include <stdbool.h>
#include <stdint.h>

#define SC__DAY_S 86400

typedef struct sc__civil {
    int year, month, day; /* month 1-12, day 1-31 */
} sc__civil;

/* Days since 1970-01-01. `day` may lie outside of its month. */
int64_t sc__civil_days(int year, int month, int day);
sc__civil sc__civil_of_days(int64_t days);

int sc__civil_weekday(int64_t days); /* 0 = Sunday */
bool sc__civil_is_leap(int year);
int sc__civil_month_days(int year, int month); /* 28-31 */

/* a / b and a mod b, rounded towards minus infinity; b > 0. */
int64_t sc__floor_div(int64_t a, int64_t b);
int64_t sc__floor_mod(int64_t a, int64_t b);

#endif
