/* sched/runs.c, ops/op_scheduler_runs.c, lua/{add,get}SchedulerRuns: runs by hand, of the past, and how they ended */
#include "base/iso8601.h"
#include "scheduler_fixture.h"

static const int64_t hour = 3600 * 1000;

TEST(a_triggered_run_is_a_job_of_the_schedule_and_makes_no_next_one)
{
    sc_worker *worker;
    char *id = NULL, *other = NULL;
    sc_job *job = NULL;
    int64_t next;

    open_queue();
    next = upsert_pattern("p", "0 3 * * *", "Europe/Berlin");

    assert_ok(sc_scheduler_trigger(queue, SC_S("p"), &id, NULL));
    assert_ok(sc_scheduler_trigger(queue, SC_S("p"), &other, NULL));
    assert_string_not_equal(id, other);
    worker = start_worker();
    wait_until(completed() == 2);
    stop_worker(worker);

    assert_ok(sc_queue_get_job(queue, sc_slice_of(id), &job));
    assert_slice(job->scheduler_id, "p");
    assert_slice(job->data, "{\"a\":1}");
    assert_int_equal(pending(), 1);
    assert_true(atoll(redis("ZSCORE bull:q:repeat p")) == next);
    assert_err(sc_scheduler_trigger(queue, SC_S("nobody"), NULL, NULL), SC_ENOTFOUND);
    sc_job_free(job);
    sc_free(id);
    sc_free(other);
    close_queue();
}

TEST(a_backfill_adds_each_past_time_once_and_not_too_fast)
{
    int64_t to, from, added = 0, due, before, took;

    open_queue();
    upsert_pattern("p", "@hourly", "");
    to = now_ms() / hour * hour;
    from = to - 250 * hour;

    before = now_ms();
    assert_ok(sc_scheduler_backfill(queue, SC_S("p"), from, to, 60, &added, NULL));
    took = now_ms() - before;
    assert_int_equal(added, 251);
    assert_ok(sc_scheduler_backfill(queue, SC_S("p"), from - hour, to, 0, &added, NULL));
    assert_int_equal(added, 1);

    assert_int_equal(pending(), 253);
    due = atoll(redis("ZSCORE bull:q:delayed repeat:p:%lld", (long long)to)) / 4096;
    assert_in_range(due - before, 250 * 1000, 250 * 1000 + took);
    assert_non_null(
        strstr(redis("HGET bull:q:repeat:p:%lld opts", (long long)from), "\"nominal\":"));
    close_queue();
}

TEST(bad_backfills_are_refused_with_a_reason)
{
    sc_reason reason = {""};
    int64_t now;

    open_queue();
    upsert_pattern("p", "* * * * * *", "");
    now = now_ms();

    assert_err(sc_scheduler_backfill(queue, SC_S("p"), now - 10, now + hour, 0, NULL, &reason),
               SC_EINVAL);
    assert_non_null(strstr(reason.text, "not past"));
    assert_err(sc_scheduler_backfill(queue, SC_S("p"), now - 10, now - 20, 0, NULL, NULL),
               SC_EINVAL);
    assert_err(sc_scheduler_backfill(queue, SC_S("p"), now - 20, now - 10, -1, NULL, NULL),
               SC_EINVAL);
    assert_err(sc_scheduler_backfill(queue, SC_S("p"), now - 3 * hour, now - 1, 0, NULL, &reason),
               SC_ETOOBIG);
    assert_err(sc_scheduler_backfill(queue, SC_S("nobody"), now - 20, now - 10, 0, NULL, &reason),
               SC_ENOTFOUND);
    assert_non_null(strstr(reason.text, "nobody"));

    assert_int_equal(pending(), 1);
    close_queue();
}

static sc_outcome fail_odd_runs(sc_run *run, const sc_job *job, void *user)
{
    (void)job, (void)user;
    if (runs++ % 2)
        return sc_run_fail(run, SC_GIVE_UP, "odd");
    return sc_run_return(run, SC_S("\"even\""));
}

static sc_worker *start_moody_worker(void)
{
    sc_worker *worker = NULL;

    assert_ok(sc_worker_new(client, SC_S("q"), NULL, &worker, NULL));
    assert_ok(sc_worker_handle(worker, SC_S(""), fail_odd_runs, NULL));
    assert_ok(sc_worker_start(worker));
    return worker;
}

static void assert_moody_runs(const char *id)
{
    sc_scheduler_runs *list = NULL;

    assert_ok(sc_scheduler_runs_get(queue, sc_slice_of(id), &list));
    assert_in_range(list->count, 4, 20);
    for (size_t i = 1; i < list->count; i++)
        assert_true(list->items[i].run_ms < list->items[i - 1].run_ms);
    for (size_t i = list->count - 4; i < list->count; i++) {
        const sc_scheduler_run *run = &list->items[i];

        assert_true(run->started_ms > 0 && run->finished_ms >= run->started_ms);
        if (run->state == SC_SCHEDULER_RUN_COMPLETED)
            assert_slice(run->text, "\"even\"");
        else
            assert_slice(run->text, "odd");
    }
    sc_scheduler_runs_free(list);
}

TEST(the_last_runs_are_kept_with_their_ends)
{
    sc_scheduler_guard *guard = NULL;
    sc_repeat repeat = SC_REPEAT_INIT;
    sc_scheduler_runs *list;
    sc_worker *worker;

    open_queue();
    repeat.every_ms = 50;
    upsert("plain", &repeat);
    repeat.jitter_ms = 10;
    upsert("guarded", &repeat);
    worker = start_moody_worker();
    assert_ok(
        sc_scheduler_guard_start(queue, &(sc_scheduler_guard_opts){.interval_ms = 200}, &guard));

    wait_until(atoi(test_redis(&server, "HGET bull:q:repeat:guarded ic")) >= 25);
    sc_scheduler_guard_stop(guard);
    wait_until(atoi(test_redis(&server, "LLEN bull:q:wait")) +
                   atoi(test_redis(&server, "LLEN bull:q:active")) ==
               0);
    stop_worker(worker);

    assert_moody_runs("plain");
    assert_moody_runs("guarded");
    assert_err(sc_scheduler_runs_get(queue, SC_S("nobody"), &list), SC_ENOTFOUND);
    close_queue();
}

TEST(runs_that_are_open_skipped_or_gone_are_told_apart)
{
    sc_scheduler_guard *guard = NULL;
    sc_repeat repeat = SC_REPEAT_INIT;
    sc_scheduler_runs *list = NULL;
    char first[64];

    open_queue();
    repeat.every_ms = hour;
    repeat.overlap = SC_OVERLAP_SKIP;
    snprintf(first, sizeof(first), "repeat:e:%lld", (long long)upsert("e", &repeat));
    assert_ok(
        sc_scheduler_guard_start(queue, &(sc_scheduler_guard_opts){.interval_ms = 200}, &guard));
    wait_until(atoi(test_redis(&server, "HGET bull:q:repeat:e ic")) == 1);
    for (int i = 1; i <= 2; i++) {
        move_guarded("e", now_ms());
        wait_until(atoi(test_redis(&server, "HGET bull:q:repeat:e sc:skipped")) == i);
    }
    assert_ok(sc_queue_remove(queue, sc_slice_of(first)));
    move_guarded("e", now_ms());
    wait_until(atoi(test_redis(&server, "HGET bull:q:repeat:e ic")) == 2);
    sc_scheduler_guard_stop(guard);

    assert_ok(sc_scheduler_runs_get(queue, SC_S("e"), &list));

    assert_int_equal(list->items[list->count - 1].state, SC_SCHEDULER_RUN_GONE);
    assert_int_equal(list->items[list->count - 2].state, SC_SCHEDULER_RUN_SKIPPED);
    sc_scheduler_runs_free(list);
    assert_non_null(strstr(redis("HGET bull:q:repeat:e sc:runs"), ":w:0"));
    close_queue();
}

static void assert_times(const sc_repeat *repeat, const char *after, const char *const *dates,
                         size_t count)
{
    char text[SC__ISO8601_LEN + 1];
    int64_t times[8] = {0}, after_ms;
    sc_reason reason = {""};
    size_t found = 0;

    assert_ok(sc__iso8601_parse(sc_slice_of(after), &after_ms, NULL));
    if (sc_scheduler_preview(NULL, SC_S("s"), repeat, after_ms, times, 8, &found, &reason))
        fail_msg("%s", reason.text);
    assert_true(found >= count);
    for (size_t i = 0; i < count; i++) {
        sc__iso8601_text(times[i], false, text);
        assert_string_equal(text, dates[i]);
    }
}

TEST(times_are_shown_before_anything_is_stored)
{
    static const char *const nights[] = {"2026-12-24T01:30:00Z", "2026-12-26T01:30:00Z"};
    static const char *const slots[] = {"2026-12-24T00:00:05Z", "2026-12-24T00:01:05Z"};
    static const char *const start[] = {"2027-01-01T00:00:00Z", "2027-01-01T01:00:00Z"};
    sc_repeat repeat = SC_REPEAT_INIT;
    int64_t times[4];
    size_t count = 0;

    repeat.pattern = SC_S("30 2 * * *");
    repeat.tz = SC_S("Europe/Berlin");
    repeat.exclude = SC_S("* * 25 12 *");
    assert_times(&repeat, "2026-12-23T12:00:00Z", nights, 2);
    repeat = SC_REPEAT_INIT;
    repeat.every_ms = 60000;
    repeat.offset_ms = 5000;
    assert_times(&repeat, "2026-12-24T00:00:00Z", slots, 2);
    repeat = SC_REPEAT_INIT;
    repeat.pattern = SC_S("@hourly");
    repeat.start_inclusive = true;
    assert_ok(sc__iso8601_parse(SC_S("2027-01-01T00:00:00Z"), &repeat.start_ms, NULL));
    assert_times(&repeat, "2026-12-24T00:00:00Z", start, 2);
    repeat.end_ms = repeat.start_ms + 90 * 60 * 1000;
    assert_ok(sc_scheduler_preview(NULL, SC_S("s"), &repeat, 1, times, 4, &count, NULL));
    assert_int_equal(count, 2);
    repeat.pattern = SC_S("nonsense");
    assert_err(sc_scheduler_preview(NULL, SC_S("s"), &repeat, 1, times, 4, &count, NULL),
               SC_ESYNTAX);
}
