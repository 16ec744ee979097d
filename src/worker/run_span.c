#include "run_span.h"

#include "ops/job_trace.h"

void sc__run_span_start(sc_run *run)
{
    const sc__core *core = run->core;
    const sc_tracer *tracer = core->opts.tracer;

    if (!tracer)
        return;
    run->span = tracer->start(tracer->user, &(sc_span_start){.kind = SC_SPAN_CONSUMER,
                                                             .operation = "process",
                                                             .queue = core->queue_name,
                                                             .job_name = run->job->name,
                                                             .job_count = 1,
                                                             .job = run->job,
                                                             .worker_name = core->opts.name,
                                                             .metadata = sc__job_trace_read(
                                                                 &run->words, run->job->opts)});
}

static void end(const sc_run *run, const sc_span_end *how)
{
    const sc_tracer *tracer = run->core->opts.tracer;

    if (run->span)
        tracer->end(tracer->user, run->span, how);
}

void sc__run_span_end(sc_run *run, sc_outcome outcome)
{
    sc__ended_kind kind = run->ended.kind;
    bool failed = outcome == SC_FAILED || outcome == SC_GIVE_UP;

    end(run, &(sc_span_end){.job_id = run->job->id,
                            .outcome = outcome,
                            .is_final = kind == SC__ENDED_COMPLETED || kind == SC__ENDED_FAILED,
                            .error = failed ? run->reason.ptr : NULL});
}

void sc__run_span_end_late(sc_run *run)
{
    end(run, &(sc_span_end){.job_id = run->job->id, .outcome = SC_FAILED, .error = "timed out"});
}
