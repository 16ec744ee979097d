/* worker/telling.c and who tells; options of locks, stalled checks and rests. */
#include <storychain/control.h>
#include <storychain/worker_event.h>

#include "support/worker_bench.h"

static struct bench b;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static char told[4096]; /* "active 1;completed 1 {"ok":true};" */

static void on_event(void *user, const sc_worker_event *e)
{
    size_t len;

    assert_ptr_equal(user, &b);
    pthread_mutex_lock(&mutex);
    len = strlen(told);
    len += (size_t)snprintf(told + len, sizeof(told) - len, "%s", sc_worker_event_name(e->kind));
    if (e->job)
        len += (size_t)snprintf(told + len, sizeof(told) - len, " %s", e->job->id.ptr);
    for (size_t i = 0; i < e->id_count; i++)
        len += (size_t)snprintf(told + len, sizeof(told) - len, " %.*s", (int)e->ids[i].len,
                                e->ids[i].ptr);
    if (e->kind != SC_WORKER_ERROR && e->text.len)
        len += (size_t)snprintf(told + len, sizeof(told) - len, " %.*s", (int)e->text.len,
                                e->text.ptr);
    snprintf(told + len, sizeof(told) - len, "%s;", e->is_final ? " for good" : "");
    pthread_mutex_unlock(&mutex);
}

static bool was_told(const char *text)
{
    bool found;

    pthread_mutex_lock(&mutex);
    found = strstr(told, text) != NULL;
    pthread_mutex_unlock(&mutex);
    return found;
}

/* A worker whose events are heard. */
static void work(sc_worker_opts opts, sc_processor processor)
{
    opts.on_event = on_event;
    opts.on_event_user = &b;
    bench_work(&b, &opts, processor);
}

static sc_outcome talk(sc_run *run, const sc_job *job, void *user)
{
    (void)user;
    assert_ok(sc_run_progress(run, SC_S("42")));
    return sc_slice_eq(job->name, SC_S("bad")) ? sc_run_fail(run, SC_FAILED, "no luck")
                                               : sc_run_return(run, SC_S("[1]"));
}

TEST(a_worker_tells_of_its_jobs_and_of_itself)
{
    bench_open(&b);
    add(&b, "good", NULL);
    add(&b, "bad", &(sc_job_opts){.attempts = 2});
    work((sc_worker_opts){.concurrency = 1, .lock_ms = 600000}, talk);
    wait_until(was_told("failed 2 no luck for good;") && was_told("drained"));
    sc_worker_pause(b.worker);
    sc_worker_pause(b.worker);
    sc_worker_resume(b.worker);
    assert_ok(sc_worker_close(b.worker, 60000, NULL));

    assert_string_equal(told, "ready;active 1;progress 1 42;completed 1 [1];"
                              "active 2;progress 2 42;failed 2 no luck;"
                              "active 2;progress 2 42;failed 2 no luck for good;"
                              "drained;paused;resumed;closing;closed;");
    bench_close(&b);
}

TEST(drained_is_told_once_until_a_job_comes)
{
    bench_open(&b);
    work((sc_worker_opts){.concurrency = 1, .lock_ms = 600000, .drain_delay_ms = 10}, succeed);
    wait_until(was_told("drained"));
    add(&b, "good", NULL);
    wait_until(was_told("completed 1 {\"ok\":true};drained"));

    assert_string_equal(told, "ready;drained;active 1;completed 1 {\"ok\":true};drained;");
    bench_close(&b);
}

TEST(locks_that_are_renewed_and_those_that_are_lost_are_told)
{
    bench_open(&b);
    b.hold = true;
    add(&b, "long", NULL);
    work((sc_worker_opts){.lock_ms = 60000, .lock_renew_ms = 20}, wait_for_leave);
    wait_until(was_told("locksRenewed 1;"));

    redis(&b, "SET bull:q:1:lock other");
    wait_until(was_told("lockRenewalFailed 1;"));
    wait_until(b.going == 0);
    assert_true(was_told("error;"));
    bench_close(&b);
}

TEST(a_lock_is_not_renewed_when_the_worker_is_told_not_to)
{
    bench_open(&b);
    b.hold = true;
    add(&b, "long", NULL);
    work((sc_worker_opts){.lock_ms = 200, .lock_renew_ms = 10, .skip_lock_renewal = true},
         wait_for_leave);
    wait_until(b.going == 1);
    wait_until(strcmp(redis(&b, "EXISTS bull:q:1:lock"), "0") == 0);

    assert_false(was_told("locksRenewed"));
    b.hold = false;
    bench_close(&b);
}

/* A job that is active without a lock, and was so when the last check looked. */
static void leave_a_stalled_job(void)
{
    add(&b, "lost", NULL);
    redis(&b, "RPOPLPUSH bull:q:wait bull:q:active");
    redis(&b, "SADD bull:q:stalled 1");
    redis(&b, "DEL bull:q:marker");
}

TEST(stalled_jobs_are_told)
{
    bench_open(&b);
    leave_a_stalled_job();
    work((sc_worker_opts){.concurrency = 1}, succeed);
    wait_until(was_told("completed 1"));
    wait_until(was_told("stalled 1;")); /* its answer comes on another connection */
    bench_close(&b);
}

TEST(stalled_jobs_are_left_to_others_when_the_worker_is_told_not_to_look)
{
    bench_open(&b);
    leave_a_stalled_job();
    work((sc_worker_opts){.stalled_interval_ms = 1, .skip_stalled_check = true}, succeed);
    add(&b, "good", NULL);
    wait_until(was_told("completed 2"));

    assert_false(was_told("stalled"));
    assert_int_equal(count_of(&b, SC_JOB_ACTIVE), 1);
    bench_close(&b);
}

TEST(a_rest_is_no_longer_than_the_worker_allows)
{
    bench_open(&b);
    add(&b, "first", NULL);
    redis(&b, "SET bull:q:limiter 1000 PX 600000");
    work((sc_worker_opts){.limit = {1, 600000}, .max_rest_ms = 50}, succeed);
    wait_until(was_told("ready"));
    redis(&b, "DEL bull:q:limiter");

    wait_until(was_told("completed 1"));
    bench_close(&b);
}

TEST(times_that_make_no_sense_are_refused)
{
    sc_reason why = {""};

    bench_open(&b);
    assert_err(
        sc_worker_new(b.client, SC_S("q"), &(sc_worker_opts){.max_rest_ms = -1}, &b.worker, &why),
        SC_EINVAL);
    assert_err(
        sc_worker_new(b.client, SC_S("q"), &(sc_worker_opts){.lock_renew_ms = -1}, &b.worker, &why),
        SC_EINVAL);
    assert_string_equal(why.text,
                        "the time of lock renewal and the longest rest must not be negative");
    assert_string_equal(sc_worker_event_name(SC_WORKER_EVENT_COUNT), "unknown");
    bench_close(&b);
}
