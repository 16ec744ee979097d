/* A soak's processes, and their workers. */
#include <signal.h>
#include <unistd.h>

#include "alloc.h"
#include "base/clock.h"
#include "soak.h"
#include "test.h"
#include "worker/worker.h"

enum { STALLED_MS = 400, DRAIN_MS = 200, CLOSE_LIMIT_MS = 30000 };

struct soak_crew *soak_crew_start(struct soak *s, int number, sc_client *client)
{
    struct soak_crew *crew = calloc(1, sizeof(*crew));
    sc_worker_opts opts = {.concurrency = SOAK_CONCURRENCY,
                           .lock_ms = SOAK_LOCK_MS,
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
        soak_crew_handle(crew, crew->workers[i]);
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

static void until_done(struct soak_crew *crew, sc_err (*call)(sc_queue *queue))
{
    sc_err err;

    while ((err = call(crew->kids)) && !crew->s->stopping) {
        if (!soak_is_excused(err))
            soak_wrong(crew->s, "pause or resume: %s", sc_err_name(err));
        soak_rest(10);
    }
}

static void pause_queue(struct soak_crew *crew)
{
    until_done(crew, sc_queue_pause);
    soak_rest(crew->s->next % 50);
    until_done(crew, sc_queue_resume);
}

static void narrow_all(struct soak_crew *crew)
{
    set_all(crew, 1);
    soak_rest(crew->s->next % 50);
    set_all(crew, SOAK_CONCURRENCY);
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
    } else if (s->order == SOAK_FEWER) {
        narrow_all(*crew);
    } else {
        pause_queue(*crew);
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
