#include "worker_bench.h"

void bench_open(struct bench *b)
{
    memset(b, 0, sizeof(*b));
    pthread_mutex_init(&b->mutex, NULL);
    test_server_start(&b->server);
    b->client = test_server_client(&b->server);
    assert_ok(sc_queue_new(b->client, SC_S("q"), NULL, &b->queue, NULL));
}

void bench_close(struct bench *b)
{
    sc_worker_free(b->worker);
    sc_queue_free(b->queue);
    sc_client_free(b->client);
}

void bench_work(struct bench *b, const sc_worker_opts *opts, sc_processor processor)
{
    sc_reason reason = {""};

    if (sc_worker_new(b->client, SC_S("q"), opts, &b->worker, &reason))
        fail_msg("%s", reason.text);
    assert_ok(sc_worker_handle(b->worker, SC_S(""), processor, b));
    assert_ok(sc_worker_start(b->worker));
}

void add(struct bench *b, const char *name, const sc_job_opts *opts)
{
    sc_job_spec spec = {.name = sc_slice_of(name), .data = SC_S("{\"n\":1}"), .opts = opts};
    sc_reason reason = {""};

    if (sc_queue_add(b->queue, &spec, NULL, &reason))
        fail_msg("%s", reason.text);
}

void add_many(struct bench *b, size_t count)
{
    sc_job_spec *specs = calloc(count, sizeof(*specs));

    for (size_t i = 0; i < count; i++)
        specs[i] = (sc_job_spec){.name = SC_S("job"), .data = SC_S("{}")};
    assert_ok(sc_queue_add_bulk(b->queue, specs, count, NULL, NULL, NULL));
    free(specs);
}

int64_t count_of(struct bench *b, sc_job_state state)
{
    sc_queue_counts counts;

    assert_ok(sc_queue_get_counts(b->queue, &counts));
    return counts.by_state[state];
}

sc_worker_stats stats(struct bench *b)
{
    sc_worker_stats s;

    sc_worker_stats_get(b->worker, &s);
    return s;
}

const char *redis(struct bench *b, const char *command)
{
    return test_redis(&b->server, command);
}

void note(struct bench *b, const sc_job *job)
{
    size_t len;

    pthread_mutex_lock(&b->mutex);
    len = strlen(b->order);
    if (len + job->name.len + 2 < sizeof(b->order)) {
        memcpy(b->order + len, job->name.ptr, job->name.len);
        b->order[len + job->name.len] = ' ';
    }
    pthread_mutex_unlock(&b->mutex);
}

const char *order(struct bench *b)
{
    static char copy[sizeof(b->order)];

    pthread_mutex_lock(&b->mutex);
    memcpy(copy, b->order, sizeof(copy));
    pthread_mutex_unlock(&b->mutex);
    return copy;
}

sc_outcome succeed(sc_run *run, const sc_job *job, void *user)
{
    struct bench *b = user;

    note(b, job);
    b->runs++;
    return sc_run_return(run, SC_S("{\"ok\":true}"));
}

sc_outcome fail_always(sc_run *run, const sc_job *job, void *user)
{
    struct bench *b = user;

    note(b, job);
    b->runs++;
    return sc_run_fail(run, SC_FAILED, "no luck %d", (int)b->runs);
}

sc_outcome wait_for_leave(sc_run *run, const sc_job *job, void *user)
{
    struct bench *b = user;
    int64_t deadline = test_deadline_ms();

    note(b, job);
    b->runs++;
    b->going++;
    while (b->hold && !sc_run_is_cancelled(run) && test_pause_until(deadline))
        ;
    b->going--;
    return sc_run_is_cancelled(run) ? sc_run_fail(run, SC_FAILED, "cancelled") : SC_DONE;
}
