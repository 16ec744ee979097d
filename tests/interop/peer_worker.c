/* Worker commands of tests_peer. What a job's processor does is in the job's data:
 *
 *   {"progress":…, "log":["row",…], "workMs":n}           first, in this order; workMs ends early when cancelled,
 *                                                          with "stubborn" only when its outcome doesn't count any more
 *   {"failCancelled":true}                                 when it was cancelled, fails with the reason
 *   {"fail":"why", "failTimes":n}                          fails its first n tries (absent: all)
 *   {"giveUp":"why"}  {"delayMs":n}  {"limitMs":n}         the latter two at its first start only
 *   {"result":…}                                           else it is done */
#include "peer.h"

#include <storychain/worker_event.h>

#include <poll.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/mem.h"

enum { WORKERS_MAX = sizeof(((struct peer *)0)->workers) / sizeof(sc_worker *), BACKOFFS_MAX = 8 };

static void work(sc_run *run, int64_t ms, bool stubborn)
{
    sc_cancel_cause enough = stubborn ? SC_CANCEL_LOCK_LOST : SC_CANCEL_TIMEOUT;

    while (ms-- > 0 && sc_run_cancel_cause(run) < enough)
        poll(NULL, 0, 1);
}

static sc_err talk(sc_run *run, const json_t *data)
{
    const json_t *progress = json_object_get(data, "progress");
    const json_t *row;
    sc_err err = SC_OK;
    size_t i;

    if (progress) {
        AUTO_STR text = STR_MAX(64 * 1024);

        sc__json_write(&text, progress);
        err = sc_run_progress(run, sc__str_slice(&text));
    }
    json_array_foreach(json_object_get(data, "log"), i, row) if (!err) err =
        sc_run_log(run, "%s", json_string_value(row));
    work(run, sc__json_int(data, "workMs", 0), sc__json_bool(data, "stubborn", false));
    return err;
}

static sc_outcome end(sc_run *run, const sc_job *job, const json_t *data)
{
    const char *fail = json_string_value(json_object_get(data, "fail"));
    const char *give_up = json_string_value(json_object_get(data, "giveUp"));
    const json_t *result = json_object_get(data, "result");
    AUTO_STR text = STR_MAX(1024 * 1024);

    if (sc__json_bool(data, "failCancelled", false) && sc_run_is_cancelled(run))
        return sc_run_fail(run, SC_FAILED, "%s", sc_run_cancel_reason(run));
    if (fail && job->attempts_made < sc__json_int(data, "failTimes", INT64_MAX))
        return sc_run_fail(run, SC_FAILED, "%s", fail);
    if (give_up)
        return sc_run_fail(run, SC_GIVE_UP, "%s", give_up);
    if (json_object_get(data, "delayMs") && job->attempts_started == 1)
        return sc_run_delay(run, sc__json_int(data, "delayMs", 0));
    if (json_object_get(data, "limitMs") && job->attempts_started == 1)
        return sc_run_limit(run, sc__json_int(data, "limitMs", 0));
    if (!result)
        return SC_DONE;
    sc__json_write(&text, result);
    return sc_run_return(run, sc__str_slice(&text));
}

static sc_outcome process(sc_run *run, const sc_job *job, void *user)
{
    AUTO_JSON *data = NULL;
    sc_reason why;

    (void)user;
    if (sc__json_parse(job->data, &data, &why))
        return sc_run_fail(run, SC_GIVE_UP, "%s", why.text);
    if (talk(run, data))
        return sc_run_fail(run, SC_FAILED, "progress or log failed");
    return end(run, job, data);
}

/* A backoff of the worker's own: the n-th of a list of ms for the n-th try. */
static int64_t strategy(void *user, const sc_job *job, sc_slice name, int64_t attempts_made,
                        const char *error)
{
    (void)job;
    (void)name;
    (void)error;
    return ((const int64_t *)user)[attempts_made - 1 < BACKOFFS_MAX ? attempts_made - 1 : 0];
}

static void read_backoffs(const json_t *args, int i, sc_worker_opts *o)
{
    static int64_t backoffs[WORKERS_MAX][BACKOFFS_MAX];
    const json_t *list = json_object_get(args, "backoffs");

    for (size_t n = 0; n < BACKOFFS_MAX; n++)
        backoffs[i][n] = json_integer_value(json_array_get(list, n));
    o->backoff = list ? strategy : NULL;
    o->backoff_user = backoffs[i];
}

/* {"event":"worker","worker":n,"name":"failed","job":"4","text":"no luck","final":true,"ids":[]} */
static void tell(void *user, const sc_worker_event *e)
{
    json_t *ids = json_array();

    for (size_t i = 0; i < e->id_count; i++)
        json_array_append_new(ids, json_stringn(e->ids[i].ptr, e->ids[i].len));
    peer_emit(json_pack("{s:s, s:I, s:s, s:s, s:s%, s:b, s:o}", "event", "worker", "worker",
                        (json_int_t)(intptr_t)user, "name", sc_worker_event_name(e->kind), "job",
                        e->job ? e->job->id.ptr : "", "text", e->text.ptr ? e->text.ptr : "",
                        e->text.len, "final", e->is_final, "ids", ids));
}

/* Each of them as if it were alone. */
static void process_batch(const sc_batch *batch, void *user)
{
    for (size_t i = 0; i < batch->count; i++)
        batch->outcomes[i] = process(batch->runs[i], batch->jobs[i], user);
    peer_emit(json_pack("{s:s, s:I}", "event", "batch", "size", (json_int_t)batch->count));
}

/* One at a time, or by "batch" {max, min, linger} many; of all names, or of those of "names". */
static sc_err handle(sc_worker *worker, const json_t *args)
{
    const json_t *names = json_object_get(args, "names"), *name;
    const json_t *batch = json_object_get(args, "batch");
    const sc_batch_opts opts = {.max = (size_t)sc__json_int(batch, "max", 0),
                                .min = (size_t)sc__json_int(batch, "min", 0),
                                .linger_ms = sc__json_int(batch, "linger", 0)};
    sc_err err = SC_OK;
    size_t i;

    if (batch)
        return sc_worker_handle_batch(worker, SC_S(""), process_batch, NULL, &opts);
    if (!names)
        return sc_worker_handle(worker, SC_S(""), process, NULL);
    json_array_foreach(names, i, name) if (!err) err =
        sc_worker_handle(worker, sc_slice_of(json_string_value(name)), process, NULL);
    return err;
}

static void read_opts(const json_t *args, sc_worker_opts *o)
{
    const json_t *limit = json_object_get(args, "limiter");
    sc_job_opts keep = peer_job_opts(args);

    *o = (sc_worker_opts){
        .prefix = sc__json_text(args, "prefix"),
        .name = sc__json_text(args, "name"),
        .concurrency = (int)sc__json_int(args, "concurrency", 1),
        .limit = {sc__json_int(limit, "max", 0), sc__json_int(limit, "duration", 0)},
        .lock_ms = sc__json_int(args, "lockDuration", 0),
        .stalled_interval_ms = sc__json_int(args, "stalledInterval", 0),
        .max_stalled = sc__json_int(args, "maxStalledCount", 0),
        .lock_renew_ms = sc__json_int(args, "lockRenewTime", 0),
        .skip_lock_renewal = sc__json_bool(args, "skipLockRenewal", false),
        .skip_guardian = sc__json_bool(args, "skipGuardian", false),
        .skip_stalled_check = sc__json_bool(args, "skipStalledCheck", false),
        .max_rest_ms = sc__json_int(args, "maximumRateLimitDelay", 0),
        .repeat_strategy = &peer_strategy,
        .max_started = sc__json_int(args, "maxStartedAttempts", 0),
        .metrics_points = sc__json_int(args, "metricsPoints", 0),
        .drain_delay_ms = sc__json_int(args, "drainDelay", 0),
        .keep_completed = keep.keep_completed,
        .keep_failed = keep.keep_failed,
    };
}

/* Gives the worker's number. */
static sc_err do_work(struct peer *peer, const json_t *args, json_t **ret_result,
                      sc_reason *ret_reason)
{
    const sc_tracer tracer = peer_tracer("");
    sc_worker_opts opts;
    sc_worker *worker;
    sc_err err;
    int i = 0;

    while (i < WORKERS_MAX && peer->workers[i])
        i++;
    if (i == WORKERS_MAX)
        return sc__because(ret_reason, SC_EOVERLOAD, "too many workers");
    read_opts(args, &opts);
    read_backoffs(args, i, &opts);
    opts.on_event = sc__json_bool(args, "tell", false) ? tell : NULL;
    opts.on_event_user = (void *)(intptr_t)i;
    if (sc__json_bool(args, "trace", false))
        opts.tracer = &tracer;
    err = sc_worker_new(peer->client, sc__json_text(args, "queue"), &opts, &worker, ret_reason);
    if (err)
        return err;
    err = handle(worker, args);
    if (!err && sc__json_bool(args, "autorun", true))
        err = sc_worker_start(worker);
    if (err) {
        sc_worker_free(worker);
        return err;
    }
    peer->workers[i] = worker;
    *ret_result = json_integer(i);
    return SC_OK;
}

static sc_worker **worker_of(struct peer *peer, const json_t *args)
{
    int64_t i = sc__json_int(args, "worker", -1);

    return i >= 0 && i < WORKERS_MAX && peer->workers[i] ? &peer->workers[i] : NULL;
}

sc_worker *peer_worker(struct peer *peer, const json_t *args)
{
    sc_worker **worker = worker_of(peer, args);

    return worker ? *worker : NULL;
}

/* Gives how many jobs were handed back. */
static sc_err do_close_worker(struct peer *peer, const json_t *args, json_t **ret_result,
                              sc_reason *ret_reason)
{
    sc_worker **worker = worker_of(peer, args);
    int back = 0;
    sc_err err;

    if (!worker)
        return sc__because(ret_reason, SC_EINVAL, "no such worker");
    err = sc_worker_close(*worker, sc__json_int(args, "drainMs", 30000), &back);
    if (err)
        return err;
    sc_worker_free(*worker);
    *worker = NULL;
    *ret_result = json_integer(back);
    return SC_OK;
}

static sc_err do_worker_stats(struct peer *peer, const json_t *args, json_t **ret_result,
                              sc_reason *ret_reason)
{
    sc_worker **worker = worker_of(peer, args);
    sc_worker_stats s;

    if (!worker)
        return sc__because(ret_reason, SC_EINVAL, "no such worker");
    sc_worker_stats_get(*worker, &s);
    *ret_result = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:i, s:I, s:I, s:I}", "started",
                            (json_int_t)s.started, "completed", (json_int_t)s.completed, "failed",
                            (json_int_t)s.failed, "retried", (json_int_t)s.retried, "stalled",
                            (json_int_t)s.stalled, "locksLost", (json_int_t)s.locks_lost, "running",
                            s.running, "expired", (json_int_t)s.expired, "timedOut",
                            (json_int_t)s.timed_out, "cancelled", (json_int_t)s.cancelled);
    return SC_OK;
}

static sc_err steer(struct peer *peer, const json_t *args, void (*how)(sc_worker *worker),
                    json_t **ret_result, sc_reason *ret_reason)
{
    sc_worker **worker = worker_of(peer, args);

    if (!worker)
        return sc__because(ret_reason, SC_EINVAL, "no such worker");
    how(*worker);
    *ret_result = json_null();
    return SC_OK;
}

static sc_err do_pause_worker(struct peer *peer, const json_t *args, json_t **ret_result,
                              sc_reason *ret_reason)
{
    return steer(peer, args, sc_worker_pause, ret_result, ret_reason);
}

static sc_err do_resume_worker(struct peer *peer, const json_t *args, json_t **ret_result,
                               sc_reason *ret_reason)
{
    return steer(peer, args, sc_worker_resume, ret_result, ret_reason);
}

/* Of one that was made with "autorun" false. */
static sc_err do_run_worker(struct peer *peer, const json_t *args, json_t **ret_result,
                            sc_reason *ret_reason)
{
    sc_worker **worker = worker_of(peer, args);

    if (!worker)
        return sc__because(ret_reason, SC_EINVAL, "no such worker");
    *ret_result = json_null();
    return sc_worker_start(*worker);
}

const struct peer_command peer_worker_commands[] = {
    {"pauseWorker", do_pause_worker},
    {"resumeWorker", do_resume_worker},
    {"work", do_work},
    {"closeWorker", do_close_worker},
    {"workerStats", do_worker_stats},
    {"runWorker", do_run_worker},
    {NULL, NULL},
};
