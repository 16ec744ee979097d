/* Malformed data of other clients, kind by kind. tests/fault/test_wild_data.c writes it at random. */
#include "support/worker_bench.h"

#include <storychain/control.h>

#include "base/str.h"

static sc_err try_add(struct bench *b, const sc_job_opts *opts, sc_reason *reason)
{
    const sc_job_spec spec = {SC_S("job"), SC_S("{}"), opts};

    *reason = (sc_reason){""};
    return sc_queue_add(b->queue, &spec, NULL, reason);
}

TEST(an_add_that_meets_a_key_of_a_wrong_type_stores_nothing)
{
    static const char *const names[] = {"wait", "prioritized", "delayed"};
    const sc_job_opts opts[] = {{.lifo = true}, {.priority = 1}, {.delay_ms = 60000}};
    char line[64];
    struct bench b;
    sc_reason reason;

    bench_open(&b);
    for (size_t i = 0; i < 3; i++) {
        snprintf(line, sizeof(line), "SET bull:q:%s x", names[i]);
        redis(&b, line);

        assert_err(try_add(&b, &opts[i], &reason), SC_EREPLY);

        assert_non_null(strstr(reason.text, "WRONGTYPE"));
        assert_string_equal(redis(&b, "EXISTS bull:q:1 bull:q:id bull:q:events"), "0");
        snprintf(line, sizeof(line), "DEL bull:q:%s", names[i]);
        redis(&b, line);
    }
    assert_ok(try_add(&b, NULL, &reason));
    bench_close(&b);
}

TEST(a_counter_that_can_give_no_ids_refuses_adds)
{
    static const char *const bad[] = {"x", "9007199254740993", "9223372036854775807", "-7"};
    char line[64];
    struct bench b;
    sc_reason reason;

    bench_open(&b);
    for (size_t i = 0; i < 4; i++) {
        snprintf(line, sizeof(line), "SET bull:q:id %s", bad[i]);
        redis(&b, line);
        assert_err(try_add(&b, NULL, &reason), SC_EREPLY);
        assert_string_equal(redis(&b, "GET bull:q:id"), bad[i]);
        assert_string_equal(redis(&b, "EXISTS bull:q:wait"), "0");
    }
    bench_close(&b);
}

TEST(a_key_in_the_place_of_a_new_job_makes_way)
{
    struct bench b;
    sc_reason reason;

    bench_open(&b);
    redis(&b, "SET bull:q:1 x");
    assert_ok(try_add(&b, NULL, &reason));
    assert_string_equal(redis(&b, "HGET bull:q:1 name"), "job");
    bench_close(&b);
}

TEST(what_only_helps_a_queue_is_made_anew)
{
    static const char *const spoiled[] = {"HSET bull:q:marker a b", "HSET bull:q:pc a b",
                                          "SET bull:q:events x", "SET bull:q:stalled x",
                                          "SET bull:q:limiter x"};
    struct bench b;

    bench_open(&b);
    for (size_t i = 0; i < sizeof(spoiled) / sizeof(*spoiled); i++)
        redis(&b, spoiled[i]);

    add(&b, "first", &(sc_job_opts){.priority = 5});
    add(&b, "second", &(sc_job_opts){.priority = 5});
    add(&b, "third", &(sc_job_opts){.delay_ms = 5});
    assert_string_equal(redis(&b, "GET bull:q:pc"), "2");
    assert_string_equal(redis(&b, "TYPE bull:q:marker"), "zset");
    redis(&b, "RPUSH bull:q:active 4");
    redis(&b, "HSET bull:q:4 name lost data {} opts {}");
    bench_work(&b, &(sc_worker_opts){.stalled_interval_ms = 50}, succeed);

    wait_until(count_of(&b, SC_JOB_COMPLETED) == 4);
    assert_string_equal(redis(&b, "TYPE bull:q:events"), "string");
    bench_close(&b);
}

TEST(marks_and_locks_without_an_end_hold_up_nothing)
{
    struct bench b;

    bench_open(&b);
    redis(&b, "SET bull:q:stalled-check 1");
    redis(&b, "RPUSH bull:q:active 1");
    redis(&b, "HSET bull:q:1 name lost data {} opts {}");
    redis(&b, "SET bull:q:1:lock nobody");
    redis(&b, "SET bull:q:limiter 1000000");
    bench_work(&b, &(sc_worker_opts){.stalled_interval_ms = 50, .limit = {5, 1000}}, succeed);
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 1);
    bench_close(&b);
}

static sc_outcome spoil_and_fail(sc_run *run, const sc_job *job, void *user)
{
    struct bench *b = user;

    if (job->attempts_made)
        return succeed(run, job, user);
    redis(b, "SET bull:q:prioritized x");
    return sc_run_fail(run, SC_FAILED, "no luck");
}

TEST(a_job_that_is_tried_again_is_not_lost_with_its_place)
{
    struct bench b;

    bench_open(&b);
    add(&b, "job", &(sc_job_opts){.priority = 5, .attempts = 2});
    bench_work(&b, NULL, spoil_and_fail);
    wait_until(b.runs == 1);
    redis(&b, "DEL bull:q:prioritized");
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 1);
    assert_string_equal(redis(&b, "HGET bull:q:1 atm"), "2");
    bench_close(&b);
}

TEST(due_jobs_whose_set_is_none_wait_without_their_priority)
{
    struct bench b;

    bench_open(&b);
    add(&b, "job", &(sc_job_opts){.priority = 5, .delay_ms = 5});
    redis(&b, "SET bull:q:prioritized x");
    bench_work(&b, NULL, succeed);
    wait_until(b.runs == 1);
    bench_close(&b);
}

TEST(counts_of_attempts_that_are_none_begin_anew)
{
    static const char *const bad[] = {"-9223372036854775808", "nan",  "inf", "x",
                                      "9223372036854775807",  "1e300"};
    char line[96];
    struct bench b;

    bench_open(&b);
    for (int i = 0; i < 6; i++) {
        add(&b, "job", &(sc_job_opts){.attempts = 3});
        snprintf(line, sizeof(line), "HSET bull:q:%d atm %s ats %s stc %s", i + 1, bad[i], bad[i],
                 bad[i]);
        redis(&b, line);
    }
    bench_work(&b, NULL, fail_always);
    wait_until(count_of(&b, SC_JOB_FAILED) == 6);
    assert_in_range(b.runs, 6, 18);
    bench_close(&b);
}

TEST(a_broken_job_fails_once_with_its_reason_and_the_others_complete)
{
    struct bench b;

    bench_open(&b);
    add_many(&b, 5);
    redis(&b, "HSET bull:q:1 opts {\"attempts\":");
    redis(&b, "HDEL bull:q:2 name");
    redis(&b, "DEL bull:q:3");
    redis(&b, "DEL bull:q:4");
    redis(&b, "SET bull:q:4 x");
    bench_work(&b, &(sc_worker_opts){.concurrency = 2}, succeed);

    wait_until(count_of(&b, SC_JOB_FAILED) == 2 && count_of(&b, SC_JOB_COMPLETED) == 1);
    assert_non_null(
        strstr(redis(&b, "HGET bull:q:1 failedReason"), "the job's opts can't be read"));
    assert_string_equal(redis(&b, "HGET bull:q:2 failedReason"), "the job has no name");
    assert_string_equal(redis(&b, "HMGET bull:q:1 ats atm"), "1 1");
    assert_string_equal(redis(&b, "LLEN bull:q:active"), "0");
    assert_string_equal(redis(&b, "EXISTS bull:q:3:lock bull:q:4:lock"), "0");
    bench_close(&b);
}

TEST(a_stacktrace_of_thousands_of_levels_needs_no_stack)
{
    enum { DEEP = 2000 };
    AUTO_STR text = {0};
    sc_slice args[] = {SC_S("HSET"), SC_S("bull:q:1"), SC_S("stacktrace"), {NULL, 0}};
    sc_reply *reply;
    struct bench b;

    bench_open(&b);
    add(&b, "job", NULL);
    for (int i = 0; i < DEEP; i++)
        sc__str_append(&text, SC_S("["));
    for (int i = 0; i < DEEP; i++)
        sc__str_append(&text, SC_S("]"));
    args[3] = sc__str_slice(&text);
    assert_ok(sc_client_call(b.client, args, 4, &reply));
    sc_reply_free(reply);
    bench_work(&b, &(sc_worker_opts){.stack_bytes = 64 * 1024}, fail_always);

    wait_until(count_of(&b, SC_JOB_FAILED) == 1);
    assert_string_equal(redis(&b, "HGET bull:q:1 stacktrace"), "[\"no luck 1\"]");
    bench_close(&b);
}

TEST(a_cap_of_events_that_is_none_is_set_anew)
{
    static const char *const bad[] = {"many", "-5", "1e3", "99999999999999999999"};
    char line[96];
    struct bench b;

    bench_open(&b);
    for (size_t i = 0; i < 4; i++) {
        snprintf(line, sizeof(line), "HSET bull:q:meta opts.maxLenEvents %s", bad[i]);
        redis(&b, line);
        add(&b, "job", NULL);
        assert_string_equal(redis(&b, "HGET bull:q:meta opts.maxLenEvents"), "10000");
    }
    bench_close(&b);
}

TEST(a_page_leaves_out_what_is_no_job)
{
    sc_job_list *list;
    struct bench b;
    char *id = malloc(70000);
    const sc_slice words[] = {
        SC_S("LPUSH"), SC_S("bull:q:wait"), {id, 70000}, SC_S("text"), {"nul\0", 4}};

    memset(id, 'x', 70000);
    bench_open(&b);
    add(&b, "job", NULL);
    redis(&b, "SET bull:q:text x");
    test_redis_words(&b.server, words, 5);
    assert_ok(sc_queue_get_jobs(b.queue, SC_JOB_WAITING, 0, -1, true, &list));
    assert_int_equal(list->count, 1);
    sc_job_list_free(list);
    free(id);
    bench_close(&b);
}

TEST(a_job_with_broken_keys_beside_it_can_be_removed)
{
    struct bench b;

    bench_open(&b);
    add(&b, "job", NULL);
    redis(&b, "SET bull:q:1:dependencies x");
    redis(&b, "SET bull:q:1:processed x");
    redis(&b, "SET bull:q:1:unsuccessful x");
    redis(&b, "SET bull:q:delayed x");
    redis(&b, "SET bull:q:repeat x");
    redis(&b, "HSET bull:q:1 parentKey bull:q:2 deid d rjk s");
    redis(&b, "SET bull:q:2:dependencies x");
    redis(&b, "HSET bull:q:de:d x y");
    assert_ok(sc_queue_remove(b.queue, SC_S("1")));
    assert_string_equal(
        redis(&b, "EXISTS bull:q:1 bull:q:wait bull:q:1:dependencies bull:q:1:processed"), "0");
    bench_close(&b);
}

/* Whoever put the name of a key of the queue into a set of jobs must not make us delete that key. */
TEST(names_of_the_queues_own_keys_are_no_jobs)
{
    static const char *const spoiled[] = {
        "ZADD bull:q:completed 1 wait 2 meta 3 id", "ZADD bull:q:failed 1 wait 2 events",
        "RPUSH bull:q:wait meta", "HSET bull:q:repeat:s name tick",
        "ZADD bull:q:delayed 1 repeat:s"};
    sc_job_opts opts = {.keep_completed = {SC_KEEP_SOME, .count = 1, .age_s = -1}};
    struct bench b;

    bench_open(&b);
    assert_ok(sc_queue_pause(b.queue));
    add(&b, "job", &opts);
    add(&b, "job", &opts);
    for (size_t i = 0; i < sizeof(spoiled) / sizeof(*spoiled); i++)
        redis(&b, spoiled[i]);

    assert_ok(sc_queue_clean(b.queue, SC_JOB_FAILED, 0, 0, NULL, NULL, NULL));
    assert_ok(sc_queue_clean(b.queue, SC_JOB_DELAYED, 0, 0, NULL, NULL, NULL));
    assert_err(sc_queue_remove(b.queue, SC_S("wait")), SC_ENOJOB);
    assert_err(sc_queue_remove(b.queue, SC_S("repeat:s")), SC_ENOJOB);
    assert_string_equal(redis(&b, "LLEN bull:q:wait"), "3");
    assert_string_equal(redis(&b, "EXISTS bull:q:repeat:s bull:q:events"), "2");
    assert_ok(sc_queue_resume(b.queue));
    bench_work(&b, NULL, succeed);

    wait_until(b.runs == 2);
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 1);
    assert_string_equal(redis(&b, "HMGET bull:q:meta processedOn opts.maxLenEvents"),
                        "(nil) 10000");
    assert_string_equal(redis(&b, "GET bull:q:id"), "2");
    bench_close(&b);
}

TEST(a_job_of_more_data_than_a_worker_takes_fails_without_being_run)
{
    enum { BYTES = 9 * 1024 * 1024 };
    sc_client_opts client_opts = {.max_reply_bytes = 16 * 1024 * 1024};
    char *data = malloc(BYTES);
    sc_client_stats stats;
    sc_client *client;
    struct bench b;

    memset(data, ' ', BYTES);
    data[0] = '1';
    bench_open(&b);
    add(&b, "before", NULL);
    assert_ok(
        sc_queue_add(b.queue, &(sc_job_spec){SC_S("large"), {data, BYTES}, NULL}, NULL, NULL));
    add(&b, "after", NULL);
    client_opts.url = b.server.url;
    assert_ok(sc_client_new(&client_opts, &client, NULL));
    assert_ok(sc_worker_new(client, SC_S("q"), NULL, &b.worker, NULL));
    assert_ok(sc_worker_handle(b.worker, SC_S(""), succeed, &b));
    assert_ok(sc_worker_start(b.worker));

    wait_until(count_of(&b, SC_JOB_FAILED) == 1 && count_of(&b, SC_JOB_COMPLETED) == 2);
    assert_string_equal(redis(&b, "HGET bull:q:2 failedReason"),
                        "its data has 9437184 bytes, and the worker takes 8388608 at most");
    assert_int_equal(b.runs, 2);
    sc_client_stats_get(client, &stats);
    assert_int_equal(stats.reconnects, 0);
    sc_worker_free(b.worker);
    b.worker = NULL;
    sc_client_free(client);
    free(data);
    bench_close(&b);
}

TEST(jobs_of_many_megabytes_come_in_replies_that_a_client_takes)
{
    enum { BYTES = 3 * 1024 * 1024, COUNT = 12, FEW = 3 };
    sc_client_opts client_opts = {.max_reply_bytes = 16 * 1024 * 1024};
    char *data = malloc(BYTES);
    sc_client *client;
    sc_worker *worker;
    sc_job_opts opts = {.priority = 5};
    struct bench b;

    memset(data, ' ', BYTES);
    data[0] = '1';
    bench_open(&b);
    for (int i = 0; i < COUNT + FEW; i++) {
        char name[2] = {(char)('a' + i), '\0'};
        const sc_job_spec spec = {sc_slice_of(name), {data, BYTES}, i < COUNT ? NULL : &opts};

        assert_ok(sc_queue_add(b.queue, &spec, NULL, NULL));
    }
    client_opts.url = b.server.url;
    assert_ok(sc_client_new(&client_opts, &client, NULL));
    assert_ok(
        sc_worker_new(client, SC_S("q"), &(sc_worker_opts){.concurrency = 20}, &worker, NULL));
    assert_ok(sc_worker_handle(worker, SC_S(""), succeed, &b));
    assert_ok(sc_worker_start(worker));

    wait_until(count_of(&b, SC_JOB_COMPLETED) == COUNT + FEW);
    assert_int_equal(b.runs, COUNT + FEW);
    assert_string_equal(redis(&b, "HGET bull:q:1 ats"), "1");
    assert_string_equal(redis(&b, "HGET bull:q:15 ats"), "1");
    sc_worker_free(worker);
    sc_client_free(client);
    free(data);
    bench_close(&b);
}
