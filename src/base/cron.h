/* Cron expressions inside: what a parsed one holds. The public half is <storychain/cron.h>.
 *
 * Everything is a set of bits, and the days of a month depend on two things alone, the weekday of its first day
 * and its length, so that all of L, W and # is worked out when parsing and nothing is left for sc_cron_next. */
#ifndef SC_BASE_CRON_H
#define SC_BASE_CRON_H

#include <storychain/cron.h>

enum { SC__CRON_YEAR_FIRST = 1970, SC__CRON_YEAR_LAST = 2199, SC__CRON_YEAR_KINDS = 14 };

struct sc_cron {
    uint64_t seconds, minutes;
    uint32_t hours;
    uint32_t days[7][4]; /* [weekday of the 1st][length - 28]: bits 1 to 31 */
    uint16_t months
        [SC__CRON_YEAR_KINDS]; /* [sc__cron_year_kind]: months with a day at all, bits 1 to 12 */
    uint64_t years[4];         /* bit 0: SC__CRON_YEAR_FIRST */
    bool is_fixed;             /* one time a day, written without '*', '?' or '/' */
    bool has_seconds;          /* written with a field for them */
    sc_cron_dst dst;
};

/* What the fields for days say. */
typedef struct sc__cron_days {
    uint32_t days;             /* bits 1 to 31 */
    uint32_t from_last;        /* L-n: bits 0 to 30; L is bit 0 */
    uint32_t nearest;          /* nW: bits 1 to 31 */
    bool last_workday;         /* LW */
    uint8_t weekdays;          /* bit 0: Sunday */
    uint8_t nth[6];            /* n#k: weekdays by k, 1 to 5; by 0: nL */
    bool any_day, any_weekday; /* the field is '*' or '?' */
    bool both;       /* '+': both fields must agree; otherwise either, if both are restricted */
    uint16_t months; /* bits 1 to 12 */
} sc__cron_days;

static inline int sc__cron_lowest(uint64_t set)
{
    return __builtin_ctzll(set);
}

bool sc__cron_has_year(const sc_cron *cron, int year);
/* Days are counted from 1970. The first one that matches at or after `from`. */
bool sc__cron_has_day(const sc_cron *cron, int64_t day);
bool sc__cron_next_day(const sc_cron *cron, int64_t from, int64_t *ret_day);
bool sc__cron_matches(const sc_cron *cron, int64_t local_s);

/* 0 to 13: a leap year or not, and the weekday of its first day. */
int sc__cron_year_kind(int year, int64_t first_day);

/* Fills `days` and `months`. */
void sc__cron_days_fill(sc_cron *cron, const sc__cron_days *spec);

/* True if some day of some month of `spec` exists by its day of month alone. */
bool sc__cron_days_possible(const sc__cron_days *spec);

/* The answer of cron-parser, where clocks change so near that it may be another than `plain_s`, the answer by the rules
 * of Vixie cron. False where it is the same, or none that is after `after_ms`. */
bool sc__cron_bullmq_next(const sc_cron *cron, const sc_zone *zone, int64_t after_ms,
                          int64_t plain_s, int64_t *ret_s);

/* What H picks: as cron-parser, FNV-1a of the seed's UTF-16 units, then one draw of mulberry32 a field. */
uint32_t sc__cron_seed(sc_slice utf8);
uint32_t sc__cron_draw(uint32_t *state);

#endif
