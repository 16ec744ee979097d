/* Dates as people write them on the command line. */
#ifndef CLI_DATE_H
#define CLI_DATE_H

#include "cmd.h"

/* Reads a date with time and zone (2026-03-28T01:00:00Z), or without: then it is local in the zone `tz` (empty: UTC), and a date
 * alone (2026-03-28) is its beginning. Where clocks jump over a local time it is the first moment after it; of two passes the first. False after a message,
 * which begins with `what` ("--from"). */
bool cli_date(const struct cli *cli, const char *what, const char *text, sc_slice tz,
              int64_t *ret_ms);

#endif
