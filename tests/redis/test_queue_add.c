/* queue/add.c, queue/adder.c, ops/op_add.c, lua/addJobs */
#include <storychain/queue.h>

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "support/server.h"
#include "support/test.h"

static struct test_server server;

static sc_queue *open_queue(sc_client *client, const sc_queue_opts *opts)
{
    sc_queue *queue = NULL;
    sc_reason reason = {""};

    if (sc_queue_new(client, SC_S("q"), opts, &queue, &reason))
        fail_msg("no queue: %s", reason.text);
    wait_until((opts && opts->skip_meta) ||
               strcmp(test_redis(&server, "EXISTS bull:q:meta"), "1") == 0);
    return queue;
}

static char *add(sc_queue *queue, const char *name, const char *data, const sc_job_opts *opts)
{
    const sc_job_spec spec = {.name = sc_slice_of(name), .data = sc_slice_of(data), .opts = opts};
    sc_reason reason = {""};
    char *id = NULL;

    if (sc_queue_add(queue, &spec, &id, &reason))
        fail_msg("not added: %s", reason.text);
    return id;
}

static void assert_added(sc_queue *queue, const sc_job_opts *opts, const char *expected_id)
{
    char *id = add(queue, "job", "{}", opts);

    assert_string_equal(id, expected_id);
    sc_free(id);
}

static void assert_refused(sc_queue *queue, const sc_job_spec *spec, sc_err expected,
                           const char *reason_part)
{
    sc_reason reason = {""};

    assert_err(sc_queue_add(queue, spec, NULL, &reason), expected);
    if (!strstr(reason.text, reason_part))
        fail_msg("the reason is \"%s\", without \"%s\"", reason.text, reason_part);
}

#define assert_redis(command, expected) assert_string_equal(test_redis(&server, command), expected)

TEST(a_standard_job_is_stored_and_announced)
{
    sc_client *client;
    sc_queue *queue;
    char *id;

    test_server_start(&server);
    client = test_server_client(&server);
    queue = open_queue(client, NULL);
    id =
        add(queue, "email", "{\"to\": \"a\"}", &(sc_job_opts){.attempts = 3, .timestamp_ms = 1000});

    assert_string_equal(id, "1");
    assert_redis("HMGET bull:q:1 name data opts timestamp delay priority",
                 "email {\"to\": \"a\"} {\"attempts\":3,\"timestamp\":1000} 1000 0 0");
    assert_redis("LRANGE bull:q:wait 0 -1", "1");
    assert_redis("ZRANGE bull:q:marker 0 -1 WITHSCORES", "0 0");
    assert_redis("XLEN bull:q:events", "2");
    assert_redis("HGETALL bull:q:meta", "opts.maxLenEvents 10000 version bullmq:6.7.0");
    sc_free(id);
    sc_queue_free(queue);
    sc_client_free(client);
}

TEST(wait_is_served_from_the_right_and_lifo_goes_there)
{
    sc_client *client;
    sc_queue *queue;

    test_server_start(&server);
    client = test_server_client(&server);
    queue = open_queue(client, NULL);
    assert_added(queue, NULL, "1");
    assert_added(queue, NULL, "2");
    assert_added(queue, &(sc_job_opts){.lifo = true}, "3");

    assert_redis("LRANGE bull:q:wait 0 -1", "2 1 3");
    sc_queue_free(queue);
    sc_client_free(client);
}

TEST(delayed_jobs_are_scored_by_due_time_and_order)
{
    sc_job_opts opts = {.timestamp_ms = 1700000000000, .delay_ms = 5000};
    sc_client *client;
    sc_queue *queue;

    test_server_start(&server);
    client = test_server_client(&server);
    queue = open_queue(client, NULL);
    assert_added(queue, &opts, "1");
    assert_added(queue, &opts, "2");

    assert_redis("ZRANGE bull:q:delayed 0 -1 WITHSCORES", "1 6963200020480000 2 6963200020480001");
    assert_redis("ZRANGE bull:q:marker 0 -1 WITHSCORES", "1 1700000005000");
    assert_redis("HGET bull:q:2 delay", "5000");
    assert_redis("EXISTS bull:q:wait", "0");
    sc_queue_free(queue);
    sc_client_free(client);
}

TEST(delayed_jobs_of_one_millisecond_share_the_last_place_when_there_are_too_many)
{
    enum { COUNT = 4100 };
    sc_job_opts opts = {.timestamp_ms = 1700000000000, .delay_ms = 5000};
    sc_job_spec *specs = calloc(COUNT, sizeof(*specs));
    sc_client *client;
    sc_queue *queue;

    test_server_start(&server);
    client = test_server_client(&server);
    queue = open_queue(client, NULL);
    for (size_t i = 0; i < COUNT; i++)
        specs[i] = (sc_job_spec){.name = SC_S("job"), .opts = &opts};
    assert_ok(sc_queue_add_bulk(queue, specs, COUNT, NULL, NULL, NULL));

    assert_redis("ZSCORE bull:q:delayed 4095", "6963200020484094");
    assert_redis("ZSCORE bull:q:delayed 4096", "6963200020484095");
    assert_redis("ZSCORE bull:q:delayed 4100", "6963200020484095");
    free(specs);
    sc_queue_free(queue);
    sc_client_free(client);
}

TEST(prioritized_jobs_are_scored_by_priority_and_order)
{
    sc_client *client;
    sc_queue *queue;

    test_server_start(&server);
    client = test_server_client(&server);
    queue = open_queue(client, NULL);
    assert_added(queue, &(sc_job_opts){.priority = 2}, "1");
    assert_added(queue, &(sc_job_opts){.priority = 1}, "2");
    assert_added(queue, &(sc_job_opts){.priority = 2}, "3");
    assert_added(queue, &(sc_job_opts){.priority = 2, .delay_ms = 60000}, "4");

    assert_redis("ZRANGE bull:q:prioritized 0 -1 WITHSCORES",
                 "2 4294967298 1 8589934593 3 8589934595");
    assert_redis("ZCARD bull:q:delayed", "1");
    assert_redis("HGET bull:q:4 priority", "2");
    assert_redis("GET bull:q:pc", "3");
    sc_queue_free(queue);
    sc_client_free(client);
}

TEST(an_id_that_exists_is_given_back_and_its_job_kept)
{
    sc_job_opts opts = {.id = SC_S("mine")};
    sc_client *client;
    sc_queue *queue;
    char *id;

    test_server_start(&server);
    client = test_server_client(&server);
    queue = open_queue(client, NULL);
    sc_free(add(queue, "first", "1", &opts));
    id = add(queue, "second", "2", &opts);

    assert_string_equal(id, "mine");
    assert_redis("HGET bull:q:mine name", "first");
    assert_redis("LLEN bull:q:wait", "1");
    assert_redis("XLEN bull:q:events", "3");
    assert_redis("GET bull:q:id", "2");
    assert_added(queue, NULL, "3");
    sc_free(id);
    sc_queue_free(queue);
    sc_client_free(client);
}

TEST(a_bulk_keeps_its_order_over_kinds_and_slices)
{
    enum { COUNT = 1003 };
    const sc_job_opts kinds[] = {
        {.attempts = 1}, {.priority = 5}, {.delay_ms = 60000}, {.id = SC_S("own")}};
    sc_job_spec specs[COUNT];
    sc_id_list *ids = NULL;
    size_t added = 0;
    sc_client *client;
    sc_queue *queue;

    test_server_start(&server);
    client = test_server_client(&server);
    queue = open_queue(client, NULL);
    for (size_t i = 0; i < COUNT; i++)
        specs[i] = (sc_job_spec){.name = SC_S("job"), .opts = i < 4 ? &kinds[i] : NULL};
    assert_ok(sc_queue_add_bulk(queue, specs, COUNT, &ids, &added, NULL));

    assert_int_equal(added, COUNT);
    assert_int_equal(ids->count, COUNT);
    assert_slice(ids->ids[0], "1");
    assert_slice(ids->ids[2], "3");
    assert_slice(ids->ids[3], "own");
    assert_slice(ids->ids[4], "5");
    assert_slice(ids->ids[1002], "1003");
    assert_redis("LRANGE bull:q:wait -4 -1", "6 5 own 1");
    assert_redis("LINDEX bull:q:wait 0", "1003");
    assert_redis("ZRANGE bull:q:prioritized 0 -1", "2");
    assert_redis("ZRANGE bull:q:delayed 0 -1", "3");
    sc_id_list_free(ids);
    sc_queue_free(queue);
    sc_client_free(client);
}

TEST(an_empty_bulk_adds_nothing)
{
    sc_id_list *ids = NULL;
    sc_client *client;
    sc_queue *queue;

    test_server_start(&server);
    client = test_server_client(&server);
    queue = open_queue(client, NULL);
    assert_ok(sc_queue_add_bulk(queue, NULL, 0, &ids, NULL, NULL));

    assert_int_equal(ids->count, 0);
    assert_redis("EXISTS bull:q:id", "0");
    sc_id_list_free(ids);
    sc_queue_free(queue);
    sc_client_free(client);
}

TEST(default_options_count_where_a_job_says_nothing)
{
    const sc_job_opts defaults = {.attempts = 3, .priority = 4};
    sc_client *client;
    sc_queue *queue;

    test_server_start(&server);
    client = test_server_client(&server);
    queue = open_queue(client, &(sc_queue_opts){.default_opts = &defaults, .max_events = 50});
    assert_added(queue, NULL, "1");
    assert_added(queue, &(sc_job_opts){.attempts = 1}, "2");
    assert_added(queue, &(sc_job_opts){.priority = 9}, "3");

    assert_redis("HMGET bull:q:1 opts priority", "{\"attempts\":3,\"priority\":4} 4");
    assert_redis("HMGET bull:q:2 opts priority", "{\"attempts\":1,\"priority\":4} 4");
    assert_redis("HMGET bull:q:3 opts priority", "{\"attempts\":3,\"priority\":9} 9");
    assert_redis("HGET bull:q:meta opts.maxLenEvents", "50");
    sc_queue_free(queue);
    sc_client_free(client);
}

TEST(a_paused_queue_takes_jobs_but_wakes_no_worker)
{
    sc_client *client;
    sc_queue *queue;

    test_server_start(&server);
    client = test_server_client(&server);
    queue = open_queue(client, NULL);
    assert_ok(sc_queue_pause(queue));
    assert_added(queue, NULL, "1");
    assert_added(queue, &(sc_job_opts){.priority = 1}, "2");

    assert_redis("LLEN bull:q:wait", "1");
    assert_redis("EXISTS bull:q:marker", "0");
    sc_queue_free(queue);
    sc_client_free(client);
}

TEST(a_queue_at_its_global_concurrency_wakes_no_worker)
{
    sc_client *client;
    sc_queue *queue;

    test_server_start(&server);
    client = test_server_client(&server);
    queue = open_queue(client, NULL);
    test_redis(&server, "HSET bull:q:meta concurrency 1");
    test_redis(&server, "LPUSH bull:q:active x");
    assert_added(queue, NULL, "1");

    assert_redis("EXISTS bull:q:marker", "0");
    sc_queue_free(queue);
    sc_client_free(client);
}

TEST(the_event_stream_stays_near_its_cap)
{
    enum { COUNT = 1000 };
    sc_job_spec specs[COUNT];
    sc_client *client;
    sc_queue *queue;

    test_server_start(&server);
    client = test_server_client(&server);
    queue = open_queue(client, &(sc_queue_opts){.max_events = 100});
    for (size_t i = 0; i < COUNT; i++)
        specs[i] = (sc_job_spec){.name = SC_S("job")};
    assert_ok(sc_queue_add_bulk(queue, specs, COUNT, NULL, NULL, NULL));

    assert_true(atoi(test_redis(&server, "XLEN bull:q:events")) <= 300);
    sc_queue_free(queue);
    sc_client_free(client);
}

TEST(bad_jobs_are_refused_with_a_reason_and_nothing_is_stored)
{
    const sc_job_opts priority = {.priority = 2097152}, number = {.id = SC_S("17")},
                      small = {.size_limit = 4}, bad_id = {.id = SC_S("\xff")};
    sc_client *client;
    sc_queue *queue;

    test_server_start(&server);
    client = test_server_client(&server);
    queue = open_queue(client, NULL);

    assert_refused(queue, &(sc_job_spec){.data = SC_S("1")}, SC_EINVAL, "no name");
    assert_refused(queue, &(sc_job_spec){.name = SC_S("\xff")}, SC_EINVAL, "UTF-8");
    assert_refused(queue, &(sc_job_spec){.name = SC_S("n"), .opts = &bad_id}, SC_EINVAL, "UTF-8");
    assert_refused(queue, &(sc_job_spec){.name = SC_S("n"), .data = SC_S("{")}, SC_EINVAL,
                   "the data of job \"n\" is not JSON");
    assert_refused(queue, &(sc_job_spec){.name = SC_S("n"), .opts = &priority}, SC_EINVAL,
                   "priority");
    assert_refused(queue, &(sc_job_spec){.name = SC_S("n"), .opts = &number}, SC_EINVAL, "number");
    assert_refused(queue, &(sc_job_spec){.name = SC_S("n"), .data = SC_S("12345"), .opts = &small},
                   SC_ETOOBIG, "limit is 4");
    assert_redis("EXISTS bull:q:id", "0");
    sc_queue_free(queue);
    sc_client_free(client);
}

TEST(a_bulk_with_one_bad_job_adds_none)
{
    const sc_job_spec specs[] = {{.name = SC_S("a")}, {.name = SC_S("")}, {.name = SC_S("c")}};
    sc_reason reason = {""};
    size_t added = 7;
    sc_client *client;
    sc_queue *queue;

    test_server_start(&server);
    client = test_server_client(&server);
    queue = open_queue(client, NULL);
    assert_err(sc_queue_add_bulk(queue, specs, 3, NULL, &added, &reason), SC_EINVAL);

    assert_int_equal(added, 0);
    assert_string_equal(reason.text, "job 2 of 3: the job has no name");
    assert_redis("EXISTS bull:q:id", "0");
    sc_queue_free(queue);
    sc_client_free(client);
}

TEST(wrong_types_in_redis_are_an_error_with_the_servers_words)
{
    const sc_job_spec spec = {.name = SC_S("n")};
    sc_client *client;
    sc_queue *queue;

    test_server_start(&server);
    client = test_server_client(&server);
    queue = open_queue(client, NULL);
    test_redis(&server, "SET bull:q:wait text");

    assert_refused(queue, &spec, SC_EREPLY, "WRONGTYPE");
    test_redis(&server, "DEL bull:q:wait");
    test_redis(&server, "SET bull:q:id text");
    assert_refused(queue, &spec, SC_EREPLY, "not an integer");
    sc_queue_free(queue);
    sc_client_free(client);
}

TEST(a_bulk_that_fails_in_the_middle_tells_how_many_were_added)
{
    enum { COUNT = 2000 };
    sc_job_spec *specs = calloc(COUNT, sizeof(*specs));
    sc_job_opts opts = {.timestamp_ms = 1000};
    sc_reason reason = {""};
    size_t added = 0;
    sc_client *client;
    sc_queue *queue;

    test_server_start(&server);
    client = test_server_client(&server);
    queue = open_queue(client, NULL);
    test_redis(&server, "SET bull:q:id 9007199253739892"); /* 1,100 before the last */
    for (size_t i = 0; i < COUNT; i++)
        specs[i] = (sc_job_spec){.name = SC_S("n"), .opts = &opts};
    assert_err(sc_queue_add_bulk(queue, specs, COUNT, NULL, &added, &reason), SC_EREPLY);

    assert_true(added >= 1000 && added < 1500);
    assert_true(atoi(test_redis(&server, "LLEN bull:q:wait")) >= (int)added);
    assert_redis("LINDEX bull:q:wait -1", "9007199253739893");
    free(specs);
    sc_queue_free(queue);
    sc_client_free(client);
}

TEST(bad_names_of_queues_are_refused)
{
    static const char *const bad[] = {"", "a:b", "a\nb", "a{b}", "{}", "}{", "{a}{b}"};
    sc_client *client;
    sc_queue *queue;

    test_server_start(&server);
    client = test_server_client(&server);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        sc_reason reason = {""};

        assert_err(sc_queue_new(client, sc_slice_of(bad[i]), NULL, &queue, &reason), SC_EINVAL);
        assert_true(reason.text[0]);
    }
    assert_ok(
        sc_queue_new(client, SC_S("{mail}"), &(sc_queue_opts){.prefix = SC_S("p")}, &queue, NULL));
    assert_slice(sc_queue_name(queue), "{mail}");
    assert_slice(sc_queue_prefix(queue), "p");
    sc_queue_free(queue);
    sc_client_free(client);
}

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

TEST(meta_is_written_later_when_the_server_was_away)
{
    const sc_job_spec spec = {.name = SC_S("n")};
    sc_client_opts opts = {.command_timeout_ms = 200};
    sc_client *client;
    sc_queue *queue;

    test_server_start(&server);
    test_server_kill(&server, 9);
    opts.url = server.url;
    assert_ok(sc_client_new(&opts, &client, NULL));
    assert_ok(sc_queue_new(client, SC_S("q"), NULL, &queue, NULL));
    assert_true(sc_queue_add(queue, &spec, NULL, NULL) != SC_OK);
    test_server_restart(&server);
    wait_until(sc_queue_add(queue, &spec, NULL, NULL) == SC_OK);
    wait_until(sc_queue_add(queue, &spec, NULL, NULL) == SC_OK &&
               strcmp(test_redis(&server, "HGET bull:q:meta version"), "bullmq:6.7.0") == 0);

    sc_queue_free(queue);
    sc_client_free(client);
}
