/* Workers on a real server: taking, outcomes, order, limits, locks, closing. */
#include "support/worker_bench.h"

#include "base/clock.h"

TEST(a_job_is_completed_with_its_result)
{
    struct bench b;

    bench_open(&b);
    add(&b, "mail", NULL);

    bench_work(&b, &(sc_worker_opts){.name = SC_S("w1")}, succeed);
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 1);

    assert_string_equal(redis(&b, "HMGET bull:q:1 name returnvalue atm ats pb"),
                        "mail {\"ok\":true} 1 1 w1");
    assert_string_equal(redis(&b, "EXISTS bull:q:1:lock"), "0");
    assert_string_equal(redis(&b, "LLEN bull:q:active"), "0");
    wait_until(stats(&b).completed == 1);
    bench_close(&b);
}

TEST(a_worker_that_waits_picks_up_a_new_job)
{
    struct bench b;

    bench_open(&b);
    bench_work(&b, &(sc_worker_opts){.concurrency = 3}, succeed);
    for (int i = 1; i <= 20; i++) {
        add(&b, "job", NULL);
        wait_until(b.runs == i);
    }
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 20);
    bench_close(&b);
}

TEST(a_waiting_worker_runs_jobs_though_the_scripts_were_flushed)
{
    struct bench b;

    bench_open(&b);
    bench_work(&b, NULL, succeed);
    for (int i = 1; i <= 3; i++) {
        wait_until(strstr(redis(&b, "CLIENT LIST"), "cmd=bzpopmin"));
        redis(&b, "SCRIPT FLUSH");
        add(&b, "job", NULL);
        wait_until(count_of(&b, SC_JOB_COMPLETED) == i);
    }
    assert_int_equal(stats(&b).locks_lost, 0);
    bench_close(&b);
}

TEST(a_job_that_comes_after_a_pause_goes_back_to_the_head_unrun)
{
    struct bench b;

    bench_open(&b);
    bench_work(&b, NULL, succeed);
    sc_worker_pause(b.worker);
    add_many(&b, 2);
    redis(&b, "CLIENT PAUSE 60000 WRITE");
    sc_worker_resume(b.worker); /* takes */
    sc_worker_pause(b.worker);
    redis(&b, "CLIENT UNPAUSE");

    wait_until(strcmp(redis(&b, "HGET bull:q:1 ats"), "1") == 0);
    wait_until(strcmp(redis(&b, "LRANGE bull:q:wait 0 -1"), "2 1") == 0);
    assert_string_equal(redis(&b, "EXISTS bull:q:active bull:q:1:lock"), "0");
    assert_int_equal(b.runs, 0);
    sc_worker_resume(b.worker);
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 2);
    bench_close(&b);
}

TEST(ten_at_once_complete_thousands)
{
    struct bench b;

    bench_open(&b);
    add_many(&b, 3000);
    bench_work(&b, &(sc_worker_opts){.concurrency = 10}, succeed);
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 3000);
    assert_int_equal(b.runs, 3000);
    assert_int_equal(count_of(&b, SC_JOB_ACTIVE), 0);
    wait_until(stats(&b).completed == 3000 && stats(&b).running == 0);
    bench_close(&b);
}

TEST(a_failed_job_is_tried_again_until_its_attempts_are_used)
{
    struct bench b;
    sc_job_opts opts = {.attempts = 3, .backoff = {.kind = SC_BACKOFF_FIXED, .delay_ms = 20}};

    bench_open(&b);
    add(&b, "mail", &opts);

    bench_work(&b, NULL, fail_always);
    wait_until(count_of(&b, SC_JOB_FAILED) == 1);

    assert_int_equal(b.runs, 3);
    assert_string_equal(redis(&b, "HMGET bull:q:1 failedReason stacktrace atm ats"),
                        "no luck 3 [\"no luck 1\",\"no luck 2\",\"no luck 3\"] 3 3");
    assert_non_null(strstr(redis(&b, "XRANGE bull:q:events - +"), "retries-exhausted"));
    wait_until(stats(&b).retried == 2 && stats(&b).failed == 1);
    bench_close(&b);
}

static sc_outcome give_up(sc_run *run, const sc_job *job, void *user)
{
    struct bench *b = user;

    (void)job;
    b->runs++;
    return sc_run_fail(run, SC_GIVE_UP, "bad payload");
}

TEST(giving_up_fails_at_once_whatever_attempts_are_left)
{
    struct bench b;
    sc_job_opts opts = {.attempts = 5};

    bench_open(&b);
    add(&b, "mail", &opts);
    bench_work(&b, NULL, give_up);
    wait_until(count_of(&b, SC_JOB_FAILED) == 1);
    assert_int_equal(b.runs, 1);
    assert_string_equal(redis(&b, "HGET bull:q:1 failedReason"), "bad payload");
    bench_close(&b);
}

TEST(a_job_without_processor_fails_with_a_reason)
{
    struct bench b;

    bench_open(&b);
    add(&b, "mystery", NULL);
    assert_ok(sc_worker_new(b.client, SC_S("q"), NULL, &b.worker, NULL));
    assert_ok(sc_worker_handle(b.worker, SC_S("mail"), succeed, &b));
    assert_ok(sc_worker_start(b.worker));
    wait_until(count_of(&b, SC_JOB_FAILED) == 1);
    assert_string_equal(redis(&b, "HGET bull:q:1 failedReason"),
                        "no processor for jobs named \"mystery\"");
    bench_close(&b);
}

TEST(jobs_are_served_in_order_and_by_priority)
{
    struct bench b;

    bench_open(&b);
    add(&b, "low", &(sc_job_opts){.priority = 9});
    add(&b, "high", &(sc_job_opts){.priority = 1});
    add(&b, "high2", &(sc_job_opts){.priority = 1});
    add(&b, "first", NULL);
    add(&b, "second", NULL);
    add(&b, "front", &(sc_job_opts){.lifo = true});

    bench_work(&b, NULL, succeed);
    wait_until(b.runs == 6);

    assert_string_equal(order(&b), "front first second high high2 low ");
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 6);
    assert_string_equal(redis(&b, "EXISTS bull:q:pc"), "0");
    bench_close(&b);
}

static sc_outcome note_lateness(sc_run *run, const sc_job *job, void *user)
{
    struct bench *b = user;

    (void)run;
    b->delay_ms = sc__wall_ms() - job->timestamp_ms;
    b->runs++;
    return SC_DONE;
}

TEST(a_delayed_job_runs_at_its_time)
{
    struct bench b;

    bench_open(&b);
    bench_work(&b, &(sc_worker_opts){.drain_delay_ms = 600000}, note_lateness);
    add(&b, "later", &(sc_job_opts){.delay_ms = 150});
    assert_non_null(strstr(redis(&b, "XRANGE bull:q:events - +"), "delayed"));
    wait_until(b.runs == 1);
    assert_true(b.delay_ms >= 150); /* nor much later: only its time wakes this worker */
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 1);
    assert_string_equal(redis(&b, "HGET bull:q:1 delay"), "0");
    bench_close(&b);
}

static sc_outcome delay_once(sc_run *run, const sc_job *job, void *user)
{
    struct bench *b = user;

    b->runs++;
    return job->attempts_started == 1 ? sc_run_delay(run, 30) : SC_DONE;
}

TEST(a_job_can_put_itself_off_without_using_an_attempt)
{
    struct bench b;

    bench_open(&b);
    add(&b, "later", NULL);
    bench_work(&b, NULL, delay_once);
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 1);
    assert_int_equal(b.runs, 2);
    assert_string_equal(redis(&b, "HMGET bull:q:1 atm ats"), "1 2");
    bench_close(&b);
}

static sc_outcome limit_once(sc_run *run, const sc_job *job, void *user)
{
    struct bench *b = user;

    note(b, job);
    b->runs++;
    return b->runs == 1 ? sc_run_limit(run, 100) : SC_DONE;
}

TEST(a_limited_job_goes_to_the_head_and_the_queue_rests)
{
    struct bench b;
    sc_worker_opts opts = {.limit = {1000, 60000}};
    int64_t began = sc__mono_ms();

    bench_open(&b);
    add(&b, "a", NULL);
    add(&b, "b", NULL);
    bench_work(&b, &opts, limit_once);
    wait_until(b.runs == 3);
    assert_string_equal(order(&b), "a a b ");
    assert_true(sc__mono_ms() - began >= 100);
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 2);
    assert_string_equal(redis(&b, "HMGET bull:q:1 atm ats"), "1 2");
    bench_close(&b);
}

TEST(the_rate_limit_holds)
{
    struct bench b;
    sc_worker_opts opts = {.concurrency = 10, .limit = {5, 300}};
    int64_t began;

    bench_open(&b);
    add_many(&b, 12);
    began = sc__mono_ms();
    bench_work(&b, &opts, succeed);
    wait_until(b.runs == 12);
    assert_true(sc__mono_ms() - began >= 600);
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 12);
    bench_close(&b);
}

TEST(a_queue_at_its_rate_limit_gives_no_job_until_the_window_is_over)
{
    struct bench b;
    sc_worker_opts opts = {.concurrency = 10, .limit = {5, 3600000}, .max_rest_ms = 20};

    bench_open(&b);
    add_many(&b, 12);
    bench_work(&b, &opts, succeed);
    for (int runs = 5; runs <= 10; runs += 5) {
        wait_until(b.runs == runs);
        wait_until(count_of(&b, SC_JOB_COMPLETED) == runs);
        assert_string_equal(redis(&b, "GET bull:q:limiter"), "5");
        redis(&b, "DEL bull:q:limiter");
    }
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 12);
    bench_close(&b);
}

TEST(a_paused_queue_gives_no_jobs_until_it_is_resumed)
{
    struct bench b;

    bench_open(&b);
    bench_work(&b, NULL, succeed);
    assert_ok(sc_queue_pause(b.queue));
    add(&b, "job", NULL);
    assert_int_equal(count_of(&b, SC_JOB_WAITING), 1);
    assert_int_equal(b.runs, 0);
    assert_ok(sc_queue_resume(b.queue));
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 1);
    bench_close(&b);
}

TEST(a_paused_worker_takes_nothing_until_it_is_resumed)
{
    struct bench b;

    bench_open(&b);
    bench_work(&b, NULL, succeed);
    sc_worker_pause(b.worker);
    add(&b, "job", NULL);
    assert_int_equal(count_of(&b, SC_JOB_WAITING), 1);
    sc_worker_resume(b.worker);
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 1);
    assert_int_equal(b.runs, 1);
    bench_close(&b);
}

TEST(a_rest_that_begins_as_a_worker_is_paused_ends_after_it_is_resumed)
{
    struct bench b;

    bench_open(&b);
    bench_work(&b, &(sc_worker_opts){.limit = {1, 1000}, .drain_delay_ms = 600000}, succeed);
    wait_until(strstr(redis(&b, "CLIENT LIST"), "cmd=bzpopmin"));
    redis(&b, "SET bull:q:limiter 1 PX 1000");
    sc_worker_pause(b.worker);
    wait_until(!strstr(redis(&b, "CLIENT LIST"), "cmd=bzpopmin"));
    add(&b, "job", NULL);
    sc_worker_resume(b.worker);
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 1);
    bench_close(&b);
}

TEST(global_concurrency_is_kept)
{
    struct bench b;

    bench_open(&b);
    redis(&b, "HSET bull:q:meta concurrency 2");
    add_many(&b, 5);
    b.hold = true;
    bench_work(&b, &(sc_worker_opts){.concurrency = 5}, wait_for_leave);
    wait_until(b.going == 2);
    assert_int_equal(count_of(&b, SC_JOB_ACTIVE), 2);
    b.hold = false;
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 5);
    bench_close(&b);
}

TEST(a_job_longer_than_its_lock_keeps_it)
{
    struct bench b;

    bench_open(&b);
    b.hold = true;
    bench_work(&b,
               &(sc_worker_opts){.lock_ms = 600000, .lock_renew_ms = 20, .stalled_interval_ms = 20},
               wait_for_leave);
    add(&b, "long", NULL);
    wait_until(b.going == 1);
    for (int i = 0; i < 3; i++) {
        redis(&b, "PEXPIRE bull:q:1:lock 300000");
        wait_until(atoi(redis(&b, "PTTL bull:q:1:lock")) > 300000);
        redis(&b, "DEL bull:q:stalled-check"); /* it is looked at, too */
        wait_until(strcmp(redis(&b, "EXISTS bull:q:stalled-check"), "1") == 0);
    }
    b.hold = false;
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 1);
    assert_int_equal(b.runs, 1);
    assert_string_equal(redis(&b, "HEXISTS bull:q:1 stc"), "0");
    bench_close(&b);
}

TEST(a_lost_lock_cancels_the_job_and_drops_its_outcome)
{
    struct bench b;

    bench_open(&b);
    b.hold = true;
    bench_work(&b, &(sc_worker_opts){.lock_ms = 400, .stalled_interval_ms = 60000}, wait_for_leave);
    add(&b, "long", NULL);
    wait_until(b.going == 1);
    redis(&b, "SET bull:q:1:lock someone-else");
    wait_until(b.going == 0);
    wait_until(stats(&b).running == 0);
    assert_int_equal(stats(&b).locks_lost, 1);
    assert_int_equal(count_of(&b, SC_JOB_ACTIVE), 1);
    assert_string_equal(redis(&b, "HEXISTS bull:q:1 finishedOn"), "0");
    bench_close(&b);
}

TEST(jobs_of_a_dead_worker_are_run_by_another)
{
    struct bench b;

    bench_open(&b);
    add(&b, "job", NULL);
    redis(&b, "RPOPLPUSH bull:q:wait bull:q:active");
    redis(&b, "HSET bull:q:1 ats 1");
    bench_work(&b, &(sc_worker_opts){.stalled_interval_ms = 50}, succeed);
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 1);
    assert_string_equal(redis(&b, "HMGET bull:q:1 stc ats atm"), "1 2 1");
    assert_non_null(strstr(redis(&b, "XRANGE bull:q:events - +"), "stalled"));
    assert_string_equal(redis(&b, "EXISTS bull:q:stalled"), "0");
    bench_close(&b);
}

TEST(a_job_that_stalls_too_often_fails_unrun)
{
    struct bench b;

    bench_open(&b);
    add(&b, "poison", NULL);
    redis(&b, "RPOPLPUSH bull:q:wait bull:q:active");
    redis(&b, "HSET bull:q:1 stc 1");
    bench_work(&b, &(sc_worker_opts){.stalled_interval_ms = 50}, succeed);
    wait_until(count_of(&b, SC_JOB_FAILED) == 1);
    assert_int_equal(b.runs, 0);
    assert_string_equal(redis(&b, "HGET bull:q:1 failedReason"),
                        "job stalled more than allowable limit");
    assert_string_equal(redis(&b, "HEXISTS bull:q:1 defa"), "0");
    bench_close(&b);
}

TEST(closing_waits_for_running_jobs)
{
    struct bench b;
    int back = -1;

    bench_open(&b);
    add_many(&b, 50);
    bench_work(&b, &(sc_worker_opts){.concurrency = 4}, succeed);
    wait_until(b.runs > 0);
    assert_ok(sc_worker_close(b.worker, 60000, &back));
    assert_int_equal(back, 0);
    assert_int_equal(count_of(&b, SC_JOB_ACTIVE), 0);
    assert_int_equal(count_of(&b, SC_JOB_COMPLETED), b.runs);
    assert_int_equal(count_of(&b, SC_JOB_COMPLETED) + count_of(&b, SC_JOB_WAITING), 50);
    bench_close(&b);
}

TEST(closing_gives_unfinished_jobs_back_to_the_head_uncounted)
{
    struct bench b;
    int back = -1;

    bench_open(&b);
    add_many(&b, 4);
    b.hold = true;
    bench_work(&b, &(sc_worker_opts){.concurrency = 2}, wait_for_leave);
    wait_until(b.going == 2);
    assert_ok(sc_worker_close(b.worker, 20, &back));
    assert_int_equal(back, 2);
    assert_int_equal(b.going, 0);
    assert_string_equal(redis(&b, "LRANGE bull:q:wait 0 -1"), "4 3 2 1");
    assert_string_equal(redis(&b, "HMGET bull:q:1 atm failedReason"), "(nil) (nil)");
    assert_string_equal(redis(&b, "EXISTS bull:q:1:lock bull:q:2:lock"), "0");
    assert_string_equal(redis(&b, "LLEN bull:q:active"), "0");
    assert_string_equal(redis(&b, "ZCARD bull:q:marker"), "1");
    bench_close(&b);
}

TEST(finished_jobs_are_kept_as_their_options_say)
{
    struct bench b;
    const sc_worker_opts opts = {.keep_completed = {SC_KEEP_SOME, .count = 3, .age_s = -1}};

    bench_open(&b);
    add_many(&b, 10);
    add(&b, "gone", &(sc_job_opts){.keep_completed = {.kind = SC_KEEP_NONE}});
    bench_work(&b, &opts, succeed);
    wait_until(b.runs == 11 && stats(&b).running == 0);
    assert_string_equal(redis(&b, "ZCARD bull:q:completed"), "3");
    assert_string_equal(redis(&b, "EXISTS bull:q:1 bull:q:7 bull:q:8 bull:q:9 bull:q:10 bull:q:11"),
                        "3");
    bench_close(&b);
}

static sc_outcome tell_all(sc_run *run, const sc_job *job, void *user)
{
    struct bench *b = user;

    (void)job;
    if (sc_run_progress(run, SC_S("{\"at\":50}")) || sc_run_log(run, "row %d", 1) ||
        sc_run_log(run, "row %d", 2) || sc_run_progress(run, SC_S("nonsense")) != SC_ESYNTAX ||
        !sc_run_alloc(run, 100000) || sc_run_alloc(run, (size_t)65 << 20))
        return sc_run_fail(run, SC_GIVE_UP, "a call of the run went wrong");
    b->runs++;
    return SC_DONE;
}

TEST(a_processor_reports_progress_and_logs)
{
    struct bench b;

    bench_open(&b);
    add(&b, "job", NULL);
    bench_work(&b, NULL, tell_all);
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 1);
    assert_string_equal(redis(&b, "HMGET bull:q:1 progress returnvalue"), "{\"at\":50} null");
    assert_string_equal(redis(&b, "LRANGE bull:q:1:logs 0 -1"), "row 1 row 2");
    bench_close(&b);
}

TEST(bad_jobs_fail_or_are_dropped_and_stop_no_other)
{
    struct bench b;

    bench_open(&b);
    redis(&b, "HSET bull:q:bad1 name x data {} opts not-json timestamp 1");
    redis(&b, "HSET bull:q:bad2 data {} timestamp 1");
    redis(&b, "SET bull:q:bad3 text");
    redis(&b, "LPUSH bull:q:wait bad1 bad2 bad3 missing");
    redis(&b, "HSET bull:q:bad4 name x data {} opts {} timestamp 1 ats many atm NaN priority inf");
    redis(&b, "LPUSH bull:q:wait bad4");
    add(&b, "good", NULL);

    bench_work(&b, &(sc_worker_opts){.concurrency = 8}, succeed);
    wait_until(b.runs == 2);
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 2 && count_of(&b, SC_JOB_FAILED) == 2);

    assert_non_null(strstr(redis(&b, "HGET bull:q:bad1 failedReason"), "opts can't be read"));
    assert_string_equal(redis(&b, "HGET bull:q:bad2 failedReason"), "the job has no name");
    assert_string_equal(redis(&b, "LLEN bull:q:active"), "0");
    assert_string_equal(redis(&b, "GET bull:q:bad3"), "text");
    bench_close(&b);
}

TEST(a_queue_whose_keys_are_spoilt_goes_on_when_they_are_mended)
{
    struct bench b;

    bench_open(&b);
    redis(&b, "SET bull:q:completed text");
    add(&b, "job", NULL);
    bench_work(&b, NULL, succeed);
    wait_until(b.runs == 1);
    assert_string_equal(redis(&b, "LLEN bull:q:active"), "1");
    redis(&b, "DEL bull:q:completed");
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 1);
    assert_int_equal(b.runs, 1);
    bench_close(&b);
}

TEST(due_jobs_that_can_not_be_promoted_yet_are_not_lost)
{
    struct bench b;

    bench_open(&b);
    add(&b, "job", &(sc_job_opts){.delay_ms = 1});
    redis(&b, "SET bull:q:wait text");
    bench_work(&b, NULL, succeed);
    wait_until(strstr(redis(&b, "INFO errorstats"), "WRONGTYPE"));
    assert_string_equal(redis(&b, "ZCARD bull:q:delayed"), "1");
    redis(&b, "DEL bull:q:wait");
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 1);
    bench_close(&b);
}

TEST(options_that_make_no_sense_are_refused_with_a_reason)
{
    struct bench b;
    sc_worker *w = NULL;
    sc_reason reason = {""};

    bench_open(&b);
    assert_err(sc_worker_new(b.client, SC_S("a:b"), NULL, &w, &reason), SC_EINVAL);
    assert_non_null(strstr(reason.text, "':'"));
    assert_err(
        sc_worker_new(b.client, SC_S("q"), &(sc_worker_opts){.concurrency = -1}, &w, &reason),
        SC_EINVAL);
    assert_non_null(strstr(reason.text, "concurrency"));
    assert_err(sc_worker_new(b.client, SC_S("q"), &(sc_worker_opts){.limit = {5, 0}}, &w, &reason),
               SC_EINVAL);
    assert_non_null(strstr(reason.text, "rate limit"));
    assert_ok(sc_worker_new(b.client, SC_S("q"), NULL, &w, &reason));
    assert_ok(sc_worker_start(w));
    assert_err(sc_worker_start(w), SC_ESTATE);
    sc_worker_free(w);
    bench_close(&b);
}

TEST(delayed_jobs_run_though_nothing_else_wakes_the_worker)
{
    struct bench b;

    bench_open(&b);
    bench_work(&b, &(sc_worker_opts){.drain_delay_ms = 600000}, succeed);
    for (int i = 1; i <= 40; i++) {
        add(&b, "later", &(sc_job_opts){.delay_ms = i % 5 + 1});
        wait_until(b.runs == i);
    }
    bench_close(&b);
}

static void eval(struct bench *b, const char *script, const char *key)
{
    const sc_slice argv[] = {SC_S("EVAL"), sc_slice_of(script), SC_S("1"), sc_slice_of(key)};
    sc_reply *reply;

    assert_ok(sc_client_call(b->client, argv, 4, &reply));
    assert_int_not_equal(reply->type, SC_REPLY_ERROR);
    sc_reply_free(reply);
}

TEST(more_stalled_jobs_than_one_slice_all_come_back)
{
    struct bench b;

    bench_open(&b);
    add_many(&b, 1300);
    eval(&b,
         "for i = 1, 1300 do redis.call('RPOPLPUSH', KEYS[1] .. 'wait', KEYS[1] .. 'active') end",
         "bull:q:");
    bench_work(&b,
               &(sc_worker_opts){.concurrency = 20, .stalled_interval_ms = 50, .lock_ms = 600000},
               succeed);
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 1300);
    assert_int_equal(b.runs, 1300);
    assert_int_equal(stats(&b).stalled, 1300);
    bench_close(&b);
}

TEST(more_due_jobs_than_one_slice_are_all_promoted)
{
    struct bench b;
    const sc_job_opts opts[] = {{.delay_ms = 1}, {.delay_ms = 1, .priority = 1}};

    bench_open(&b);
    for (int i = 0; i < 3; i++) {
        sc_job_spec specs[500];

        for (int k = 0; k < 500; k++)
            specs[k] = (sc_job_spec){.name = SC_S("job"), .data = SC_S("{}"), .opts = &opts[k % 2]};
        assert_ok(sc_queue_add_bulk(b.queue, specs, 500, NULL, NULL, NULL));
    }
    bench_work(&b, &(sc_worker_opts){.concurrency = 20, .drain_delay_ms = 600000}, succeed);
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 1500);
    assert_int_equal(b.runs, 1500);
    bench_close(&b);
}

TEST(an_idle_worker_takes_what_a_busy_one_may_not)
{
    struct bench b;
    sc_worker *other;

    bench_open(&b);
    b.hold = true;
    bench_work(&b, &(sc_worker_opts){.drain_delay_ms = 600000}, wait_for_leave);
    add(&b, "long", NULL);
    wait_until(b.going == 1);
    add(&b, "later", &(sc_job_opts){.delay_ms = 30});
    add(&b, "now", NULL);
    assert_ok(sc_worker_new(b.client, SC_S("q"), &(sc_worker_opts){.drain_delay_ms = 600000},
                            &other, NULL));
    assert_ok(sc_worker_handle(other, SC_S(""), succeed, &b));
    assert_ok(sc_worker_start(other));
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 2);
    assert_string_equal(order(&b), "long now later ");
    b.hold = false;
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 3);
    sc_worker_free(other);
    bench_close(&b);
}

TEST(a_worker_that_leaves_gives_back_the_marker_of_a_delayed_job)
{
    struct bench b;

    bench_open(&b);
    bench_work(&b, NULL, succeed);
    add(&b, "later", &(sc_job_opts){.delay_ms = 3600000});
    wait_until(strcmp(redis(&b, "ZCARD bull:q:marker"), "0") == 0);
    assert_ok(sc_worker_close(b.worker, 0, NULL));
    assert_string_equal(redis(&b, "ZRANGE bull:q:marker 0 -1"), "1");
    bench_close(&b);
}

TEST(a_paused_worker_gives_back_its_marker_though_a_take_is_under_way)
{
    struct bench b;

    bench_open(&b);
    bench_work(&b, NULL, succeed);
    add(&b, "later", &(sc_job_opts){.delay_ms = 3600000});
    wait_until(strcmp(redis(&b, "ZCARD bull:q:marker"), "0") == 0);
    redis(&b, "CLIENT PAUSE 60000 WRITE");
    sc_worker_resume(b.worker); /* takes */
    sc_worker_pause(b.worker);
    redis(&b, "CLIENT UNPAUSE");
    wait_until(strcmp(redis(&b, "ZRANGE bull:q:marker 0 -1"), "1") == 0);
    bench_close(&b);
}
