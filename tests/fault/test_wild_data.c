/* Malformed data in a live queue: whatever another client writes, nothing crashes and no call hangs; and once the queue's own keys
 * are what they should be, good jobs complete and nothing is left behind among the active ones.
 *
 * Each round has a seed and a queue of its own. SC_WILD_SECONDS: how long (default 15); SC_WILD_SEED: the first round's seed. */
#include <stdatomic.h>

#include <storychain/control.h>
#include <storychain/events.h>
#include <storychain/scheduler.h>
#include <storychain/worker.h>

#include "support/test.h"
#include "support/wild.h"

#include "base/clock.h"

enum { RUNS_MAX = 2000, LINES_MAX = 2000, GOOD = 4 };

struct round {
    struct test_server *server;
    sc_client *client;
    sc_queue *queue;
    sc_worker *worker;
    sc_scheduler_guard *guard;
    struct wild wild;
    char name[16];
    _Atomic int runs, good;
};

static _Atomic int lines;

static void count_line(sc_log_level level, const char *text, void *user)
{
    (void)user;
    if (level < SC_LOG_WARN)
        return;
    lines++;
    assert_true(strlen(text) < 4096);
    if (getenv("SC_WILD_LOG"))
        fprintf(stderr, "%s\n", text);
}

static sc_outcome process(sc_run *run, const sc_job *job, void *user)
{
    struct round *r = user;

    r->runs++;
    if (sc_slice_eq(job->name, SC_S("good")))
        r->good++;
    if (sc_slice_eq(job->name, SC_S("tries")))
        return sc_run_fail(run, job->attempts_made < 5 ? SC_FAILED : SC_GIVE_UP, "no luck");
    return sc_run_return(run, SC_S("{\"ok\":true}"));
}

static void add_jobs(struct round *r)
{
    const sc_job_opts opts[] = {
        {.attempts = 3},
        {.priority = 2},
        {.delay_ms = 20},
        {.attempts = 3, .priority = 1, .backoff = {SC_BACKOFF_FIXED, 5, 0, {NULL, 0}}},
        {.dedup = {.id = SC_S("d"), .keep_last_if_active = true}},
        {.keep_completed = {SC_KEEP_SOME, .count = 1, .age_s = -1}},
        {.keep_completed = {SC_KEEP_SOME, .count = -1, .age_s = 1}},
        {.lifo = true, .delay_ms = 5},
        {.id = SC_S("own"), .attempts = 2},
    };

    for (size_t i = 0; i < sizeof(opts) / sizeof(*opts); i++) {
        const sc_job_spec spec = {i % 2 ? SC_S("job") : SC_S("tries"), SC_S("{\"n\":1}"), &opts[i]};
        sc_err err = sc_queue_add(r->queue, &spec, NULL, NULL);

        (void)err; /* later rounds of adding meet spoiled keys */
    }
}

/* ---- every call of the library, by number; each must come back, whatever it says ---- */

static sc_err look(struct round *r, size_t which, sc_slice id)
{
    sc_job_state state = (sc_job_state)wild_below(&r->wild, SC_JOB_UNKNOWN);
    const int64_t priorities[] = {0, 1, 2};
    sc_global_rate_limit limit;
    sc_scheduler_list *schedulers = NULL;
    sc_dependency_counts children;
    sc_queue_counts counts;
    sc_job_list *jobs = NULL;
    sc_id_list *rows = NULL;
    char *owner = NULL;
    sc_job *job = NULL;
    int64_t numbers[3];
    bool yes;
    sc_err err;

    switch (which) {
    case 0:
        err = sc_queue_get_job(r->queue, id, &job);
        sc_job_free(job);
        return err;
    case 1:
        return sc_queue_get_state(r->queue, id, &state);
    case 2:
        err = sc_queue_get_jobs(r->queue, state, 0, -1, wild_below(&r->wild, 2), &jobs);
        sc_job_list_free(jobs);
        return err;
    case 3:
        return sc_queue_get_counts(r->queue, &counts);
    case 4:
        err = sc_queue_get_logs(r->queue, id, 0, -1, &rows);
        sc_id_list_free(rows);
        return err;
    case 5:
        err = sc_queue_get_dedup_job(r->queue, SC_S("d"), &owner);
        sc_free(owner);
        return err;
    case 6:
        return sc_queue_get_dependency_counts(r->queue, id, &children, NULL);
    case 7:
        return sc_queue_get_global_concurrency(r->queue, numbers, NULL);
    case 8:
        return sc_queue_get_global_rate_limit(r->queue, &limit, NULL);
    case 9:
        return sc_queue_get_rate_limit_ttl(r->queue, 0, numbers, NULL);
    case 10:
        return sc_queue_get_priority_counts(r->queue, priorities, 3, numbers, NULL);
    case 11:
        return sc_queue_is_maxed(r->queue, &yes, NULL);
    case 12:
        return sc_queue_is_paused(r->queue, &yes);
    default:
        err = sc_scheduler_list_get(r->queue, 0, -1, &schedulers);
        sc_scheduler_list_free(schedulers);
        return err;
    }
}

static sc_err change(struct round *r, size_t which, sc_slice id)
{
    sc_queue *q = r->queue;

    switch (which) {
    case 0:
        return sc_queue_update_data(q, id, SC_S("{}"), NULL);
    case 1:
        return sc_queue_update_progress(q, id, SC_S("5"), NULL);
    case 2:
        return sc_queue_add_log(q, id, SC_S("row"), 2, NULL);
    case 3:
        return sc_queue_clear_logs(q, id, 1, NULL);
    case 4:
        return sc_queue_change_delay(q, id, 5, NULL);
    case 5:
        return sc_queue_change_priority(q, id, (int64_t)wild_below(&r->wild, 3),
                                        wild_below(&r->wild, 2), NULL);
    case 6:
        return sc_queue_retry(q, id);
    case 7:
        return sc_queue_promote(q, id);
    case 8:
        return sc_queue_remove(q, id);
    case 9:
        return sc_queue_remove_dedup(q, SC_S("d"), id, NULL);
    case 10:
        return sc_queue_pause(q);
    case 11:
        return sc_queue_resume(q);
    default:
        return sc_queue_trim_events(q, 5, NULL, NULL);
    }
}

static sc_err sweep(struct round *r, size_t which)
{
    static const sc_job_state states[] = {SC_JOB_WAITING,     SC_JOB_ACTIVE,    SC_JOB_DELAYED,
                                          SC_JOB_PRIORITIZED, SC_JOB_COMPLETED, SC_JOB_FAILED};
    sc_repeat repeat = SC_REPEAT_INIT;
    const sc_job_spec spec = {SC_S("tick"), SC_S("{}"), NULL};

    switch (which) {
    case 0:
        return sc_queue_drain(r->queue, wild_below(&r->wild, 2), NULL, NULL, NULL);
    case 1:
        return sc_queue_clean(r->queue, states[wild_below(&r->wild, 6)], 0, 0, NULL, NULL, NULL);
    case 2:
        return sc_queue_retry_jobs(r->queue, SC_JOB_FAILED, 0, 3, NULL, NULL, NULL);
    case 3:
        return sc_queue_retry_jobs(r->queue, SC_JOB_COMPLETED, 0, 3, NULL, NULL, NULL);
    case 4:
        return sc_queue_promote_jobs(r->queue, 0, NULL, NULL, NULL);
    case 5:
        return sc_scheduler_remove(r->queue,
                                   wild_below(&r->wild, 2) ? SC_S("s") : wild_id(&r->wild));
    case 6:
        return wild_below(&r->wild, 8) ? SC_OK
                                       : sc_queue_obliterate(r->queue, true, NULL, NULL, NULL);
    default:
        if (wild_below(&r->wild, 2))
            repeat.every_ms = 50;
        else
            repeat.pattern = SC_S("*/5 * * * * *");
        return sc_scheduler_upsert(r->queue, SC_S("s"), &repeat, &spec, NULL, NULL, NULL);
    }
}

static void call_something(struct round *r)
{
    sc_slice id = wild_id(&r->wild);
    sc_err err;

    switch (wild_below(&r->wild, 4)) {
    case 0:
        err = look(r, wild_below(&r->wild, 14), id);
        break;
    case 1:
        err = change(r, wild_below(&r->wild, 13), id);
        break;
    case 2:
        err = sweep(r, wild_below(&r->wild, 8));
        break;
    default:
        err = SC_OK;
        add_jobs(r);
        break;
    }
    assert_true(err != SC_ETIMEDOUT && err != SC_ECONNLOST);
}

/* ---- a round ---- */

static void open_round(struct round *r, struct test_server *server, sc_client *client,
                       uint64_t seed, int number)
{
    *r = (struct round){
        .server = server, .client = client, .wild = {.server = server, .state = seed}};
    snprintf(r->name, sizeof(r->name), "q%d", number);
    snprintf(r->wild.base, sizeof(r->wild.base), "bull:%s:", r->name);
    assert_ok(sc_queue_new(client, sc_slice_of(r->name), NULL, &r->queue, NULL));
    add_jobs(r);
}

static void start_worker(struct round *r)
{
    const sc_worker_opts opts = {.concurrency = 3,
                                 .lock_ms = 400,
                                 .stalled_interval_ms = 60,
                                 .drain_delay_ms = 100,
                                 .name = SC_S("w"),
                                 .keep_failed = {SC_KEEP_SOME, .count = 5, .age_s = -1},
                                 .limit = {wild_below(&r->wild, 4) ? 0 : 1000, 50}};

    assert_ok(sc_worker_new(r->client, sc_slice_of(r->name), &opts, &r->worker, NULL));
    assert_ok(sc_worker_handle(r->worker, SC_S(""), process, r));
    assert_ok(sc_worker_start(r->worker));
    assert_ok(sc_scheduler_guard_start(r->queue, 40, &r->guard));
}

static void show(struct round *r, const char *command, sc_slice middle, const char *end)
{
    char line[256];

    snprintf(line, sizeof(line), "%s %s%.*s%s", command, r->wild.base, (int)middle.len, middle.ptr,
             end);
    printf("%s: %.2000s\n", line, test_redis(r->server, line));
}

/* What an investigation begins with. */
static void show_queue(struct round *r)
{
    char line[64], id[64] = "";

    snprintf(line, sizeof(line), "LINDEX %sactive -1", r->wild.base);
    snprintf(id, sizeof(id), "%.60s", test_redis(r->server, line));
    show(r, "LLEN", SC_S("wait"), "");
    show(r, "LLEN", SC_S("active"), "");
    show(r, "LINDEX", SC_S("active"), " -1");
    show(r, "TYPE", sc_slice_of(id), "");
    show(r, "HGETALL", sc_slice_of(id), "");
    show(r, "GET", sc_slice_of(id), ":lock");
    show(r, "PTTL", sc_slice_of(id), ":lock");
    show(r, "HGETALL", SC_S("meta"), "");
    show(r, "ZRANGE", SC_S("delayed"), " 0 9 WITHSCORES");
    show(r, "ZRANGE", SC_S("prioritized"), " 0 9 WITHSCORES");
    show(r, "TYPE", SC_S("marker"), "");
    show(r, "PTTL", SC_S("limiter"), "");
    show(r, "TYPE", SC_S("stalled"), "");
    show(r, "PTTL", SC_S("stalled-check"), "");
}

static void await(struct round *r, bool (*condition)(struct round *r))
{
    int64_t deadline = test_deadline_ms();

    while (!condition(r))
        if (!test_pause_until(deadline)) {
            show_queue(r);
            fail_msg("the queue is stuck");
        }
}

static bool good_have_run(struct round *r)
{
    return r->good >= GOOD;
}

static bool is_empty(struct round *r)
{
    static const char *const commands[] = {"LLEN %swait", "LLEN %sactive", "ZCARD %sprioritized"};
    char line[64];

    for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
        snprintf(line, sizeof(line), commands[i], r->wild.base);
        if (strcmp(test_redis(r->server, line), "0") != 0)
            return false;
    }
    return true;
}

/* Jobs of each way into the queue are run. (Another job's retention may remove them as soon as they are completed.) */
static void run_good(struct round *r)
{
    const sc_job_opts opts[GOOD] = {
        {.attempts = 1}, {.priority = 3}, {.delay_ms = 10}, {.lifo = true}};
    sc_reason reason = {""};

    for (size_t i = 0; i < GOOD; i++) {
        const sc_job_spec spec = {SC_S("good"), SC_S("{}"), &opts[i]};

        if (sc_queue_add(r->queue, &spec, NULL, &reason))
            fail_msg("good job %zu was not added: %s", i, reason.text);
    }
    await(r, good_have_run);
}

static void run_round(struct test_server *server, sc_client *client, uint64_t seed, int number)
{
    struct round r;

    printf("round %d: SC_WILD_SEED=%llu SC_WILD_SECONDS=0\n", number, (unsigned long long)seed);
    fflush(stdout);
    lines = 0;
    open_round(&r, server, client, seed, number);
    for (size_t i = 0, n = 1 + wild_below(&r.wild, 8); i < n; i++)
        wild_spoil(&r.wild);
    start_worker(&r);
    for (int i = 0; i < 12; i++) {
        call_something(&r);
        if (wild_below(&r.wild, 2))
            wild_spoil(&r.wild);
    }

    wild_repair(&r.wild);
    run_good(&r);
    await(&r, is_empty);
    assert_in_range(r.runs, GOOD, RUNS_MAX);
    assert_in_range(lines, 0, LINES_MAX);
    sc_scheduler_guard_stop(r.guard);
    sc_worker_free(r.worker);
    sc_queue_free(r.queue);
}

static uint64_t from_env(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text ? strtoull(text, NULL, 10) : otherwise;
}

TEST_LIMIT(whatever_another_client_writes_no_queue_gets_stuck, 3000)
{
    uint64_t seed = from_env("SC_WILD_SEED", (uint64_t)sc__wall_ms());
    int64_t until = sc__mono_ms() + (int64_t)from_env("SC_WILD_SECONDS", 15) * 1000;
    struct test_server server;
    sc_client *client;
    int number = 0;

    sc_set_log(count_line, NULL);
    test_server_start(&server);
    client = test_server_client(&server);
    do
        run_round(&server, client, seed + (uint64_t)number, number);
    while (++number && sc__mono_ms() < until);
    sc_client_free(client);
}
