/* Sets of a cron expression as English: "Monday to Friday", "5, 20 and 35". */
#ifndef SC_BASE_CRON_WORDS_H
#define SC_BASE_CRON_WORDS_H

#include "cron.h"
#include "str.h"

enum { SC__CRON_VALUES_MAX = SC__CRON_YEAR_LAST - SC__CRON_YEAR_FIRST + 1 };

/* Values in their order, and how one is said. */
typedef struct sc__cron_values {
    int count;
    int of[SC__CRON_VALUES_MAX];
    void (*say)(sc__str *s, int value);
} sc__cron_values;

/* The bits of a set as values; said as plain numbers. */
sc__cron_values sc__cron_values_of(uint64_t set);
sc__cron_values sc__cron_years_of(const uint64_t years[4]);
sc__cron_values sc__cron_months_of(unsigned months);
sc__cron_values sc__cron_weekdays_of(unsigned weekdays); /* Monday first */

/* "1", "1 and 3", "1, 3 and 5 to 9"; `last` is "and" or "or". */
void sc__cron_say_list(sc__str *s, const sc__cron_values *values, const char *last);

/* `every` n values from `from` on, to the end of a field of `size` values that n divides. */
bool sc__cron_is_cycle(const sc__cron_values *values, int size, int *ret_every);

void sc__cron_say_ordinal(sc__str *s, int n); /* "1st", "22nd" */

/* Which days: days, weekdays, months and years, with what goes before. Nothing for every day there is, but for " every
 * day" when `daily` is set. */
void sc__cron_say_dates(sc__str *s, const sc__cron_days *days, const uint64_t years[4], bool daily);

#endif
