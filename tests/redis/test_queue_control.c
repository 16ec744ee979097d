/* queue/control.c, ops/op_control.c, lua/{pauseQueue,resumeQueue,removeJob,retryJob,promoteJob} */
#include <storychain/control.h>
#include <storychain/queue.h>

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

/* The last event of the stream: its fields and values, without the id. */
static const char *last_event(void)
{
    const char *text = test_redis(&server, "XREVRANGE bull:q:events + - COUNT 1");
    const char *space = strchr(text, ' ');

    return space ? space + 1 : "";
}

/* A job that has ended, as a worker leaves it. */
static void put_finished(const char *state, const char *id, const char *result)
{
    char command[512];

    snprintf(command, sizeof(command),
             "HSET bull:q:%s name job data {} opts {} timestamp 1 delay 0 priority 0 atm 1 ats 1 "
             "processedOn 2 finishedOn 3 %s",
             id, result);
    test_redis(&server, command);
    snprintf(command, sizeof(command), "ZADD bull:q:%s 3 %s", state, id);
    test_redis(&server, command);
}

TEST(pause_and_resume_undo_each_other)
{
    bool paused = false;

    open_queue();
    add(NULL);
    assert_ok(sc_queue_pause(queue));
    assert_redis("EXISTS bull:q:marker", "0");
    assert_redis("HGET bull:q:meta paused", "1");
    assert_string_equal(last_event(), "event paused");
    assert_ok(sc_queue_is_paused(queue, &paused));
    assert_true(paused);
    assert_ok(sc_queue_resume(queue));

    assert_redis("ZRANGE bull:q:marker 0 -1 WITHSCORES", "0 0");
    assert_redis("HEXISTS bull:q:meta paused", "0");
    assert_string_equal(last_event(), "event resumed");
    assert_ok(sc_queue_is_paused(queue, &paused));
    assert_false(paused);
    close_queue();
}

TEST(resume_tells_of_delayed_jobs_when_none_waits)
{
    open_queue();
    add(&(sc_job_opts){.timestamp_ms = 1700000000000, .delay_ms = 1000});
    assert_ok(sc_queue_pause(queue));
    assert_ok(sc_queue_resume(queue));

    assert_redis("ZRANGE bull:q:marker 0 -1 WITHSCORES", "1 1700000001000");
    close_queue();
}

TEST(resume_of_an_empty_queue_leaves_no_marker)
{
    open_queue();
    assert_ok(sc_queue_pause(queue));
    assert_ok(sc_queue_resume(queue));

    assert_redis("EXISTS bull:q:marker", "0");
    close_queue();
}

TEST(resume_takes_over_what_bullmq_5_left_in_paused)
{
    char command[256];

    open_queue();
    add(NULL);
    for (int i = 0; i < 60; i++) {
        int n = snprintf(command, sizeof(command), "RPUSH bull:q:paused");

        for (int j = 0; j < 100 && n < 200; j++)
            n += snprintf(command + n, sizeof(command) - (size_t)n, " old");
        for (int j = 0; j < 3; j++)
            test_redis(&server, command);
    }
    assert_true(atoi(test_redis(&server, "LLEN bull:q:paused")) > 5000);
    assert_ok(sc_queue_resume(queue));

    assert_redis("EXISTS bull:q:paused", "0");
    assert_true(atoi(test_redis(&server, "LLEN bull:q:wait")) > 5001);
    assert_redis("LINDEX bull:q:wait 0", "1");
    assert_redis("XLEN bull:q:events", "3");
    close_queue();
}

TEST(a_removed_job_leaves_nothing_behind)
{
    open_queue();
    add(NULL);
    test_redis(&server, "RPUSH bull:q:1:logs row");
    assert_ok(sc_queue_remove(queue, SC_S("1")));

    assert_redis("EXISTS bull:q:1 bull:q:1:logs bull:q:wait", "0");
    assert_string_equal(last_event(), "event removed jobId 1 prev wait");
    assert_err(sc_queue_remove(queue, SC_S("1")), SC_ENOJOB);
    assert_err(sc_queue_remove(queue, SC_S("")), SC_EINVAL);
    close_queue();
}

TEST(a_job_is_removed_from_every_state)
{
    open_queue();
    add(&(sc_job_opts){.delay_ms = 60000});
    add(&(sc_job_opts){.priority = 3});
    put_finished("completed", "c", "returnvalue 1");
    put_finished("failed", "f", "failedReason x");
    assert_ok(sc_queue_remove(queue, SC_S("1")));
    assert_string_equal(last_event(), "event removed jobId 1 prev delayed");
    assert_ok(sc_queue_remove(queue, SC_S("2")));
    assert_string_equal(last_event(), "event removed jobId 2 prev prioritized");
    assert_ok(sc_queue_remove(queue, SC_S("c")));
    assert_string_equal(last_event(), "event removed jobId c prev completed");
    assert_ok(sc_queue_remove(queue, SC_S("f")));
    assert_string_equal(last_event(), "event removed jobId f prev failed");

    assert_redis("EXISTS bull:q:delayed bull:q:prioritized bull:q:completed bull:q:failed", "0");
    close_queue();
}

TEST(a_job_that_a_worker_has_is_not_removed)
{
    open_queue();
    add(NULL);
    test_redis(&server, "SET bull:q:1:lock token");

    assert_err(sc_queue_remove(queue, SC_S("1")), SC_ELOCKLOST);
    assert_redis("LLEN bull:q:wait", "1");
    assert_redis("EXISTS bull:q:1", "1");
    close_queue();
}

TEST(a_job_that_its_scheduler_waits_for_is_not_removed)
{
    open_queue();
    test_redis(&server, "HSET bull:q:repeat:s:5000 name s rjk s");
    test_redis(&server, "ZADD bull:q:delayed 20480000 repeat:s:5000");
    test_redis(&server, "ZADD bull:q:repeat 5000 s");

    assert_err(sc_queue_remove(queue, SC_S("repeat:s:5000")), SC_ESCHEDULED);
    test_redis(&server, "ZADD bull:q:repeat 6000 s");
    assert_ok(sc_queue_remove(queue, SC_S("repeat:s:5000")));
    assert_string_equal(last_event(), "event removed jobId repeat:s:5000 prev delayed");
    close_queue();
}

TEST(removing_gives_the_deduplication_id_free_if_it_is_the_jobs_own)
{
    open_queue();
    add(NULL);
    add(NULL);
    test_redis(&server, "HSET bull:q:1 deid once");
    test_redis(&server, "HSET bull:q:2 deid once");
    test_redis(&server, "SET bull:q:de:once 2");
    test_redis(&server, "HSET bull:q:dn:once name next");

    assert_ok(sc_queue_remove(queue, SC_S("1")));
    assert_redis("GET bull:q:de:once", "2");
    assert_ok(sc_queue_remove(queue, SC_S("2")));
    assert_redis("EXISTS bull:q:de:once bull:q:dn:once", "0");
    close_queue();
}

/* A parent in queue q with a child in each of its collections, as a flow of BullMQ's leaves them. */
static void put_family(void)
{
    test_redis(&server, "HSET bull:q:p name parent");
    test_redis(&server, "ZADD bull:q:waiting-children 1 p");
    for (int i = 1; i <= 4; i++) {
        char command[256];

        snprintf(command, sizeof(command), "HSET bull:kids:%d name kid parentKey bull:q:p", i);
        test_redis(&server, command);
    }
    test_redis(&server, "SADD bull:q:p:dependencies bull:kids:1");
    test_redis(&server, "LPUSH bull:kids:wait 1");
    test_redis(&server, "HSET bull:q:p:processed bull:kids:2 1");
    test_redis(&server, "ZADD bull:kids:completed 1 2");
    test_redis(&server, "HSET bull:q:p:failed bull:kids:3 why");
    test_redis(&server, "ZADD bull:q:p:unsuccessful 1 bull:kids:4");
    test_redis(&server, "ZADD bull:kids:failed 1 3 1 4");
}

TEST(children_are_removed_with_their_parent)
{
    open_queue();
    put_family();
    assert_ok(sc_queue_remove(queue, SC_S("p")));

    assert_redis("EXISTS bull:q:p bull:q:p:dependencies bull:q:p:processed bull:q:p:failed "
                 "bull:q:p:unsuccessful",
                 "0");
    assert_redis("EXISTS bull:kids:1 bull:kids:2 bull:kids:3 bull:kids:4 bull:kids:wait "
                 "bull:kids:completed bull:kids:failed",
                 "0");
    assert_redis("XLEN bull:kids:events", "4");
    assert_redis("EXISTS bull:q:waiting-children bull:q:wait", "0");
    close_queue();
}

TEST(a_parent_stays_when_a_worker_has_its_child)
{
    open_queue();
    put_family();
    test_redis(&server, "SET bull:kids:1:lock token");

    assert_err(sc_queue_remove(queue, SC_S("p")), SC_ELOCKLOST);
    assert_redis("EXISTS bull:q:p bull:kids:1 bull:kids:2", "3");
    close_queue();
}

TEST(removing_the_last_child_lets_its_parent_go_on)
{
    sc_queue *kids;

    open_queue();
    test_redis(&server, "HSET bull:q:p name parent");
    test_redis(&server, "ZADD bull:q:waiting-children 1 p");
    test_redis(&server, "HSET bull:kids:1 name kid parentKey bull:q:p");
    test_redis(&server, "SADD bull:q:p:dependencies bull:kids:1");
    assert_ok(sc_queue_new(client, SC_S("kids"), NULL, &kids, NULL));
    assert_ok(sc_queue_remove(kids, SC_S("1")));

    assert_redis("LRANGE bull:q:wait 0 -1", "p");
    assert_redis("ZRANGE bull:q:marker 0 -1 WITHSCORES", "0 0");
    assert_string_equal(last_event(), "event waiting jobId p prev waiting-children");
    sc_queue_free(kids);
    close_queue();
}

TEST(a_family_of_thousands_is_removed_in_slices)
{
    const sc_slice family[] = {SC_S("EVAL"),
                               SC_S("redis.call('HSET', 'bull:q:p', 'name', 'parent') "
                                    "for i = 0, 1299 do "
                                    "redis.call('HSET', 'bull:q:k' .. i, 'name', 'kid') "
                                    "redis.call('HSET', 'bull:q:p:processed', 'bull:q:k' .. i, 1) "
                                    "end return 'OK'"),
                               SC_S("0")};

    open_queue();
    assert_string_equal(test_redis_words(&server, family, 3), "OK");
    assert_ok(sc_queue_remove(queue, SC_S("p")));

    assert_redis("EXISTS bull:q:p bull:q:p:processed bull:q:k0 bull:q:k1299", "0");
    close_queue();
}

TEST(jobs_that_are_each_others_children_can_be_removed)
{
    open_queue();
    test_redis(&server, "HSET bull:q:a name a");
    test_redis(&server, "HSET bull:q:b name b");
    test_redis(&server, "SADD bull:q:a:dependencies bull:q:b");
    test_redis(&server, "SADD bull:q:b:dependencies bull:q:a");
    assert_ok(sc_queue_remove(queue, SC_S("a")));

    assert_redis("EXISTS bull:q:a bull:q:b bull:q:a:dependencies bull:q:b:dependencies", "0");
    close_queue();
}

TEST(a_failed_job_is_retried)
{
    open_queue();
    put_finished("failed", "7", "failedReason boom");
    assert_ok(sc_queue_retry(queue, SC_S("7")));

    assert_redis("LRANGE bull:q:wait 0 -1", "7");
    assert_redis("EXISTS bull:q:failed", "0");
    assert_redis("HMGET bull:q:7 failedReason finishedOn processedOn atm", "(nil) (nil) (nil) 1");
    assert_redis("ZRANGE bull:q:marker 0 -1", "0");
    assert_string_equal(last_event(), "event waiting jobId 7 prev failed");
    close_queue();
}

TEST(a_completed_job_is_retried_by_its_priority_or_lifo)
{
    open_queue();
    add(NULL);
    put_finished("completed", "p", "returnvalue 5");
    test_redis(&server, "HSET bull:q:p priority 3");
    put_finished("completed", "l", "returnvalue 5");
    test_redis(&server, "HSET bull:q:l opts {\"lifo\":true}");
    put_finished("completed", "b", "returnvalue 5");
    test_redis(&server, "HSET bull:q:b opts nojson");
    assert_ok(sc_queue_retry(queue, SC_S("p")));
    assert_ok(sc_queue_retry(queue, SC_S("l")));
    assert_ok(sc_queue_retry(queue, SC_S("b")));

    assert_redis("ZRANGE bull:q:prioritized 0 -1 WITHSCORES", "p 12884901889");
    assert_redis("LRANGE bull:q:wait 0 -1", "b 1 l");
    assert_redis("HEXISTS bull:q:p returnvalue", "0");
    assert_string_equal(last_event(), "event waiting jobId b prev completed");
    close_queue();
}

TEST(a_retried_child_is_waited_for_again)
{
    open_queue();
    test_redis(&server, "HSET bull:q:p name parent");
    test_redis(&server, "ZADD bull:q:p:unsuccessful 1 bull:q:7");
    put_finished("failed", "7", "failedReason boom parentKey bull:q:p");
    assert_ok(sc_queue_retry(queue, SC_S("7")));

    assert_redis("SMEMBERS bull:q:p:dependencies", "bull:q:7");
    assert_redis("EXISTS bull:q:p:unsuccessful", "0");
    close_queue();
}

TEST(only_finished_jobs_are_retried)
{
    open_queue();
    add(NULL);

    assert_err(sc_queue_retry(queue, SC_S("1")), SC_EJOBSTATE);
    assert_err(sc_queue_retry(queue, SC_S("9")), SC_ENOJOB);
    assert_err(sc_queue_retry(queue, SC_S("")), SC_EINVAL);
    close_queue();
}

TEST(a_delayed_job_is_promoted)
{
    open_queue();
    add(&(sc_job_opts){.delay_ms = 60000});
    add(&(sc_job_opts){.delay_ms = 60000, .priority = 2});
    assert_ok(sc_queue_promote(queue, SC_S("1")));
    assert_ok(sc_queue_promote(queue, SC_S("2")));

    assert_redis("LRANGE bull:q:wait 0 -1", "1");
    assert_redis("ZRANGE bull:q:prioritized 0 -1", "2");
    assert_redis("HGET bull:q:1 delay", "0");
    assert_redis("EXISTS bull:q:delayed", "0");
    assert_string_equal(last_event(), "event waiting jobId 2 prev delayed");
    close_queue();
}

TEST(only_delayed_jobs_are_promoted)
{
    open_queue();
    add(NULL);

    assert_err(sc_queue_promote(queue, SC_S("1")), SC_EJOBSTATE);
    assert_err(sc_queue_promote(queue, SC_S("9")), SC_ENOJOB);
    assert_err(sc_queue_promote(queue, SC_S("")), SC_EINVAL);
    close_queue();
}

TEST(wrong_types_in_redis_are_errors)
{
    open_queue();
    wait_until(strcmp(test_redis(&server, "EXISTS bull:q:meta"), "1") == 0);
    add(&(sc_job_opts){.delay_ms = 60000});
    test_redis(&server, "SET bull:q:meta text");

    assert_err(sc_queue_pause(queue), SC_EREPLY);
    assert_err(sc_queue_resume(queue), SC_EREPLY);
    assert_err(sc_queue_promote(queue, SC_S("1")), SC_EREPLY);
    close_queue();
}

TEST(a_key_of_a_wrong_type_loses_no_job)
{
    open_queue();
    add(&(sc_job_opts){.delay_ms = 60000});
    add(&(sc_job_opts){.priority = 5});
    put_finished("failed", "a", "failedReason oops");
    put_finished("completed", "b", "returnvalue 7");
    test_redis(&server, "SET bull:q:wait text");

    assert_err(sc_queue_promote(queue, SC_S("1")), SC_EREPLY);
    assert_err(sc_queue_retry(queue, SC_S("a")), SC_EREPLY);
    assert_err(sc_queue_retry(queue, SC_S("b")), SC_EREPLY);
    assert_err(sc_queue_change_priority(queue, SC_S("2"), 0, false, NULL), SC_EREPLY);

    assert_redis("ZRANGE bull:q:delayed 0 -1", "1");
    assert_redis("HGET bull:q:1 delay", "60000");
    assert_redis("ZRANGE bull:q:prioritized 0 -1", "2");
    assert_redis("ZRANGE bull:q:failed 0 -1", "a");
    assert_redis("HGET bull:q:a failedReason", "oops");
    assert_redis("ZRANGE bull:q:completed 0 -1", "b");
    assert_redis("HGET bull:q:b returnvalue", "7");
    close_queue();
}
