/* ops/op_scheduler_guarded.c, lua/{store,upsert}Scheduler: plain schedules that become guarded ones, for a pause too, and back */
#include "guarded_fixture.h"

TEST(a_plain_schedule_is_plain_again_when_it_is_resumed)
{
    sc_scheduler_list *list = NULL;
    int64_t next;

    open_queue();
    next = upsert_pattern("p", "0 3 * * *", "Europe/Berlin");

    assert_ok(sc_scheduler_pause(queue, SC_S("p"), NULL));
    assert_int_equal(pending(), 0);
    assert_true(info_of("p", &list).was_plain && list->items[0].next_ms == next);
    sc_scheduler_list_free(list);
    assert_ok(sc_scheduler_resume(queue, SC_S("p"), NULL));

    assert_int_equal(pending(), 1);
    assert_true(atoll(redis("ZSCORE bull:q:repeat p")) == next);
    assert_redis("HMGET bull:q:repeat:p sc:rev sc:paused sc:plain name data ic",
                 "(nil) (nil) (nil) job {\"a\":1} 1");
    close_queue();
}

/* The pending job of an hourly schedule is due now. */
static void let_run(const char *id)
{
    int64_t next = atoll(redis("ZSCORE bull:q:repeat %s", id));

    move_pending(id, next, now_ms());
}

TEST(a_limit_counts_on_where_a_plain_schedule_was_paused)
{
    const sc_job_opts opts = {.keep_completed = {.kind = SC_KEEP_SOME, .count = 50}};
    sc_repeat repeat;
    sc_worker *worker;

    open_queue();
    repeat = every(3600 * 1000);
    repeat.limit = 3;
    for (int i = 0; i < 2; i++) /* the count begins anew */
        upsert_with("e", &repeat, &opts);
    worker = start_worker();
    wait_until(runs == 1 && made("e") == 2);

    for (int i = 1; i < 3; i++) {
        assert_ok(sc_scheduler_pause(queue, SC_S("e"), NULL));
        assert_int_equal(pending(), 0);
        assert_int_equal(made("e"), i);
        assert_ok(sc_scheduler_resume(queue, SC_S("e"), NULL));
        assert_int_equal(made("e"), i + 1);
        let_run("e");
        wait_until(runs == i + 1 && made("e") == 3); /* with the job that follows, if one does */
    }
    wait_until(pending() == 0 && atoi(test_redis(&server, "LLEN bull:q:active")) == 0);
    assert_ok(sc_scheduler_pause(queue, SC_S("e"), NULL));
    assert_ok(sc_scheduler_resume(queue, SC_S("e"), NULL)); /* it has ended */
    stop_worker(worker);

    assert_int_equal(pending(), 0);
    assert_int_equal(made("e"), 3);
    close_queue();
}

TEST(plain_and_guarded_rules_replace_each_other)
{
    sc_repeat guarded;
    int64_t next;

    open_queue();
    guarded = every(3600 * 1000);
    guarded.offset_ms = 5;
    next = upsert("e", &guarded);
    guarded.jitter_ms = 1;

    assert_true(upsert("e", &guarded) >= next);
    assert_int_equal(pending(), 0);
    assert_redis("HGET bull:q:repeat:e ic", "0");
    guarded.jitter_ms = 0;
    upsert("e", &guarded);

    assert_int_equal(pending(), 1);
    assert_redis("HMGET bull:q:repeat:e ic sc:rev", "1 (nil)");
    close_queue();
}

TEST(a_schedule_that_was_guarded_ends_by_its_limit_when_its_jobs_are_not_kept)
{
    const sc_job_opts opts = {.keep_completed = {.kind = SC_KEEP_NONE}};
    const sc_job_spec spec = {.name = SC_S("job"), .opts = &opts};
    sc_scheduler_guard *guard;
    sc_repeat repeat;
    sc_worker *worker;
    int64_t at = 0;
    int before;

    open_queue();
    repeat = every(3600 * 1000);
    repeat.start_ms = now_ms() + 3600 * 1000;
    repeat.jitter_ms = 1;
    upsert("e", &repeat);
    repeat = every(500);
    repeat.limit = 1;
    assert_ok(sc_scheduler_upsert(queue, SC_S("e"), &repeat, &spec, NULL, &at, NULL));
    worker = start_worker();
    guard = start_guard();

    wait_until(runs >= 1 && now_ms() > at + 1100); /* overdue for what looks for lost runs */
    before = sweeps();
    wait_until(sweeps() >= before + 4);
    sc_scheduler_guard_stop(guard);
    stop_worker(worker);

    assert_int_equal(runs, 1);
    close_queue();
}
