/* A queue with very many jobs: nothing that we do holds the server for 10 ms, by its own slow log; of a machine that is slow at the
 * moment, for what would be 10 ms at ease. SC_MANY_JOBS: how many (default 200,000).
 *
 * The log counts by the wall clock, so on a busy machine a command may be in it that only waited for its turn on a processor: the server gets
 * a real-time priority, where that is allowed; a script call in 200 may be in the log; and what is tried again is blamed when it is there each time. */
#include <storychain/control.h>
#include <storychain/flow.h>
#include <storychain/inspect.h>
#include <storychain/scheduler.h>
#include <storychain/worker.h>

#include <sched.h>
#include <stdatomic.h>

#include "support/server.h"
#include "support/test.h"

/* What holds the server does so at each try; what holds the machine does not. */
enum { TRIES = 12, SLICE = 10000 };

static struct test_server server;
static sc_client *client;
static sc_queue *queue;
static size_t jobs;

static const char *redis(const char *fmt, ...) SC_PRINTF(1, 2);

static const char *redis(const char *fmt, ...)
{
    char line[1024];
    va_list args;

    va_start(args, fmt);
    vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
    return test_redis(&server, line);
}

/* Jobs as they are stored, numbered from 1: `put` puts one into its state, a statement of Lua over i and id, without blanks. */
static void put_jobs(size_t from, size_t to, const char *put)
{
    for (; from <= to; from += SLICE)
        redis("EVAL local\tbase='bull:q:'\tfor\ti=%zu,%zu\tdo\tlocal\tid=string.format('%%.0f',i)\t"
              "redis.call('HSET',base..id,'name','n','data','{\"n\":1}','opts','{\"attempts\":0}','"
              "timestamp','1000','delay','0','priority','0')\t%s\tend 0",
              from, from + SLICE - 1 < to ? from + SLICE - 1 : to, put);
}

#define IN_LIST(name) "redis.call('LPUSH',base..'" name "',id)"
#define IN_SET(name) "redis.call('ZADD',base..'" name "',i,id)"
#define IN_DELAYED "redis.call('ZADD',base..'delayed',i*4096,id)"
#define IN_PRIORITIZED                                                                             \
    "redis.call('ZADD',base..'prioritized',4294967296*5+i,id)redis.call('HSET',base..id,'"         \
    "priority','5')"

static void open_queue(void)
{
    const char *many = getenv("SC_MANY_JOBS");

    jobs = many ? strtoul(many, NULL, 10) : 200000;
    test_server_start(&server);
    if (sched_setscheduler(server.pid, SCHED_RR, &(const struct sched_param){.sched_priority = 1}))
        printf("at normal priority: the slow log may blame what only waited\n");
    client = test_server_client(&server);
    assert_ok(sc_queue_new(client, SC_S("q"), NULL, &queue, NULL));
    wait_until(strcmp(redis("EXISTS bull:q:meta"), "1") == 0);
    redis("CONFIG SET slowlog-max-len 1000");
}

static void close_queue(void)
{
    sc_queue_free(queue);
    sc_client_free(client);
}

static long calls_of_scripts(void)
{
    const char *calls = strstr(redis("INFO commandstats"), "cmdstat_evalsha:calls=");

    return calls ? atol(calls + strlen("cmdstat_evalsha:calls=")) : 0;
}

/* What 10 ms of a machine at ease are at the moment, in µs: there a walk over 100,000 entries takes a millisecond and a half. */
static long ten_ms(void)
{
    const char *usec;
    long walk;

    redis("EVAL "
          "for\ti=1,100,1\tdo\tfor\tj=1,1000\tdo\tredis.call('RPUSH','walk',i*1000+j)\tend\tend 0");
    redis("CONFIG RESETSTAT");
    redis("LPOS walk 0");
    usec = strstr(redis("INFO commandstats"), "cmdstat_lpos:calls=1,usec=");
    assert_non_null(usec);
    walk = atol(usec + strlen("cmdstat_lpos:calls=1,usec="));
    redis("DEL walk");
    return walk < 1500 ? 10000 : walk * 20 / 3;
}

/* Does `act` on what `build` makes, until it leaves nothing in the slow log. */
static void quick(const char *what, void (*build)(void), void (*act)(void))
{
    for (int try = 1;; try++) {
        redis("FLUSHALL");
        build();
        redis("CONFIG SET slowlog-log-slower-than %ld", ten_ms());
        redis("SLOWLOG RESET");
        redis("CONFIG RESETSTAT");
        act();
        if (atol(redis("SLOWLOG LEN")) <= calls_of_scripts() / 200)
            return;
        printf("%s, try %d, slow log: %.1500s\n", what, try, redis("SLOWLOG GET 5"));
        if (try == TRIES)
            fail_msg("%s holds the server", what);
    }
}

/* ---- sweeps ---- */

static void build_all_states(void)
{
    size_t part = jobs / 6;

    put_jobs(1, part, IN_LIST("wait"));
    put_jobs(part + 1, 2 * part, IN_LIST("active"));
    put_jobs(2 * part + 1, 3 * part, IN_DELAYED);
    put_jobs(3 * part + 1, 4 * part, IN_PRIORITIZED);
    put_jobs(4 * part + 1, 5 * part, IN_SET("completed"));
    put_jobs(5 * part + 1, 6 * part, IN_SET("failed"));
}

static void build_waiting(void)
{
    put_jobs(1, jobs, IN_LIST("wait"));
}

static void build_delayed(void)
{
    put_jobs(1, jobs, IN_DELAYED);
}

static void build_failed(void)
{
    put_jobs(1, jobs, IN_SET("failed"));
}

static void build_paused(void)
{
    put_jobs(1, jobs, IN_LIST("paused"));
    redis("HSET bull:q:meta paused 1");
}

static void drain_all(void)
{
    int64_t count;

    assert_ok(sc_queue_drain(queue, true, NULL, &count, NULL));
    assert_int_equal(count, jobs / 6 * 3);
}

static void clean_all(void)
{
    static const sc_job_state states[] = {SC_JOB_WAITING,     SC_JOB_ACTIVE,    SC_JOB_DELAYED,
                                          SC_JOB_PRIORITIZED, SC_JOB_COMPLETED, SC_JOB_FAILED};

    for (size_t i = 0; i < 6; i++) {
        int64_t count;

        assert_ok(sc_queue_clean(queue, states[i], 0, 0, NULL, &count, NULL));
        assert_int_equal(count, jobs / 6);
    }
}

static void retry_all(void)
{
    int64_t count;

    assert_ok(sc_queue_retry_jobs(queue, SC_JOB_FAILED, 0, 0, NULL, &count, NULL));
    assert_int_equal(count, jobs);
}

static void promote_all(void)
{
    int64_t count;

    assert_ok(sc_queue_promote_jobs(queue, 0, NULL, &count, NULL));
    assert_int_equal(count, jobs);
}

static void obliterate(void)
{
    assert_ok(sc_queue_obliterate(queue, true, NULL, NULL, NULL));
    assert_string_equal(redis("DBSIZE"), "0");
}

static void resume(void)
{
    assert_ok(sc_queue_resume(queue));
    assert_int_equal(atol(redis("LLEN bull:q:wait")), jobs);
}

TEST_LIMIT(drain_and_clean_of_very_many_jobs, 1500)
{
    open_queue();
    quick("drain", build_all_states, drain_all);
    quick("clean", build_all_states, clean_all);
    close_queue();
}

TEST_LIMIT(retry_promotion_and_resumption_of_very_many_jobs, 1500)
{
    open_queue();
    quick("retry of all", build_failed, retry_all);
    quick("promotion of all", build_delayed, promote_all);
    quick("resume", build_paused, resume);
    close_queue();
}

TEST_LIMIT(obliteration_of_very_many_jobs, 1500)
{
    open_queue();
    quick("obliterate", build_all_states, obliterate);
    close_queue();
}

/* ---- looking ---- */

static void look_everywhere(void)
{
    sc_job_state state;
    sc_queue_counts counts;
    char middle[24];

    for (state = 0; state < SC_JOB_UNKNOWN; state++)
        for (int page = 0; page < 4; page++) {
            int64_t at = (int64_t)jobs / 8 * page;
            sc_job_list *list;

            assert_ok(sc_queue_get_jobs(queue, state, at, at + 999, page % 2, &list));
            sc_job_list_free(list);
        }
    for (size_t i = 1; i < 12; i++) {
        snprintf(middle, sizeof(middle), "%zu", jobs / 12 * i);
        assert_ok(sc_queue_get_state(queue, sc_slice_of(middle), &state));
    }
    assert_ok(sc_queue_get_counts(queue, &counts));
    assert_ok(
        sc_queue_get_priority_counts(queue, (const int64_t[]){0, 1, 5}, 3, (int64_t[3]){0}, NULL));
}

static void look_in_wait(void)
{
    sc_job_state state;
    char middle[24];

    snprintf(middle, sizeof(middle), "%zu", jobs / 2);
    assert_ok(sc_queue_get_state(queue, sc_slice_of(middle), &state));
    assert_int_equal(state, SC_JOB_WAITING);
}

TEST_LIMIT(looking_at_very_many_jobs, 1500)
{
    open_queue();
    quick("getters", build_all_states, look_everywhere);
    quick("state", build_waiting, look_in_wait);
    close_queue();
}

/* ---- single jobs amid very many ---- */

static void build_walk(void)
{
    put_jobs(1, jobs, IN_LIST("wait"));
}

static void change_single(void)
{
    char id[24];

    for (size_t i = 1; i < 8; i++) {
        snprintf(id, sizeof(id), "%zu", jobs / 8 * i);
        assert_ok(sc_queue_change_priority(queue, sc_slice_of(id), 0, false, NULL));
    }
    for (size_t i = 1; i < 8; i++) {
        snprintf(id, sizeof(id), "%zu", jobs / 8 * i - 1);
        assert_ok(sc_queue_remove(queue, sc_slice_of(id)));
    }
    assert_err(sc_queue_remove(queue, SC_S("none")), SC_ENOJOB);
    assert_int_equal(atol(redis("LLEN bull:q:wait")), jobs - 7);
    for (size_t i = 1; i < 8;
         i++) { /* the last that were put behind the others are the first from the left */
        snprintf(id, sizeof(id), "%zu", jobs / 8 * i);
        assert_string_equal(redis("LINDEX bull:q:wait %zu", 7 - i), id);
    }
}

TEST_LIMIT(single_jobs_amid_very_many, 1500)
{
    open_queue();
    quick("change and removal of waiting jobs", build_walk, change_single);
    assert_string_equal(redis("LPOS bull:q:wait %zu", jobs / 2 - 1), "(nil)");
    close_queue();
}

/* ---- events ---- */

static void build_events(void)
{
    for (size_t i = 0; i < jobs; i += SLICE)
        redis("EVAL "
              "for\ti=1,%d\tdo\tredis.call('XADD','bull:q:events','*','event','completed','jobId',"
              "i,'returnvalue','{}')\tend 0",
              SLICE);
}

static void trim_events(void)
{
    int64_t count;

    assert_ok(sc_queue_trim_events(queue, 10, &count, NULL));
    assert_true(count >= (int64_t)jobs - 1000);
}

TEST_LIMIT(the_cut_of_very_many_events, 1500)
{
    open_queue();
    quick("cut of the events", build_events, trim_events);
    close_queue();
}

/* ---- workers ---- */

static _Atomic size_t runs;

static sc_outcome succeed(sc_run *run, const sc_job *job, void *user)
{
    (void)run, (void)job, (void)user;
    runs++;
    return SC_DONE;
}

static void work(const sc_worker_opts *opts, size_t until)
{
    sc_worker *worker;

    runs = 0;
    assert_ok(sc_worker_new(client, SC_S("q"), opts, &worker, NULL));
    assert_ok(sc_worker_handle(worker, SC_S(""), succeed, NULL));
    assert_ok(sc_worker_start(worker));
    wait_until(runs >= until);
    assert_ok(sc_worker_close(worker, 5000, NULL));
    sc_worker_free(worker);
}

static void take_due(void)
{
    work(&(sc_worker_opts){.concurrency = 200}, 20000);
}

static void build_prioritized_delayed(void)
{
    put_jobs(1, jobs, IN_DELAYED "redis.call('HSET',base..id,'priority','5','delay','100')");
}

TEST_LIMIT(taking_from_very_many_due_jobs, 1500)
{
    open_queue();
    quick("take of due jobs", build_delayed, take_due);
    quick("take of due prioritized jobs", build_prioritized_delayed, take_due);
    close_queue();
}

static void build_kept(void)
{
    put_jobs(1, jobs, IN_SET("completed"));
    put_jobs(jobs + 1, jobs + 20000,
             IN_LIST("wait") "redis.call('HSET',base..id,'opts','{\"removeOnComplete\":{\"count\":'"
                             "..(i%50+1)..'}}')");
}

static void build_kept_by_age(void)
{
    put_jobs(1, jobs, IN_SET("completed"));
    put_jobs(jobs + 1, jobs + 20000,
             IN_LIST("wait") "redis.call('HSET',base..id,'opts','{\"removeOnComplete\":{\"age\":'.."
                             "(i%50+1)..'}}')");
}

static void finish_some(void)
{
    work(&(sc_worker_opts){.concurrency = 200}, 20000);
    assert_true(atol(redis("ZCARD bull:q:completed")) < (long)jobs);
}

TEST_LIMIT(retention_with_very_many_kept_jobs, 1500)
{
    open_queue();
    quick("retention by count", build_kept, finish_some);
    quick("retention by age", build_kept_by_age, finish_some);
    close_queue();
}

static void build_active(void)
{
    put_jobs(1, jobs / 2, IN_LIST("active"));
    redis("HSET bull:q:meta paused 1");
}

/* Two checks: the first one suspects all, the second gives them back. */
static void recover_all(void)
{
    sc_worker *worker;

    assert_ok(sc_worker_new(client, SC_S("q"), &(sc_worker_opts){.stalled_interval_ms = 100},
                            &worker, NULL));
    assert_ok(sc_worker_handle(worker, SC_S(""), succeed, NULL));
    assert_ok(sc_worker_start(worker));
    wait_until(atol(redis("LLEN bull:q:active")) == 0);
    sc_worker_free(worker);
    assert_int_equal(atol(redis("LLEN bull:q:wait")), jobs / 2);
}

TEST_LIMIT(recovery_of_very_many_stalled_jobs, 1500)
{
    open_queue();
    quick("stalled check", build_active, recover_all);
    close_queue();
}

/* ---- orphans ---- */

/* As many jobs as they may be looked for among, and 500 more that are in no state. */
static void build_orphans(void)
{
    size_t most = jobs < 190000 ? jobs : 190000;

    put_jobs(1, most / 2, IN_LIST("wait"));
    put_jobs(most / 2 + 1, most, IN_LIST("active"));
    put_jobs(most + 1, most + 500, "");
}

static void remove_orphans(void)
{
    int64_t count;

    assert_ok(sc_queue_remove_orphans(queue, 0, NULL, &count, NULL));
    assert_int_equal(count, 500);
}

TEST_LIMIT(orphans_amid_very_many_jobs, 1500)
{
    open_queue();
    quick("removing orphans", build_orphans, remove_orphans);
    close_queue();
}

/* ---- metrics ---- */

static void build_old_metrics(void)
{
    redis("HSET bull:q:metrics:completed count 5 prevTS 1 prevCount 0");
}

static sc_outcome complete(sc_run *run, const sc_job *job, void *user)
{
    (void)run;
    (void)job;
    (void)user;
    return SC_DONE;
}

/* The first job after years, then all points are read. */
static void count_one(void)
{
    const sc_worker_opts opts = {.metrics_points = 20160};
    const sc_job_spec spec = {.name = SC_S("n")};
    sc_metrics *metrics;
    sc_worker *worker;

    assert_ok(sc_queue_add(queue, &spec, NULL, NULL));
    assert_ok(sc_worker_new(client, SC_S("q"), &opts, &worker, NULL));
    assert_ok(sc_worker_handle(worker, SC_S(""), complete, NULL));
    assert_ok(sc_worker_start(worker));
    wait_until(strcmp(redis("HGET bull:q:metrics:completed count"), "6") == 0);
    assert_ok(sc_worker_close(worker, 1000, NULL));
    sc_worker_free(worker);
    assert_ok(sc_queue_get_metrics(queue, SC_JOB_COMPLETED, 0, -1, &metrics, NULL));
    assert_int_equal(metrics->point_count, 20160);
    sc_free(metrics);
}

TEST(metrics_of_very_many_minutes)
{
    open_queue();
    quick("metrics", build_old_metrics, count_one);
    close_queue();
}

/* ---- children ---- */

enum { CHILDREN = 500 };

/* A parent of the jobs that have waited longest, which stand at the far end of a long list. */
static void build_parent(void)
{
    put_jobs(1, jobs, IN_LIST("wait"));
    redis("EVAL for\ti=1,%d\tdo\tredis.call('HSET','bull:q:'..i,'parentKey','bull:q:p')"
          "redis.call('SADD','bull:q:p:dependencies','bull:q:'..i)\tend 0",
          CHILDREN);
    redis("HSET bull:q:p name p data {} opts {\"removeOnComplete\":true} timestamp 1");
    redis("ZADD bull:q:waiting-children 1 p");
}

/* Likewise of jobs amid the list, through which each must be searched: 10 ms are a way of 500,000. */
static void build_parent_of_middle(void)
{
    size_t at = jobs - (jobs < 200000 ? jobs / 2 : 100000);

    put_jobs(1, jobs, IN_LIST("wait"));
    redis("EVAL for\ti=%zu,%zu\tdo\tredis.call('HSET','bull:q:'..i,'parentKey','bull:q:p')"
          "redis.call('SADD','bull:q:p:dependencies','bull:q:'..i)\tend 0",
          at + 1, at + 50);
    redis("HSET bull:q:p name p data {} opts {} timestamp 1");
    redis("ZADD bull:q:waiting-children 1 p");
}

static void remove_middle(void)
{
    assert_ok(sc_queue_remove_unprocessed_children(queue, SC_S("p"), NULL));
    assert_int_equal(atol(redis("LLEN bull:q:wait")), (long)jobs - 50 + 1);
}

/* A tree as large as one may be. */
static void add_flow(void)
{
    static sc_flow_node children[SC_FLOW_NODES_MAX - 1];
    const sc_job_opts opts = {.delay_ms = 1000};
    const sc_flow_node root = {.queue = SC_S("q"),
                               .job = {.name = SC_S("root")},
                               .children = children,
                               .child_count = SC_FLOW_NODES_MAX - 1};

    for (size_t i = 0; i < SC_FLOW_NODES_MAX - 1; i++)
        children[i] = (sc_flow_node){.queue = SC_S("q"),
                                     .job = {.name = SC_S("n"), .opts = i % 2 ? &opts : NULL}};
    assert_ok(sc_flow_add(client, &root, NULL, NULL, NULL));
}

static void build_processed(void)
{
    for (size_t from = 1; from <= jobs; from += SLICE)
        redis("EVAL "
              "for\ti=%zu,%zu\tdo\tredis.call('HSET','bull:q:p:processed','bull:q:'..i,i)\tend 0",
              from, from + SLICE - 1 < jobs ? from + SLICE - 1 : jobs);
    redis("HSET bull:q:p name p data {} opts {\"removeOnComplete\":true} timestamp 1");
}

static void remove_children(void)
{
    assert_ok(sc_queue_remove_unprocessed_children(queue, SC_S("p"), NULL));
    assert_int_equal(atol(redis("LLEN bull:q:wait")), (long)jobs - CHILDREN + 1);
}

static void remove_tree(void)
{
    assert_ok(sc_queue_remove(queue, SC_S("p")));
    assert_int_equal(atol(redis("LLEN bull:q:wait")), (long)jobs - CHILDREN);
}

static void read_values(void)
{
    sc_child_list *list;

    assert_ok(sc_queue_get_children_values(queue, SC_S("p"), &list, NULL));
    assert_int_equal(list->count, jobs);
    sc_child_list_free(list);
}

static void complete_parent(void)
{
    sc_worker *worker;

    redis("LPUSH bull:q:wait p");
    assert_ok(sc_worker_new(client, SC_S("q"), NULL, &worker, NULL));
    assert_ok(sc_worker_handle(worker, SC_S(""), complete, NULL));
    assert_ok(sc_worker_start(worker));
    wait_until(strcmp(redis("EXISTS bull:q:p bull:q:p:processed"), "0") == 0);
    assert_ok(sc_worker_close(worker, 1000, NULL));
    sc_worker_free(worker);
}

static void remove_alone(void)
{
    assert_ok(
        sc_queue_remove_with(queue, SC_S("p"), &(sc_remove_opts){.keep_children = true}, NULL));
}

TEST_LIMIT(children_among_very_many_jobs_are_removed, 120)
{
    open_queue();
    quick("removing children", build_parent, remove_children);
    quick("removing children amid others", build_parent_of_middle, remove_middle);
    quick("removing a tree", build_parent, remove_tree);
    quick("adding a flow", build_waiting, add_flow);
    close_queue();
}

TEST_LIMIT(a_parent_of_very_many_children, 120)
{
    open_queue();
    quick("reading results", build_processed, read_values);
    quick("completing a parent", build_processed, complete_parent);
    quick("removing a parent", build_processed, remove_alone);
    close_queue();
}
