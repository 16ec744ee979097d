/* queue/adder.c: the adds of many threads, and calls in flight */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "queue_add_fixture.h"

static sc_queue *shared;
static atomic_int ids_seen[20001];

static void *add_many(void *arg)
{
    const sc_job_spec spec = {.name = SC_S("n"), .data = SC_S("{\"a\":1}")};

    for (int i = 0; i < *(int *)arg; i++) {
        char *id = NULL;

        if (sc_queue_add(shared, &spec, &id, NULL) == SC_OK)
            atomic_fetch_add(&ids_seen[atoi(id)], 1);
        sc_free(id);
    }
    return NULL;
}

TEST(threads_that_add_at_once_each_get_their_own_id)
{
    enum { THREADS = 16 };
    int each = 200;
    pthread_t threads[THREADS];
    sc_client *client;

    test_server_start(&server);
    client = test_server_client(&server);
    shared = open_queue(client, NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, add_many, &each);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);

    for (int i = 1; i <= THREADS * each; i++)
        assert_int_equal(atomic_load(&ids_seen[i]), 1);
    assert_redis("LLEN bull:q:wait", "3200");
    sc_queue_free(shared);
    sc_client_free(client);
}

static atomic_int answers;
static atomic_int last_error;
static char async_ids[64];

static void on_added(void *user, sc_err err, const sc_id_list *ids)
{
    (void)user;
    atomic_store(&last_error, err);
    for (size_t i = 0; ids && i < ids->count && strlen(async_ids) < 32; i++) {
        strcat(async_ids, ids->ids[i].ptr);
        strcat(async_ids, " ");
    }
    atomic_fetch_add(&answers, 1);
}

TEST(async_adds_keep_their_order_and_copy_what_they_are_given)
{
    char data[] = "[1]", name[] = "n";
    const sc_job_spec spec = {.name = {name, 1}, .data = {data, 3}};
    sc_client *client;
    sc_queue *queue;

    test_server_start(&server);
    client = test_server_client(&server);
    queue = open_queue(client, NULL);
    for (int i = 0; i < 5; i++)
        assert_ok(sc_queue_add_async(queue, &spec, 1, on_added, NULL));
    memset(data, 'x', 3);
    name[0] = 'x';
    wait_until(atomic_load(&answers) == 5);

    assert_string_equal(async_ids, "1 2 3 4 5 ");
    assert_redis("HMGET bull:q:5 name data", "n [1]");
    assert_err(sc_queue_add_async(queue, &spec, 0, on_added, NULL), SC_EINVAL);
    sc_queue_free(queue);
    sc_client_free(client);
}

TEST(adds_that_come_while_a_call_is_in_flight_share_the_next_one)
{
    const sc_job_spec spec = {.name = SC_S("n")};
    sc_client_stats before, after;
    sc_client *client;
    sc_queue *queue;

    test_server_start(&server);
    client = test_server_client(&server);
    queue = open_queue(client, NULL);
    assert_ok(sc_queue_add(queue, &spec, NULL, NULL));
    sc_client_stats_get(client, &before);
    kill(server.pid, SIGSTOP);
    for (int i = 0; i < 200; i++)
        assert_ok(sc_queue_add_async(queue, &spec, 1, on_added, NULL));
    kill(server.pid, SIGCONT);
    wait_until(atomic_load(&answers) == 200);
    sc_client_stats_get(client, &after);

    assert_true(after.commands - before.commands <= 4);
    assert_redis("LLEN bull:q:wait", "201");
    sc_queue_free(queue);
    sc_client_free(client);
}

TEST(freeing_a_queue_waits_for_its_async_adds)
{
    const sc_job_spec spec = {.name = SC_S("n")};
    sc_client *client;
    sc_queue *queue;

    test_server_start(&server);
    client = test_server_client(&server);
    queue = open_queue(client, NULL);
    for (int i = 0; i < 100; i++)
        assert_ok(sc_queue_add_async(queue, &spec, 1, on_added, NULL));
    sc_queue_free(queue);

    assert_int_equal(atomic_load(&answers), 100);
    assert_int_equal(atomic_load(&last_error), SC_OK);
    sc_client_free(client);
}

static void add_on_io_thread(void *user, sc_err err, const sc_id_list *ids)
{
    const sc_job_spec spec = {.name = SC_S("n")};

    (void)err, (void)ids;
    atomic_store(&last_error, sc_queue_add(user, &spec, NULL, NULL));
    atomic_fetch_add(&answers, 1);
}

TEST(a_waiting_add_on_the_io_thread_is_refused)
{
    const sc_job_spec spec = {.name = SC_S("n")};
    sc_client *client;
    sc_queue *queue;

    test_server_start(&server);
    client = test_server_client(&server);
    queue = open_queue(client, NULL);
    assert_ok(sc_queue_add_async(queue, &spec, 1, add_on_io_thread, queue));
    wait_until(atomic_load(&answers) == 1);

    assert_int_equal(atomic_load(&last_error), SC_EDEADLK);
    sc_queue_free(queue);
    sc_client_free(client);
}

TEST(adds_without_a_server_end_at_their_deadline)
{
    sc_client_opts opts = {.url = "unix:///nonexistent/redis.sock", .command_timeout_ms = 200};
    const sc_job_spec spec = {.name = SC_S("n")};
    sc_reason reason = {""};
    sc_client *client;
    sc_queue *queue;
    sc_err err;

    assert_ok(sc_client_new(&opts, &client, NULL));
    assert_ok(sc_queue_new(client, SC_S("q"), NULL, &queue, NULL));
    err = sc_queue_add(queue, &spec, NULL, &reason);

    assert_true(err == SC_ETIMEDOUT || err == SC_ECONNECT);
    assert_true(reason.text[0]);
    sc_queue_free(queue);
    sc_client_free(client);
}

TEST(scripts_that_the_server_forgot_are_loaded_again)
{
    sc_client *client;
    sc_queue *queue;

    test_server_start(&server);
    client = test_server_client(&server);
    queue = open_queue(client, NULL);
    assert_added(queue, NULL, "1");
    test_redis(&server, "SCRIPT FLUSH");

    assert_added(queue, NULL, "2");
    sc_queue_free(queue);
    sc_client_free(client);
}

TEST(an_add_that_does_not_fit_into_the_client_is_refused)
{
    sc_client_opts opts = {.max_waiting_bytes = 16 * 1024};
    char *data = calloc(1, 64 * 1024);
    sc_job_spec specs[600];
    sc_reason reason = {""};
    size_t added = 0;
    sc_client *client;
    sc_queue *queue;

    test_server_start(&server);
    opts.url = server.url;
    memset(data, '1', 64 * 1024 - 1);
    assert_ok(sc_client_new(&opts, &client, NULL));
    assert_ok(sc_queue_new(client, SC_S("q"), NULL, &queue, NULL));
    for (size_t i = 0; i < 600; i++)
        specs[i] =
            (sc_job_spec){.name = SC_S("n"), .data = i == 299 ? sc_slice_of(data) : SC_S("1")};

    assert_refused(queue, &specs[299], SC_EOVERLOAD, "too much");
    assert_err(sc_queue_add_bulk(queue, specs, 600, NULL, &added, &reason), SC_EOVERLOAD);
    assert_true(added < 299);
    assert_ok(sc_queue_add(queue, &specs[0], NULL, &reason));
    free(data);
    sc_queue_free(queue);
    sc_client_free(client);
}

static atomic_int told_ok, told_otherwise;

static void *add_what_fits(void *arg)
{
    const sc_job_spec spec = {.name = SC_S("n")};

    for (int i = 0; i < *(int *)arg; i++) {
        sc_err err = sc_queue_add(shared, &spec, NULL, NULL);

        atomic_fetch_add(err ? &told_otherwise : &told_ok, 1);
        assert_true(!err || err == SC_EOVERLOAD); /* it may have shared a call with one too large */
    }
    return NULL;
}

TEST(adds_beside_some_that_do_not_fit_are_told_what_became_of_them)
{
    enum { THREADS = 4, SIZE = 64 * 1024 };
    sc_client_opts opts = {.max_waiting_bytes = 16 * 1024, .command_timeout_ms = 60000};
    char *data = calloc(1, SIZE);
    sc_job_spec large = {.name = SC_S("n"), .data = {data, SIZE}};
    int each = 500;
    pthread_t threads[THREADS];
    sc_client *client;

    test_server_start(&server);
    opts.url = server.url;
    memset(data, '1', SIZE);
    assert_ok(sc_client_new(&opts, &client, NULL));
    shared = open_queue(client, NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, add_what_fits, &each);
    while (atomic_load(&told_ok) + atomic_load(&told_otherwise) < THREADS * each)
        assert_err(sc_queue_add(shared, &large, NULL, NULL), SC_EOVERLOAD);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);

    assert_int_equal(atoi(test_redis(&server, "LLEN bull:q:wait")), atomic_load(&told_ok));
    free(data);
    sc_queue_free(shared);
    sc_client_free(client);
}

static atomic_bool is_killed;

static void *add_bulk_until_failure(void *arg)
{
    enum { COUNT = 500 };
    const sc_job_spec specs[COUNT] = {[0 ... COUNT - 1] = {.name = SC_S("n")}};
    sc_err err;

    do {
        size_t added = 0;

        err = sc_queue_add_bulk(arg, specs, COUNT, NULL, &added, NULL);
        assert_true((err == SC_OK) == (added == COUNT));
    } while (!err || !atomic_load(&is_killed)); /* it may stand still before */
    atomic_store(&last_error, err);
    return NULL;
}

TEST(a_server_that_dies_ends_the_adds_in_flight)
{
    sc_client_opts opts = {.command_timeout_ms = 2000};
    const sc_job_spec spec = {.name = SC_S("n")};
    pthread_t thread;
    sc_client *client;
    sc_queue *queue;

    test_server_start(&server);
    opts.url = server.url;
    assert_ok(sc_client_new(&opts, &client, NULL));
    queue = open_queue(client, NULL);
    pthread_create(&thread, NULL, add_bulk_until_failure, queue);
    wait_until(atoi(test_redis(&server, "LLEN bull:q:wait")) > 5000);
    atomic_store(&is_killed, true);
    test_server_kill(&server, 9);
    pthread_join(thread, NULL);

    assert_true(atomic_load(&last_error) == SC_ECONNLOST ||
                atomic_load(&last_error) == SC_ECONNECT ||
                atomic_load(&last_error) == SC_ETIMEDOUT);
    test_server_restart(&server);
    wait_until(sc_queue_add(queue, &spec, NULL, NULL) == SC_OK);
    sc_queue_free(queue);
    sc_client_free(client);
}
