/* worker/ending.c: a backoff of the worker's own, and the limit of a job's starts. */
#include "support/worker_bench.h"

static struct bench b;
static int64_t answer; /* of the backoff's callback */
static char asked[256];

static int64_t backoff(void *user, const sc_job *job, sc_slice strategy, int64_t attempts_made,
                       const char *error)
{
    size_t len = strlen(asked);

    assert_ptr_equal(user, &answer);
    snprintf(asked + len, sizeof(asked) - len, "%s %.*s %d %s;", job->name.ptr, (int)strategy.len,
             strategy.ptr, (int)attempts_made, error);
    return answer;
}

static sc_outcome have_no_luck(sc_run *run, const sc_job *job, void *user)
{
    (void)job;
    (void)user;
    b.runs++;
    return sc_run_fail(run, SC_FAILED, "no luck");
}

static void work(int64_t answered, int64_t attempts)
{
    const sc_job_opts opts = {.attempts = attempts,
                              .backoff = {.kind = SC_BACKOFF_CUSTOM, .custom = SC_S("tide")}};

    answer = answered;
    bench_open(&b);
    add(&b, "mail", &opts);
    bench_work(&b, &(sc_worker_opts){.backoff = backoff, .backoff_user = &answer}, have_no_luck);
}

TEST(the_workers_own_backoff_says_when_to_try_again)
{
    work(20, 3);
    wait_until(count_of(&b, SC_JOB_FAILED) == 1);

    assert_string_equal(asked, "mail tide 1 no luck;mail tide 2 no luck;");
    assert_string_equal(redis(&b, "HMGET bull:q:1 atm ats delay"), "3 3 0");
    assert_non_null(strstr(redis(&b, "XRANGE bull:q:events - +"), "delayed"));
    bench_close(&b);
}

TEST(a_backoff_of_nothing_tries_again_at_once)
{
    work(0, 3);
    wait_until(count_of(&b, SC_JOB_FAILED) == 1);

    assert_int_equal(b.runs, 3);
    assert_null(strstr(redis(&b, "XRANGE bull:q:events - +"), "delayed"));
    bench_close(&b);
}

TEST(a_negative_backoff_ends_the_job)
{
    work(-1, 9);
    wait_until(count_of(&b, SC_JOB_FAILED) == 1);

    assert_int_equal(b.runs, 1);
    assert_string_equal(redis(&b, "HMGET bull:q:1 atm failedReason"), "1 no luck");
    assert_null(strstr(redis(&b, "XRANGE bull:q:events - +"), "retries-exhausted"));
    bench_close(&b);
}

TEST(without_a_callback_its_delay_is_waited_for)
{
    const sc_job_opts opts = {
        .attempts = 2,
        .backoff = {.kind = SC_BACKOFF_CUSTOM, .custom = SC_S("tide"), .delay_ms = 600000}};

    bench_open(&b);
    add(&b, "mail", &opts);
    bench_work(&b, NULL, have_no_luck);
    wait_until(count_of(&b, SC_JOB_DELAYED) == 1);

    assert_string_equal(redis(&b, "HGET bull:q:1 delay"), "600000");
    bench_close(&b);
}

TEST(a_job_gets_no_more_tries_than_starts)
{
    bench_open(&b);
    add(&b, "mail", &(sc_job_opts){.attempts = 9});
    bench_work(&b, &(sc_worker_opts){.max_started = 2}, have_no_luck);
    wait_until(count_of(&b, SC_JOB_FAILED) == 1);

    assert_int_equal(b.runs, 2);
    assert_string_equal(redis(&b, "HMGET bull:q:1 ats failedReason"), "2 no luck");
    bench_close(&b);
}

TEST(a_job_that_was_started_too_often_fails_without_being_run)
{
    bench_open(&b);
    redis(&b, "HSET bull:q:meta paused 1");
    add(&b, "mail", &(sc_job_opts){.attempts = 9});
    redis(&b, "HSET bull:q:1 ats 2");
    assert_ok(sc_queue_resume(b.queue));
    bench_work(&b, &(sc_worker_opts){.max_started = 2}, have_no_luck);
    wait_until(count_of(&b, SC_JOB_FAILED) == 1);

    assert_int_equal(b.runs, 0);
    assert_string_equal(redis(&b, "HGET bull:q:1 failedReason"),
                        "job started more than allowable limit");
    bench_close(&b);
}

TEST(limits_that_make_no_sense_are_refused)
{
    sc_reason why = {""};

    bench_open(&b);
    assert_err(
        sc_worker_new(b.client, SC_S("q"), &(sc_worker_opts){.max_started = -1}, &b.worker, &why),
        SC_EINVAL);
    assert_string_equal(why.text, "the limit of starts must not be negative");
    assert_err(sc_worker_new(b.client, SC_S("q"), &(sc_worker_opts){.metrics_points = 20161},
                             &b.worker, &why),
               SC_EINVAL);
    assert_string_equal(why.text, "metrics of 20161 minutes; they can be kept for 0 to 20160");
    bench_close(&b);
}
