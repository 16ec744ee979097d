/* What a soak's workers do with jobs. */
#include "base/clock.h"
#include "soak.h"
#include "test.h"

enum { SPAWNED = 2 };

/* Its number, from {"n":5,…}; counts the run. */
static unsigned begin(struct soak *s, const sc_job *job)
{
    unsigned number = (unsigned)strtoul(job->data.ptr + strlen("{\"n\":"), NULL, 10);

    if (number >= SOAK_JOBS_MAX || !s->fates[number])
        soak_wrong(s, "job %s was added by nobody", job->id.ptr);
    else if (s->runs[number] < 255)
        atomic_fetch_add(&s->runs[number], 1);
    return number;
}

static sc_outcome succeed(sc_run *run, const sc_job *job, void *user)
{
    begin(user, job);
    return sc_run_return(run, SC_S("1"));
}

static sc_outcome fail_at_first(sc_run *run, const sc_job *job, void *user)
{
    begin(user, job);
    return job->attempts_made < 2 ? sc_run_fail(run, SC_FAILED, "not yet") : SC_DONE;
}

static sc_outcome fail_always(sc_run *run, const sc_job *job, void *user)
{
    begin(user, job);
    return sc_run_fail(run, SC_FAILED, "never");
}

static sc_outcome put_off(sc_run *run, const sc_job *job, void *user)
{
    unsigned number = begin(user, job);

    if (job->attempts_started > 1)
        return SC_DONE;
    return number % 2 ? sc_run_delay(run, 30) : sc_run_wait(run);
}

/* For longer than its lock. */
static sc_outcome take_long(sc_run *run, const sc_job *job, void *user)
{
    int64_t until = sc__mono_ms() + SOAK_LOCK_MS * 3 / 2;

    if (begin(user, job) % 8)
        return SC_DONE;
    while (sc__mono_ms() < until && !sc_run_is_cancelled(run))
        soak_rest(10);
    return sc_run_is_cancelled(run) ? sc_run_delay(run, 1) : SC_DONE;
}

static sc_outcome be_late(sc_run *run, const sc_job *job, void *user)
{
    (void)run;
    begin(user, job);
    soak_rest(60);
    return SC_DONE;
}

static sc_outcome wait_for_cancel(sc_run *run, const sc_job *job, void *user)
{
    int64_t until = sc__mono_ms() + 100;

    begin(user, job);
    while (sc__mono_ms() < until && !sc_run_is_cancelled(run))
        soak_rest(5);
    return sc_run_is_cancelled(run) ? sc_run_fail(run, SC_FAILED, "cancelled") : SC_DONE;
}

/* Adds children, and waits for them. It may get no further than to a server that is away; then it is tried again. */
static sc_outcome spawn(sc_run *run, const sc_job *job, void *user)
{
    struct soak_crew *crew = user;
    unsigned number = begin(crew->s, job);
    sc_parent parent = sc_run_as_parent(run);
    char id[32];
    sc_job_opts opts;
    const sc_job_spec spec = {
        .name = SC_S("spawned"), .data = SC_S("{\"end\":\"completed\",\"made\":1}"), .opts = &opts};

    for (int i = 0; i < SPAWNED; i++) {
        snprintf(id, sizeof(id), "spawned%d-%u", i, number);
        opts = (sc_job_opts){.id = sc_slice_of(id), .parent = parent};
        if (sc_queue_add(crew->kids, &spec, NULL, NULL))
            return sc_run_fail(run, SC_FAILED, "no child");
    }
    return sc_run_wait_children(run, SC_S(""));
}

/* Until all slots are held. */
static sc_outcome hold(sc_run *run, const sc_job *job, void *user)
{
    struct soak *s = user;
    unsigned number = begin(s, job);

    s->holding++;
    while (s->released < (int)number && !sc_run_is_cancelled(run))
        soak_rest(5);
    s->holding--;
    return sc_run_is_cancelled(run) ? sc_run_delay(run, 1) : SC_DONE;
}

static void do_batch(const sc_batch *batch, void *user)
{
    for (size_t i = 0; i < batch->count; i++)
        begin(user, batch->jobs[i]);
}

static sc_outcome only_end(sc_run *run, const sc_job *job, void *user)
{
    (void)run, (void)job, (void)user;
    return SC_DONE;
}

sc_outcome soak_do_kid(sc_run *run, const sc_job *job, void *user)
{
    if (sc_slice_eq(job->name, SC_S("spawned")))
        return SC_DONE;
    if (sc_slice_eq(job->name, sc_slice_of(soak_kind_name(SOAK_HOLD + SOAK_KIDS))))
        return hold(run, job, user);
    return succeed(run, job, user);
}

void soak_crew_handle(struct soak_crew *crew, sc_worker *worker)
{
    static const struct {
        soak_kind kind;
        sc_processor processor;
    } table[] = {{SOAK_RETRIED, fail_at_first}, {SOAK_FAILING, fail_always},
                 {SOAK_PUT_OFF, put_off},       {SOAK_LONG, take_long},
                 {SOAK_TIMED, be_late},         {SOAK_CANCELLED, wait_for_cancel}};
    const sc_batch_opts batch = {.max = SOAK_CONCURRENCY, .min = 2, .linger_ms = 20};

    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
        assert_ok(sc_worker_handle(worker, sc_slice_of(soak_kind_name(table[i].kind)),
                                   table[i].processor, crew->s));
    for (int i = 0; i < SOAK_QUEUES; i++)
        assert_ok(sc_worker_handle(worker, sc_slice_of(soak_kind_name((soak_kind)(SOAK_HOLD + i))),
                                   hold, crew->s));
    assert_ok(sc_worker_handle(worker, SC_S(""), succeed, crew->s));
    assert_ok(sc_worker_handle(worker, SC_S("tick"), only_end, NULL));
    assert_ok(sc_worker_handle(worker, SC_S("spawned"), only_end, NULL));
    assert_ok(sc_worker_handle(worker, sc_slice_of(soak_kind_name(SOAK_SPAWNING)), spawn, crew));
    assert_ok(sc_worker_handle_batch(worker, sc_slice_of(soak_kind_name(SOAK_BATCHED)), do_batch,
                                     crew->s, &batch));
}
