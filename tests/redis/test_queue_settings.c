/* queue/settings.c, ops/op_settings.c, lua/{isMaxed,getRateLimitTtl,getPriorityCounts} */
#include <storychain/control.h>

#include "support/server.h"
#include "support/test.h"

static struct test_server server;
static sc_client *client;
static sc_queue *queue;

static void open_queue(void)
{
    test_server_start(&server);
    client = test_server_client(&server);
    assert_ok(sc_queue_new(client, SC_S("q"), NULL, &queue, NULL));
}

static void close_queue(void)
{
    sc_queue_free(queue);
    sc_client_free(client);
}

TEST(settings_are_set_read_and_taken_away)
{
    sc_global_rate_limit limit;
    int64_t concurrency = -1;

    open_queue();
    assert_ok(sc_queue_set_global_concurrency(queue, 8, NULL));
    assert_ok(sc_queue_set_global_rate_limit(queue, &(sc_global_rate_limit){3, 1000}, NULL));
    assert_ok(sc_queue_get_global_concurrency(queue, &concurrency, NULL));
    assert_ok(sc_queue_get_global_rate_limit(queue, &limit, NULL));
    assert_int_equal(concurrency, 8);
    assert_int_equal(limit.max, 3);
    assert_int_equal(limit.duration_ms, 1000);
    assert_ok(sc_queue_remove_global_concurrency(queue, NULL));
    assert_ok(sc_queue_remove_global_rate_limit(queue, NULL));

    assert_ok(sc_queue_get_global_concurrency(queue, &concurrency, NULL));
    assert_ok(sc_queue_get_global_rate_limit(queue, &limit, NULL));
    assert_int_equal(concurrency, 0);
    assert_int_equal(limit.max, 0);
    close_queue();
}

TEST(settings_that_make_no_sense_are_refused)
{
    int64_t number;
    sc_reason why = {""};

    open_queue();

    assert_err(sc_queue_set_global_concurrency(queue, 0, &why), SC_EINVAL);
    assert_string_equal(why.text, "the global concurrency is 0; at least 1");
    assert_err(sc_queue_set_global_rate_limit(queue, &(sc_global_rate_limit){0, 1}, &why),
               SC_EINVAL);
    assert_err(sc_queue_set_global_rate_limit(queue, &(sc_global_rate_limit){1, 0}, &why),
               SC_EINVAL);
    assert_err(sc_queue_rate_limit(queue, 0, &why), SC_EINVAL);
    assert_err(sc_queue_get_rate_limit_ttl(queue, -1, &number, &why), SC_EINVAL);
    assert_err(sc_queue_trim_events(queue, -1, NULL, &why), SC_EINVAL);
    assert_err(sc_queue_get_priority_counts(queue, &(int64_t){-1}, 1, &number, &why), SC_EINVAL);
    assert_err(sc_queue_get_priority_counts(queue, &(int64_t){0}, 1001, &number, &why), SC_ETOOBIG);
    close_queue();
}

TEST(what_others_wrote_into_meta_is_read_as_far_as_it_goes)
{
    sc_global_rate_limit limit;
    int64_t concurrency = -1;
    bool maxed = true;

    open_queue();
    test_redis(&server, "HSET bull:q:meta concurrency lots max 5");
    assert_ok(sc_queue_get_global_concurrency(queue, &concurrency, NULL));
    assert_ok(sc_queue_get_global_rate_limit(queue, &limit, NULL));
    assert_ok(sc_queue_is_maxed(queue, &maxed, NULL));

    assert_int_equal(concurrency, 0);
    assert_int_equal(limit.max, 0);
    assert_false(maxed);
    close_queue();
}

TEST(a_manual_limit_is_told_until_it_ends)
{
    int64_t ttl = -1;

    open_queue();
    assert_ok(sc_queue_get_rate_limit_ttl(queue, 0, &ttl, NULL));
    assert_int_equal(ttl, 0);
    assert_ok(sc_queue_rate_limit(queue, 60000, NULL));
    assert_ok(sc_queue_get_rate_limit_ttl(queue, 0, &ttl, NULL));

    assert_true(ttl > 0 && ttl <= 60000);
    test_redis(&server, "SET bull:q:limiter 2");
    assert_ok(sc_queue_get_rate_limit_ttl(queue, 2, &ttl, NULL));
    assert_int_equal(ttl, 0);
    close_queue();
}

TEST(a_manual_limit_is_ended)
{
    int64_t ttl_ms = -1;

    open_queue();
    assert_ok(sc_queue_rate_limit(queue, 60000, NULL));
    assert_ok(sc_queue_remove_rate_limit_key(queue, NULL));
    assert_ok(sc_queue_get_rate_limit_ttl(queue, 0, &ttl_ms, NULL));
    assert_int_equal(ttl_ms, 0);
    assert_ok(sc_queue_remove_rate_limit_key(queue, NULL));
    close_queue();
}

TEST(a_long_stream_of_events_is_cut_in_slices)
{
    int64_t removed = 0;

    open_queue();
    test_redis(&server,
               "EVAL for\ti=1,30000\tdo\tredis.call('XADD',KEYS[1],'*','event','x')\tend 1 "
               "bull:q:events");
    assert_string_equal(test_redis(&server, "XLEN bull:q:events"), "30000");
    assert_ok(sc_queue_trim_events(queue, 0, &removed, NULL));

    assert_int_equal(removed, 30000);
    assert_string_equal(test_redis(&server, "XLEN bull:q:events"), "0");
    close_queue();
}
