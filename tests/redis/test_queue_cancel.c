/* Cancelling jobs from anywhere, and runs in a worker. */
#include "support/worker_bench.h"

#include <storychain/control.h>

#include "base/clock.h"
#include "ops/op_cancel.h"

static sc_cancel_result cancel(struct bench *b, const char *id, const char *why)
{
    sc_cancel_result result = (sc_cancel_result)-1;
    sc_reason reason = {""};

    if (sc_queue_cancel(b->queue, sc_slice_of(id), sc_slice_of(why), &result, &reason))
        fail_msg("%s", reason.text);
    return result;
}

/* Goes on until it is told to stop, and then does as b->outcome says. */
static sc_outcome stop_when_told(sc_run *run, const sc_job *job, void *user)
{
    struct bench *b = user;
    int64_t deadline = test_deadline_ms();

    note(b, job);
    b->runs++;
    b->going++;
    while (b->hold && !sc_run_is_cancelled(run) && test_pause_until(deadline))
        ;
    pthread_mutex_lock(&b->mutex);
    b->cause = sc_run_cancel_cause(run);
    snprintf(b->reason, sizeof(b->reason), "%s", sc_run_cancel_reason(run));
    pthread_mutex_unlock(&b->mutex);
    b->going--;
    return b->outcome;
}

/* not running */

TEST(a_job_that_waits_in_whatever_way_fails_at_once_and_is_never_run)
{
    struct bench b;
    const char *const ids[] = {"1", "2", "3"};

    bench_open(&b);
    add(&b, "waits", NULL);
    add(&b, "later", &(sc_job_opts){.delay_ms = 3600000});
    add(&b, "prior", &(sc_job_opts){.priority = 3});
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(cancel(&b, ids[i], "no use"), SC_CANCELLED);

    assert_int_equal(count_of(&b, SC_JOB_FAILED), 3);
    assert_int_equal(count_of(&b, SC_JOB_WAITING), 0);
    assert_int_equal(count_of(&b, SC_JOB_DELAYED), 0);
    assert_int_equal(count_of(&b, SC_JOB_PRIORITIZED), 0);
    assert_string_equal(redis(&b, "HMGET bull:q:2 failedReason atm delay defa"),
                        "cancelled: no use (nil) 0 (nil)");
    assert_non_null(strstr(redis(&b, "XREVRANGE bull:q:events + - COUNT 1"),
                           "event failed jobId 3 failedReason cancelled: no use prev prioritized"));
    bench_work(&b, NULL, succeed);
    add(&b, "next", NULL);
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 1);
    assert_string_equal(order(&b), "next ");
    bench_close(&b);
}

TEST(what_cannot_be_cancelled_is_said)
{
    struct bench b;
    char long_text[5000];

    bench_open(&b);
    add(&b, "job", NULL);
    assert_err(sc_queue_cancel(b.queue, SC_S("9"), SC_S(""), NULL, NULL), SC_ENOJOB);
    assert_err(sc_queue_cancel(b.queue, SC_S(""), SC_S(""), NULL, NULL), SC_EINVAL);
    assert_err(sc_queue_cancel(b.queue, SC_S("1"), SC_S("\xff"), NULL, NULL), SC_EINVAL);
    memset(long_text, 'x', sizeof(long_text));
    assert_err(
        sc_queue_cancel(b.queue, SC_S("1"), (sc_slice){long_text, sizeof(long_text)}, NULL, NULL),
        SC_ETOOBIG);
    assert_int_equal(cancel(&b, "1", ""), SC_CANCELLED);
    assert_string_equal(redis(&b, "HGET bull:q:1 failedReason"), "cancelled");
    assert_err(sc_queue_cancel(b.queue, SC_S("1"), SC_S(""), NULL, NULL), SC_EJOBSTATE);
    redis(&b, "HSET bull:q:repeat:s:5 name tick rjk s");
    redis(&b, "ZADD bull:q:repeat 5 s");
    redis(&b, "LPUSH bull:q:wait repeat:s:5");
    assert_err(sc_queue_cancel(b.queue, SC_S("repeat:s:5"), SC_S(""), NULL, NULL), SC_ESCHEDULED);
    bench_close(&b);
}

TEST(a_cancelled_job_is_kept_or_not_as_its_options_say_and_frees_its_deduplication_id)
{
    struct bench b;

    bench_open(&b);
    add(&b, "kept", NULL);
    add(&b, "gone", &(sc_job_opts){.keep_failed = {.kind = SC_KEEP_NONE}});
    add(&b, "one",
        &(sc_job_opts){.keep_failed = {.kind = SC_KEEP_SOME, .count = 1, .age_s = -1},
                       .dedup = {.id = SC_S("d")}});
    cancel(&b, "1", "");
    assert_string_equal(redis(&b, "ZRANGE bull:q:failed 0 -1"), "1");
    cancel(&b, "3", "");
    cancel(&b, "2", "");
    assert_string_equal(redis(&b, "ZRANGE bull:q:failed 0 -1"), "3");
    assert_string_equal(redis(&b, "EXISTS bull:q:1 bull:q:2 bull:q:de:d"), "0");
    bench_close(&b);
}

TEST(a_parent_that_waits_for_children_is_not_run_once_they_are_done)
{
    struct bench b;

    bench_open(&b);
    add(&b, "parent", NULL);
    redis(&b, "LREM bull:q:wait 1 1");
    redis(&b, "ZADD bull:q:waiting-children 5 1");
    assert_int_equal(cancel(&b, "1", "why"), SC_CANCEL_POSTPONED);
    redis(&b, "ZREM bull:q:waiting-children 1");
    redis(&b, "RPUSH bull:q:wait 1");
    bench_work(&b, NULL, succeed);
    wait_until(count_of(&b, SC_JOB_FAILED) == 1);
    assert_int_equal(b.runs, 0);
    assert_string_equal(redis(&b, "HMGET bull:q:1 failedReason defa"), "cancelled: why (nil)");
    bench_close(&b);
}

TEST(in_a_list_of_hundreds_of_thousands_a_job_is_not_looked_for_further_than_it_may_be)
{
    struct bench b;

    bench_open(&b);
    add_many(&b, 200020);
    assert_int_equal(cancel(&b, "100010", "why"), SC_CANCEL_POSTPONED);
    assert_int_equal(cancel(&b, "20", "why"), SC_CANCELLED);
    assert_int_equal(cancel(&b, "200010", "why"), SC_CANCELLED);
    assert_string_equal(redis(&b, "HGET bull:q:100010 defa"), "cancelled: why");
    assert_int_equal(count_of(&b, SC_JOB_WAITING), 200018);
    bench_close(&b);
}

/* running */

static bool hears(struct bench *b)
{
    return strcmp(redis(b, "PUBSUB NUMSUB bull:q:sc:cancel"), "bull:q:sc:cancel 1") == 0;
}

/* Its locks are renewed often, and outlive any moment in which the machine stands still. */
static const sc_worker_opts renewing = {.lock_ms = 600000, .lock_renew_ms = 20};

static void run_one(struct bench *b, sc_outcome outcome, const sc_job_opts *job,
                    const sc_worker_opts *opts)
{
    b->hold = true;
    b->outcome = outcome;
    add(b, "long", job);
    bench_work(b, opts, stop_when_told);
    wait_until(b->going >= 1);
    wait_until(hears(b));
}

TEST(the_run_of_a_cancelled_job_is_told_at_once_and_the_job_not_tried_again)
{
    struct bench b;

    bench_open(&b);
    run_one(&b, SC_FAILED, &(sc_job_opts){.attempts = 5}, &(sc_worker_opts){.lock_ms = 600000});
    assert_int_equal(cancel(&b, "1", "no use"), SC_CANCEL_TOLD);
    wait_until(count_of(&b, SC_JOB_FAILED) == 1);

    assert_int_equal(b.cause, SC_CANCEL_JOB);
    assert_string_equal(b.reason, "cancelled: no use");
    assert_int_equal(b.runs, 1);
    assert_string_equal(redis(&b, "HMGET bull:q:1 failedReason defa atm"),
                        "cancelled: no use (nil) 1");
    wait_until(stats(&b).cancelled == 1 && stats(&b).failed == 1);
    bench_close(&b);
}

TEST(a_run_that_puts_its_cancelled_job_off_has_failed_too)
{
    struct bench b;

    bench_open(&b);
    run_one(&b, SC_DELAY, NULL, NULL);
    assert_int_equal(cancel(&b, "1", ""), SC_CANCEL_TOLD);
    wait_until(count_of(&b, SC_JOB_FAILED) == 1);
    assert_string_equal(b.reason, "cancelled");
    assert_string_equal(redis(&b, "HGET bull:q:1 failedReason"), "cancelled");
    bench_close(&b);
}

TEST(a_cancelled_job_that_is_done_all_the_same_is_done_and_can_run_again)
{
    struct bench b;

    bench_open(&b);
    run_one(&b, SC_DONE, NULL, NULL);
    assert_int_equal(cancel(&b, "1", "too late"), SC_CANCEL_TOLD);
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 1);
    wait_until(strcmp(redis(&b, "HEXISTS bull:q:1 defa"), "0") == 0);
    b.hold = false;
    assert_ok(sc_queue_retry(b.queue, SC_S("1")));
    wait_until(b.runs == 2 && count_of(&b, SC_JOB_COMPLETED) == 1);
    bench_close(&b);
}

TEST(a_job_in_a_worker_that_cannot_be_told_is_not_tried_again)
{
    struct bench b;

    bench_open(&b);
    add(&b, "theirs", &(sc_job_opts){.attempts = 3});
    redis(&b, "LMOVE bull:q:wait bull:q:active RIGHT LEFT");
    redis(&b, "SET bull:q:1:lock 8b9f3c1e-0000-4000-8000-000000000000:0 PX 30000");
    assert_int_equal(cancel(&b, "1", "why"), SC_CANCEL_NOTED);
    assert_string_equal(redis(&b, "EXISTS bull:q:sc:cancel:1"), "0");

    /* its worker fails, and wants another try */
    redis(&b, "DEL bull:q:1:lock");
    redis(&b, "LMOVE bull:q:active bull:q:wait LEFT LEFT");
    bench_work(&b, NULL, succeed);
    wait_until(count_of(&b, SC_JOB_FAILED) == 1);
    assert_int_equal(b.runs, 0);
    assert_string_equal(redis(&b, "HGET bull:q:1 failedReason"), "cancelled: why");
    bench_close(&b);
}

TEST(a_run_is_told_at_the_next_renewal_when_the_push_is_lost)
{
    struct bench b;

    bench_open(&b);
    run_one(&b, SC_FAILED, NULL, &renewing);
    /* as cancelJob leaves it, but for the push */
    redis(&b,
          "EVAL redis.call('SET',KEYS[2],redis.call('GET',KEYS[1])..'\\n'..ARGV[1],'PX',600000) 2 "
          "bull:q:1:lock bull:q:sc:cancel:1 lost");
    wait_until(count_of(&b, SC_JOB_FAILED) == 1);
    assert_int_equal(b.cause, SC_CANCEL_JOB);
    assert_string_equal(redis(&b, "HGET bull:q:1 failedReason"), "lost");
    bench_close(&b);
}

TEST(a_cancellation_is_of_the_run_it_was_meant_for)
{
    struct bench b;

    bench_open(&b);
    run_one(&b, SC_FAILED, NULL, &renewing);
    redis(&b, "EVAL redis.call('SET',KEYS[1],ARGV[1]..'\\n'..'old','PX',60000) 1 "
              "bull:q:sc:cancel:1 sc:other:1");
    redis(&b, "EVAL redis.call('PUBLISH',KEYS[1],'1:1sc:other:1\\nold') 1 bull:q:sc:cancel");
    redis(&b, "PEXPIRE bull:q:1:lock 300000");
    wait_until(atoi(redis(&b, "PTTL bull:q:1:lock")) > 300000); /* renewed */
    assert_int_equal(cancel(&b, "1", "new"), SC_CANCEL_TOLD);
    wait_until(count_of(&b, SC_JOB_FAILED) == 1);
    assert_string_equal(redis(&b, "HGET bull:q:1 failedReason"), "cancelled: new");
    bench_close(&b);
}

TEST(a_server_of_resp2_tells_too)
{
    struct bench b = {.hold = true};
    const char *const no_hello[] = {"--rename-command", "HELLO", "", NULL};

    pthread_mutex_init(&b.mutex, NULL);
    test_server_start_args(&b.server, no_hello);
    b.client = test_server_client(&b.server);
    assert_ok(sc_queue_new(b.client, SC_S("q"), NULL, &b.queue, NULL));
    run_one(&b, SC_FAILED, NULL, &(sc_worker_opts){.lock_ms = 600000});
    wait_until(hears(&b));
    assert_int_equal(cancel(&b, "1", "no use"), SC_CANCEL_TOLD);
    wait_until(count_of(&b, SC_JOB_FAILED) == 1);
    assert_string_equal(b.reason, "cancelled: no use");
    bench_close(&b);
}

TEST(who_may_not_hear_channels_is_told_at_the_next_renewal)
{
    struct bench b = {.hold = true};
    sc_client_opts opts = {0};
    char url[160];

    pthread_mutex_init(&b.mutex, NULL);
    test_server_start(&b.server);
    redis(&b, "ACL SETUSER deaf on >pw ~* +@all resetchannels");
    snprintf(url, sizeof(url), "unix://deaf:pw@%s", b.server.socket);
    opts.url = url;
    assert_ok(sc_client_new(&opts, &b.client, NULL));
    assert_ok(sc_queue_new(b.client, SC_S("q"), NULL, &b.queue, NULL));
    b.outcome = SC_FAILED;
    add(&b, "long", NULL);
    bench_work(&b, &renewing, stop_when_told);
    wait_until(b.going == 1);
    assert_int_equal(cancel(&b, "1", "no use"), SC_CANCEL_TOLD);
    wait_until(count_of(&b, SC_JOB_FAILED) == 1);
    assert_string_equal(b.reason, "cancelled: no use");
    assert_string_equal(redis(&b, "PUBSUB CHANNELS"), "");
    bench_close(&b);
}

TEST(what_was_cancelled_while_nothing_was_heard_is_told_when_it_is_again)
{
    struct bench b;

    bench_open(&b);
    run_one(&b, SC_FAILED, NULL, &(sc_worker_opts){.lock_ms = 600000});
    wait_until(hears(&b));
    /* as cancelJob leaves it, but for the push */
    redis(&b,
          "EVAL redis.call('SET',KEYS[2],redis.call('GET',KEYS[1])..'\\n'..ARGV[1],'PX',60000) 2 "
          "bull:q:1:lock bull:q:sc:cancel:1 unheard");
    redis(&b, "CLIENT KILL TYPE pubsub");
    wait_until(count_of(&b, SC_JOB_FAILED) == 1);
    assert_string_equal(redis(&b, "HGET bull:q:1 failedReason"), "unheard");
    bench_close(&b);
}

TEST(a_worker_hears_again_after_its_connection_was_killed_and_not_once_it_is_closed)
{
    struct bench b;

    bench_open(&b);
    run_one(&b, SC_FAILED, NULL, &(sc_worker_opts){.lock_ms = 600000});
    wait_until(hears(&b));
    redis(&b, "CLIENT KILL TYPE pubsub");
    wait_until(hears(&b));
    assert_int_equal(cancel(&b, "1", "no use"), SC_CANCEL_TOLD);
    wait_until(count_of(&b, SC_JOB_FAILED) == 1);
    assert_int_equal(b.cause, SC_CANCEL_JOB);
    assert_ok(sc_worker_close(b.worker, 1000, NULL));
    wait_until(strcmp(redis(&b, "PUBSUB CHANNELS"), "") == 0);
    bench_close(&b);
}

TEST(of_two_runs_the_one_whose_job_is_cancelled_is_told)
{
    struct bench b;

    bench_open(&b);
    run_one(&b, SC_DONE, NULL, NULL);
    assert_ok(sc_worker_set_concurrency(b.worker, 2));
    add(&b, "second", NULL);
    wait_until(b.going == 2);
    assert_int_equal(cancel(&b, "2", "only this"), SC_CANCEL_TOLD);
    wait_until(b.going == 1);
    assert_string_equal(b.reason, "cancelled: only this");
    b.hold = false;
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 2);
    bench_close(&b);
}

TEST(hearing_of_cancellations_sets_no_limit_to_the_size_of_jobs)
{
    /* A connection that hears channels is cut by the server when 32 MiB wait to be read from it. */
    enum { BYTES = 40 * 1024 * 1024 };
    struct bench b;
    char *data = malloc(BYTES);
    sc_job_spec spec = {.name = SC_S("large"), .data = {data, BYTES}};
    sc_client_stats client;
    sc_job *job;

    bench_open(&b);
    memset(data, '1', BYTES);
    data[0] = data[BYTES - 1] = '"';
    bench_work(&b, NULL, succeed);
    add(&b, "small", NULL);
    wait_until(hears(&b));
    assert_ok(sc_queue_add(b.queue, &spec, NULL, NULL));
    free(data);
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 2);
    assert_int_equal(b.runs, 2);
    assert_ok(sc_queue_get_job(b.queue, SC_S("2"), &job));
    assert_int_equal(job->data.len, BYTES);
    sc_job_free(job);
    sc_client_stats_get(b.client, &client);
    assert_int_equal(client.reconnects, 0);
    bench_close(&b);
}

/* runs of one worker */

TEST(a_worker_cancels_a_run_whose_outcome_counts)
{
    struct bench b;

    bench_open(&b);
    run_one(&b, SC_FAILED, &(sc_job_opts){.attempts = 2}, NULL);
    assert_false(sc_worker_cancel(b.worker, SC_S("77"), SC_S("")));
    assert_false(sc_worker_cancel(b.worker, SC_S(""), SC_S("")));
    assert_true(sc_worker_cancel(b.worker, SC_S("1"), SC_S("enough")));
    wait_until(b.runs == 2); /* tried again */
    assert_int_equal(b.cause, SC_CANCEL_RUN);
    assert_string_equal(b.reason, "enough");
    b.outcome = SC_DONE;
    wait_until(b.going == 1);
    assert_true(sc_worker_cancel(b.worker, SC_S("1"), SC_S("")));
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 1);
    assert_string_equal(b.reason, "cancelled");
    bench_close(&b);
}

TEST(a_worker_cancels_all_its_runs)
{
    struct bench b;

    bench_open(&b);
    add_many(&b, 4);
    run_one(&b, SC_DONE, NULL, &(sc_worker_opts){.concurrency = 5});
    wait_until(b.going == 5);
    assert_int_equal(sc_worker_cancel_all(b.worker, SC_S("all")), 5);
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 5);
    assert_int_equal(sc_worker_cancel_all(b.worker, SC_S("all")), 0);
    bench_close(&b);
}

TEST(messages_of_others_on_the_channel_are_not_heeded)
{
    static const char *const bad[] = {"",         ":",
                                      "1",        "1:",
                                      "2:1",      "9999999999:1",
                                      "-1:1x\n",  "1:1",
                                      "1:1token", "99999999999999999999:1a\nb",
                                      "x:1a\nb"};
    sc__cancel_message m;

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_false(sc__cancel_message_read(sc_slice_of(bad[i]), &m));
    assert_true(sc__cancel_message_read(SC_S("3:a:\nsc:t:1\nwhy\nnot"), &m));
    assert_slice(m.id, "a:\n");
    assert_slice(m.token, "sc:t:1");
    assert_slice(m.reason, "why\nnot");
}
