#include "runner.h"

#include "base/clock.h"
#include "ending.h"
#include "ops/job_decode.h"
#include "ops/job_opts.h"

sc_err sc__runner_load(sc_run *run, sc_slice id, const sc_reply *fields, bool fresh, int64_t now_ms,
                       sc_reason *ret_reason)
{
    sc_err err = sc__job_decode(&run->words, id, fields, &run->job, ret_reason);

    if (err)
        return err;
    if (fresh) {
        run->job->processed_ms = now_ms;
        run->job->attempts_started++;
        run->job->processed_by = run->core->opts.name;
    }
    return SC_OK;
}

/* Why a job must not be run at all, in words for its failedReason; NULL: it may. */
static const char *unfit(sc_run *run)
{
    const sc_job *job = run->job;
    sc_reason why;

    if (sc__job_opts_parse(job->opts, &run->opts, &why))
        return sc__arena_printf(&run->words, "the job's opts can't be read: %s", why.text);
    if (job->deferred_failure.len)
        return job->deferred_failure.ptr;
    if (!job->name.len)
        return "the job has no name";
    return NULL;
}

static sc_outcome process(sc_run *run)
{
    const char *why = unfit(run);
    sc_processor processor;
    void *user = NULL;

    if (why) {
        run->reason = sc_slice_of(why);
        return SC_GIVE_UP;
    }
    processor = sc__handlers_find(&run->core->handlers, run->job->name, &user);
    if (!processor)
        return sc_run_fail(run, SC_GIVE_UP, "no processor for jobs named \"%.*s\"",
                           (int)(run->job->name.len < 200 ? run->job->name.len : 200),
                           run->job->name.ptr);
    return processor(run, run->job, user);
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

void sc__runner_work(sc__work *work)
{
    sc_run *run = (sc_run *)work;
    int64_t began = sc__mono_ms();
    sc_outcome outcome;

    if (!atomic_load(&run->given_back)) {
        outcome = process(run);
        sc__run_end(run, outcome);
        if (!atomic_load(&run->given_back))
            tell(run, outcome, sc__mono_ms() - began);
    }
    run->on_end(run);
}
