#include "runner.h"

#include "base/clock.h"
#include "base/iso8601.h"
#include "cancel.h"
#include "ending.h"
#include "ops/job_decode.h"
#include "ops/job_limits.h"
#include "ops/job_opts.h"
#include "run_span.h"
#include "worker.h"

sc_err sc__runner_load(sc_run *run, sc_slice id, const sc_reply *fields, bool fresh, int64_t now_ms,
                       sc_reason *ret_reason)
{
    sc_err err = sc__job_decode(&run->words, id, fields, &run->job, ret_reason);

    if (err)
        return err;
    run->server_lead = now_ms - sc__mono_ms();
    if (fresh) {
        run->job->processed_ms = now_ms;
        run->job->attempts_started++;
        run->job->processed_by = run->core->opts.name;
    }
    return SC_OK;
}

/* NULL: it is in time. */
static const char *expired(sc_run *run)
{
    int64_t expiry = sc__job_limits_expiry(&run->opts, run->job->timestamp_ms);
    int64_t late_ms = run->server_lead + sc__mono_ms() - expiry;
    char date[SC__ISO8601_LEN + 1];

    if (expiry == INT64_MAX || late_ms <= 0)
        return NULL;
    sc__iso8601_text(expiry, true, date);
    run->end_cause = SC__END_EXPIRED;
    return sc__arena_printf(&run->words, "expired: it was to be started by %s, %lld ms ago", date,
                            (long long)late_ms);
}

const char *sc__runner_unfit(sc_run *run)
{
    const sc_job *job = run->job;
    sc_reason why;

    if (sc__job_read_opts(run->job, &run->opts, &why))
        return sc__arena_printf(&run->words, "the job's opts can't be read: %s", why.text);
    if (job->deferred_failure.len)
        return job->deferred_failure.ptr;
    if (run->core->opts.max_started && job->attempts_started > run->core->opts.max_started)
        return "job started more than allowable limit";
    if (!job->name.len)
        return "the job has no name";
    if (atomic_load(&run->job_cancelled))
        return "cancelled"; /* and who cancelled it said why: see cancelled() */
    return expired(run);
}

static int64_t first_said(int64_t jobs, int64_t handlers, int64_t workers)
{
    int64_t ms = jobs ? jobs : handlers ? handlers : workers;

    return ms > 0 ? ms : 0;
}

static void begin(sc_run *run, const sc_handler_opts *handler)
{
    const sc_job_opts *job = &run->opts;
    const sc_worker_opts *worker = &run->core->opts;
    int64_t soft_ms =
        first_said(job->soft_timeout_ms, handler->soft_timeout_ms, worker->soft_timeout_ms);
    int64_t hard_ms =
        first_said(job->hard_timeout_ms, handler->hard_timeout_ms, worker->hard_timeout_ms);

    if (soft_ms || hard_ms)
        sc__time_keeper_begin(&run->core->owner->time_keeper, run, soft_ms, hard_ms);
}

static sc_outcome call(sc_run *run, const sc__handler_def *handler)
{
    const sc_job *job = run->job;
    sc_outcome outcome = SC_DONE;

    if (handler->processor)
        return handler->processor(run, run->job, handler->user);
    handler->batch(&(sc_batch){1, &run, &job, &outcome}, handler->user);
    return outcome;
}

static sc_outcome process(sc_run *run)
{
    const char *why = sc__runner_unfit(run);
    sc__handler_def handler;

    if (why) {
        run->reason = sc_slice_of(why);
        return SC_GIVE_UP;
    }
    if (!sc__handlers_find(&run->core->handlers, run->job->name, &handler))
        return sc_run_fail(run, SC_GIVE_UP, "no processor for jobs named \"%.*s\"",
                           (int)(run->job->name.len < 200 ? run->job->name.len : 200),
                           run->job->name.ptr);
    begin(run, &handler.opts);
    return call(run, &handler);
}

/* A job that was cancelled is not tried again: unless it is done, it has failed for good. */
static sc_outcome cancelled(sc_run *run, sc_outcome outcome)
{
    const char *why = outcome == SC_DONE ? NULL : sc__run_job_cancelled(run);

    if (!why)
        return outcome;
    run->end_cause = SC__END_CANCELLED;
    run->reason = sc_slice_of(why);
    return SC_GIVE_UP;
}

static void tell(sc_run *run, sc_outcome outcome, int64_t took_ms)
{
    const sc_worker_opts *opts = &run->core->opts;
    bool is_final = run->ended.kind == SC__ENDED_COMPLETED || run->ended.kind == SC__ENDED_FAILED;
    bool failed = outcome == SC_FAILED || outcome == SC_GIVE_UP;

    if (opts->on_job)
        opts->on_job(opts->on_job_user, run->job, outcome, is_final,
                     failed ? run->reason.ptr : NULL, took_ms);
}

sc_outcome sc__runner_end(sc_run *run, sc_outcome outcome, int64_t took_ms)
{
    outcome = cancelled(run, outcome);
    sc__run_end(run, outcome);
    if (!atomic_load(&run->given_back))
        tell(run, outcome, took_ms);
    return outcome;
}

void sc__runner_through(sc_run *run, sc_outcome outcome, int64_t took_ms)
{
    if (!atomic_exchange(&run->decided, true))
        sc__run_span_end(run, sc__runner_end(run, outcome, took_ms));
    else
        sc__run_span_end_late(run);
    run->on_end(run);
}

bool sc__runner_begin(sc_run *run, const sc_handler_opts *handler)
{
    const char *why;

    if (atomic_load(&run->given_back)) {
        run->on_end(run);
        return false;
    }
    sc__run_span_start(run);
    why = sc__runner_unfit(run);
    if (why) {
        run->reason = sc_slice_of(why);
        sc__runner_through(run, SC_GIVE_UP, 0);
        return false;
    }
    begin(run, handler);
    return true;
}

void sc__runner_work(sc__work *work)
{
    sc_run *run = (sc_run *)work;
    int64_t began = sc__mono_ms();

    if (atomic_load(&run->given_back)) {
        run->on_end(run);
    } else {
        sc_outcome outcome;

        sc__run_span_start(run);
        outcome = process(run);
        sc__runner_through(run, outcome, sc__mono_ms() - began);
    }
}

void sc__runner_time_out(sc__work *work)
{
    sc_run *run = (sc_run *)work;

    if (!atomic_load(&run->given_back)) {
        atomic_store(&run->decided, true);
        run->end_cause = SC__END_TIMED_OUT;
        if (sc__job_opts_parse(run->job->opts, &run->opts, NULL))
            run->opts = SC_JOB_OPTS_INIT;
        sc__runner_end(
            run, sc_run_fail(run, SC_FAILED, "timed out after %lld ms", (long long)run->hard_ms),
            run->hard_ms);
    }
    run->on_end(run);
}
