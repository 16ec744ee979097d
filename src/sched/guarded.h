/* Guarded schedules: those with policies of ours. */
#ifndef SC_SCHED_GUARDED_H
#define SC_SCHED_GUARDED_H

#include <storychain/scheduler.h>

#include "ops/op_scheduler.h"

/* The calls here and in scheduler.c wait, and must not be made on the client's I/O thread. */
bool sc__scheduler_may_not_wait(const sc_queue *queue);

/* SC_EINVAL when the rule's end date has passed. */
SC_MUST_USE sc_err sc__end_check(const sc_repeat *repeat, int64_t now_ms, sc_reason *ret_reason);

/* Stores a rule that was checked. A next run by the same times stays, one that is due too. `*ret_next_ms` may be NULL. */
SC_MUST_USE sc_err sc__guarded_upsert(sc_queue *queue, sc__scheduler_rule *rule,
                                      int64_t *ret_next_ms, sc_reason *ret_reason);

/* SC_ENOTFOUND with a reason that names it. */
sc_err sc__no_scheduler(sc_slice id, sc_reason *ret_reason);

#endif
