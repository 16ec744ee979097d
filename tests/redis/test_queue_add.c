/* queue/add.c, ops/op_add.c, lua/addJobs */
#include "queue_add_fixture.h"

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
