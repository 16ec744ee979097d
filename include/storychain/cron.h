/* Cron expressions and time zones: when is the next time?
 *
 * Five fields (minute hour day month weekday), six (seconds first) or seven (year last), with lists, ranges,
 * steps, names, L, W, #, H and @macros; docs/cron.md has the grammar. Zones are IANA names, read from the system's
 * tzdata. sc_cron_next is pure: it depends on its arguments alone, allocates nothing and is thread-safe.
 *
 * Since 0.1. */
#ifndef STORYCHAIN_CRON_H
#define STORYCHAIN_CRON_H

#include <storychain/base.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sc_cron sc_cron;
typedef struct sc_zone sc_zone;

/* Where and why an expression is not valid. `column` counts from 1. */
typedef struct sc_cron_error {
    const char *field; /* "minute", "day of month", … or "expression"; static text */
    int column;
    char text[320]; /* the whole sentence, which names field, text, column and what was expected */
} sc_cron_error;

/* What becomes of a local time that clocks jump over, or show twice. A job of *fixed time* has one second, minute and
 * hour, written without '*', '?' or '/'; any other is of an *interval*, and runs at what matches of the times that
 * there are: at both passes of an hour that comes twice. Since 0.1. */
typedef enum sc_cron_dst {
    SC_CRON_DST_VIXIE, /* fixed: once, right after a gap if its time does not exist, at the first of two passes */
    SC_CRON_DST_SKIP, /* fixed: not on a day when its time does not exist, at the first of two passes */
    SC_CRON_DST_BULLMQ, /* what BullMQ's Node workers compute (cron-parser 5.10.5) where that is after the time asked
                           from, else as VIXIE; then sc_cron_next is not the same for all times between two runs */
} sc_cron_dst;

typedef struct sc_cron_opts {
    sc_slice hash_seed; /* what H hashes: the scheduler's id; empty: H is an error */
    bool allow_short; /* 0 to 4 fields too, as BullMQ reads them: what is missing is on the left */
    sc_cron_dst dst;  /* where clocks change */
} sc_cron_opts;

/* Parses; `opts` and `ret_error` may be NULL. SC_ESYNTAX, SC_ETOOBIG (over 1,024 bytes). */
SC_API SC_MUST_USE sc_err sc_cron_parse(sc_slice text, const sc_cron_opts *opts, sc_cron **ret_cron,
                                        sc_cron_error *ret_error);
SC_API void sc_cron_free(sc_cron *cron);

/* An expression in English: "At 09:00 on Monday to Friday", "Every 15 minutes from 09:00 to 17:59, on the last day of the
 * month". It says what sc_cron_parse understands, with H as the seed picks it. Free `*ret_text` with sc_free. Errors as
 * of sc_cron_parse; SC_ENOMEM. Since 0.1. */
SC_API SC_MUST_USE sc_err sc_cron_explain(sc_slice text, const sc_cron_opts *opts, char **ret_text,
                                          sc_cron_error *ret_error);

/* What is allowed but perhaps not meant. `field` and `column` as of sc_cron_error. Since 0.1. */
typedef struct sc_cron_warning {
    const char *name; /* "both-days", "uneven-step", …: static text; docs/cron.md lists them */
    const char *field;
    int column;
    char text[320]; /* the whole sentence */
} sc_cron_warning;

#define SC_CRON_WARNINGS_MAX 16

typedef struct sc_cron_warnings {
    size_t count;
    sc_cron_warning items[SC_CRON_WARNINGS_MAX]; /* more are left out */
} sc_cron_warnings;

/* Looks for what people get wrong in expressions that are valid, and for changes of a zone's clocks that meet it in the ten years
 * from `from_ms` on (`zone` NULL: none). Errors as of sc_cron_parse. Since 0.1. */
SC_API SC_MUST_USE sc_err sc_cron_lint(sc_slice text, const sc_cron_opts *opts, const sc_zone *zone,
                                       int64_t from_ms, sc_cron_warnings *ret_warnings,
                                       sc_cron_error *ret_error);

/* "@every 90s", "@every 1h30m": the interval of a scheduler's `every`, 1 ms to 100 years, in units of d, h, m, s and ms; it is
 * no cron expression, and sc_cron_parse refuses it. SC_ENOTFOUND: the text does not begin with "@every"; SC_ESYNTAX:
 * what follows is no such time. `ret_error` may be NULL. Since 0.1. */
SC_API SC_MUST_USE sc_err sc_cron_every(sc_slice text, int64_t *ret_every_ms,
                                        sc_cron_error *ret_error);

/* A zone by its IANA name (any case), "UTC", or empty for UTC. Read from $TZDIR or /usr/share/zoneinfo, and never
 * changed after that: any number of threads may use it. Where there is no such folder a copy serves that was built in, and the
 * log tells so once. SC_ENOTFOUND with a reason that names close spellings; SC_EIO without time zone data. */
SC_API SC_MUST_USE sc_err sc_zone_open(sc_slice name, sc_zone **ret_zone, sc_reason *ret_reason);
SC_API void sc_zone_close(sc_zone *zone);
SC_API const char *sc_zone_name(const sc_zone *zone); /* as tzdata spells it */

/* True once an update has put another file in the place of the one that the zone was read from, or in that of a copy: open it
 * again, and compute what lies ahead anew. Costs one stat of that file. False for UTC, and while there is no such file. Since 0.1. */
SC_API bool sc_zone_is_stale(const sc_zone *zone);

/* The version of the system's time zone data, or of the copies where it has none, like "2025b". SC_ENOTFOUND: its folder does
 * not tell. Since 0.1. */
#define SC_TZDB_VERSION_MAX 15
SC_API SC_MUST_USE sc_err sc_tzdb_version(char ret_version[SC_TZDB_VERSION_MAX + 1]);

/* What the clocks of a zone show. */
typedef struct sc_local_time {
    int year, month, day;     /* month 1-12, day 1-31 */
    int hour, minute, second; /* 0-23, 0-59, 0-59 */
    int weekday;              /* 0 = Sunday */
    int offset_s;             /* seconds east of UTC */
    bool is_dst;
    char abbreviation[16]; /* "CEST" */
} sc_local_time;

SC_API void sc_zone_local(const sc_zone *zone, int64_t wall_ms, sc_local_time *ret_local);

/* The first time strictly after `after_ms`, in whole seconds. Where clocks jump, the rule that the expression was
 * parsed with: see sc_cron_dst. SC_ENOTFOUND: none before the year 2200. `zone` NULL: UTC. */
SC_API SC_MUST_USE sc_err sc_cron_next(const sc_cron *cron, const sc_zone *zone, int64_t after_ms,
                                       int64_t *ret_next_ms);

/* What is unusual about a run, for showing it. Since 0.1. */
typedef enum sc_cron_mark {
    SC_CRON_PLAIN,      /* nothing */
    SC_CRON_MOVED,      /* clocks jump over its time: it runs after the gap */
    SC_CRON_FIRST_PASS, /* its local time comes once more */
    SC_CRON_SECOND_PASS
} sc_cron_mark;

/* `run_ms` is a time that sc_cron_next gave. */
SC_API sc_cron_mark sc_cron_mark_of(const sc_cron *cron, const sc_zone *zone, int64_t run_ms);
SC_API const char *sc_cron_mark_text(sc_cron_mark mark); /* "" for SC_CRON_PLAIN */

/* What a schedule leaves out. Pure, thread-safe and without allocation, as sc_cron_next. Since 0.1. */
typedef struct sc_cron_exclusions sc_cron_exclusions;

#define SC_CRON_EXCLUSIONS_MAX 64

/* Each text is a day ("2026-12-25"), days from one to another ("2026-12-24/2027-01-01"), or a cron expression: what it matches is
 * left out, by minutes as a whole if it has five fields. All is local time of the zone that is asked with. SC_ESYNTAX with the
 * error of the text number `*ret_wrong`, counted from 0; SC_ETOOBIG: more than SC_CRON_EXCLUSIONS_MAX, or a text
 * too long. `ret_wrong` and `ret_error` may be NULL. Free with sc_cron_exclusions_free. */
SC_API SC_MUST_USE sc_err sc_cron_exclusions_parse(const sc_slice *texts, size_t count,
                                                   sc_cron_exclusions **ret_exclusions,
                                                   size_t *ret_wrong, sc_cron_error *ret_error);
SC_API void sc_cron_exclusions_free(sc_cron_exclusions *exclusions);

/* Whether a moment is left out. `exclusions` NULL: nothing is. */
SC_API bool sc_cron_excludes(const sc_cron_exclusions *exclusions, const sc_zone *zone,
                             int64_t wall_ms);

/* sc_cron_next without what is left out. SC_ENOTFOUND also when 10,000 stretches in a row are (days, if whole days
 * are): nothing is left, or too little. */
SC_API SC_MUST_USE sc_err sc_cron_next_except(const sc_cron *cron, const sc_zone *zone,
                                              const sc_cron_exclusions *exclusions,
                                              int64_t after_ms, int64_t *ret_next_ms);

#ifdef __cplusplus
}
#endif
#endif
