/* Workers while Redis, connections and workers themselves die: nothing is lost, nothing is recorded twice. */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <storychain/queue.h>
#include <storychain/worker.h>
#include <storychain/worker_event.h>

#include "base/clock.h"
#include "support/server.h"
#include "support/test.h"
#include "worker/worker.h"

enum { JOBS = 3000 };

static const char *const durable[] = {"--appendonly", "yes", "--appendfsync", "always", NULL};

struct site {
    struct test_server server;
    sc_client *client;
    sc_queue *queue;
    sc_worker *worker;
    _Atomic int runs;
    _Atomic bool may_end;
    _Atomic int may_end_until; /* of the runs, by their number */
};

static sc_outcome count_run(sc_run *run, const sc_job *job, void *user)
{
    struct site *s = user;

    (void)job;
    s->runs++;
    return sc_run_return(run, SC_S("1"));
}

static sc_outcome spend_time(sc_run *run, const sc_job *job, void *user)
{
    (void)run, (void)job, (void)user;
    poll(NULL, 0, 2); /* stands for work: something must be under way when the fault comes */
    return SC_DONE;
}

static void site_fill(struct site *s, size_t jobs)
{
    sc_job_spec *specs = calloc(jobs, sizeof(*specs));

    s->client = test_server_client(&s->server);
    assert_ok(sc_queue_new(s->client, SC_S("q"), &(sc_queue_opts){.max_events = 1000000}, &s->queue,
                           NULL));
    wait_until(strcmp(test_redis(&s->server, "HGET bull:q:meta opts.maxLenEvents"), "1000000") ==
               0);
    for (size_t i = 0; i < jobs; i++)
        specs[i] = (sc_job_spec){.name = SC_S("job"), .data = SC_S("{}")};
    assert_ok(sc_queue_add_bulk(s->queue, specs, jobs, NULL, NULL, NULL));
    free(specs);
}

static void site_open(struct site *s, size_t jobs)
{
    memset(s, 0, sizeof(*s));
    test_server_start_args(&s->server, durable);
    site_fill(s, jobs);
}

static void site_work(struct site *s, const sc_worker_opts *opts, sc_processor processor)
{
    assert_ok(sc_worker_new(s->client, SC_S("q"), opts, &s->worker, NULL));
    assert_ok(sc_worker_handle(s->worker, SC_S(""), processor, s));
    assert_ok(sc_worker_start(s->worker));
}

static void site_close(struct site *s)
{
    sc_worker_free(s->worker);
    sc_queue_free(s->queue);
    sc_client_free(s->client);
}

/* Locks end and are looked for often: as often as the machine is busy a job may stall, though its worker lives. */
#define brave(slots, lock, interval)                                                               \
    (const sc_worker_opts)                                                                         \
    {                                                                                              \
        .concurrency = (slots), .lock_ms = (lock), .stalled_interval_ms = (interval),              \
        .max_stalled = 1000                                                                        \
    }

static int64_t completed(struct site *s)
{
    return strtoll(test_redis(&s->server, "ZCARD bull:q:completed"), NULL, 10);
}

/* How many `completed` events there are, and of how many jobs: "3000 3000". */
static const char *completions(struct site *s)
{
    static const char script[] =
        "local n, ids, jobs = 0, {}, 0\n"
        "for _, entry in ipairs(redis.call('XRANGE', KEYS[1], '-', '+')) do\n"
        "  local fields = entry[2]\n"
        "  if fields[2] == 'completed' then\n"
        "    n = n + 1\n"
        "    if not ids[fields[4]] then ids[fields[4]] = true; jobs = jobs + 1 end\n"
        "  end\n"
        "end\n"
        "return n .. ' ' .. jobs";
    const sc_slice argv[] = {
        SC_S("EVAL"), {script, sizeof(script) - 1}, SC_S("1"), SC_S("bull:q:events")};
    static char text[64];
    sc_reply *reply;

    assert_ok(sc_client_call(s->client, argv, 4, &reply));
    snprintf(text, sizeof(text), "%.*s", (int)reply->str.len, reply->str.ptr);
    sc_reply_free(reply);
    return text;
}

/* Each job is completed, with one event that says so, and nothing is left anywhere else. */
static void assert_each_completed_once(struct site *s, int jobs)
{
    char want[64];

    snprintf(want, sizeof(want), "%d %d", jobs, jobs);
    assert_string_equal(completions(s), want);
    assert_string_equal(test_redis(&s->server, "LLEN bull:q:wait"), "0");
    assert_string_equal(test_redis(&s->server, "LLEN bull:q:active"), "0");
    assert_string_equal(test_redis(&s->server, "ZCARD bull:q:failed"), "0");
    assert_string_equal(test_redis(&s->server, "ZCARD bull:q:delayed"), "0");
}

TEST_LIMIT(redis_killed_and_restarted_loses_no_job_and_records_none_twice, 60)
{
    struct site s;

    site_open(&s, JOBS);
    site_work(&s, &brave(20, 3000, 500), count_run);
    for (int kills = 1; kills <= 3; kills++) {
        wait_until(s.runs >= JOBS * kills / 5);
        test_server_kill(&s.server, SIGKILL);
        test_server_restart(&s.server);
    }
    wait_until(completed(&s) == JOBS);
    assert_each_completed_once(&s, JOBS);
    site_close(&s);
}

TEST_LIMIT(cut_connections_lose_no_job_and_record_none_twice, 60)
{
    struct site s;

    site_open(&s, JOBS);
    site_work(&s, &brave(10, 3000, 500), spend_time);
    for (int cuts = 1; cuts <= 8; cuts++) {
        wait_until(completed(&s) >= JOBS * cuts / 10);
        test_redis(&s.server, "CLIENT KILL TYPE normal");
    }
    wait_until(completed(&s) == JOBS);
    assert_each_completed_once(&s, JOBS);
    site_close(&s);
}

TEST(forgotten_scripts_are_loaded_again_unnoticed)
{
    struct site s;

    site_open(&s, JOBS);
    site_work(&s, &(sc_worker_opts){.concurrency = 10}, count_run);
    wait_until((test_redis(&s.server, "SCRIPT FLUSH"), completed(&s) == JOBS));
    assert_each_completed_once(&s, JOBS);
    assert_int_equal(s.runs, JOBS);
    site_close(&s);
}

/* The first run of a job ends in one of three ways; the second completes it. */
static sc_outcome take_turns(sc_run *run, const sc_job *job, void *user)
{
    struct site *s = user;
    int turn = s->runs++ % 3;

    if (job->attempts_started > 1 || turn == 0)
        return SC_DONE;
    return turn == 1 ? sc_run_delay(run, 1) : sc_run_limit(run, 1);
}

TEST_LIMIT(a_server_out_of_memory_still_gives_jobs_and_records_outcomes, 60)
{
    struct site s;

    site_open(&s, 300);
    test_redis(&s.server, "CONFIG SET maxmemory 1");
    site_work(&s, &(sc_worker_opts){.concurrency = 20}, take_turns);
    wait_until(completed(&s) == 300);
    assert_each_completed_once(&s, 300);
    site_close(&s);
}

static sc_outcome wait_for_leave(sc_run *run, const sc_job *job, void *user)
{
    struct site *s = user;

    (void)job;
    s->runs++;
    while (!s->may_end && !sc_run_is_cancelled(run))
        poll(NULL, 0, 2);
    return SC_DONE;
}

TEST(a_server_out_of_memory_still_renews_locks)
{
    struct site s;
    sc_worker_stats stats;

    site_open(&s, 1);
    site_work(&s, &(sc_worker_opts){.lock_ms = 600000, .lock_renew_ms = 20}, wait_for_leave);
    wait_until(s.runs == 1);
    test_redis(&s.server, "CONFIG SET maxmemory 1");
    for (int i = 0; i < 3; i++) {
        test_redis(&s.server, "PEXPIRE bull:q:1:lock 300000");
        wait_until(atoi(test_redis(&s.server, "PTTL bull:q:1:lock")) > 300000);
    }
    s.may_end = true;
    wait_until(completed(&s) == 1);
    sc_worker_stats_get(s.worker, &stats);
    assert_int_equal(stats.locks_lost, 0);
    site_close(&s);
}

/* As after a failed save (MISCONF), but quick to bring about. */
TEST_LIMIT(a_server_that_refuses_writes_for_a_while_loses_no_job, 60)
{
    struct site s;

    site_open(&s, JOBS);
    site_work(&s, &(sc_worker_opts){.concurrency = 10}, spend_time);
    for (int times = 1; times <= 3; times++) {
        wait_until(completed(&s) > JOBS * times / 5);
        test_redis(&s.server, "CONFIG RESETSTAT");
        test_redis(&s.server, "CONFIG SET min-replicas-to-write 1");
        wait_until(strstr(test_redis(&s.server, "INFO errorstats"), "NOREPLICAS"));
        test_redis(&s.server, "CONFIG SET min-replicas-to-write 0");
    }
    wait_until(completed(&s) == JOBS);
    assert_each_completed_once(&s, JOBS);
    site_close(&s);
}

/* A process that works on the queue until it is killed. */
static pid_t fork_worker(const struct test_server *server)
{
    pid_t pid = fork();

    if (pid == 0) {
        struct site s = {.server = *server};

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        s.client = test_server_client(server);
        site_work(&s, &brave(10, 500, 300), spend_time);
        for (;;)
            pause();
    }
    return pid;
}

TEST_LIMIT(killed_workers_lose_no_job_and_record_none_twice, 60)
{
    struct site s = {0};
    pid_t pids[2];
    int status;

    /* The processes come first: a process with threads should not fork. */
    test_server_start_args(&s.server, durable);
    for (int i = 0; i < 2; i++)
        pids[i] = fork_worker(&s.server);
    site_fill(&s, JOBS);
    for (int i = 0; i < 2; i++) {
        wait_until(completed(&s) > JOBS * (i + 1) / 6);
        kill(pids[i], SIGKILL);
        waitpid(pids[i], &status, 0);
    }
    site_work(&s, &brave(10, 500, 300), count_run);
    wait_until(completed(&s) == JOBS);
    assert_each_completed_once(&s, JOBS);
    site_close(&s);
}

TEST(closing_without_a_server_ends_in_time)
{
    struct site s;
    int back = -1;

    site_open(&s, 50);
    site_work(&s, &(sc_worker_opts){.concurrency = 5}, spend_time);
    wait_until(completed(&s) > 5);
    test_server_kill(&s.server, SIGKILL);
    assert_ok(sc_worker_close(s.worker, 100, &back));
    assert_int_equal(back, 0);
    test_server_restart(&s.server);
    site_close(&s);
}

static sc_outcome wait_for_end(sc_run *run, const sc_job *job, void *user)
{
    struct site *s = user;
    const int number = ++s->runs;

    (void)run, (void)job;
    while (s->may_end_until < number)
        poll(NULL, 0, 1);
    return SC_DONE;
}

static void add_jobs(struct site *s, int count)
{
    const sc_job_spec spec = {.name = SC_S("job"), .data = SC_S("{}")};

    for (int i = 0; i < count; i++)
        assert_ok(sc_queue_add(s->queue, &spec, NULL, NULL));
}

static uint64_t timeouts(const struct site *s)
{
    sc_client_stats stats;

    sc_client_stats_get(s->client, &stats);
    return stats.timeouts;
}

/* Its commands wait for so long. */
static void site_connect(struct site *s, int64_t timeout_ms)
{
    const sc_client_opts opts = {.url = s->server.url, .command_timeout_ms = timeout_ms};

    assert_ok(sc_client_new(&opts, &s->client, NULL));
    assert_ok(sc_client_wait_ready(s->client, 60000, NULL));
}

/* An outcome's call is lost, with the jobs that it may have taken; those can't be looked for, again and again; then the wait for the marker
 * is answered first. */
TEST_LIMIT(jobs_of_a_lost_answer_are_looked_for_until_they_can_be, 60)
{
    const sc_worker_opts opts = {
        .concurrency = 2, .lock_ms = 3600000, .drain_delay_ms = 600000, .skip_stalled_check = true};
    struct site s = {0};
    sc_client *adder;

    test_server_start(&s.server);
    site_connect(&s, 200);
    adder = test_server_client(&s.server);
    assert_ok(sc_queue_new(adder, SC_S("q"), NULL, &s.queue, NULL));
    site_work(&s, &opts, wait_for_end);
    add_jobs(&s, 1);
    wait_until(s.runs == 1);
    wait_until(strstr(test_redis(&s.server, "CLIENT LIST"), "cmd=bzpopmin"));

    test_redis(&s.server, "CLIENT PAUSE 600000 WRITE");
    s.may_end_until = 1;
    wait_until(timeouts(&s) >= 16);
    test_redis(&s.server, "CLIENT UNPAUSE");
    add_jobs(&s, 1);
    wait_until(s.runs == 2);
    s.may_end_until = 2;
    add_jobs(&s, 2);
    wait_until(s.runs == 4); /* no slot is kept for ever */
    s.may_end_until = 4;
    wait_until(completed(&s) == 4);
    site_close(&s);
    sc_client_free(adder);
}

/* The I/O thread is held up here until the pause after failures is over, though its timer has not come. */
static void outlast_pause(void *user, const sc_worker_event *event)
{
    const struct site *s = user;

    if (event->kind == SC_WORKER_COMPLETED)
        while (sc__mono_ms() <= s->worker->fetcher.pause_until)
            poll(NULL, 0, 1);
}

struct pause {
    const sc_worker *worker;
    int64_t left_ms;
};

static void ask_pause(void *arg)
{
    struct pause *p = arg;

    p->left_ms = p->worker->fetcher.pause_until - sc__mono_ms();
}

static int64_t pause_left_ms(const struct site *s)
{
    struct pause p = {s->worker, 0};

    sc__loop_run_wait(s->worker->core.loop, ask_pause, &p);
    return p.left_ms;
}

/* An outcome's call is lost, and with it the only slot. The jobs that it may have taken are to be looked for again after a pause, at whose very
 * end the outcome is recorded. */
TEST_LIMIT(jobs_of_a_lost_answer_are_looked_for_though_an_answer_comes_as_the_pause_ends, 60)
{
    struct site s = {0};
    const sc_worker_opts opts = {.lock_ms = 3600000,
                                 .drain_delay_ms = 600000,
                                 .skip_stalled_check = true,
                                 .on_event = outlast_pause,
                                 .on_event_user = &s};
    sc_client *adder;

    test_server_start(&s.server);
    site_connect(&s, 200);
    adder = test_server_client(&s.server);
    assert_ok(sc_queue_new(adder, SC_S("q"), NULL, &s.queue, NULL));
    site_work(&s, &opts, wait_for_end);
    add_jobs(&s, 1);
    wait_until(s.runs == 1);

    test_redis(&s.server, "CLIENT PAUSE 600000 WRITE");
    s.may_end_until = 1;
    wait_until(pause_left_ms(&s) > 1700);
    test_redis(&s.server, "CLIENT UNPAUSE");
    add_jobs(&s, 1);
    wait_until(s.runs == 2);
    s.may_end_until = 2;
    wait_until(completed(&s) == 2);
    site_close(&s);
    sc_client_free(adder);
}

static void *close_worker(void *arg)
{
    assert_ok(sc_worker_close(arg, 0, NULL));
    return NULL;
}

/* The answers to a take, and to an outcome behind it, come when closing has given up. */
TEST(a_closed_worker_hears_no_channel_whatever_it_is_answered_late)
{
    struct site s = {0};
    pthread_t closing;

    test_server_start(&s.server);
    site_connect(&s, 600000);
    assert_ok(sc_queue_new(s.client, SC_S("q"), NULL, &s.queue, NULL));
    site_work(&s, NULL, wait_for_end);
    add_jobs(&s, 1);
    wait_until(
        strcmp(test_redis(&s.server, "PUBSUB NUMSUB bull:q:sc:cancel"), "bull:q:sc:cancel 1") == 0);
    test_redis(&s.server, "CLIENT PAUSE 600000 WRITE");
    assert_ok(sc_worker_set_concurrency(s.worker, 2));
    s.may_end_until = 1;
    pthread_create(&closing, NULL, close_worker, s.worker);
    wait_until(
        strcmp(test_redis(&s.server, "PUBSUB NUMSUB bull:q:sc:cancel"), "bull:q:sc:cancel 0") == 0);
    test_redis(&s.server, "CLIENT UNPAUSE");
    pthread_join(closing, NULL);
    sc_worker_free(s.worker);

    site_work(&s, NULL, count_run);
    add_jobs(&s, 1);
    wait_until(completed(&s) == 2);
    site_close(&s);
}
