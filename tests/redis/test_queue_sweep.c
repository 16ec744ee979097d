/* queue/sweep.c, ops/op_sweep.c, lua/{cleanJobs,moveJobsToWait,obliterateQueue} */
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
    wait_until(strcmp(test_redis(&server, "EXISTS bull:q:meta"), "1") == 0);
}

static void close_queue(void)
{
    sc_queue_free(queue);
    sc_client_free(client);
}

#define assert_redis(command, expected) assert_string_equal(test_redis(&server, command), expected)

/* Jobs as they are stored, numbered from 1: `put` puts one into its state, a statement of Lua over i and id. */
static void put_jobs(int count, const char *put)
{
    char command[1024];

    for (int from = 1; from <= count; from += 20000) {
        int to = from + 19999 < count ? from + 19999 : count;

        snprintf(command, sizeof(command),
                 "EVAL for\ti=%d,%d\tdo\tlocal\tid=string.format('%%d',i)\t"
                 "redis.call('HSET','bull:q:'..id,'name','n','data','{}','opts','{}','timestamp',"
                 "'1000','delay','0','priority','0','failedReason','why')\t%s\tend 0",
                 from, to, put);
        test_redis(&server, command);
    }
}

#define IN_WAIT "redis.call('LPUSH','bull:q:wait',id)"
#define IN_PRIORITIZED "redis.call('ZADD','bull:q:prioritized',i,id)"
#define IN_DELAYED "redis.call('ZADD','bull:q:delayed',i,id)"
#define IN_FAILED "redis.call('ZADD','bull:q:failed',i,id)"

/* What a callback was told. */
struct told {
    int64_t calls, last, most; /* most: jobs of one slice */
    int64_t stop_at;           /* calls; 0: never */
};

static bool on_progress(void *user, int64_t done)
{
    struct told *told = user;

    if (done - told->last > told->most)
        told->most = done - told->last;
    told->last = done;
    return ++told->calls != told->stop_at;
}

#define TELL(told) (&(const sc_sweep){on_progress, &(told)})

TEST(two_hundred_thousand_jobs_are_swept_in_slices)
{
    struct told told = {0};
    int64_t count = 0;

    open_queue();
    put_jobs(200000, IN_FAILED);
    assert_ok(sc_queue_retry_jobs(queue, SC_JOB_FAILED, 0, 0, TELL(told), &count, NULL));
    assert_int_equal(count, 200000);
    assert_int_equal(told.most, 250);
    assert_redis("LLEN bull:q:wait", "200000");
    assert_redis("HEXISTS bull:q:77777 failedReason", "0");
    told = (struct told){0};
    assert_ok(sc_queue_drain(queue, false, TELL(told), &count, NULL));

    assert_int_equal(count, 200000);
    assert_int_equal(told.most, 250);
    assert_redis("EXISTS bull:q:wait bull:q:1 bull:q:100000 bull:q:200000", "0");
    close_queue();
}

TEST(obliterate_goes_in_slices_and_leaves_nothing)
{
    struct told told = {0};
    int64_t count = 0;

    open_queue();
    put_jobs(3000, IN_DELAYED);
    test_redis(&server, "SET bull:q:limiter 5");
    test_redis(&server, "HSET bull:q:parent name n");
    test_redis(&server, "ZADD bull:q:waiting-children 1 parent");
    assert_ok(sc_queue_obliterate(queue, false, TELL(told), &count, NULL));

    assert_int_equal(count, 3001);
    assert_int_equal(told.most, 250);
    assert_redis("DBSIZE", "0");
    close_queue();
}

TEST(jobs_that_stay_do_not_hide_those_behind_them)
{
    int64_t count = 0;

    open_queue();
    put_jobs(3000, "redis.call('HSET','bull:q:'..id,'timestamp',i%3==0\tand\t'1000'\tor\t"
                   "'99999999999999')\t" IN_WAIT);
    assert_ok(sc_queue_clean(queue, SC_JOB_WAITING, 0, 0, NULL, &count, NULL));

    assert_int_equal(count, 1000);
    assert_redis("LLEN bull:q:wait", "2000");
    assert_redis("LRANGE bull:q:wait -4 -1", "5 4 2 1");
    assert_redis("LRANGE bull:q:wait 0 1", "2999 2998");
    assert_redis("EXISTS bull:q:3 bull:q:3000", "0");
    close_queue();
}

TEST(sets_are_cleaned_up_to_the_limit_oldest_first)
{
    int64_t count = 0;

    open_queue();
    put_jobs(1200, IN_PRIORITIZED);
    assert_ok(sc_queue_clean(queue, SC_JOB_PRIORITIZED, 0, 700, NULL, &count, NULL));

    assert_int_equal(count, 700);
    assert_redis("ZRANGE bull:q:prioritized 0 0", "701");
    assert_true(strstr(test_redis(&server, "XRANGE bull:q:events - +"), "event cleaned count 700"));
    close_queue();
}

TEST(a_job_that_a_worker_has_and_one_that_a_scheduler_waits_for_stay)
{
    int64_t count = 0;

    open_queue();
    put_jobs(3, "redis.call('LPUSH','bull:q:active',id)");
    test_redis(&server, "SET bull:q:2:lock token");
    assert_ok(sc_queue_clean(queue, SC_JOB_ACTIVE, 0, 0, NULL, &count, NULL));
    assert_int_equal(count, 2);
    assert_redis("LRANGE bull:q:active 0 -1", "2");
    test_redis(&server, "HSET bull:q:repeat:s:5000 name s rjk s timestamp 1");
    test_redis(&server, "ZADD bull:q:repeat 5000 s");
    test_redis(&server, "RPUSH bull:q:wait repeat:s:5000");
    assert_ok(sc_queue_drain(queue, true, NULL, &count, NULL));

    assert_int_equal(count, 0);
    assert_redis("LRANGE bull:q:wait 0 -1", "repeat:s:5000");
    close_queue();
}

TEST(false_stops_a_sweep_and_what_was_done_stays_done)
{
    struct told told = {.stop_at = 2};
    int64_t count = -1;
    sc_reason why = {""};

    open_queue();
    put_jobs(5000, IN_DELAYED);

    assert_err(sc_queue_promote_jobs(queue, 0, TELL(told), &count, &why), SC_ECANCELED);
    assert_string_equal(why.text, "cancelled after 500 jobs");
    assert_int_equal(count, -1);
    assert_redis("ZCARD bull:q:delayed", "4500");
    assert_redis("LLEN bull:q:wait", "500");
    close_queue();
}

TEST(obliterate_with_active_jobs_needs_force)
{
    sc_reason why = {""};

    open_queue();
    put_jobs(2, "redis.call('LPUSH','bull:q:active',id)");

    assert_err(sc_queue_obliterate(queue, false, NULL, NULL, &why), SC_EBUSY);
    assert_string_equal(why.text, "jobs of the queue are active");
    assert_redis("EXISTS bull:q:1 bull:q:2", "2");
    assert_ok(sc_queue_obliterate(queue, true, NULL, NULL, NULL));
    assert_redis("DBSIZE", "0");
    close_queue();
}

TEST(broken_jobs_stop_no_sweep)
{
    int64_t count = 0;

    open_queue();
    put_jobs(3, IN_WAIT);
    test_redis(&server, "DEL bull:q:1 bull:q:2");
    test_redis(&server, "SET bull:q:2 text");
    assert_ok(sc_queue_drain(queue, false, NULL, &count, NULL));

    assert_int_equal(count, 3);
    assert_redis("EXISTS bull:q:wait bull:q:2 bull:q:3", "0");
    close_queue();
}

TEST(a_wait_key_of_a_wrong_type_loses_no_job)
{
    open_queue();
    put_jobs(3, IN_FAILED);
    test_redis(&server, "SET bull:q:wait text");

    assert_err(sc_queue_retry_jobs(queue, SC_JOB_FAILED, 0, 0, NULL, NULL, NULL), SC_EREPLY);
    assert_redis("ZCARD bull:q:failed", "3");
    assert_redis("HGET bull:q:1 failedReason", "why");
    close_queue();
}

TEST(what_makes_no_sense_is_refused)
{
    open_queue();

    assert_err(sc_queue_clean(queue, SC_JOB_WAITING_CHILDREN, 0, 0, NULL, NULL, NULL), SC_EINVAL);
    assert_err(sc_queue_clean(queue, SC_JOB_FAILED, -1, 0, NULL, NULL, NULL), SC_EINVAL);
    assert_err(sc_queue_clean(queue, SC_JOB_FAILED, 0, -1, NULL, NULL, NULL), SC_EINVAL);
    assert_err(sc_queue_retry_jobs(queue, SC_JOB_DELAYED, 0, 0, NULL, NULL, NULL), SC_EINVAL);
    assert_err(sc_queue_promote_jobs(queue, -1, NULL, NULL, NULL), SC_EINVAL);
    close_queue();
}
