/* The policies of a guarded schedule: which runs are made, and when. Pure but for the ticker, which keeps zones. */
#ifndef SC_OPS_SCHEDULER_POLICY_H
#define SC_OPS_SCHEDULER_POLICY_H

#include <storychain/scheduler.h>

#include "op_scheduler.h"

/* As they are stored; NULL for the first of each, which is not. */
const char *sc__overlap_text(sc_overlap overlap);
const char *sc__catchup_text(sc_catchup catchup);
const char *sc__dst_text(sc_cron_dst dst);

/* What is not known is the first of each. */
sc_overlap sc__overlap_of(sc_slice text);
sc_catchup sc__catchup_of(sc_slice text);
sc_cron_dst sc__dst_of(sc_slice text);

/* Does the rule ask for any policy? */
bool sc__repeat_is_guarded(const sc_repeat *repeat);

/* What comes of a schedule whose run is due. */
typedef struct sc__plan {
    int64_t run_ms, run_nominal_ms;   /* the run to make; 0: none */
    int64_t next_ms, next_nominal_ms; /* 0: no run comes any more */
    int64_t missed;                   /* runs that are skipped; beyond 2,000 they are not counted */
} sc__plan;

/* As sc__times_next, for one question. Where the ticker may be used. */
SC_MUST_USE sc_err sc__rule_next(sc__ticker *ticker, const sc_scheduler_info *rule,
                                 int64_t phase_ms, int64_t after_ms, int64_t *ret_next_ms,
                                 sc_reason *ret_reason);

/* The time of a run with jitter: not before `nominal_ms`, and before the rule's next time. */
SC_MUST_USE sc_err sc__rule_jittered(sc__ticker *ticker, const sc_scheduler_info *rule,
                                     int64_t nominal_ms, int64_t *ret_ms, sc_reason *ret_reason);

SC_MUST_USE sc_err sc__rule_plan(sc__ticker *ticker, const sc_scheduler_info *rule, int64_t now_ms,
                                 sc__plan *ret_plan, sc_reason *ret_reason);

#endif
