/* Processors that take many jobs at once. */
#include "support/worker_bench.h"

#include <storychain/control.h>

#include "base/clock.h"

enum { HOUR_MS = 3600 * 1000 };

static void work_in_batches(struct bench *b, const sc_worker_opts *opts, const sc_batch_opts *batch,
                            sc_batch_processor processor)
{
    assert_ok(sc_worker_new(b->client, SC_S("q"), opts, &b->worker, NULL));
    assert_ok(sc_worker_handle_batch(b->worker, SC_S("job"), processor, b, batch));
    assert_ok(sc_worker_handle(b->worker, SC_S("other"), succeed, b));
    assert_ok(sc_worker_start(b->worker));
}

/* Notes how many there are, "3 ", and does nothing else. */
static void note_size(const sc_batch *batch, void *user)
{
    struct bench *b = user;
    char text[16];
    sc_job fake = {.name = {text, (size_t)snprintf(text, sizeof(text), "%zu", batch->count)}};

    note(b, &fake);
    if ((int)batch->count > b->most)
        b->most = (int)batch->count;
    b->runs += (int)batch->count;
}

TEST(waiting_jobs_come_in_batches_up_to_their_size)
{
    struct bench b;

    bench_open(&b);
    add_many(&b, 25);
    work_in_batches(&b, &(sc_worker_opts){.concurrency = 25}, &(sc_batch_opts){.max = 10},
                    note_size);
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 25);
    /* 10, 10 and 5 in the order in which their threads came to it. */
    assert_int_equal(strlen(order(&b)), strlen("10 10 5 "));
    assert_int_equal(b.most, 10);
    assert_int_equal(b.runs, 25);
    wait_until(stats(&b).completed == 25 && stats(&b).running == 0);
    bench_close(&b);
}

TEST(a_batch_is_no_larger_than_it_may_be_and_each_job_runs_once)
{
    struct bench b;

    bench_open(&b);
    add_many(&b, 3000);
    work_in_batches(&b, &(sc_worker_opts){.concurrency = 60},
                    &(sc_batch_opts){.max = 7, .min = 3, .linger_ms = 5}, note_size);
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 3000);
    assert_int_equal(b.runs, 3000);
    assert_int_equal(b.most, 7);
    bench_close(&b);
}

/* By the job's id: 1 done with a result, 2 fails, 3 gives up, 4 is put off once, 5 is just done. */
static void all_kinds(const sc_batch *batch, void *user)
{
    struct bench *b = user;

    for (size_t i = 0; i < batch->count; i++) {
        sc_run *run = batch->runs[i];
        sc_outcome *outcome = &batch->outcomes[i];

        assert_non_null(sc_run_alloc(run, 100));
        b->runs++;
        switch (batch->jobs[i]->id.ptr[0]) {
        case '1':
            *outcome = sc_run_return(run, SC_S("\"one\""));
            break;
        case '2':
            *outcome = sc_run_fail(run, SC_FAILED, "two");
            break;
        case '3':
            *outcome = sc_run_fail(run, SC_GIVE_UP, "three");
            break;
        case '4':
            if (batch->jobs[i]->attempts_started == 1)
                *outcome = sc_run_delay(run, 20);
            break;
        default:
            break;
        }
    }
}

TEST(each_job_of_a_batch_has_an_outcome_of_its_own)
{
    struct bench b;

    bench_open(&b);
    for (int i = 0; i < 5; i++)
        add(&b, "job", &(sc_job_opts){.attempts = 2});
    work_in_batches(&b, &(sc_worker_opts){.concurrency = 5}, &(sc_batch_opts){.max = 5}, all_kinds);
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 3 && count_of(&b, SC_JOB_FAILED) == 2);
    assert_int_equal(b.runs, 7);
    assert_string_equal(redis(&b, "HMGET bull:q:1 returnvalue atm"), "\"one\" 1");
    assert_string_equal(redis(&b, "HMGET bull:q:2 failedReason atm"), "two 2");
    assert_string_equal(redis(&b, "HMGET bull:q:3 failedReason atm"), "three 1");
    assert_string_equal(redis(&b, "HMGET bull:q:4 returnvalue ats"), "null 2");
    assert_string_equal(redis(&b, "HMGET bull:q:5 returnvalue atm"), "null 1");
    bench_close(&b);
}

TEST(jobs_wait_until_there_are_enough_of_them)
{
    struct bench b;

    bench_open(&b);
    work_in_batches(&b, &(sc_worker_opts){.concurrency = 10},
                    &(sc_batch_opts){.max = 5, .min = 3, .linger_ms = HOUR_MS}, note_size);
    add(&b, "job", NULL);
    add(&b, "job", NULL);
    wait_until(stats(&b).running == 2);
    add(&b, "other", NULL);
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 1); /* that one waits for nobody */
    assert_string_equal(order(&b), "other ");

    add(&b, "job", NULL);
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 4);
    assert_string_equal(order(&b), "other 3 ");
    bench_close(&b);
}

TEST(jobs_wait_no_longer_than_they_may)
{
    struct bench b;

    bench_open(&b);
    work_in_batches(&b, &(sc_worker_opts){.concurrency = 10},
                    &(sc_batch_opts){.max = 5, .min = 5, .linger_ms = 30}, note_size);
    add_many(&b, 2);
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 2);
    assert_int_equal(b.runs, 2);
    bench_close(&b);
}

TEST(jobs_that_wait_for_others_give_way_when_all_slots_are_taken)
{
    struct bench b;

    bench_open(&b);
    work_in_batches(&b, &(sc_worker_opts){.concurrency = 3},
                    &(sc_batch_opts){.max = 50, .min = 50, .linger_ms = HOUR_MS}, note_size);
    add_many(&b, 2);
    wait_until(stats(&b).running == 2);
    assert_int_equal(b.runs, 0);
    add(&b, "job", NULL);
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 3);
    assert_string_equal(order(&b), "3 ");
    add(&b, "other", NULL);
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 4);
    bench_close(&b);
}

TEST(jobs_that_wait_for_others_are_run_when_the_worker_is_paused_or_gets_fewer_slots)
{
    struct bench b;

    bench_open(&b);
    work_in_batches(&b, &(sc_worker_opts){.concurrency = 10},
                    &(sc_batch_opts){.max = 8, .min = 8, .linger_ms = HOUR_MS}, note_size);
    add_many(&b, 3);
    wait_until(stats(&b).running == 3);
    sc_worker_pause(b.worker);
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 3);
    sc_worker_resume(b.worker);
    add_many(&b, 2);
    wait_until(stats(&b).running == 2);
    assert_ok(sc_worker_set_concurrency(b.worker, 2));
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 5);
    assert_int_equal(b.runs, 5);
    bench_close(&b);
}

TEST(jobs_that_wait_for_others_go_back_in_their_order_when_the_worker_closes)
{
    struct bench b;
    int back = -1;

    bench_open(&b);
    work_in_batches(&b, &(sc_worker_opts){.concurrency = 10},
                    &(sc_batch_opts){.max = 5, .min = 5, .linger_ms = HOUR_MS}, note_size);
    add_many(&b, 3);
    wait_until(stats(&b).running == 3);
    assert_ok(sc_worker_close(b.worker, 600000, &back));
    assert_int_equal(b.runs, 0);
    assert_int_equal(back, 0);
    assert_string_equal(redis(&b, "LRANGE bull:q:wait 0 -1"), "3 2 1");
    assert_string_equal(redis(&b, "EXISTS bull:q:1:lock bull:q:2:lock bull:q:3:lock"), "0");
    assert_string_equal(redis(&b, "HGET bull:q:1 atm"), "(nil)");
    bench_close(&b);
}

/* Waits until each of its runs is cancelled, or b->hold is false; those that were cancelled fail. */
static void wait_for_each(const sc_batch *batch, void *user)
{
    struct bench *b = user;
    int64_t deadline = test_deadline_ms();
    size_t cancelled;

    b->most = 0;
    b->going += (int)batch->count;
    do {
        cancelled = 0;
        for (size_t i = 0; i < batch->count; i++)
            cancelled += sc_run_is_cancelled(batch->runs[i]);
        b->most = (int)cancelled;
    } while (b->hold && cancelled < batch->count && test_pause_until(deadline));
    for (size_t i = 0; i < batch->count; i++)
        if (sc_run_is_cancelled(batch->runs[i]))
            batch->outcomes[i] =
                sc_run_fail(batch->runs[i], SC_FAILED, "%s", sc_run_cancel_reason(batch->runs[i]));
    b->going -= (int)batch->count;
}

TEST(close_hands_back_a_batch_that_runs_on_and_tells_each_of_its_runs)
{
    struct bench b;
    int back = -1;

    bench_open(&b);
    b.hold = true;
    add_many(&b, 4);
    work_in_batches(&b, &(sc_worker_opts){.concurrency = 4}, &(sc_batch_opts){.max = 4},
                    wait_for_each);
    wait_until(b.going == 4);
    assert_ok(sc_worker_close(b.worker, 0, &back));
    assert_int_equal(back, 4);
    assert_string_equal(redis(&b, "LRANGE bull:q:wait 0 -1"), "4 3 2 1");
    bench_close(&b);
}

TEST(one_job_of_a_batch_is_cancelled_and_the_others_are_not)
{
    struct bench b;
    sc_cancel_result result;

    bench_open(&b);
    b.hold = true;
    add_many(&b, 3);
    work_in_batches(&b, &(sc_worker_opts){.concurrency = 3}, &(sc_batch_opts){.max = 3},
                    wait_for_each);
    wait_until(b.going == 3 && strstr(redis(&b, "PUBSUB CHANNELS"), "sc:cancel"));
    assert_ok(sc_queue_cancel(b.queue, SC_S("2"), SC_S("no use"), &result, NULL));
    assert_int_equal(result, SC_CANCEL_TOLD);
    assert_true(sc_worker_cancel(b.worker, SC_S("3"), SC_S("enough")));
    b.hold = false;
    wait_until(count_of(&b, SC_JOB_FAILED) == 2 && count_of(&b, SC_JOB_COMPLETED) == 1);
    assert_string_equal(redis(&b, "HGET bull:q:2 failedReason"), "cancelled: no use");
    assert_string_equal(redis(&b, "HGET bull:q:3 failedReason"), "enough");
    assert_string_equal(redis(&b, "HGET bull:q:1 returnvalue"), "null");
    bench_close(&b);
}

TEST(a_job_that_is_cancelled_or_expires_while_it_waits_for_others_is_left_out)
{
    struct bench b;
    sc_cancel_result result;
    int64_t expires_at_ms, too_late = 0; /* jobs that expired before they were taken */

    bench_open(&b);
    work_in_batches(&b, &(sc_worker_opts){.concurrency = 10},
                    &(sc_batch_opts){.max = 5, .min = 4, .linger_ms = HOUR_MS}, note_size);
    add(&b, "job", NULL);
    add(&b, "job", NULL);
    do {
        expires_at_ms = sc__wall_ms() + (20 << too_late);
        add(&b, "job", &(sc_job_opts){.expires_at_ms = expires_at_ms});
        wait_until(stats(&b).running == 3 || count_of(&b, SC_JOB_FAILED) == too_late + 1);
        too_late = count_of(&b, SC_JOB_FAILED);
    } while (stats(&b).running < 3);
    wait_until(strstr(redis(&b, "PUBSUB CHANNELS"), "sc:cancel"));
    assert_ok(sc_queue_cancel(b.queue, SC_S("1"), SC_S(""), &result, NULL));
    assert_int_equal(result, SC_CANCEL_TOLD);
    wait_until(sc__wall_ms() > expires_at_ms);
    add(&b, "job", NULL);
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 2 && count_of(&b, SC_JOB_FAILED) == too_late + 2);
    assert_string_equal(order(&b), "2 ");
    assert_string_equal(redis(&b, "HGET bull:q:1 failedReason"), "cancelled");
    wait_until(stats(&b).expired == (uint64_t)too_late + 1 && stats(&b).cancelled == 1);
    bench_close(&b);
}

TEST(a_batch_of_nothing_but_unfit_jobs_is_not_run)
{
    struct bench b;

    bench_open(&b);
    for (int i = 0; i < 3; i++)
        add(&b, "job", &(sc_job_opts){.expires_at_ms = 1});
    work_in_batches(&b, &(sc_worker_opts){.concurrency = 3}, &(sc_batch_opts){.max = 3}, note_size);
    wait_until(count_of(&b, SC_JOB_FAILED) == 3);
    assert_int_equal(b.runs, 0);
    assert_string_equal(order(&b), "");
    bench_close(&b);
}

TEST(one_job_of_a_batch_times_out_and_the_others_go_on)
{
    struct bench b;

    bench_open(&b);
    b.hold = true;
    add(&b, "job", NULL);
    add(&b, "job", &(sc_job_opts){.hard_timeout_ms = 20});
    add(&b, "job", &(sc_job_opts){.soft_timeout_ms = 20});
    work_in_batches(&b, &(sc_worker_opts){.concurrency = 3}, &(sc_batch_opts){.max = 3},
                    wait_for_each);
    wait_until(count_of(&b, SC_JOB_FAILED) == 1);
    assert_int_equal(b.going, 3);
    assert_string_equal(redis(&b, "HGET bull:q:2 failedReason"), "timed out after 20 ms");
    wait_until(stats(&b).late == 1 && stats(&b).running == 2 && b.most == 2);
    add(&b, "other", NULL); /* its slot is free again */
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 1);
    b.hold = false;
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 2 && count_of(&b, SC_JOB_FAILED) == 2);
    assert_string_equal(redis(&b, "HGET bull:q:3 failedReason"), "timeout");
    wait_until(stats(&b).late == 0 && stats(&b).dropped_late == 1);
    bench_close(&b);
}

TEST(locks_of_jobs_that_wait_for_others_are_renewed)
{
    struct bench b;

    bench_open(&b);
    work_in_batches(&b, &(sc_worker_opts){.concurrency = 10, .lock_ms = 400},
                    &(sc_batch_opts){.max = 2, .min = 2, .linger_ms = HOUR_MS}, note_size);
    add(&b, "job", NULL);
    wait_until(stats(&b).running == 1);
    redis(&b, "PEXPIRE bull:q:1:lock 60000");
    wait_until(atoi(redis(&b, "PTTL bull:q:1:lock")) <= 400);
    redis(&b, "SET bull:q:1:lock other PX 60000"); /* lost: it is left out */
    wait_until(stats(&b).locks_lost == 1);
    add(&b, "job", NULL);
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 1);
    assert_string_equal(order(&b), "1 ");
    assert_string_equal(redis(&b, "HGET bull:q:2 atm"), "1");
    bench_close(&b);
}

TEST(a_name_goes_from_batches_to_single_jobs_and_back)
{
    struct bench b;

    bench_open(&b);
    work_in_batches(&b, &(sc_worker_opts){.concurrency = 10}, &(sc_batch_opts){.max = 4},
                    note_size);
    assert_ok(sc_worker_handle(b.worker, SC_S("job"), succeed, &b));
    add(&b, "job", NULL);
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 1);
    assert_ok(
        sc_worker_handle_batch(b.worker, SC_S("job"), note_size, &b, &(sc_batch_opts){.max = 1}));
    add(&b, "job", NULL);
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 2);
    assert_string_equal(order(&b), "job 1 ");
    bench_close(&b);
}

TEST(options_of_batches_that_make_no_sense_are_refused)
{
    struct bench b;
    const sc_batch_opts bad[] = {{.max = 0},
                                 {.max = 10001},
                                 {.max = 3, .min = 4},
                                 {.max = 3, .linger_ms = -1},
                                 {.max = 3, .handler = {.soft_timeout_ms = -2}},
                                 {.max = 3, .handler = {.hard_timeout_ms = -2}}};

    bench_open(&b);
    bench_work(&b, NULL, succeed);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_err(sc_worker_handle_batch(b.worker, SC_S("job"), note_size, &b, &bad[i]),
                   SC_EINVAL);
    assert_err(sc_worker_handle_batch(b.worker, SC_S("job"), NULL, &b, &(sc_batch_opts){.max = 3}),
               SC_EINVAL);
    bench_close(&b);
}

/* Takes its time; stops early when all are cancelled. */
static void dawdle(const sc_batch *batch, void *user)
{
    struct bench *b = user;
    int64_t until = sc__mono_ms() + batch->jobs[0]->id.ptr[0] % 4;

    while (sc__mono_ms() < until && !sc_run_is_cancelled(batch->runs[0]))
        ;
    b->runs += (int)batch->count;
}

static void add_with_limits(struct bench *b, size_t count)
{
    static const sc_job_opts kinds[] = {{.attempts = 2},
                                        {.attempts = 2, .hard_timeout_ms = 2},
                                        {.attempts = 2, .soft_timeout_ms = 1},
                                        {.start_within_ms = 40}};
    sc_job_spec *specs = calloc(count, sizeof(*specs));

    for (size_t i = 0; i < count; i++)
        specs[i] = (sc_job_spec){.name = SC_S("job"), .opts = &kinds[i % 4]};
    assert_ok(sc_queue_add_bulk(b->queue, specs, count, NULL, NULL, NULL));
    free(specs);
}

TEST_LIMIT(whatever_happens_to_jobs_at_once_each_ends_and_is_counted_once, 60)
{
    enum { JOBS = 1200 };
    struct bench b;
    sc_worker_stats s;
    char id[16];

    bench_open(&b);
    add_with_limits(&b, JOBS);
    work_in_batches(&b, &(sc_worker_opts){.concurrency = 12, .max_late = 1000},
                    &(sc_batch_opts){.max = 5, .min = 3, .linger_ms = 3}, dawdle);
    for (int i = 1; i <= JOBS; i += 3) {
        sc_err err;

        snprintf(id, sizeof(id), "%d", i * 7 % JOBS + 1);
        err = sc_queue_cancel(b.queue, sc_slice_of(id), SC_S("at random"), NULL, NULL);
        assert_true(err == SC_OK || err == SC_EJOBSTATE);
        assert_ok(sc_worker_set_concurrency(b.worker, i % 20 + 1));
    }
    wait_until(count_of(&b, SC_JOB_COMPLETED) + count_of(&b, SC_JOB_FAILED) == JOBS);
    wait_until(stats(&b).running == 0 && stats(&b).late == 0);
    s = stats(&b);
    assert_int_equal(count_of(&b, SC_JOB_COMPLETED), s.completed);
    assert_true(s.failed <= (uint64_t)count_of(&b, SC_JOB_FAILED)); /* some never came here */
    assert_int_equal(s.started, s.completed + s.failed + s.retried);
    assert_int_equal(s.locks_lost, 0);
    /* who was cancelled, too, counts there */
    assert_in_range(s.dropped_late, s.timed_out, s.timed_out + s.cancelled);
    assert_string_equal(redis(&b, "LLEN bull:q:active"), "0");
    assert_string_equal(redis(&b, "ZCARD bull:q:delayed"), "0");
    bench_close(&b);
}
