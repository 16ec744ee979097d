/* Jobs taken by hand while Redis dies or refuses: nothing is lost, and who waits for an outcome hears what became of it. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include <storychain/queue.h>
#include <storychain/take.h>

#include "support/server.h"
#include "support/test.h"

enum { JOBS = 1500, THREADS = 4 };

static const char *const durable[] = {"--appendonly", "yes", "--appendfsync", "always", NULL};

static struct test_server server;
static sc_client *client;
static sc_queue *queue;
static sc_worker *worker;
static _Atomic int ended;
static _Atomic bool all_done;

static void open_queue(size_t jobs, int64_t lock_ms)
{
    sc_job_spec *specs = calloc(jobs, sizeof(*specs));

    test_server_start_args(&server, durable);
    client = test_server_client(&server);
    assert_ok(sc_queue_new(client, SC_S("q"), NULL, &queue, NULL));
    for (size_t i = 0; i < jobs; i++)
        specs[i] = (sc_job_spec){.name = SC_S("job")};
    assert_ok(sc_queue_add_bulk(queue, specs, jobs, NULL, NULL, NULL));
    assert_ok(sc_worker_new(
        client, SC_S("q"),
        &(sc_worker_opts){.lock_ms = lock_ms, .stalled_interval_ms = 500, .max_stalled = 1000},
        &worker, NULL));
    free(specs);
}

static void close_queue(void)
{
    sc_worker_free(worker);
    sc_queue_free(queue);
    sc_client_free(client);
}

/* Takes the next with each end, and asks anew after an error. */
static void *take_until_done(void *arg)
{
    sc_run *run = NULL, *next;

    (void)arg;
    while (!all_done) {
        if (!run && sc_worker_take(worker, 200, &run))
            continue;
        next = NULL;
        if (sc_run_end(run, SC_DONE, &next) == SC_OK)
            ended++;
        run = next;
    }
    if (run && sc_run_end(run, SC_DONE, NULL) == SC_OK)
        ended++;
    return NULL;
}

static int completed(void)
{
    return atoi(test_redis(&server, "ZCARD bull:q:completed"));
}

TEST_LIMIT(a_killed_server_loses_no_job_in_hand, 60)
{
    pthread_t threads[THREADS];

    open_queue(JOBS, 3000);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, take_until_done, NULL);
    wait_until(ended > JOBS / 4);
    test_server_kill(&server, SIGKILL);
    test_server_restart(&server);
    wait_until(completed() == JOBS);
    all_done = true;
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);

    assert_int_equal(completed(), JOBS);
    assert_string_equal(test_redis(&server, "LLEN bull:q:active"), "0");
    assert_string_equal(test_redis(&server, "LLEN bull:q:wait"), "0");
    close_queue();
}

/* A run that another thread ends. */
struct ending {
    sc_err err;
    sc_run *run;
};

static void *end_one(void *arg)
{
    struct ending *e = arg;

    e->err = sc_run_end(e->run, SC_DONE, NULL);
    ended++;
    return NULL;
}

TEST(an_end_waits_until_the_server_takes_writes_again)
{
    struct ending end = {SC_EINTERNAL, NULL};
    pthread_t thread;

    open_queue(1, 600000);
    assert_ok(sc_worker_take(worker, 0, &end.run));
    test_redis(&server, "CONFIG SET min-replicas-to-write 1");
    pthread_create(&thread, NULL, end_one, &end);
    wait_until(strstr(test_redis(&server, "INFO errorstats"), "NOREPLICAS"));
    assert_int_equal(ended, 0);
    test_redis(&server, "CONFIG SET min-replicas-to-write 0");
    pthread_join(thread, NULL);

    assert_int_equal(end.err, SC_OK);
    assert_int_equal(completed(), 1);
    close_queue();
}

TEST(an_end_that_waits_is_told_when_the_worker_closes)
{
    struct ending end = {SC_OK, NULL};
    pthread_t thread;

    open_queue(1, 600000);
    assert_ok(sc_worker_take(worker, 0, &end.run));
    test_redis(&server, "CONFIG SET min-replicas-to-write 1");
    pthread_create(&thread, NULL, end_one, &end);
    wait_until(strstr(test_redis(&server, "INFO errorstats"), "NOREPLICAS"));
    assert_ok(sc_worker_close(worker, 0, NULL));
    pthread_join(thread, NULL);

    assert_int_equal(end.err, SC_ECANCELED);
    close_queue();
}
