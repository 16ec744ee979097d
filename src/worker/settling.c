#include "settling.h"

#include "cancel.h"
#include "ending.h"
#include "ops/op_cancel.h"
#include "telling.h"

static void count_cause(sc__core *core, const sc_run *run)
{
    switch (run->end_cause) {
    case SC__END_EXPIRED:
        atomic_fetch_add(&core->stats.expired, 1);
        break;
    case SC__END_TIMED_OUT:
        atomic_fetch_add(&core->stats.timed_out, 1);
        break;
    case SC__END_CANCELLED:
        atomic_fetch_add(&core->stats.cancelled, 1);
        break;
    case SC__END_PROCESSOR:
        break;
    }
}

static void count(sc__core *core, const sc_run *run)
{
    count_cause(core, run);
    switch (run->ended.kind) {
    case SC__ENDED_COMPLETED:
        atomic_fetch_add(&core->stats.completed, 1);
        break;
    case SC__ENDED_FAILED:
        atomic_fetch_add(&core->stats.failed, 1);
        break;
    case SC__ENDED_DELAY:
        atomic_fetch_add(&core->stats.delayed, 1);
        break;
    case SC__ENDED_RETURN:
        atomic_fetch_add(&core->stats.returned, 1);
        break;
    case SC__ENDED_CHILDREN:
        atomic_fetch_add(&core->stats.waiting_children, 1);
        break;
    case SC__ENDED_RETRY:
    case SC__ENDED_BACKOFF:
        atomic_fetch_add(&core->stats.retried, 1);
        break;
    }
}

static void tell(const sc__core *core, const sc_run *run)
{
    sc_worker_event event = {.kind = SC_WORKER_FAILED, .job = run->job, .text = run->ended.text};

    switch (run->ended.kind) {
    case SC__ENDED_COMPLETED:
        event.kind = SC_WORKER_COMPLETED;
        break;
    case SC__ENDED_FAILED:
        event.is_final = true;
        break;
    case SC__ENDED_RETRY:
    case SC__ENDED_BACKOFF:
        break;
    default:
        return;
    }
    sc__tell(core, event);
}

void sc__run_settle(sc_run *run, sc_err err, const sc_reason *why)
{
    sc__core *core = run->core;

    if (err == SC_ELAYOUT)
        sc__core_log(core, SC_LOG_WARN, "job %s is finished, but: %s", run->job->id.ptr, why->text);
    if (err == SC_OK || err == SC_ELAYOUT || run->in_doubt) {
        if (run->ended.kind == SC__ENDED_COMPLETED && sc__run_job_cancelled(run))
            sc__op_uncancel(core->client, &core->keys, run->job->id);
        run->settled = SC_OK;
        count(core, run);
        tell(core, run);
        return;
    }
    run->settled = err;
    atomic_fetch_add(&core->stats.locks_lost, 1);
    sc__core_log(core, SC_LOG_WARN, "the outcome of job %s was not recorded: %s", run->job->id.ptr,
                 why->text);
}

bool sc__run_fail_instead(sc_run *run, sc_err err, const sc_reason *why, bool for_good)
{
    char *reason;

    if (err != SC_ECHILDREN ||
        (run->ended.kind != SC__ENDED_COMPLETED && run->ended.kind != SC__ENDED_CHILDREN))
        return false;
    reason = sc__arena_printf(&run->words, "%s", why->text);
    run->reason = reason ? sc_slice_of(reason) : SC_S("it has unfinished or failed children");
    sc__run_end(run, for_good ? SC_GIVE_UP : SC_FAILED);
    return true;
}
