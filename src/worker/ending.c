#include "ending.h"

#include "base/backoff.h"
#include "base/json.h"
#include "base/rand.h"

enum { TRACES_BYTES_MAX = 1024 * 1024 };

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

/* May the job be tried again, if it is up to its number of attempts and starts? `attempt` just failed. */
static bool has_tries_left(const sc_run *run, int64_t attempt)
{
    int64_t most = run->core->opts.max_started;

    return attempt < run->opts.attempts && !(most && run->job->attempts_started >= most);
}

/* In how many ms; negative: never. */
static int64_t next_try(const sc_run *run, int64_t attempt)
{
    const sc_worker_opts *opts = &run->core->opts;
    const sc_backoff *backoff = &run->opts.backoff;

    if (backoff->kind == SC_BACKOFF_CUSTOM && opts->backoff)
        return opts->backoff(opts->backoff_user, run->job, backoff->custom, attempt,
                             run->reason.ptr);
    return sc__backoff_delay(backoff, attempt, sc__rand_unit());
}

static void end_failed(sc_run *run, bool again)
{
    int64_t attempt = run->job->attempts_made + 1;
    int64_t delay_ms = -1;

    if (!run->reason.len)
        run->reason = SC_S("the processor gave no reason");
    run->ended.text = run->reason;
    run->ended.traces = traces(run);
    if (again && has_tries_left(run, attempt))
        delay_ms = next_try(run, attempt);
    if (delay_ms < 0) {
        run->ended.kind = SC__ENDED_FAILED;
        run->ended.number = run->opts.attempts;
        run->ended.keep = keep_of(&run->opts.keep_failed, &run->core->opts.keep_failed);
        return;
    }
    run->ended.kind = delay_ms > 0 ? SC__ENDED_BACKOFF : SC__ENDED_RETRY;
    run->ended.number = delay_ms > 0 ? delay_ms : run->opts.lifo;
}

void sc__run_end(sc_run *run, sc_outcome outcome)
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
    case SC_WAIT:
        run->ended.kind = SC__ENDED_RETURN;
        break;
    case SC_WAIT_CHILDREN:
        run->ended.kind = SC__ENDED_CHILDREN;
        run->ended.text = run->child_key;
        break;
    case SC_FAILED:
    case SC_GIVE_UP:
    default:
        end_failed(run, outcome == SC_FAILED);
        break;
    }
}
