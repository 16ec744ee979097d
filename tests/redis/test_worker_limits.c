/* Limits in time of jobs: expiry, soft and hard timeouts. */
#include "support/worker_bench.h"

#include <storychain/scheduler.h>

#include "base/clock.h"

static bool has_begun(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* expiry */

TEST(a_job_that_comes_too_late_fails_without_being_run)
{
    struct bench b;

    bench_open(&b);
    add(&b, "late", &(sc_job_opts){.expires_at_ms = sc__wall_ms() - 5000, .attempts = 3});
    add(&b, "slow", &(sc_job_opts){.start_within_ms = 1, .timestamp_ms = sc__wall_ms() - 100});
    add(&b, "fine", &(sc_job_opts){.expires_at_ms = sc__wall_ms() + 600000});

    bench_work(&b, NULL, succeed);
    wait_until(count_of(&b, SC_JOB_FAILED) == 2 && count_of(&b, SC_JOB_COMPLETED) == 1);

    assert_string_equal(order(&b), "fine ");
    assert_true(
        has_begun(redis(&b, "HGET bull:q:1 failedReason"), "expired: it was to be started by 20"));
    assert_true(has_begun(redis(&b, "HGET bull:q:2 failedReason"), "expired: "));
    assert_string_equal(redis(&b, "HGET bull:q:1 atm"), "1");
    wait_until(stats(&b).expired == 2 && stats(&b).failed == 2);
    assert_string_equal(redis(&b, "HGET bull:q:meta sc:extensions"), "1");
    bench_close(&b);
}

TEST(the_time_to_start_within_begins_after_the_delay)
{
    struct bench b;

    bench_open(&b);
    bench_work(&b, NULL, succeed);
    add(&b, "later", &(sc_job_opts){.delay_ms = 100, .start_within_ms = 600000});
    add(&b, "gone", &(sc_job_opts){.delay_ms = 100, .expires_at_ms = sc__wall_ms() + 10});
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 1 && count_of(&b, SC_JOB_FAILED) == 1);
    assert_string_equal(order(&b), "later ");
    bench_close(&b);
}

/* Gives a delayed job other options, and lets it run. */
static void run_with(struct bench *b, const char *id, const char *opts)
{
    char command[256];

    wait_until(count_of(b, SC_JOB_DELAYED) == 1);
    snprintf(command, sizeof(command), "HSET bull:q:%s opts %s", id, opts);
    redis(b, command);
    assert_ok(sc_queue_promote(b->queue, sc_slice_of(id)));
}

TEST(a_retry_that_comes_too_late_is_not_run)
{
    struct bench b;
    const sc_job_opts opts = {.attempts = 5,
                              .backoff = {.kind = SC_BACKOFF_FIXED, .delay_ms = 3600000}};

    bench_open(&b);
    bench_work(&b, NULL, fail_always);
    add(&b, "mail", &opts);
    run_with(&b, "1", "{\"attempts\":5,\"sc\":{\"expiresAt\":1000}}");
    wait_until(count_of(&b, SC_JOB_FAILED) == 1);
    assert_int_equal(b.runs, 1);
    assert_string_equal(redis(&b, "HGET bull:q:1 atm"), "2");
    assert_true(has_begun(redis(&b, "HGET bull:q:1 failedReason"), "expired: "));
    bench_close(&b);
}

TEST(jobs_of_a_scheduler_expire_each_by_its_own_date)
{
    struct bench b;
    const sc_job_spec spec = {.name = SC_S("tick"),
                              .opts = &(sc_job_opts){.start_within_ms = 600000}};

    bench_open(&b);
    bench_work(&b, NULL, succeed);
    assert_ok(sc_scheduler_upsert(b.queue, SC_S("s"), &(sc_repeat){.every_ms = 50}, &spec, NULL,
                                  NULL, NULL));
    wait_until(count_of(&b, SC_JOB_COMPLETED) >= 3);
    assert_int_equal(count_of(&b, SC_JOB_FAILED), 0);
    assert_string_equal(redis(&b, "HGET bull:q:meta sc:extensions"), "1");
    bench_close(&b);
}

TEST(limits_out_of_range_are_refused)
{
    struct bench b;
    sc_job_spec spec = {.name = SC_S("job")};
    const sc_job_opts bad[] = {{.expires_at_ms = -1},
                               {.start_within_ms = -1},
                               {.soft_timeout_ms = -2},
                               {.hard_timeout_ms = -2},
                               {.hard_timeout_ms = INT64_MAX}};
    sc_worker *worker;

    bench_open(&b);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        spec.opts = &bad[i];
        assert_err(sc_queue_add(b.queue, &spec, NULL, NULL), SC_EINVAL);
    }
    assert_err(
        sc_worker_new(b.client, SC_S("q"), &(sc_worker_opts){.hard_timeout_ms = -1}, &worker, NULL),
        SC_EINVAL);
    bench_work(&b, NULL, succeed);
    assert_err(sc_worker_handle_with(b.worker, SC_S("x"), succeed, &b,
                                     &(sc_handler_opts){.soft_timeout_ms = -2}),
               SC_EINVAL);
    bench_close(&b);
}

/* soft timeouts */

/* Goes on until it is told to stop; is done then. */
static sc_outcome stop_when_told(sc_run *run, const sc_job *job, void *user)
{
    struct bench *b = user;
    int64_t deadline = test_deadline_ms();

    note(b, job);
    while (!sc_run_is_cancelled(run) && test_pause_until(deadline))
        ;
    b->cause = sc_run_cancel_cause(run);
    snprintf(b->reason, sizeof(b->reason), "%s", sc_run_cancel_reason(run));
    b->runs++;
    return SC_DONE;
}

TEST(after_the_soft_timeout_a_run_is_told_and_what_it_makes_of_it_counts)
{
    struct bench b;

    bench_open(&b);
    add(&b, "long", &(sc_job_opts){.soft_timeout_ms = 30});
    bench_work(&b, NULL, stop_when_told);
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 1);
    assert_int_equal(b.cause, SC_CANCEL_TIMEOUT);
    assert_string_equal(b.reason, "timeout");
    wait_until(stats(&b).completed == 1);
    assert_int_equal(stats(&b).timed_out, 0);
    bench_close(&b);
}

/* Notes its job when it is told to stop; ends when the test lets go. */
static sc_outcome note_timeout(sc_run *run, const sc_job *job, void *user)
{
    struct bench *b = user;
    int64_t deadline = test_deadline_ms();

    while (b->hold && !sc_run_is_cancelled(run) && test_pause_until(deadline))
        ;
    if (sc_run_is_cancelled(run))
        note(b, job);
    b->runs++;
    return SC_DONE;
}

TEST(a_job_goes_before_its_processor_and_that_before_the_worker)
{
    struct bench b;

    bench_open(&b);
    b.hold = true;
    add(&b, "job", &(sc_job_opts){.soft_timeout_ms = 20});
    add(&b, "never", &(sc_job_opts){.soft_timeout_ms = -1});
    add(&b, "processor", NULL);
    add(&b, "worker", NULL);
    add(&b, "free", NULL);
    add(&b, "long", &(sc_job_opts){.soft_timeout_ms = 3600000});
    assert_ok(sc_worker_new(b.client, SC_S("q"),
                            &(sc_worker_opts){.concurrency = 6, .soft_timeout_ms = 60}, &b.worker,
                            NULL));
    assert_ok(sc_worker_handle(b.worker, SC_S(""), note_timeout, &b));
    assert_ok(sc_worker_handle_with(b.worker, SC_S("processor"), note_timeout, &b,
                                    &(sc_handler_opts){.soft_timeout_ms = 40}));
    assert_ok(sc_worker_handle_with(b.worker, SC_S("free"), note_timeout, &b,
                                    &(sc_handler_opts){.soft_timeout_ms = -1}));
    assert_ok(sc_worker_start(b.worker));
    wait_until(b.runs == 3);
    b.hold = false;
    wait_until(b.runs == 6);
    assert_non_null(strstr(order(&b), "job "));
    assert_non_null(strstr(order(&b), "processor "));
    assert_non_null(strstr(order(&b), "worker "));
    assert_int_equal(strlen(order(&b)), strlen("job processor worker "));
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 6);
    bench_close(&b);
}

/* hard timeouts */

/* Hangs at its first start, whatever it is told, until b->hold is false. */
static sc_outcome hang_once(sc_run *run, const sc_job *job, void *user)
{
    struct bench *b = user;
    int64_t deadline = test_deadline_ms();

    note(b, job);
    b->runs++;
    b->going++;
    while (job->attempts_started == 1 && b->hold && test_pause_until(deadline))
        ;
    b->going--;
    if (job->attempts_started == 1)
        b->cause = sc_run_cancel_cause(run);
    return sc_run_return(run, SC_S("\"late or not\""));
}

TEST(after_the_hard_timeout_the_try_has_failed_and_the_next_one_is_made_though_the_first_hangs)
{
    struct bench b;

    bench_open(&b);
    b.hold = true;
    add(&b, "hangs",
        &(sc_job_opts){.hard_timeout_ms = 30,
                       .attempts = 2,
                       .backoff = {.kind = SC_BACKOFF_FIXED, .delay_ms = 3600000}});
    bench_work(&b, NULL, hang_once);
    run_with(&b, "1", "{\"attempts\":2}"); /* the next has all the time that it needs */
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 1);
    assert_int_equal(b.runs, 2);
    assert_int_equal(b.going, 1);
    assert_string_equal(redis(&b, "HMGET bull:q:1 failedReason stacktrace atm ats"),
                        "timed out after 30 ms [\"timed out after 30 ms\"] 2 2");
    wait_until(stats(&b).completed == 1);
    assert_int_equal(stats(&b).late, 1);
    assert_int_equal(stats(&b).timed_out, 1);
    assert_int_equal(stats(&b).retried, 1);

    b.hold = false;
    wait_until(stats(&b).dropped_late == 1);
    assert_int_equal(b.cause, SC_CANCEL_TIMED_OUT);
    assert_int_equal(stats(&b).late, 0);
    assert_int_equal(stats(&b).completed, 1);
    assert_int_equal(count_of(&b, SC_JOB_COMPLETED), 1);
    bench_close(&b);
}

static void told(void *user, const sc_job *job, sc_outcome outcome, bool final, const char *error,
                 int64_t took_ms)
{
    struct bench *b = user;

    (void)job;
    if (outcome == SC_FAILED && final && took_ms == 25)
        snprintf(b->reason, sizeof(b->reason), "%s", error);
}

TEST(a_job_without_attempts_left_fails_at_its_hard_timeout_and_on_job_is_told_once)
{
    struct bench b;

    bench_open(&b);
    b.hold = true;
    add(&b, "hangs", NULL);
    bench_work(&b, &(sc_worker_opts){.hard_timeout_ms = 25, .on_job = told, .on_job_user = &b},
               hang_once);
    wait_until(count_of(&b, SC_JOB_FAILED) == 1);
    assert_string_equal(b.reason, "timed out after 25 ms");
    assert_string_equal(redis(&b, "EXISTS bull:q:1:lock"), "0");
    b.hold = false;
    wait_until(stats(&b).late == 0);
    assert_string_equal(redis(&b, "HMGET bull:q:1 failedReason returnvalue"),
                        "timed out after 25 ms (nil)");
    bench_close(&b);
}

TEST(hung_threads_are_replaced_up_to_a_number_then_they_are_slots_less)
{
    struct bench b;

    bench_open(&b);
    b.hold = true;
    for (int i = 0; i < 5; i++)
        add(&b, "hangs", &(sc_job_opts){.hard_timeout_ms = 20});
    for (int i = 0; i < 3; i++)
        add(&b, "ends", NULL);
    bench_work(&b, &(sc_worker_opts){.concurrency = 2, .max_late = 3}, hang_once);

    /* 3 are replaced; 2 more take both slots; with 5 late nothing more is taken */
    wait_until(stats(&b).late == 5 && count_of(&b, SC_JOB_FAILED) == 5);
    assert_int_equal(count_of(&b, SC_JOB_WAITING), 3);
    assert_int_equal(b.going, 5);

    b.hold = false;
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 3);
    wait_until(stats(&b).late == 0 && stats(&b).dropped_late == 5);
    bench_close(&b);
}

struct closer {
    struct bench *bench;
    int back;
};

static void *close_worker(void *arg)
{
    struct closer *c = arg;

    assert_ok(sc_worker_close(c->bench->worker, 0, &c->back));
    return NULL;
}

TEST(close_waits_for_a_late_processor_and_hands_nothing_back_for_it)
{
    struct bench b;
    struct closer closer = {&b, -1};
    pthread_t thread;

    bench_open(&b);
    b.hold = true;
    add(&b, "hangs", &(sc_job_opts){.hard_timeout_ms = 20});
    bench_work(&b, NULL, hang_once);
    wait_until(count_of(&b, SC_JOB_FAILED) == 1);

    assert_int_equal(pthread_create(&thread, NULL, close_worker, &closer), 0);
    assert_int_equal(b.going, 1);
    b.hold = false;
    pthread_join(thread, NULL);
    assert_int_equal(b.going, 0);
    assert_int_equal(closer.back, 0);
    assert_int_equal(count_of(&b, SC_JOB_FAILED), 1);
    assert_int_equal(count_of(&b, SC_JOB_WAITING), 0);
    bench_close(&b);
}

static sc_outcome end_at_the_limit(sc_run *run, const sc_job *job, void *user)
{
    struct bench *b = user;
    int64_t until = sc__mono_ms() + 2;

    (void)run, (void)job;
    while (sc__mono_ms() < until)
        ;
    b->runs++;
    return SC_DONE;
}

TEST(runs_that_end_as_their_time_does_are_recorded_once)
{
    struct bench b;
    sc_worker_stats s;

    bench_open(&b);
    add_many(&b, 400);
    bench_work(&b, &(sc_worker_opts){.concurrency = 4, .hard_timeout_ms = 2, .max_late = 100},
               end_at_the_limit);
    wait_until(count_of(&b, SC_JOB_COMPLETED) + count_of(&b, SC_JOB_FAILED) == 400);
    wait_until(stats(&b).late == 0 && stats(&b).running == 0);
    s = stats(&b);
    assert_int_equal(s.completed + s.failed, 400);
    assert_int_equal(s.timed_out, s.failed);
    assert_int_equal(s.dropped_late, s.timed_out);
    assert_int_equal(s.locks_lost, 0);
    assert_int_equal(count_of(&b, SC_JOB_COMPLETED), s.completed);
    bench_close(&b);
}
