/* sched/guardian.c, ops/scheduler_sweep.c, lua/{findLost,restore}Scheduler(s): what got lost is made again */
#include <storychain/worker_event.h>

#include "scheduler_fixture.h"

static sc_scheduler_guard *start_guard(void)
{
    sc_scheduler_guard *guard = NULL;

    assert_ok(
        sc_scheduler_guard_start(queue, &(sc_scheduler_guard_opts){.interval_ms = 20}, &guard));
    return guard;
}

/* Deletes the pending job of a scheduler, as a failover may, and makes its run overdue. */
static int64_t lose_pending(const char *id, int64_t ms)
{
    int64_t overdue = ms - 1000 * 24 * 3600 * 1000LL;

    move_pending(id, ms, overdue);
    redis("DEL bull:q:repeat:%s:%lld", id, (long long)overdue);
    redis("ZREM bull:q:delayed repeat:%s:%lld", id, (long long)overdue);
    return overdue;
}

TEST(the_guardian_makes_a_lost_job_again_and_the_schedule_goes_on)
{
    const sc_job_opts opts = {.attempts = 2, .priority = 3};
    const sc_job_spec spec = {.name = SC_S("n"), .data = SC_S("[1]"), .opts = &opts};
    sc_repeat repeat = SC_REPEAT_INIT;
    sc_scheduler_guard *guard;
    sc_job *job = NULL;
    sc_worker *worker;
    int64_t next = 0, lost;
    char id[64];

    open_queue();
    repeat.pattern = SC_S("0 3 * * *");
    repeat.tz = SC_S("Europe/Berlin");
    assert_ok(sc_scheduler_upsert(queue, SC_S("p"), &repeat, &spec, NULL, &next, NULL));
    lost = lose_pending("p", next);

    guard = start_guard();
    wait_until(pending() == 1);

    snprintf(id, sizeof(id), "repeat:p:%lld", (long long)lost);
    assert_ok(sc_queue_get_job(queue, sc_slice_of(id), &job));
    assert_slice(job->name, "n");
    assert_slice(job->data, "[1]");
    assert_slice(job->scheduler_id, "p");
    assert_int_equal(job->attempts, 2);
    assert_int_equal(job->priority, 3);
    worker = start_worker();
    wait_until(completed() == 1 && pending() == 1);
    assert_true(strtoll(redis("ZSCORE bull:q:repeat p"), NULL, 10) == next);
    stop_worker(worker);
    sc_scheduler_guard_stop(guard);
    sc_job_free(job);
    close_queue();
}

TEST(guardians_of_many_nodes_make_one_job)
{
    sc_scheduler_guard *guards[8];
    char id[8];

    open_queue();
    for (int i = 0; i < 150; i++) {
        snprintf(id, sizeof(id), "s%d", i);
        lose_pending(id, upsert_pattern(id, "0 3 * * *", ""));
    }
    assert_int_equal(pending(), 0);

    for (int i = 0; i < 8; i++)
        guards[i] = start_guard();
    wait_until(pending() == 300); /* each late run, and the one after it */
    for (int i = 0; i < 8; i++)
        sc_scheduler_guard_stop(guards[i]);

    assert_int_equal(pending(), 300);
    assert_redis("LLEN bull:q:wait", "150");
    close_queue();
}

TEST(the_guardian_leaves_what_is_well_or_over_alone)
{
    sc_repeat repeat = SC_REPEAT_INIT;
    sc_scheduler_guard *guard;
    int64_t late, over;

    open_queue();
    late = upsert_pattern("late", "0 3 * * *", ""); /* its job waits: the workers are busy */
    move_pending("late", late, now_ms() - 60000);
    repeat.pattern = SC_S("0 3 * * *");
    repeat.limit = 1;
    over = upsert("over", &repeat);
    lose_pending("over", over);
    repeat.limit = 0;
    repeat.end_ms = now_ms() + 24 * 3600 * 1000;
    over = upsert("last", &repeat); /* its next run would be after its end */
    redis("DEL bull:q:repeat:last:%lld", (long long)over);
    redis("ZREM bull:q:delayed repeat:last:%lld", (long long)over);
    redis("ZADD bull:q:repeat %lld last", (long long)over - 3600 * 1000 * 24);
    redis("HSET bull:q:repeat:last pattern 0");
    test_redis(&server, "HSET bull:q:repeat:odd name n pattern nonsense ic 1");
    test_redis(&server, "ZADD bull:q:repeat 5 odd");
    upsert_every("lost", 3600 * 1000);
    assert_ok(sc_queue_pause(queue));
    lose_pending("lost", strtoll(redis("ZSCORE bull:q:repeat lost"), NULL, 10));
    redis("DEL bull:q:wait");

    guard = start_guard();
    wait_until(atoi(test_redis(&server, "LLEN bull:q:wait")) == 1);
    sc_scheduler_guard_stop(guard);

    assert_int_equal(pending(), 2); /* "late" and "lost" */
    close_queue();
}

TEST(the_guardian_goes_on_where_a_job_ran_but_made_no_next_one)
{
    int64_t next, ran, before, hour = 3600 * 1000;
    sc_scheduler_guard *guard;

    open_queue();
    next = upsert_pattern("p", "@hourly", "");
    ran = next - 5 * hour;
    move_pending("p", next, ran);
    redis("ZREM bull:q:delayed repeat:p:%lld", (long long)ran);
    redis("HSET bull:q:repeat:p:%lld finishedOn %lld", (long long)ran, (long long)ran);
    redis("ZADD bull:q:completed %lld repeat:p:%lld", (long long)ran, (long long)ran);
    before = now_ms();

    guard = start_guard();
    wait_until(pending() == 1);
    sc_scheduler_guard_stop(guard);

    next = strtoll(redis("ZSCORE bull:q:repeat p"), NULL, 10);
    assert_true(next > before - 1000 && next <= now_ms() + hour && next % hour == 0);
    assert_redis("HGET bull:q:repeat:p ic", "2");
    close_queue();
}

TEST(the_guardian_goes_on_where_a_worker_died_between_taking_a_job_and_making_the_next)
{
    int64_t next, taken, hour = 3600 * 1000;
    sc_scheduler_guard *guard;

    open_queue();
    next = upsert_pattern("p", "@hourly", "");
    taken = next - hour;
    move_pending("p", next, taken);
    redis("ZREM bull:q:delayed repeat:p:%lld", (long long)taken);
    redis("HSET bull:q:repeat:p:%lld processedOn %lld ats 1", (long long)taken,
          (long long)now_ms() - 1500);
    redis("LPUSH bull:q:active repeat:p:%lld", (long long)taken);
    redis("SET bull:q:repeat:p:%lld:lock dead PX 30000", (long long)taken);

    guard = start_guard();
    wait_until(pending() == 1);
    sc_scheduler_guard_stop(guard);

    assert_true(strtoll(redis("ZSCORE bull:q:repeat p"), NULL, 10) >= next);
    assert_redis("LLEN bull:q:active", "1");
    close_queue();
}

TEST(a_guardian_stops_while_its_server_is_away)
{
    sc_scheduler_guard *guard;

    open_queue();
    upsert_every("e", 1000);
    guard = start_guard();
    test_server_kill(&server, 9);

    sc_scheduler_guard_stop(guard);
    sc_scheduler_guard_stop(NULL);
    close_queue();
}

TEST(the_guardian_goes_on_where_a_run_waits_for_long_but_not_in_a_paused_queue)
{
    int64_t next, late, hour = 3600 * 1000;
    sc_scheduler_guard *guard;

    open_queue();
    next = upsert_pattern("p", "@hourly", "");
    late = next - 5 * hour; /* no guardian was up when it was due, and all workers are busy */
    move_pending("p", next, late);
    redis("ZREM bull:q:delayed repeat:p:%lld", (long long)late);
    redis("LPUSH bull:q:wait repeat:p:%lld", (long long)late);
    assert_ok(sc_queue_pause(queue));

    guard = start_guard();
    wait_until(sweeps() >= 6);
    assert_int_equal(pending(), 1);
    assert_ok(sc_queue_resume(queue));
    wait_until(pending() == 2);
    sc_scheduler_guard_stop(guard);

    assert_redis("LLEN bull:q:wait", "1");
    assert_true(strtoll(redis("ZSCORE bull:q:repeat p"), NULL, 10) >= next);
    close_queue();
}

static atomic_int told;

static void on_worker_event(void *user, const sc_worker_event *event)
{
    (void)user;
    told += event->kind == SC_WORKER_ERROR && strstr(event->text.ptr, "nonsense") != NULL;
}

static sc_worker *start_guarding_worker(bool skip_guardian)
{
    const sc_worker_opts opts = {.skip_guardian = skip_guardian, .on_event = on_worker_event};
    sc_worker *worker = NULL;

    assert_ok(sc_worker_new(client, SC_S("q"), &opts, &worker, NULL));
    assert_ok(sc_worker_handle(worker, SC_S(""), count_run, NULL));
    assert_ok(sc_worker_start(worker));
    return worker;
}

TEST(a_started_worker_is_a_guardian_of_its_queue)
{
    sc_repeat repeat = SC_REPEAT_INIT;
    sc_worker *worker;

    open_queue();
    repeat.every_ms = 100;
    repeat.overlap = SC_OVERLAP_SKIP;
    upsert("guarded", &repeat);
    test_redis(&server, "HSET bull:q:repeat:odd name n pattern nonsense ic 1 sc:rev 1");
    redis("ZADD bull:q:repeat %lld odd", (long long)now_ms());

    worker = start_guarding_worker(false);
    wait_until(runs >= 3 && told == 1);
    stop_worker(worker); /* and the guardian with it */
    runs = 0;
    assert_redis("ZREM bull:q:repeat odd", "1");
    worker = start_guarding_worker(true);
    wait_until(atoi(test_redis(&server, "LLEN bull:q:wait")) == 0);
    wait_until(now_ms() > atoll(test_redis(&server, "ZSCORE bull:q:repeat guarded")) + 1200);
    stop_worker(worker);

    assert_in_range(runs, 0, 1); /* what the guardian left ready */
    close_queue();
}
