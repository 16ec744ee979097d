/* worker/by_hand.c: jobs taken and ended without processors. */
#include <storychain/flow.h>
#include <storychain/take.h>
#include <storychain/worker_event.h>

#include "support/worker_bench.h"

#include "base/clock.h"

static struct bench b;

static void open_hand(const sc_worker_opts *opts)
{
    bench_open(&b);
    assert_ok(sc_worker_new(b.client, SC_S("q"), opts, &b.worker, NULL));
}

static sc_run *take(int64_t wait_ms)
{
    sc_run *run = NULL;

    assert_ok(sc_worker_take(b.worker, wait_ms, &run));
    return run;
}

TEST(a_job_is_taken_and_completed)
{
    sc_run *run;
    char lock[128];

    open_hand(&(sc_worker_opts){.name = SC_S("hand")});
    add(&b, "mail", NULL);
    run = take(0);

    assert_slice(sc_run_job(run)->name, "mail");
    assert_int_equal(sc_run_job(run)->attempts_started, 1);
    snprintf(lock, sizeof(lock), "%s", redis(&b, "GET bull:q:1:lock"));
    assert_slice(sc_run_token(run), lock);
    assert_int_equal(stats(&b).running, 1);
    assert_ok(sc_run_progress(run, SC_S("50")));
    assert_ok(sc_run_end(run, sc_run_return(run, SC_S("{\"sent\":true}")), NULL));
    assert_string_equal(redis(&b, "HMGET bull:q:1 returnvalue progress ats atm pb"),
                        "{\"sent\":true} 50 1 1 hand");
    assert_int_equal(count_of(&b, SC_JOB_COMPLETED), 1);
    assert_string_equal(redis(&b, "EXISTS bull:q:1:lock"), "0");
    bench_close(&b);
}

TEST(a_queue_without_jobs_gives_none)
{
    sc_run *run;
    int64_t began;

    open_hand(NULL);
    assert_err(sc_worker_take(b.worker, 0, &run), SC_ENOTFOUND);
    began = sc__mono_ms();
    assert_err(sc_worker_take(b.worker, 50, &run), SC_ETIMEDOUT);
    assert_true(sc__mono_ms() - began >= 50);
    add(&b, "mail", NULL);
    run = take(0);
    assert_err(sc_worker_take(b.worker, 0, &run), SC_ENOTFOUND);
    bench_close(&b);
}

static void *take_one(void *arg)
{
    sc_run **run = arg;

    assert_ok(sc_worker_take(b.worker, 60000, run));
    return NULL;
}

static void wait_for_three(const sc_worker_opts *opts)
{
    pthread_t threads[3];
    sc_run *runs[3] = {NULL};

    open_hand(opts);
    for (int i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, take_one, &runs[i]);
    add(&b, "a", NULL);
    add(&b, "b", &(sc_job_opts){.delay_ms = 50});
    add(&b, "c", NULL);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);

    assert_int_equal(count_of(&b, SC_JOB_ACTIVE), 3);
    for (int i = 0; i < 3; i++)
        assert_ok(sc_run_end(runs[i], SC_DONE, NULL));
    assert_int_equal(count_of(&b, SC_JOB_COMPLETED), 3);
    bench_close(&b);
}

TEST(a_thread_that_waits_gets_the_next_job)
{
    wait_for_three(&(sc_worker_opts){.drain_delay_ms = 60000});
}

TEST(a_thread_that_waits_on_a_shared_connection_gets_the_next_job)
{
    wait_for_three(&(sc_worker_opts){.drain_delay_ms = 60000, .share_connection = true});
}

TEST(who_stops_waiting_leaves_the_job_to_others)
{
    sc_worker *other;
    sc_run *run;

    open_hand(&(sc_worker_opts){.drain_delay_ms = 60000});
    assert_ok(sc_worker_new(b.client, SC_S("q"), NULL, &other, NULL));
    assert_err(sc_worker_take(b.worker, 20, &run), SC_ETIMEDOUT);
    add(&b, "mail", NULL);
    assert_ok(sc_worker_take(other, 60000, &run));

    assert_ok(sc_run_end(run, SC_DONE, NULL));
    assert_string_equal(redis(&b, "HGET bull:q:1 atm"), "1");
    sc_worker_free(other);
    bench_close(&b);
}

TEST(the_end_of_a_run_brings_the_next_job_in_the_same_call)
{
    sc_client_stats before, after;
    sc_run *run, *next;

    open_hand(NULL);
    add_many(&b, 3);
    run = take(0);
    sc_client_stats_get(b.client, &before);
    for (int i = 0; i < 2; i++) {
        assert_ok(sc_run_end(run, SC_DONE, &next));
        assert_non_null(next);
        run = next;
    }
    sc_client_stats_get(b.client, &after);
    assert_ok(sc_run_end(run, SC_DONE, &next));

    assert_int_equal(after.commands - before.commands, 2);
    assert_null(next);
    assert_int_equal(count_of(&b, SC_JOB_COMPLETED), 3);
    bench_close(&b);
}

TEST(a_run_ends_in_each_way)
{
    sc_run *run;

    open_hand(&(sc_worker_opts){.limit = {1000, 60000}});
    add(&b, "fail", &(sc_job_opts){.attempts = 2});
    run = take(0);
    assert_ok(sc_run_end(run, sc_run_fail(run, SC_FAILED, "no luck"), NULL));
    assert_string_equal(redis(&b, "HMGET bull:q:1 failedReason atm"), "no luck 1");
    assert_int_equal(count_of(&b, SC_JOB_WAITING), 1);
    run = take(0);
    assert_ok(sc_run_end(run, sc_run_fail(run, SC_FAILED, "no luck"), NULL));
    assert_int_equal(count_of(&b, SC_JOB_FAILED), 1);

    add(&b, "delay", NULL);
    run = take(0);
    assert_ok(sc_run_end(run, sc_run_delay(run, 600000), NULL));
    assert_int_equal(count_of(&b, SC_JOB_DELAYED), 1);

    add(&b, "back", NULL);
    run = take(0);
    assert_ok(sc_run_end(run, sc_run_limit(run, 0), NULL));
    assert_int_equal(count_of(&b, SC_JOB_WAITING), 1);
    run = take(0);
    assert_slice(sc_run_job(run)->id, "3");
    assert_ok(sc_run_end(run, sc_run_fail(run, SC_GIVE_UP, "never"), NULL));
    assert_int_equal(count_of(&b, SC_JOB_FAILED), 2);
    bench_close(&b);
}

static void add_child(sc_run *run)
{
    const sc_job_opts opts = {.id = SC_S("leaf"), .parent = sc_run_as_parent(run)};
    const sc_job_spec spec = {.name = SC_S("child"), .opts = &opts};

    assert_ok(sc_queue_add(b.queue, &spec, NULL, NULL));
}

TEST(a_job_in_hand_can_wait_for_children_or_go_back)
{
    sc_child_list *children;
    sc_run *run;

    open_hand(NULL);
    add(&b, "parent", NULL);
    run = take(0);
    assert_ok(sc_run_end(run, sc_run_wait(run), NULL));
    assert_int_equal(count_of(&b, SC_JOB_WAITING), 1);
    run = take(0);
    add_child(run);
    assert_ok(sc_run_end(run, sc_run_wait_children(run, SC_S("")), &run));
    assert_int_equal(count_of(&b, SC_JOB_WAITING_CHILDREN), 1);

    assert_slice(sc_run_job(run)->name, "child");
    assert_ok(sc_run_end(run, sc_run_return(run, SC_S("42")), &run));
    assert_slice(sc_run_job(run)->name, "parent");
    assert_int_equal(sc_run_wait_children(run, SC_S("")), SC_DONE);
    assert_ok(sc_run_get_children_values(run, &children));
    assert_int_equal(children->count, 1);
    sc_child_list_free(children);
    assert_ok(sc_run_end(run, sc_run_delay(run, 600000), NULL));
    assert_int_equal(stats(&b).returned, 1);
    assert_int_equal(stats(&b).waiting_children, 1);
    assert_int_equal(stats(&b).completed, 1);
    assert_int_equal(stats(&b).delayed, 1);
    assert_int_equal(stats(&b).retried, 0);
    bench_close(&b);
}

TEST(locks_in_hand_are_renewed_and_can_be_extended)
{
    sc_run *run;

    open_hand(&(sc_worker_opts){.lock_ms = 60000, .skip_lock_renewal = true});
    add(&b, "mail", NULL);
    run = take(0);
    assert_err(sc_run_extend_lock(run, 0), SC_EINVAL);
    assert_ok(sc_run_extend_lock(run, 900000));
    assert_true(atoll(redis(&b, "PTTL bull:q:1:lock")) > 800000);

    redis(&b, "SET bull:q:1:lock other");
    assert_err(sc_run_extend_lock(run, 900000), SC_ELOCKLOST);
    assert_err(sc_run_end(run, SC_DONE, NULL), SC_ELOCKLOST);
    assert_int_equal(count_of(&b, SC_JOB_ACTIVE), 1);
    assert_int_equal(stats(&b).running, 0);
    bench_close(&b);
}

TEST(jobs_in_hand_that_take_long_keep_their_locks)
{
    sc_run *run;

    open_hand(&(sc_worker_opts){.lock_ms = 600000, .lock_renew_ms = 20});
    add(&b, "mail", NULL);
    run = take(0);
    for (int i = 0; i < 3; i++) {
        redis(&b, "PEXPIRE bull:q:1:lock 300000");
        wait_until(atoi(redis(&b, "PTTL bull:q:1:lock")) > 300000);
    }
    assert_ok(sc_run_end(run, SC_DONE, NULL));
    assert_int_equal(count_of(&b, SC_JOB_COMPLETED), 1);
    bench_close(&b);
}

TEST(a_job_goes_from_one_worker_to_another_by_its_token)
{
    sc_worker *other;
    sc_run *run, *adopted;
    char token[128];

    open_hand(&(sc_worker_opts){.skip_lock_renewal = true});
    add(&b, "mail", &(sc_job_opts){.attempts = 2});
    run = take(0);
    snprintf(token, sizeof(token), "%.*s", (int)sc_run_token(run).len, sc_run_token(run).ptr);
    assert_ok(sc_worker_new(b.client, SC_S("q"), NULL, &other, NULL));

    assert_err(sc_worker_adopt(other, SC_S("1"), SC_S("wrong"), &adopted), SC_ELOCKLOST);
    assert_err(sc_worker_adopt(other, SC_S("2"), SC_S("wrong"), &adopted), SC_ENOJOB);
    assert_err(sc_worker_adopt(other, SC_S("1"), SC_S(""), &adopted), SC_EINVAL);
    assert_err(
        sc_worker_adopt(other, SC_S("1"),
                        SC_S("a token that is of more bytes than the lock of any worker ever has"),
                        &adopted),
        SC_ETOOBIG);
    assert_ok(sc_worker_adopt(other, SC_S("1"), sc_slice_of(token), &adopted));
    assert_slice(sc_run_job(adopted)->name, "mail");
    assert_ok(sc_run_end(adopted, sc_run_fail(adopted, SC_FAILED, "no luck"), NULL));
    assert_int_equal(count_of(&b, SC_JOB_WAITING), 1);
    assert_err(sc_run_end(run, SC_DONE, NULL), SC_ELOCKLOST);
    sc_worker_free(other);
    bench_close(&b);
}

TEST(a_job_that_must_not_be_run_fails_and_the_next_one_is_taken)
{
    sc_run *run;

    open_hand(NULL);
    add(&b, "bad", NULL);
    add(&b, "good", NULL);
    redis(&b, "HSET bull:q:1 opts x");
    run = take(0);

    assert_slice(sc_run_job(run)->name, "good");
    assert_int_equal(count_of(&b, SC_JOB_FAILED), 1);
    assert_ok(sc_run_end(run, SC_DONE, NULL));
    bench_close(&b);
}

TEST(jobs_in_hand_go_back_at_close)
{
    sc_run *run;
    int back = 0;

    open_hand(NULL);
    add(&b, "mail", NULL);
    run = take(0);
    assert_non_null(run);
    assert_ok(sc_worker_close(b.worker, 0, &back));

    assert_int_equal(back, 1);
    assert_int_equal(count_of(&b, SC_JOB_WAITING), 1);
    assert_err(sc_worker_take(b.worker, 0, &run), SC_ESTATE);
    bench_close(&b);
}

static void *wait_in_vain(void *arg)
{
    sc_run *run;

    *(sc_err *)arg = sc_worker_take(b.worker, 60000, &run);
    return NULL;
}

static bool has_client(const char *name)
{
    return strstr(redis(&b, "CLIENT LIST"), name) != NULL;
}

TEST(who_waits_at_close_gets_nothing)
{
    pthread_t thread;
    sc_err err = SC_OK;

    open_hand(&(sc_worker_opts){.name = SC_S("hand")});
    pthread_create(&thread, NULL, wait_in_vain, &err);
    wait_until(has_client(":w:hand"));
    assert_ok(sc_worker_close(b.worker, 0, NULL));
    pthread_join(thread, NULL);

    assert_int_equal(err, SC_ECANCELED);
    bench_close(&b);
}

TEST(a_paused_worker_takes_nothing_by_hand)
{
    sc_run *run;

    open_hand(NULL);
    add(&b, "mail", NULL);
    sc_worker_pause(b.worker);
    assert_err(sc_worker_take(b.worker, 0, &run), SC_ENOTFOUND);
    assert_err(sc_worker_take(b.worker, 20, &run), SC_ETIMEDOUT);
    sc_worker_resume(b.worker);
    run = take(0);
    assert_ok(sc_run_end(run, SC_DONE, NULL));
    bench_close(&b);
}

TEST(a_worker_with_processors_gives_nothing_by_hand)
{
    sc_run *run;

    bench_open(&b);
    bench_work(&b, NULL, succeed);
    assert_err(sc_worker_take(b.worker, 0, &run), SC_ESTATE);
    assert_err(sc_worker_adopt(b.worker, SC_S("1"), SC_S("t"), &run), SC_ENOJOB);
    bench_close(&b);

    open_hand(NULL);
    assert_err(sc_worker_take(b.worker, 0, &run), SC_ENOTFOUND);
    assert_err(sc_worker_start(b.worker), SC_ESTATE);
    bench_close(&b);
}

static sc_outcome end_oneself(sc_run *run, const sc_job *job, void *user)
{
    struct bench *bench = user;

    (void)job;
    if (sc_run_end(run, SC_DONE, NULL) == SC_ESTATE)
        bench->runs++;
    return SC_DONE;
}

TEST(a_processors_run_is_not_ended_by_hand)
{
    bench_open(&b);
    add(&b, "mail", NULL);
    bench_work(&b, NULL, end_oneself);
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 1);
    assert_int_equal(b.runs, 1);
    bench_close(&b);
}

enum { THREADS = 4, JOBS = 400 };

static void *take_all(void *arg)
{
    sc_run *run = NULL, *next;

    (void)arg;
    while (run || b.runs < JOBS) {
        bool wants_next;

        if (!run && sc_worker_take(b.worker, 50, &run))
            continue;
        wants_next = ++b.runs % 3;

        next = NULL;
        assert_ok(sc_run_end(run, SC_DONE, wants_next ? &next : NULL));
        run = next;
    }
    return NULL;
}

TEST(many_threads_share_the_jobs)
{
    pthread_t threads[THREADS];

    open_hand(NULL);
    add_many(&b, JOBS);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, take_all, NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);

    assert_int_equal(b.runs, JOBS);
    assert_int_equal(count_of(&b, SC_JOB_COMPLETED), JOBS);
    assert_int_equal(stats(&b).running, 0);
    bench_close(&b);
}
