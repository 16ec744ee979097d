/* One run of a scheduled job: under its lock, its result kept and logged. */
#include "jobs.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"

#include "app/processors.h"

#include "run_lock.h"

enum { RESULT_MAX = 64 * 1024 };

struct job_run_now {
    struct app *app;
    sc_run *run;
    int64_t due_ms;
    struct run_lock lock;
};

struct app *job_app(struct job_run_now *now)
{
    return now->app;
}

int64_t job_due_ms(const struct job_run_now *now)
{
    return now->due_ms;
}

bool job_go_on(struct job_run_now *now)
{
    return !sc_run_is_cancelled(now->run) && run_lock_keep(&now->lock);
}

/* The time that the run stands for, without jitter and lateness; of a job that no schedule made, its own. */
static int64_t due_of(const sc_job *job)
{
    int64_t due = sc_scheduler_nominal_ms(job), now = sc__wall_ms();

    if (!due)
        due = job->timestamp_ms + job->delay_ms;
    return due < now ? due : now;
}

/* Kept in the store and told to the log. A log that can't be kept fails nothing. */
static void keep_result(struct app *app, const sc_job *job, bool ok, sc_slice result,
                        int64_t started_ms)
{
    const struct job_run line = {job->id, job->name, ok, result, started_ms, sc__wall_ms()};
    sc_reason why = {""};

    sc__log(ok ? SC_LOG_INFO : SC_LOG_WARN, "schedule %s: %s in %lld ms: %.*s", job->name.ptr,
            ok ? "done" : "failed", (long long)(line.finished_ms - started_ms),
            (int)(result.len < 600 ? result.len : 600), result.ptr);
    if (store_job_run_put(app->store, &line, &why))
        sc__log(SC_LOG_WARN, "schedule %s: its result can't be kept: %s", job->name.ptr, why.text);
}

static sc_outcome run_locked(struct job_run_now *now, const struct scheduled_job *scheduled,
                             const sc_job *job, const json_t *payload)
{
    AUTO_JSON *result = json_object();
    AUTO_STR text = STR_MAX(RESULT_MAX);
    sc_reason why = {"out of memory"};
    int64_t started_ms = sc__wall_ms();
    sc_err err = result ? scheduled->run(now, payload, result, &why) : SC_ENOMEM;

    if (!err) {
        sc__json_write(&text, result);
        err = text.err;
    }
    if (!err) {
        keep_result(now->app, job, true, sc__str_slice(&text), started_ms);
        return sc_run_return(now->run, sc__str_slice(&text));
    }
    keep_result(now->app, job, false, sc_slice_of(why.text), started_ms);
    return sc_run_fail(now->run, err == SC_EPAYLOAD ? SC_GIVE_UP : SC_FAILED, "%s", why.text);
}

static sc_outcome skip(struct job_run_now *now, const sc_job *job)
{
    const sc_slice result = SC_S("{\"skipped\":\"another run is under way\"}");

    keep_result(now->app, job, true, result, sc__wall_ms());
    return sc_run_return(now->run, result);
}

sc_outcome process_scheduled(sc_run *run, const sc_job *job, const json_t *payload, void *user)
{
    struct app *app = user;
    const struct scheduled_job *scheduled = scheduled_job_find(job->name);
    struct job_run_now now = {app, run, due_of(job), {.client = app->client, .token = job->id}};
    char key[256];
    sc_outcome outcome;
    sc_err err;

    if (!scheduled)
        return sc_run_fail(run, SC_GIVE_UP, "there is no scheduled job \"%.200s\"", job->name.ptr);
    snprintf(key, sizeof(key), "%s:%s:running:%s", queues_prefix(app->queues),
             queue_rule_of(QUEUE_SCHEDULED)->name, scheduled->name);
    now.lock.key = sc_slice_of(key);
    err = run_lock_take(&now.lock);
    if (err == SC_EBUSY)
        return skip(&now, job);
    if (err)
        return sc_run_fail(run, SC_FAILED, "its lock can't be taken: %s", sc_err_text(err));
    outcome = run_locked(&now, scheduled, job, payload);
    run_lock_release(&now.lock);
    return outcome;
}
