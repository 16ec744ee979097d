/* Malformed data in a live queue: whatever another client writes, nothing crashes and no call hangs; and once the queue's own keys
 * are what they should be, good jobs complete and nothing is left behind among the active ones.
 *
 * Each round has a seed and a queue of its own. SC_WILD_SECONDS: how long (default 15); SC_WILD_SEED: the first round's seed (default 1,
 * so that all runs begin alike; a search for the unknown gives another one). */
#include <stdatomic.h>

#include <storychain/control.h>
#include <storychain/flow.h>
#include <storychain/inspect.h>
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
    if (level < (getenv("SC_WILD_LOG") ? SC_LOG_INFO : SC_LOG_WARN))
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

static void process_batch(const sc_batch *batch, void *user)
{
    for (size_t i = 0; i < batch->count; i++)
        batch->outcomes[i] = process(batch->runs[i], batch->jobs[i], user);
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
        {.start_within_ms = 5000, .soft_timeout_ms = 4000, .hard_timeout_ms = 8000},
    };

    for (size_t i = 0; i < sizeof(opts) / sizeof(*opts); i++) {
        const sc_job_spec spec = {i % 2 ? SC_S("job") : SC_S("tries"), SC_S("{\"n\":1}"), &opts[i]};
        sc_err err = sc_queue_add(r->queue, &spec, NULL, NULL);

        (void)err; /* later rounds of adding meet spoiled keys */
    }
}

static sc_err add_flow(struct round *r)
{
    const sc_slice queue = sc_slice_of(r->name);
    const sc_job_opts opts[] = {{.on_failure = SC_ON_FAILURE_FAIL},
                                {.on_failure = SC_ON_FAILURE_IGNORE, .attempts = 2},
                                {.id = SC_S("own")}};
    const sc_flow_node children[] = {
        {queue, {NULL, 0}, {SC_S("job"), SC_S("{}"), &opts[0]}, NULL, 0},
        {queue, {NULL, 0}, {SC_S("tries"), SC_S("{}"), &opts[1]}, NULL, 0},
        {queue, {NULL, 0}, {SC_S("job"), SC_S("{}"), &opts[2]}, NULL, 0}};
    const sc_flow_node root = {queue, {NULL, 0}, {SC_S("parent"), SC_S("{}"), NULL}, children, 3};

    return sc_flow_add(r->client, &root, NULL, NULL, NULL);
}

static sc_err add_child(struct round *r)
{
    char parent_queue[32];
    const sc_job_opts opts = {.parent = {wild_id(&r->wild), sc_slice_of(parent_queue)}};
    const sc_job_spec spec = {SC_S("job"), SC_S("{}"), &opts};

    snprintf(parent_queue, sizeof(parent_queue), "bull:%s", r->name);
    return sc_queue_add(r->queue, &spec, NULL, NULL);
}

/* ---- every call of the library, by number; each must come back, whatever it says ---- */

static sc_err look_at_children(struct round *r, sc_slice id)
{
    sc_child_list *children = NULL;
    sc_err err;

    switch (wild_below(&r->wild, 3)) {
    case 0:
        err = sc_queue_get_dependencies(r->queue, id, (sc_child_kind)wild_below(&r->wild, 4), 0, 10,
                                        &children, NULL);
        break;
    case 1:
        err = sc_queue_get_children_values(r->queue, id, &children, NULL);
        break;
    default:
        err = sc_queue_get_ignored_children_failures(r->queue, id, &children, NULL);
        break;
    }
    sc_child_list_free(children);
    return err;
}

static sc_err look_inside(struct round *r, sc_slice id)
{
    const sc_job_state states[] = {SC_JOB_WAITING, SC_JOB_FAILED, SC_JOB_DELAYED};
    sc_flow_tree *tree = NULL;
    sc_queue_meta *meta = NULL;
    sc_metrics *metrics = NULL;
    sc_job_list *jobs = NULL;
    int64_t count;
    sc_err err;

    switch (wild_below(&r->wild, 5)) {
    case 0:
        err = sc_flow_get(r->client, sc_slice_of(r->name), id, NULL, &tree, NULL);
        sc_flow_tree_free(tree);
        return err;
    case 1:
        err = sc_queue_get_meta(r->queue, &meta, NULL);
        sc_free(meta);
        return err;
    case 2:
        err = sc_queue_get_metrics(r->queue, SC_JOB_COMPLETED, 0, -1, &metrics, NULL);
        sc_free(metrics);
        return err;
    case 3:
        err = sc_queue_get_jobs_of(r->queue, states, 3, 0, 5, true, &jobs, NULL);
        sc_job_list_free(jobs);
        return err;
    default:
        return sc_queue_count_delayed(r->queue, INT64_C(2000000000000), &count, NULL);
    }
}

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
    case 13:
        return look_at_children(r, id);
    case 14:
        return look_inside(r, id);
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
    case 12:
        return sc_queue_cancel(q, id, SC_S("enough"), NULL, NULL);
    case 13:
        return sc_queue_remove_child_dependency(q, id, NULL, NULL);
    case 14:
        return sc_queue_remove_unprocessed_children(q, id, NULL);
    case 15:
        return sc_queue_remove_with(q, id, &(sc_remove_opts){.keep_children = true}, NULL);
    case 16:
        return add_child(r);
    case 17:
        return add_flow(r);
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
        return wild_below(&r->wild, 8) ? sc_queue_remove_orphans(r->queue, 0, NULL, NULL, NULL)
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
        err = look(r, wild_below(&r->wild, 16), id);
        break;
    case 1:
        err = change(r, wild_below(&r->wild, 19), id);
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
                                 .metrics_points = wild_below(&r->wild, 2) ? 10 : 0,
                                 .max_started = wild_below(&r->wild, 2) ? 20 : 0,
                                 .keep_failed = {SC_KEEP_SOME, .count = 5, .age_s = -1},
                                 .limit = {wild_below(&r->wild, 4) ? 0 : 1000, 50}};

    assert_ok(sc_worker_new(r->client, sc_slice_of(r->name), &opts, &r->worker, NULL));
    assert_ok(sc_worker_handle(r->worker, SC_S(""), process, r));
    assert_ok(sc_worker_handle_batch(r->worker, SC_S("tick"), process_batch, r,
                                     &(sc_batch_opts){.max = 3, .linger_ms = 5}));
    assert_ok(sc_worker_start(r->worker));
    assert_ok(sc_scheduler_guard_start(r->queue, &(sc_scheduler_guard_opts){.interval_ms = 40},
                                       &r->guard));
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
    sc_worker_stats stats;

    snprintf(line, sizeof(line), "LINDEX %sactive -1", r->wild.base);
    snprintf(id, sizeof(id), "%.60s", test_redis(r->server, line));
    sc_worker_stats_get(r->worker, &stats);
    printf("runs: %d, of good jobs: %d, now: %d, locks lost: %d\n", r->runs, r->good, stats.running,
           (int)stats.locks_lost);
    show(r, "XREVRANGE", SC_S("events"), " + - COUNT 20");
    show(r, "ZRANGE", SC_S("failed"), " 0 9");
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
    uint64_t seed = from_env("SC_WILD_SEED", 1);
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
