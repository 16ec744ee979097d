/* queue/change.c, ops/op_change.c, lua/{updateData,changeDelay,changePriority,retryJob,getDependencyCounts} */
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

static void add(const sc_job_opts *opts)
{
    const sc_job_spec spec = {.name = SC_S("job"), .opts = opts};

    assert_ok(sc_queue_add(queue, &spec, NULL, NULL));
}

#define assert_redis(command, expected) assert_string_equal(test_redis(&server, command), expected)

TEST(data_and_progress_are_stored_byte_for_byte)
{
    open_queue();
    add(NULL);
    assert_ok(sc_queue_update_data(queue, SC_S("1"), SC_S("{\"b\":[],\"a\":1e400}"), NULL));
    assert_ok(sc_queue_update_progress(queue, SC_S("1"), SC_S("[1,2]"), NULL));

    assert_redis("HMGET bull:q:1 data progress", "{\"b\":[],\"a\":1e400} [1,2]");
    close_queue();
}

TEST(what_is_not_json_is_refused_with_a_sentence)
{
    sc_reason why = {""};

    open_queue();
    add(NULL);

    assert_err(sc_queue_update_data(queue, SC_S("1"), SC_S("{nope}"), &why), SC_EINVAL);
    assert_true(strstr(why.text, "the data is"));
    assert_err(sc_queue_update_progress(queue, SC_S("1"), SC_S(""), &why), SC_EINVAL);
    assert_true(strstr(why.text, "the progress is"));
    assert_redis("HGET bull:q:1 data", "{}");
    close_queue();
}

TEST(a_log_keeps_its_newest_rows)
{
    open_queue();
    add(NULL);
    assert_ok(sc_queue_add_log(queue, SC_S("1"), SC_S("a"), 0, NULL));
    assert_ok(sc_queue_add_log(queue, SC_S("1"), SC_S("b"), 0, NULL));
    assert_ok(sc_queue_add_log(queue, SC_S("1"), SC_S("c"), 2, NULL));
    assert_redis("LRANGE bull:q:1:logs 0 -1", "b c");
    assert_ok(sc_queue_clear_logs(queue, SC_S("1"), 1, NULL));
    assert_redis("LRANGE bull:q:1:logs 0 -1", "c");
    assert_ok(sc_queue_clear_logs(queue, SC_S("1"), 0, NULL));

    assert_redis("EXISTS bull:q:1:logs", "0");
    assert_err(sc_queue_clear_logs(queue, SC_S("1"), -1, NULL), SC_EINVAL);
    close_queue();
}

TEST(an_earlier_due_date_moves_the_marker)
{
    open_queue();
    add(&(sc_job_opts){.delay_ms = 60000});
    add(&(sc_job_opts){.delay_ms = 90000});
    assert_ok(sc_queue_change_delay(queue, SC_S("2"), 1000, NULL));

    assert_redis("ZRANGE bull:q:delayed 0 -1", "2 1");
    assert_redis("HGET bull:q:2 delay", "1000");
    assert_err(sc_queue_change_delay(queue, SC_S("2"), -1, NULL), SC_EINVAL);
    close_queue();
}

TEST(only_delayed_jobs_have_a_delay_to_change)
{
    open_queue();
    add(NULL);

    assert_err(sc_queue_change_delay(queue, SC_S("1"), 5, NULL), SC_EJOBSTATE);
    assert_redis("HGET bull:q:1 delay", "0");
    assert_redis("EXISTS bull:q:delayed", "0");
    assert_err(sc_queue_change_delay(queue, SC_S("9"), 5, NULL), SC_ENOJOB);
    close_queue();
}

TEST(a_priority_moves_a_job_between_wait_and_prioritized)
{
    open_queue();
    add(NULL);
    add(NULL);
    add(&(sc_job_opts){.priority = 4});
    assert_ok(sc_queue_change_priority(queue, SC_S("1"), 4, true, NULL));
    assert_ok(sc_queue_change_priority(queue, SC_S("3"), 0, true, NULL));

    assert_redis("ZRANGE bull:q:prioritized 0 -1 WITHSCORES", "1 17179869184");
    assert_redis("LRANGE bull:q:wait 0 -1", "2 3");
    assert_redis("HMGET bull:q:1 priority", "4");
    assert_err(sc_queue_change_priority(queue, SC_S("1"), 2097152, false, NULL), SC_EINVAL);
    assert_err(sc_queue_change_priority(queue, SC_S("9"), 1, false, NULL), SC_ENOJOB);
    close_queue();
}

TEST(a_retried_job_forgets_what_it_is_told_to)
{
    open_queue();
    test_redis(&server, "HSET bull:q:f name job opts {} atm 3 ats 4 failedReason x");
    test_redis(&server, "ZADD bull:q:failed 3 f");
    assert_ok(
        sc_queue_retry_with(queue, SC_S("f"), &(sc_retry_opts){.reset_attempts_made = true}, NULL));

    assert_redis("HMGET bull:q:f atm ats failedReason", "(nil) 4 (nil)");
    assert_err(sc_queue_retry_with(queue, SC_S("f"), &(sc_retry_opts){0}, NULL), SC_EJOBSTATE);
    close_queue();
}

TEST(children_are_counted_by_what_became_of_them)
{
    sc_dependency_counts counts;

    open_queue();
    test_redis(&server, "SADD bull:q:p:dependencies a b c d");
    test_redis(&server, "HSET bull:q:p:processed e 1 f 2 g 3");
    test_redis(&server, "HSET bull:q:p:failed h why i why");
    test_redis(&server, "ZADD bull:q:p:unsuccessful 1 j");
    assert_ok(sc_queue_get_dependency_counts(queue, SC_S("p"), &counts, NULL));

    assert_int_equal(counts.unprocessed, 4);
    assert_int_equal(counts.processed, 3);
    assert_int_equal(counts.ignored, 2);
    assert_int_equal(counts.failed, 1);
    assert_err(sc_queue_get_dependency_counts(queue, SC_S(""), &counts, NULL), SC_EINVAL);
    close_queue();
}
