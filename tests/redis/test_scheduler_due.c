/* sched/guardian.c, ops/scheduler_due.c, lua/findDueSchedulers: runs are made on time, whoever is busy */
#include "redis/pubsub.h"
#include "scheduler_fixture.h"

static sc_scheduler_guard *start_guard(void)
{
    sc_scheduler_guard *guard = NULL;

    assert_ok(
        sc_scheduler_guard_start(queue, &(sc_scheduler_guard_opts){.interval_ms = 200}, &guard));
    return guard;
}

static int64_t waiting(void)
{
    return atoll(test_redis(&server, "LLEN bull:q:wait"));
}

static int64_t made(const char *id)
{
    return atoll(redis("HGET bull:q:repeat:%s ic", id));
}

static int64_t next_of(const char *id)
{
    return atoll(redis("ZSCORE bull:q:repeat %s", id));
}

TEST(runs_are_made_on_time_without_any_worker)
{
    sc_scheduler_guard *guard;
    int64_t every, pattern;

    open_queue();
    every = upsert_every("e", 100);
    pattern = upsert_pattern("p", "* * * * * *", "Europe/Berlin");

    guard = start_guard();
    wait_until(made("p") > 3 && made("e") > 20);
    sc_scheduler_guard_stop(guard);

    assert_no_gap("e", every, 100);
    assert_no_gap("p", pattern, 1000);
    /* all but the two that are to come, if these were not made ready before the guardian stopped */
    assert_in_range(made("e") + made("p") - waiting(), 0, 2);
    close_queue();
}

static atomic_int released;

static sc_outcome block(sc_run *run, const sc_job *job, void *user)
{
    (void)run, (void)user;
    if (sc_slice_eq(job->name, SC_S("block")))
        wait_until(released);
    else
        runs++;
    return SC_DONE;
}

TEST(runs_are_made_on_time_while_all_workers_are_busy)
{
    const sc_worker_opts opts = {.concurrency = 1, .skip_guardian = true};
    const sc_job_spec blocker = {.name = SC_S("block"), .data = SC_S("{}")};
    sc_scheduler_guard *guard;
    sc_worker *worker = NULL;
    int64_t first;

    open_queue();
    assert_ok(sc_queue_add(queue, &blocker, NULL, NULL));
    assert_ok(sc_worker_new(client, SC_S("q"), &opts, &worker, NULL));
    assert_ok(sc_worker_handle(worker, SC_S(""), block, NULL));
    assert_ok(sc_worker_start(worker));
    wait_until(atoi(test_redis(&server, "LLEN bull:q:active")) == 1);
    guard = start_guard();
    first = upsert_every("e", 50);

    wait_until(made("e") >= 10);
    assert_int_equal(runs, 0);
    released = 1;
    wait_until(runs >= 15);
    stop_worker(worker);
    sc_scheduler_guard_stop(guard);

    assert_no_gap("e", first, 50);
    assert_int_equal(completed(), runs + 1);
    close_queue();
}

TEST(guardians_of_many_nodes_and_workers_make_each_run_once)
{
    sc_scheduler_guard *guards[6];
    sc_worker *workers[2];
    int64_t first[5];
    char id[8];

    open_queue();
    for (int i = 0; i < 6; i++)
        guards[i] = start_guard();
    for (int i = 0; i < 2; i++)
        workers[i] = start_worker();
    for (int i = 0; i < 5; i++) {
        snprintf(id, sizeof(id), "s%d", i);
        first[i] = upsert_every(id, 40);
    }

    wait_until(runs >= 200);
    for (int i = 0; i < 6; i++)
        sc_scheduler_guard_stop(guards[i]);
    for (int i = 0; i < 2; i++)
        stop_worker(workers[i]);

    for (int i = 0; i < 5; i++) {
        snprintf(id, sizeof(id), "s%d", i);
        assert_no_gap(id, first[i], 40);
    }
    assert_int_equal(completed(), runs);
    close_queue();
}

TEST(many_schedules_that_are_due_at_once_are_all_made)
{
    sc_repeat repeat = SC_REPEAT_INIT;
    sc_scheduler_guard *guard;
    char id[8];

    open_queue();
    repeat.every_ms = 3600 * 1000;
    repeat.start_ms = now_ms() + 1500;
    for (int i = 0; i < 620; i++) { /* more than a slice, and more than are made ready at once */
        snprintf(id, sizeof(id), "s%d", i);
        repeat.catchup = i % 2 ? SC_CATCHUP_LATE : SC_CATCHUP_ALL;
        assert_true(upsert(id, &repeat) >= repeat.start_ms);
    }

    guard = start_guard();
    wait_until(atoi(redis("ZCOUNT bull:q:repeat %lld +inf",
                          (long long)repeat.start_ms + repeat.every_ms)) == 620);
    sc_scheduler_guard_stop(guard);

    assert_int_equal(waiting(), 620);
    assert_int_equal(atoi(test_redis(&server, "ZCARD bull:q:delayed")), 310);
    close_queue();
}

TEST(a_paused_queue_keeps_one_pending_job_until_it_is_resumed)
{
    sc_scheduler_guard *guard;
    int64_t start;

    open_queue();
    assert_ok(sc_queue_pause(queue));
    for (int i = 0; i < 5; i++)
        upsert_every("e", 100);
    guard = start_guard();

    start = now_ms();
    wait_until(now_ms() > start + 1500);
    assert_int_equal(made("e"), 1);
    assert_int_equal(waiting(), 1);
    assert_ok(sc_queue_resume(queue));
    wait_until(made("e") >= 4);
    sc_scheduler_guard_stop(guard);

    close_queue();
}

/* False when all stood still for so long that its last runs have been missed. */
static bool ends_at_its_date(void)
{
    sc_repeat repeat = SC_REPEAT_INIT;
    int64_t first, until;

    repeat.every_ms = 50;
    first = upsert_ending_in("dated", &repeat, 220);
    until = repeat.end_ms + LATE_MS;
    wait_until(next_of("dated") + 50 > repeat.end_ms || now_ms() > until);
    wait_until(now_ms() > repeat.end_ms + 1000);
    if (next_of("dated") + 50 <= repeat.end_ms)
        return false;
    assert_true(next_of("dated") <= repeat.end_ms);
    assert_no_gap("dated", first, 50);
    return true;
}

TEST(a_schedule_that_has_ended_gets_no_more_runs)
{
    sc_repeat repeat = SC_REPEAT_INIT;
    sc_scheduler_guard *guard;

    open_queue();
    repeat.every_ms = 50;
    repeat.limit = 3;
    upsert("limited", &repeat);

    guard = start_guard();
    wait_until(ends_at_its_date());
    wait_until(made("limited") == 3 && waiting() >= made("limited") + made("dated"));
    sc_scheduler_guard_stop(guard);

    assert_int_equal(made("limited"), 3);
    close_queue();
}

TEST(guardians_find_each_other_again_when_the_server_was_killed)
{
    static const char *const durable[] = {"--appendonly", "yes", "--appendfsync", "always", NULL};
    sc_scheduler_guard *guard;
    int64_t before;

    test_server_start_args(&server, durable);
    client = test_server_client(&server);
    assert_ok(sc_queue_new(client, SC_S("q"), NULL, &queue, NULL));
    upsert_every("e", 50);
    guard = start_guard();

    for (int i = 0; i < 3; i++) {
        before = made("e");
        wait_until(made("e") > before + 3);
        test_server_kill(&server, 9);
        test_server_restart(&server);
    }
    before = made("e");
    wait_until(made("e") > before + 3);
    sc_scheduler_guard_stop(guard);

    assert_int_equal(atoi(test_redis(&server, "ZCARD bull:q:delayed")) + waiting(), made("e"));
    close_queue();
}

/* Calls of a command so far, those of scripts too. */
static int calls_of(const char *command)
{
    char name[64];
    const char *found;

    snprintf(name, sizeof(name), "cmdstat_%s:calls=", command);
    found = strstr(test_redis(&server, "INFO commandstats"), name);
    return found ? atoi(found + strlen(name)) : 0;
}

static sc_repeat guarded_every(int64_t every_ms)
{
    sc_repeat repeat = SC_REPEAT_INIT;

    repeat.every_ms = every_ms;
    repeat.catchup = SC_CATCHUP_ALL;
    return repeat;
}

TEST(a_run_that_was_expected_takes_one_script_and_one_look)
{
    sc_repeat repeat = guarded_every(100);
    sc_scheduler_guard *guard = NULL;
    int scripts;
    int64_t before;

    open_queue();
    repeat.start_ms = now_ms() + 1000;
    upsert("a", &repeat);
    assert_ok(sc_scheduler_guard_start(queue, NULL, &guard));
    wait_until(made("a") >= 2);
    scripts = calls_of("evalsha");
    before = made("a");

    wait_until(made("a") >= before + 20);
    sc_scheduler_guard_stop(guard);

    assert_in_range(calls_of("evalsha") - scripts, 1, 2 * (made("a") - before) + 10);
    assert_int_equal(waiting(), made("a"));
    close_queue();
}

/* Changes four of five rules that a guardian has read ahead; false when their run became due meanwhile. */
static bool change_in_time(int64_t *ret_due, sc_scheduler_guard **ret_guard)
{
    sc_repeat repeat = guarded_every(3600 * 1000), other;
    int64_t due = repeat.start_ms = now_ms() + 1800, changed;
    int read;

    upsert("changed", &repeat);
    upsert("paused", &repeat);
    upsert("removed", &repeat);
    upsert("plain", &repeat);
    upsert("same", &repeat);
    read = calls_of("hmget");
    *ret_guard = start_guard();
    wait_until(calls_of("hmget") >= read + 10); /* two of each rule */

    other = repeat;
    other.limit = 1;
    changed = upsert("changed", &other);
    assert_ok(sc_scheduler_pause(queue, SC_S("paused"), NULL));
    assert_ok(sc_scheduler_remove(queue, SC_S("removed")));
    other = SC_REPEAT_INIT;
    other.every_ms = 3600 * 1000;
    upsert("plain", &other);
    *ret_due = due;
    if (now_ms() >= due)
        return false;
    assert_true(changed == due);
    return true;
}

TEST(a_rule_that_changed_after_it_was_read_ahead_runs_by_its_new_form)
{
    sc_scheduler_guard *guard;
    int64_t due;

    open_queue();
    while (!change_in_time(&due, &guard)) {
        sc_scheduler_guard_stop(guard);
        test_redis(&server, "FLUSHALL");
    }
    wait_until(made("changed") == 1 && made("same") == 1);
    wait_until(next_of("paused") > due);
    sc_scheduler_guard_stop(guard);

    assert_string_equal(redis("HGET bull:q:repeat:changed sc:over"), "1");
    assert_int_equal(made("paused"), 0);
    assert_string_equal(
        redis("EXISTS bull:q:repeat:removed bull:q:repeat:removed:%lld", (long long)due), "0");
    assert_string_equal(redis("HGET bull:q:repeat:plain sc:rev"), "(nil)");
    assert_string_equal(redis("EXISTS bull:q:repeat:same:%lld", (long long)due), "1");
    close_queue();
}

static void hear_nothing(void *user, sc_slice message)
{
    (void)user, (void)message;
}

static int listeners(void)
{
    return atoi(test_redis(&server, "PUBSUB NUMSUB bull:q:sc:schedules") +
                strlen("bull:q:sc:schedules "));
}

TEST(a_client_that_hears_channels_is_told_of_the_first_schedule_of_another_node)
{
    sc__subscription other = {.channel = SC_S("other"), .on_message = hear_nothing};
    sc_scheduler_guard *guard = NULL;
    sc_queue *guarded;
    sc_client *node;
    int asked;

    open_queue();
    guarded = queue;
    node = test_server_client(&server);
    assert_ok(
        sc_scheduler_guard_start(queue, &(sc_scheduler_guard_opts){.interval_ms = 600000}, &guard));
    wait_until(calls_of("evalsha") > 0);
    assert_int_equal(listeners(), 0); /* a guardian alone needs no connection more */
    asked = calls_of("exists");
    sc__client_subscribe(client, &other);
    wait_until(listeners() == 1 && calls_of("exists") > asked);

    assert_ok(sc_queue_new(node, SC_S("q"), NULL, &queue, NULL));
    upsert_every("plain", 50);
    wait_until(made("plain") >= 3);

    sc__client_unsubscribe(client, &other);
    wait_until(listeners() == 0);
    sc_scheduler_guard_stop(guard);
    sc_queue_free(queue);
    sc_client_free(node);
    queue = guarded;
    close_queue();
}
