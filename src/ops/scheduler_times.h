/* The times of a schedule's rule: its pattern, zone and exclusions, read once to be asked often. */
#ifndef SC_OPS_SCHEDULER_TIMES_H
#define SC_OPS_SCHEDULER_TIMES_H

#include <storychain/cron.h>
#include <storychain/scheduler.h>

#include "op_scheduler.h"

/* Valid until its ticker is used for another rule. */
typedef struct sc__times {
    sc__ticker *ticker;
    const sc_scheduler_info *rule; /* borrowed */
    int64_t phase_ms;              /* any time of an `every` */
    sc_cron *cron;                 /* NULL: by interval, or by the strategy of the ticker */
    const sc_zone *zone;           /* the ticker's */
    sc_cron_exclusions *exclusions;
} sc__times;

/* Errors with a reason, as of an upsert. Then there is nothing to release. */
SC_MUST_USE sc_err sc__times_init(sc__times *times, sc__ticker *ticker,
                                  const sc_scheduler_info *rule, int64_t phase_ms,
                                  sc_reason *ret_reason);
void sc__times_release(sc__times *times);

/* The first time after `after_ms`, without jitter; those excluded and those after the end date are none. (Where more than 10,000 in a row are excluded
 * it may be one of these: see sc__times_exclude.) SC_ENOTFOUND: none comes any more; others with a reason. */
SC_MUST_USE sc_err sc__times_next(const sc__times *times, int64_t after_ms, int64_t *ret_next_ms,
                                  sc_reason *ret_reason);
bool sc__times_exclude(const sc__times *times, int64_t ms);

/* Reads exclusions as they are stored: separated by '|'. Nothing for an empty text. */
SC_MUST_USE sc_err sc__exclusions_read(sc_slice text, sc_cron_exclusions **ret_exclusions,
                                       sc_reason *ret_reason);

#endif
