/* Is what an upsert is given a schedule at all? Each gives SC_OK, or an error with a reason. */
#ifndef SC_SCHED_REPEAT_CHECK_H
#define SC_SCHED_REPEAT_CHECK_H

#include <storychain/scheduler.h>

SC_MUST_USE sc_err sc__scheduler_id_check(sc_slice id, sc_reason *ret_reason);

/* All but the pattern and the zone. */
SC_MUST_USE sc_err sc__repeat_check(const sc_repeat *repeat, sc_reason *ret_reason);
SC_MUST_USE sc_err sc__scheduler_spec_check(const sc_job_spec *spec, sc_reason *ret_reason);

#endif
