/* Dates as text, by ISO 8601: "2026-03-28T01:00:00Z", "2026-03-28T02:00:00.250+01:00". */
#ifndef SC_BASE_ISO8601_H
#define SC_BASE_ISO8601_H

#include <storychain/base.h>

#define SC__ISO8601_LEN 24

/* Reads a date with its time and zone, years 1970 to 9999: YYYY-MM-DD, 'T', hh:mm:ss, up to three digits of a
 * second after '.', then 'Z' or ±hh:mm. Nothing may be left out but the fraction, and 24:00 and second 60
 * don't exist. SC_ESYNTAX with a reason that names the text and what is wrong with it. */
SC_MUST_USE sc_err sc__iso8601_parse(sc_slice text, int64_t *ret_wall_ms, sc_reason *ret_reason);

/* A date without a zone: YYYY-MM-DD, and perhaps 'T' or ' ', hh:mm, perhaps :ss. */
typedef struct sc__iso8601_local {
    int year, month, day, hour, minute, second;
    int64_t utc_ms; /* if it were UTC */
} sc__iso8601_local;

SC_MUST_USE sc_err sc__iso8601_parse_local(sc_slice text, sc__iso8601_local *ret_local,
                                           sc_reason *ret_reason);

/* In UTC: "2026-03-28T01:00:00Z", or with milliseconds "2026-03-28T01:00:00.250Z". Times outside the years 0 to 9999
 * are written as the nearest inside. Returns the length; NUL-terminates. */
size_t sc__iso8601_text(int64_t wall_ms, bool with_ms, char out[SC__ISO8601_LEN + 1]);

#endif
