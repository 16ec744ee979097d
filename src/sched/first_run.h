/* The times that a rule has when it is stored. */
#ifndef SC_SCHED_FIRST_RUN_H
#define SC_SCHED_FIRST_RUN_H

#include <storychain/scheduler.h>

#include "ops/op_scheduler.h"

/* The rule as the functions that compute with it want it; texts are borrowed. */
sc_scheduler_info sc__rule_of(sc_slice id, const sc_repeat *repeat);

/* Checks the pattern and the zone of a rule that is stored at `now_ms`, and gives its first time, without jitter: after now and the start
 * date, not excluded. SC_EINVAL when there is none. `ticker`: as for sc__rule_next. */
SC_MUST_USE sc_err sc__first_run(const sc_repeat_strategy *strategy, sc__ticker *ticker,
                                 sc_slice id, const sc_repeat *repeat, int64_t now_ms,
                                 int64_t *ret_next_ms, sc_reason *ret_reason);

#endif
