/* The schedules: when the scheduled jobs run.
 *
 * They are stored in Redis, once, whatever number of nodes register them. Each tick is one job of the
 * queue `scheduled-jobs` (jobs/jobs.h says what it does). Within their minute they are staggered, each at its own second; a run that is
 * due while the one before it is not over is skipped, or follows. Every node has a guardian that makes the runs. */
#ifndef APP_SCHEDULES_H
#define APP_SCHEDULES_H

#include <storychain/scheduler.h>

#include "base/json.h"

struct queues;
struct schedules;

/* Cron expressions by name. */
#define SCHEDULE_PATTERNS(X)                                                                       \
    X(EVERY_MINUTE, "* * * * *")                                                                   \
    X(EVERY_5_MINUTES, "*/5 * * * *")                                                              \
    X(EVERY_15_MINUTES, "*/15 * * * *")                                                            \
    X(EVERY_30_MINUTES, "*/30 * * * *")                                                            \
    X(EVERY_HOUR, "0 * * * *")                                                                     \
    X(EVERY_DAY_AT_MIDNIGHT, "0 0 * * *")                                                          \
    X(EVERY_DAY_AT_3AM, "0 3 * * *")                                                               \
    X(EVERY_SUNDAY, "0 0 * * 0")                                                                   \
    X(EVERY_MONDAY, "0 9 * * 1")

/* The expression of a name ("EVERY_HOUR"); NULL when there is none. */
const char *schedule_pattern_find(sc_slice name);

/* Registers all of scheduled_jobs[], replacing what an older version registered. Uses `queues` until
 * schedules_destroy. */
SC_MUST_USE sc_err schedules_initialize(struct queues *queues, struct schedules **ret_schedules,
                                        sc_reason *ret_reason);

/* Registers none, but keeps those that there are going: for a node that runs jobs only. */
SC_MUST_USE sc_err schedules_guard(struct queues *queues, struct schedules **ret_schedules,
                                   sc_reason *ret_reason);
void schedules_destroy(struct schedules *schedules); /* they stay registered; NULL is fine */

/* Registers one, or changes its time and data. `cron`: an expression, or a name of the table above. `data`: an
 * object; NULL: the job's own. `*ret_next_ms` (may be NULL): its next run.
 * SC_ENOTFOUND: there is no job of that name to run; SC_ESYNTAX: not a cron expression;
 * SC_EPAYLOAD; others as sc_scheduler_upsert. */
SC_MUST_USE sc_err schedules_upsert(struct schedules *schedules, sc_slice name, sc_slice cron,
                                    const json_t *data, int64_t *ret_next_ms,
                                    sc_reason *ret_reason);

/* SC_ENOTFOUND. The next schedules_initialize() registers those of the table again. */
SC_MUST_USE sc_err schedules_remove(struct schedules *schedules, sc_slice name,
                                    sc_reason *ret_reason);

#endif
