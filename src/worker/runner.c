#include "runner.h"

#include "base/backoff.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/rand.h"
#include "ops/job_decode.h"
#include "ops/job_opts.h"

enum { TRACES_BYTES_MAX = 1024 * 1024 };

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

/* The traces that are stored and the new one, as JSON; the newest opts.stackTraceLimit of them. */
static sc_slice traces(sc_run *run)
{
    AUTO_STR text = STR_MAX(TRACES_BYTES_MAX);
    AUTO_JSON *all = NULL;
    json_t *trace = json_stringn(run->reason.ptr, run->reason.len);
    char *kept;

    if (run->opts.stack_trace_limit < 0 || !trace) {
        json_decref(trace);
        return SC_S("[]");
    }
    if (!run->job->stacktrace.len || sc__json_parse(run->job->stacktrace, &all, NULL) ||
        !json_is_array(all)) {
        json_decref(all);
        all = json_array();
    }
    json_array_append_new(all, trace);
    while (run->opts.stack_trace_limit > 0 &&
           json_array_size(all) > (size_t)run->opts.stack_trace_limit)
        json_array_remove(all, 0);
    sc__json_write(&text, all);
    kept = text.err ? NULL : sc__arena_dup(&run->words, sc__str_slice(&text));
    return kept ? (sc_slice){kept, text.len} : SC_S("[]");
}

static sc_keep keep_of(const sc_keep *jobs, const sc_keep *workers)
{
    return jobs->kind == SC_KEEP_DEFAULT ? *workers : *jobs;
}

static void end_failed(sc_run *run, bool again)
{
    const sc_job *job = run->job;
    int64_t attempt = job->attempts_made + 1;
    int64_t delay_ms = 0;

    if (!run->reason.len)
        run->reason = SC_S("the processor gave no reason");
    run->ended.text = run->reason;
    run->ended.traces = traces(run);
    if (!again || attempt >= run->opts.attempts) {
        run->ended.kind = SC__ENDED_FAILED;
        run->ended.number = run->opts.attempts;
        run->ended.keep = keep_of(&run->opts.keep_failed, &run->core->opts.keep_failed);
        return;
    }
    delay_ms = sc__backoff_delay(&run->opts.backoff, attempt, sc__rand_unit());
    run->ended.kind = delay_ms > 0 ? SC__ENDED_BACKOFF : SC__ENDED_RETRY;
    run->ended.number = delay_ms > 0 ? delay_ms : run->opts.lifo;
}

static void end(sc_run *run, sc_outcome outcome)
{
    run->ended = (sc__ended){.id = run->job->id, .token = sc__lock_token_slice(&run->token)};
    switch (outcome) {
    case SC_DONE:
        run->ended.kind = SC__ENDED_COMPLETED;
        run->ended.text = run->result.len ? run->result : SC_S("null");
        run->ended.keep = keep_of(&run->opts.keep_completed, &run->core->opts.keep_completed);
        break;
    case SC_DELAY:
        run->ended.kind = SC__ENDED_DELAY;
        run->ended.number = run->delay_ms;
        break;
    case SC_LIMITED:
        run->ended.kind = SC__ENDED_RETURN;
        run->ended.number = run->delay_ms;
        break;
    case SC_FAILED:
    case SC_GIVE_UP:
    default:
        end_failed(run, outcome == SC_FAILED);
        break;
    }
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
        end(run, outcome);
        if (!atomic_load(&run->given_back))
            tell(run, outcome, sc__mono_ms() - began);
    }
    run->on_end(run);
}
