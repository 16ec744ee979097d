/* A soak's processes: their workers, and what these do with jobs. */
#include <signal.h>
#include <unistd.h>

#include "alloc.h"
#include "base/clock.h"
#include "soak.h"
#include "test.h"
#include "worker/worker.h"

enum { LOCK_MS = 1500, STALLED_MS = 400, DRAIN_MS = 200, CLOSE_LIMIT_MS = 30000, SPAWNED = 2 };

struct soak_crew {
    struct soak *s;
    sc_client *client;
    sc_queue *kids;
    sc_worker *workers[SOAK_QUEUES];
    struct soak_hands *hands; /* NULL: none */
};

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
    int64_t until = sc__mono_ms() + LOCK_MS * 3 / 2;

    if (begin(user, job) % 8)
        return SC_DONE;
    while (sc__mono_ms() < until && !sc_run_is_cancelled(run))
        soak_rest(10);
    return sc_run_is_cancelled(run) ? sc_run_delay(run, 1) : SC_DONE;
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

static void handle(struct soak_crew *crew, sc_worker *worker)
{
    static const struct {
        soak_kind kind;
        sc_processor processor;
    } table[] = {{SOAK_RETRIED, fail_at_first},
                 {SOAK_FAILING, fail_always},
                 {SOAK_PUT_OFF, put_off},
                 {SOAK_LONG, take_long},
                 {SOAK_CANCELLED, wait_for_cancel}};
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

struct soak_crew *soak_crew_start(struct soak *s, int number, sc_client *client)
{
    struct soak_crew *crew = calloc(1, sizeof(*crew));
    sc_worker_opts opts = {.concurrency = SOAK_CONCURRENCY,
                           .lock_ms = LOCK_MS,
                           .stalled_interval_ms = STALLED_MS,
                           .max_stalled = 1000000,
                           .drain_delay_ms = number % 2 ? 60000 : 1000,
                           .share_connection = number == 3};

    *crew = (struct soak_crew){.s = s, .client = client};
    assert_ok(sc_queue_new(client, sc_slice_of(soak_queues[SOAK_KIDS]),
                           &(sc_queue_opts){.max_events = 10000000}, &crew->kids, NULL));
    for (int i = 0; i < SOAK_QUEUES; i++) {
        opts.keep_completed = i == SOAK_TICKS
                                  ? (sc_keep){.kind = SC_KEEP_SOME, .count = 100, .age_s = -1}
                                  : (sc_keep){.kind = SC_KEEP_ALL};
        opts.limit = i == SOAK_LIMITED ? (sc_rate_limit){5, 100} : (sc_rate_limit){0};
        assert_ok(
            sc_worker_new(client, sc_slice_of(soak_queues[i]), &opts, &crew->workers[i], NULL));
        if (number == SOAK_BY_HAND && i == SOAK_KIDS) {
            crew->hands = soak_hands_start(s, crew->workers[i]);
            continue;
        }
        handle(crew, crew->workers[i]);
        assert_ok(sc_worker_start(crew->workers[i]));
    }
    return crew;
}

static void close_worker(struct soak *s, sc_worker *worker)
{
    int64_t began = sc__mono_ms();
    long took, longest = s->longest_close_ms;
    int back = 0;

    assert_ok(sc_worker_close(worker, DRAIN_MS, &back));
    s->given_back += back;
    took = (long)(sc__mono_ms() - began);
    while (took > longest && !atomic_compare_exchange_weak(&s->longest_close_ms, &longest, took))
        ;
    if (took > CLOSE_LIMIT_MS)
        soak_wrong(s, "a worker took %ld ms to close", took);
    sc_worker_free(worker);
}

void soak_crew_end(struct soak_crew *crew)
{
    crew->s->may_give_back = true;
    soak_hands_end(crew->hands);
    for (int i = 0; i < SOAK_QUEUES; i++)
        close_worker(crew->s, crew->workers[i]);
    sc_queue_free(crew->kids);
    free(crew);
}

/* What a worker believes; on its I/O thread. */
static void dump_worker(void *arg)
{
    const sc_worker *w = arg;
    const sc__core *c = &w->core;
    const sc__fetcher *f = &w->fetcher;
    int64_t now = sc__mono_ms();

    fprintf(
        stderr,
        "  %.*s: running %zu, asked %zu, leaving %zu, watched %zu, late %zu, calls %zu%s; rests "
        "for %lld ms\n"
        "    fetcher:%s%s%s pauses for %lld ms, %d failures, %zu lost calls%s, %d leaves, due in "
        "%lld and %lld "
        "ms\n"
        "    finisher: %zu ready, %zu ended, wakes at %zu, %d failures%s\n",
        (int)c->queue_name.len, c->queue_name.ptr, c->running, c->asked, c->leaving, c->watched,
        c->late, c->calls, c->taking ? ", taking" : "", (long long)(c->rest_until - now),
        f->calling ? " calling," : "", f->watching ? " watching," : "", f->again ? " again," : "",
        (long long)(f->pause_until - now), f->failures, f->lost_count,
        f->finding ? " (finding)" : "", f->leaves, f->due_at ? (long long)(f->due_at - now) : 0,
        f->marker_due_at ? (long long)(f->marker_due_at - now) : 0, w->finisher.ready,
        w->finisher.ended, w->finisher.wake_at, w->finisher.failures,
        w->finisher.calls[0].out || w->finisher.calls[1].out ? ", a call is out" : "");
    for (const sc_run *run = c->runs; run; run = run->older)
        fprintf(stderr, "    job %s%s%s%s%s%s\n", run->job->id.ptr, run->is_ended ? ", ended" : "",
                run->lock_lost ? ", lock lost" : "", run->in_call ? ", in a call" : "",
                run->in_doubt ? ", in doubt" : "", run->lingers ? ", lingers" : "");
}

void soak_crew_dump(struct soak_crew *crew, int number)
{
    sc_client_stats stats;

    sc_client_stats_get(crew->client, &stats);
    fprintf(stderr, "process %d: %s, %llu commands, %llu replies, %llu timeouts, %llu reconnects\n",
            number, sc_client_is_connected(crew->client) ? "connected" : "not connected",
            (unsigned long long)stats.commands, (unsigned long long)stats.replies,
            (unsigned long long)stats.timeouts, (unsigned long long)stats.reconnects);
    for (int i = 0; i < SOAK_QUEUES; i++)
        sc__loop_run_wait(crew->workers[i]->core.loop, dump_worker, crew->workers[i]);
}

static void pause_all(struct soak_crew *crew)
{
    crew->s->may_give_back = true;
    for (int i = 0; i < SOAK_QUEUES; i++)
        sc_worker_pause(crew->workers[i]);
    soak_rest(crew->s->next % 50);
    for (int i = 0; i < SOAK_QUEUES; i++)
        sc_worker_resume(crew->workers[i]);
}

static void set_all(struct soak_crew *crew, int concurrency)
{
    for (int i = 0; i < SOAK_QUEUES; i++)
        assert_ok(sc_worker_set_concurrency(crew->workers[i], concurrency));
}

static void obey(struct soak_crew **crew, int number)
{
    struct soak *s = (*crew)->s;
    sc_client *client = (*crew)->client;

    if (s->order == SOAK_RESTART) {
        soak_crew_end(*crew);
        *crew = soak_crew_start(s, number, client);
    } else if (s->order == SOAK_PAUSE) {
        pause_all(*crew);
    } else {
        set_all(*crew, 1);
        soak_rest(s->next % 50);
        set_all(*crew, SOAK_CONCURRENCY);
    }
    s->order_to = -1;
}

static sc_client *connect_process(struct soak *s, int number)
{
    const sc_client_opts opts = {.url = number % 2 ? s->relay_url : s->url,
                                 .command_timeout_ms = number == 2   ? 500
                                                       : number == 3 ? 1500
                                                                     : 0};
    sc_client *client;

    assert_ok(sc_client_new(&opts, &client, NULL));
    return client;
}

static void log_line(sc_log_level level, const char *text, void *user)
{
    if (level > SC_LOG_DEBUG)
        fprintf(stderr, "%lld process %d: %.400s\n", (long long)sc__wall_ms(), *(const int *)user,
                text);
}

void soak_live(struct soak *s, int number)
{
    sc_client *client;
    struct soak_crew *crew;
    struct soak_bustle *bustle = NULL;

    test_alloc_use();
    if (getenv("SC_SOAK_LOG"))
        sc_set_log(log_line, &number);
    client = connect_process(s, number);
    crew = soak_crew_start(s, number, client);
    if (number == 0)
        bustle = soak_bustle_start(s, client);
    s->processes[number].works = true;
    while (!s->stopping) {
        soak_rest(5);
        s->processes[number].live = test_live;
        if (s->processes[number].dumped < s->dumps) {
            soak_crew_dump(crew, number);
            s->processes[number].dumped = s->dumps;
        }
        if (s->order_to == number)
            obey(&crew, number);
    }
    if (bustle)
        soak_bustle_end(bustle);
    soak_crew_end(crew);
    sc_client_free(client);
    if (test_live)
        soak_wrong(s, "process %d leaves %ld pieces of memory", number, (long)test_live);
}
