/* The next runs of a cron expression, for a person and for programs. */
#ifndef CLI_RUN_TIMES_H
#define CLI_RUN_TIMES_H

#include <storychain/cron.h>

#include "base/json.h"
#include "cmd.h"

/* Prints up to `count` runs after `after_ms`, a line each: UTC, and in another zone local time and what is unusual; with
 * --json an array of objects. `zone` and `exclusions` may be NULL. Gives an exit code. */
int run_times_print(struct cli *cli, const sc_cron *cron, const sc_zone *zone,
                    const sc_cron_exclusions *exclusions, int64_t after_ms, int64_t count);

/* One run: {"ms","utc","local","abbreviation","mark"}; the mark is null when nothing is unusual. */
json_t *run_time_shape(const sc_cron *cron, const sc_zone *zone, int64_t run_ms);

#endif
