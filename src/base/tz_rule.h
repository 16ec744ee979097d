/* The rule at the end of a time zone file: a POSIX TZ text like "CET-1CEST,M3.5.0,M10.5.0/3". It says what the
 * clocks show after the last transition that the file lists. */
#ifndef SC_BASE_TZ_RULE_H
#define SC_BASE_TZ_RULE_H

#include <storychain/base.h>

#define SC__ABBREVIATION_LEN 15

/* A day of each year, and a time on it in seconds: -167 h to 167 h. */
typedef struct sc__tz_date {
    enum { SC__TZ_MONTH_WEEK_DAY, SC__TZ_JULIAN, SC__TZ_DAY_OF_YEAR } kind;
    int month, week, day; /* Mm.w.d; the others use `day` alone */
    int time_s;
} sc__tz_date;

typedef struct sc__tz_rule {
    int standard_s, daylight_s; /* seconds east of UTC */
    char standard[SC__ABBREVIATION_LEN + 1], daylight[SC__ABBREVIATION_LEN + 1];
    bool has_daylight;
    sc__tz_date start, end; /* of daylight saving time */
} sc__tz_rule;

/* When the clocks change, in UTC seconds, and what they show from then on. */
typedef struct sc__tz_change {
    int64_t at_s;
    bool to_daylight;
} sc__tz_change;

/* SC_ESYNTAX for anything but a whole, valid text. */
SC_MUST_USE sc_err sc__tz_rule_parse(sc_slice text, sc__tz_rule *ret_rule);

/* The two changes of a year, earlier one first. Only for rules with daylight saving time. */
void sc__tz_rule_year(const sc__tz_rule *rule, int year, sc__tz_change ret_changes[2]);

/* Whether it is daylight saving time then. */
bool sc__tz_rule_is_daylight(const sc__tz_rule *rule, int64_t at_s);

#endif
