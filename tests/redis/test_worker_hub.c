/* worker/hub.c: many workers that wait for their markers on one connection */
#include <stdatomic.h>

#include <storychain/control.h>
#include <storychain/queue.h>
#include <storychain/worker.h>

#include "support/server.h"
#include "support/test.h"

enum { QUEUES = 200 };

struct many {
    struct test_server server;
    sc_client *client;
    sc_queue *queues[QUEUES];
    sc_worker *workers[QUEUES];
    size_t count;
    atomic_int runs;
};

static sc_outcome count_run(sc_run *run, const sc_job *job, void *user)
{
    struct many *m = user;

    (void)run, (void)job;
    m->runs++;
    return SC_DONE;
}

static void name_of(size_t i, char name[16])
{
    snprintf(name, 16, "q%zu", i);
}

static void open_many(struct many *m, size_t count, int64_t drain_delay_ms)
{
    const sc_worker_opts opts = {.share_connection = true, .drain_delay_ms = drain_delay_ms};
    char name[16];

    *m = (struct many){.count = count};
    test_server_start(&m->server);
    m->client = test_server_client(&m->server);
    for (size_t i = 0; i < count; i++) {
        name_of(i, name);
        assert_ok(sc_queue_new(m->client, sc_slice_of(name), NULL, &m->queues[i], NULL));
        assert_ok(sc_worker_new(m->client, sc_slice_of(name), &opts, &m->workers[i], NULL));
        assert_ok(sc_worker_handle(m->workers[i], SC_S(""), count_run, m));
        assert_ok(sc_worker_start(m->workers[i]));
    }
}

static void close_many(struct many *m)
{
    for (size_t i = 0; i < m->count; i++) {
        sc_worker_free(m->workers[i]);
        sc_queue_free(m->queues[i]);
    }
    sc_client_free(m->client);
}

static void add(struct many *m, size_t i, int64_t delay_ms)
{
    const sc_job_opts opts = {.delay_ms = delay_ms};
    const sc_job_spec spec = {.name = SC_S("job"), .data = SC_S("{}"), .opts = &opts};

    assert_ok(sc_queue_add(m->queues[i], &spec, NULL, NULL));
}

static int lines_of(const char *text)
{
    int lines = 0;

    for (; *text; text++)
        lines += *text == '\n';
    return lines;
}

static bool all_wait(struct many *m)
{
    return strstr(test_redis(&m->server, "CLIENT LIST"), "cmd=bzpopmin") != NULL;
}

TEST(many_idle_queues_wait_on_one_connection_and_each_gets_its_jobs)
{
    struct many m;

    open_many(&m, QUEUES, 60000);
    wait_until(all_wait(&m));
    /* The client's, the one that is shared, and the one that asks. */
    assert_int_equal(lines_of(test_redis(&m.server, "CLIENT LIST")), 3);

    for (int round = 1; round <= 3; round++) {
        for (size_t i = 0; i < QUEUES; i++)
            add(&m, i, 0);
        wait_until(m.runs == round * QUEUES);
    }
    add(&m, QUEUES / 2, 0);
    wait_until(m.runs == 3 * QUEUES + 1);
    close_many(&m);
}

TEST(delayed_jobs_of_a_shared_connection_run_at_their_time)
{
    struct many m;

    open_many(&m, 20, 60000);
    wait_until(all_wait(&m));
    for (size_t i = 0; i < 20; i++)
        add(&m, i, 20 + (int64_t)i);
    wait_until(m.runs == 20);
    close_many(&m);
}

TEST(a_worker_that_leaves_the_shared_connection_leaves_its_marker_and_the_others_wait_on)
{
    struct many m;

    open_many(&m, 3, 60000);
    wait_until(all_wait(&m));
    add(&m, 1, 3600000);
    wait_until(strcmp(test_redis(&m.server, "ZCARD bull:q1:marker"), "0") == 0);
    assert_ok(sc_worker_close(m.workers[1], 0, NULL));
    assert_string_equal(test_redis(&m.server, "ZRANGE bull:q1:marker 0 -1"), "1");

    add(&m, 0, 0);
    add(&m, 2, 0);
    wait_until(m.runs == 2);
    close_many(&m);
}

TEST(a_paused_worker_of_a_shared_connection_takes_nothing_until_it_is_resumed)
{
    struct many m;

    open_many(&m, 3, 60000);
    wait_until(all_wait(&m));
    sc_worker_pause(m.workers[0]);
    add(&m, 0, 0);
    add(&m, 1, 0);
    wait_until(m.runs == 1);
    assert_string_equal(test_redis(&m.server, "LLEN bull:q0:wait"), "1");
    sc_worker_resume(m.workers[0]);
    wait_until(m.runs == 2);
    close_many(&m);
}

TEST(a_cut_shared_connection_is_made_anew)
{
    struct many m;

    open_many(&m, 10, 60000);
    for (int round = 1; round <= 5; round++) {
        wait_until(all_wait(&m));
        test_redis(&m.server, "CLIENT KILL TYPE normal SKIPME yes");
        for (size_t i = 0; i < 10; i++) {
            const sc_job_spec spec = {.name = SC_S("job"), .data = SC_S("{}")};

            wait_until(sc_queue_add(m.queues[i], &spec, NULL, NULL) == SC_OK);
        }
        wait_until(m.runs >= round * 10);
    }
    close_many(&m);
}

TEST(a_spoilt_marker_holds_up_no_other_queue)
{
    struct many m;

    open_many(&m, 5, 200);
    wait_until(all_wait(&m));
    test_redis(&m.server, "SET bull:q3:marker text");
    for (int round = 1; round <= 3; round++) {
        add(&m, 0, 0);
        add(&m, 4, 0);
        wait_until(m.runs == 2 * round);
    }
    test_redis(&m.server, "DEL bull:q3:marker");
    add(&m, 3, 0);
    wait_until(m.runs == 7);
    close_many(&m);
}
