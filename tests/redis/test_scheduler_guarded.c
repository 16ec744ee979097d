/* sched/guarded.c, ops/scheduler_make.c, ops/op_scheduler_guarded.c, lua/{store,get}Scheduler, makeSchedulerRuns: schedules with policies */
#include "guarded_fixture.h"

static int64_t waiting(void)
{
    return atoll(test_redis(&server, "LLEN bull:q:wait"));
}

TEST(a_guarded_schedule_is_stored_without_a_pending_job_and_read_back)
{
    sc_repeat repeat = SC_REPEAT_INIT;
    sc_scheduler_list *list = NULL;
    sc_scheduler_info info;
    int64_t next;

    open_queue();
    repeat.pattern = SC_S("0 3 * * *");
    repeat.tz = SC_S("Europe/Berlin");
    repeat.overlap = SC_OVERLAP_BUFFER_ONE;
    repeat.catchup = SC_CATCHUP_ALL;
    repeat.catchup_window_ms = 3600 * 1000;
    repeat.jitter_ms = 60 * 1000;
    repeat.exclude = SC_S("* * 25 12 *");

    next = upsert("p", &repeat);
    info = info_of("p", &list);

    assert_int_equal(pending(), 0);
    assert_true(next > now_ms() && info.next_ms == next);
    assert_true(info.is_guarded && !info.is_paused && !info.is_over);
    assert_int_equal(info.overlap, SC_OVERLAP_BUFFER_ONE);
    assert_int_equal(info.catchup, SC_CATCHUP_ALL);
    assert_int_equal(info.catchup_window_ms, 3600 * 1000);
    assert_int_equal(info.jitter_ms, 60 * 1000);
    assert_slice(info.exclude, "* * 25 12 *");
    assert_int_equal(info.iterations, 0);
    assert_true(info.nominal_ms % 60000 == 0 && next >= info.nominal_ms &&
                next < info.nominal_ms + 60000);
    assert_redis("HMGET bull:q:repeat:p name pattern tz data",
                 "job 0 3 * * * Europe/Berlin {\"a\":1}");
    wait_until(!strcmp(test_redis(&server, "HGET bull:q:meta sc:extensions"), "1"));
    assert_true(upsert("p", &repeat) == next); /* again: all stays */
    sc_scheduler_list_free(list);
    assert_err(sc_scheduler_get(queue, SC_S("nobody"), &list), SC_ENOTFOUND);
    close_queue();
}

TEST(guardians_make_each_run_of_a_guarded_schedule_once)
{
    sc_scheduler_guard *guards[4];
    sc_repeat repeat;
    sc_worker *worker;
    int64_t first;

    open_queue();
    repeat = every(50);
    repeat.catchup = SC_CATCHUP_ALL;
    worker = start_worker();
    for (int i = 0; i < 4; i++)
        guards[i] = start_guard();
    first = upsert("e", &repeat);

    wait_until(completed() >= 30);
    for (int i = 0; i < 4; i++)
        sc_scheduler_guard_stop(guards[i]);
    wait_until(waiting() == 0);
    stop_worker(worker);

    assert_int_equal(completed(), made("e"));
    for (int64_t i = 0; i < made("e"); i++)
        assert_string_not_equal(
            redis("ZSCORE bull:q:completed repeat:e:%lld", (long long)(first + i * 50)), "(nil)");
    assert_true(atoll(redis("ZSCORE bull:q:repeat e")) == first + made("e") * 50);
    close_queue();
}

TEST(the_job_of_a_run_has_its_nominal_time)
{
    sc_scheduler_guard *guard;
    sc_repeat repeat = SC_REPEAT_INIT;
    char expected[64], id[64];

    open_queue();
    repeat.pattern = SC_S("* * * * * *");
    repeat.jitter_ms = 900;
    repeat.catchup = SC_CATCHUP_ALL;
    upsert("p", &repeat);
    snprintf(expected, sizeof(expected), "\"nominal\":%s",
             redis("HGET bull:q:repeat:p sc:nominal"));
    snprintf(id, sizeof(id), "repeat:p:%s", redis("ZSCORE bull:q:repeat p"));

    guard = start_guard();
    wait_until(waiting() >= 1);
    sc_scheduler_guard_stop(guard);

    assert_non_null(strstr(redis("HGET bull:q:%s opts", id), expected));
    close_queue();
}

TEST(runs_have_their_place_by_priority_or_at_the_head_of_the_line)
{
    sc_repeat repeat = every(3600 * 1000);
    sc_scheduler_guard *guard;
    int64_t at;
    char b[64], c[64];

    open_queue();
    repeat.catchup = SC_CATCHUP_ALL;
    upsert("a", &repeat);
    upsert_with("b", &repeat, &(sc_job_opts){.priority = 7});
    upsert_with("c", &repeat, &(sc_job_opts){.lifo = true});
    at = now_ms();
    snprintf(b, sizeof(b), "repeat:b:%lld", (long long)at);
    snprintf(c, sizeof(c), "repeat:c:%lld", (long long)at);
    move_guarded("a", at);
    move_guarded("b", at);
    move_guarded("c", at);

    guard = start_guard();
    wait_until(made("a") && made("b") && made("c"));
    sc_scheduler_guard_stop(guard);

    assert_redis("ZRANGE bull:q:prioritized 0 -1", b);
    assert_string_equal(redis("HGET bull:q:%s priority", b), "7");
    assert_int_equal(waiting(), 2);
    assert_redis("LINDEX bull:q:wait -1", c);
    close_queue();
}

static atomic_int running, most_running, released;

static sc_outcome run_slowly(sc_run *run, const sc_job *job, void *user)
{
    int now = ++running;

    (void)run, (void)job, (void)user;
    most_running = now > most_running ? now : most_running;
    wait_until(released);
    running--;
    runs++;
    return SC_DONE;
}

static sc_worker *start_slow_worker(void)
{
    const sc_worker_opts opts = {.concurrency = 8, .skip_guardian = true};
    sc_worker *worker = NULL;

    assert_ok(sc_worker_new(client, SC_S("q"), &opts, &worker, NULL));
    assert_ok(sc_worker_handle(worker, SC_S(""), run_slowly, NULL));
    assert_ok(sc_worker_start(worker));
    return worker;
}

TEST(overlapping_runs_are_skipped_and_counted)
{
    sc_scheduler_guard *guard;
    sc_worker *worker;
    sc_repeat repeat;

    open_queue();
    repeat = every(50);
    repeat.overlap = SC_OVERLAP_SKIP;
    worker = start_slow_worker();
    guard = start_guard();
    upsert("e", &repeat);

    wait_until(running == 1 && field("e", "sc:skipped") >= 5);
    assert_int_equal(made("e"), 1);
    assert_int_equal(waiting(), 0);
    released = 1;
    wait_until(runs >= 4);
    assert_ok(sc_scheduler_remove(queue, SC_S("e")));
    stop_worker(worker);
    sc_scheduler_guard_stop(guard);

    assert_int_equal(most_running, 1);
    close_queue();
}

TEST(of_overlapping_runs_one_follows)
{
    sc_scheduler_guard *guard;
    sc_worker *worker;
    sc_repeat repeat;

    open_queue();
    repeat = every(50);
    repeat.overlap = SC_OVERLAP_BUFFER_ONE;
    worker = start_slow_worker();
    guard = start_guard();
    upsert("e", &repeat);
    wait_until(running == 1 && field("e", "sc:skipped") >= 5);
    assert_int_equal(made("e"), 2);
    assert_ok(sc_scheduler_pause(queue, SC_S("e"), NULL));

    released = 1;
    wait_until(runs == 2);
    stop_worker(worker);
    sc_scheduler_guard_stop(guard);

    assert_int_equal(most_running, 1);
    assert_int_equal(completed(), 2);
    assert_redis("KEYS bull:q:d[en]:*", "");
    close_queue();
}

TEST(overlapping_runs_all_follow_one_after_the_other)
{
    sc_scheduler_guard *guard;
    sc_worker *worker;
    sc_repeat repeat;

    open_queue();
    repeat = every(50);
    repeat.overlap = SC_OVERLAP_BUFFER_ALL;
    worker = start_slow_worker();
    guard = start_guard();
    upsert("e", &repeat);
    wait_until(running == 1 && made("e") >= 6);
    assert_ok(sc_scheduler_pause(queue, SC_S("e"), NULL));

    released = 1;
    wait_until(runs == made("e"));
    stop_worker(worker);
    sc_scheduler_guard_stop(guard);

    assert_int_equal(most_running, 1);
    assert_int_equal(completed(), runs);
    assert_redis("HGET bull:q:repeat:e sc:skipped", "(nil)");
    close_queue();
}

/* As if nobody had looked for so long. */
static void make_overdue(const char *id, int64_t by_ms)
{
    int64_t score = atoll(redis("ZSCORE bull:q:repeat %s", id)) - by_ms;

    redis("ZADD bull:q:repeat %lld %s", (long long)score, id);
    redis("HSET bull:q:repeat:%s sc:nominal %lld", id, (long long)score);
}

static void upsert_overdue(const char *id, sc_catchup catchup, int64_t window_ms)
{
    sc_repeat repeat = SC_REPEAT_INIT;

    repeat.pattern = SC_S("@hourly");
    repeat.catchup = catchup;
    repeat.catchup_window_ms = window_ms;
    repeat.overlap = catchup ? SC_OVERLAP_ALLOW : SC_OVERLAP_SKIP;
    upsert(id, &repeat);
    make_overdue(id, 10 * 3600 * 1000);
}

TEST(missed_runs_are_caught_up_with_by_the_policy)
{
    sc_scheduler_guard *guard = NULL;

    open_queue();
    upsert_overdue("late", SC_CATCHUP_LATE, 0);
    upsert_overdue("none", SC_CATCHUP_NONE, 0);
    upsert_overdue("one", SC_CATCHUP_ONE, 0);
    upsert_overdue("all", SC_CATCHUP_ALL, 0);
    upsert_overdue("some", SC_CATCHUP_ALL, 3 * 3600 * 1000);

    assert_ok(
        sc_scheduler_guard_start(queue, &(sc_scheduler_guard_opts){.interval_ms = 20}, &guard));
    wait_until(atoi(redis("ZCOUNT bull:q:repeat %lld +inf", (long long)now_ms() - 500)) == 5);
    sc_scheduler_guard_stop(guard);

    assert_in_range(made("late"), 1, 2); /* 2 when the hour has just ended */
    assert_in_range(field("late", "sc:missed"), 9, 10);
    assert_in_range(made("none"), 0, 1);
    assert_in_range(field("none", "sc:missed"), 10, 11);
    assert_in_range(made("one"), 1, 2);
    assert_in_range(field("one", "sc:missed"), 9, 10);
    assert_in_range(made("all"), 10, 11);
    assert_in_range(made("some"), 3, 4);
    assert_in_range(field("some", "sc:missed"), 7, 8);
    close_queue();
}

TEST(a_paused_schedule_skips_its_runs_until_it_is_resumed)
{
    sc_scheduler_guard *guard;
    sc_scheduler_list *list = NULL;
    sc_repeat repeat;
    int64_t before;

    open_queue();
    repeat = every(100);
    repeat.catchup = SC_CATCHUP_ALL;
    upsert("e", &repeat);
    guard = start_guard();
    wait_until(made("e") >= 3);

    assert_ok(sc_scheduler_pause(queue, SC_S("e"), NULL));
    assert_ok(sc_scheduler_pause(queue, SC_S("e"), NULL));
    before = made("e");
    assert_true(info_of("e", &list).is_paused);
    sc_scheduler_list_free(list);
    repeat.start_ms = atoll(redis("ZSCORE bull:q:repeat e"));
    wait_until(atoll(redis("ZSCORE bull:q:repeat e")) > repeat.start_ms + 500);
    assert_int_equal(made("e"), before);
    assert_ok(sc_scheduler_resume(queue, SC_S("e"), NULL));
    wait_until(made("e") >= before + 3);
    sc_scheduler_guard_stop(guard);

    assert_redis("HGET bull:q:repeat:e sc:missed", "(nil)");
    assert_err(sc_scheduler_pause(queue, SC_S("nobody"), NULL), SC_ENOTFOUND);
    assert_err(sc_scheduler_resume(queue, SC_S("nobody"), NULL), SC_ENOTFOUND);
    close_queue();
}

TEST(a_limit_and_an_end_date_end_a_guarded_schedule)
{
    sc_scheduler_guard *guard;
    sc_scheduler_list *list = NULL;
    sc_repeat limited, dated;
    int64_t first;

    open_queue();
    limited = every(50);
    limited.jitter_ms = 5;
    limited.limit = 3;
    dated = every(50);
    dated.overlap = SC_OVERLAP_ALLOW;
    dated.catchup = SC_CATCHUP_ALL;
    guard = start_guard();
    upsert("limited", &limited);
    first = upsert_ending_in("dated", &dated, 220);

    wait_until(field("limited", "sc:over") && field("dated", "sc:over"));
    upsert("limited", &limited); /* it begins anew, and has no run left */
    wait_until(field("limited", "sc:over"));
    sc_scheduler_guard_stop(guard);

    assert_int_equal(made("limited"), 3);
    assert_int_equal(made("dated"), (dated.end_ms - first) / 50 + 1);
    assert_true(info_of("limited", &list).is_over);
    sc_scheduler_list_free(list);
    assert_int_equal(waiting(), made("limited") + made("dated"));
    close_queue();
}

TEST(starts_may_be_inclusive)
{
    sc_repeat repeat = SC_REPEAT_INIT;

    open_queue();
    repeat.pattern = SC_S("0 * * * *");
    repeat.start_ms = now_ms() / 3600000 * 3600000 + 48 * 3600 * 1000;
    assert_true(upsert("exclusive", &repeat) == repeat.start_ms + 3600 * 1000);
    repeat.start_inclusive = true;
    assert_true(upsert("inclusive", &repeat) == repeat.start_ms);
    repeat.jitter_ms = 1;
    assert_true(upsert("guarded", &repeat) == repeat.start_ms);
    close_queue();
}

TEST(what_makes_no_policy_is_refused_with_a_reason)
{
    static const struct {
        sc_repeat repeat;
        const char *why;
        sc_err err;
    } rows[] = {
        {{.every_ms = 5, .jitter_ms = -1}, "jitter", SC_EINVAL},
        {{.every_ms = 5, .jitter_ms = INT64_MAX}, "jitter", SC_EINVAL},
        {{.every_ms = 5, .overlap = (sc_overlap)7}, "policy", SC_EINVAL},
        {{.every_ms = 5, .catchup = (sc_catchup)7}, "policy", SC_EINVAL},
        {{.every_ms = 5, .catchup_window_ms = -1}, "window", SC_EINVAL},
        {{.every_ms = 5, .catchup_window_ms = 9}, "window", SC_EINVAL},
        {{.every_ms = 5, .start_inclusive = true}, "inclusive", SC_EINVAL},
        {{.every_ms = 5, .exclude = {"* * * *", 7}}, "fields", SC_ESYNTAX},
        {{.every_ms = 5, .jitter_ms = 1, .end_ms = 1000}, "has passed", SC_EINVAL},
        {{.pattern = {"x", 1}, .jitter_ms = 1}, "x", SC_ESYNTAX},
        {{.pattern = {"* * * * *", 9}, .tz = {"Nowhere", 7}, .jitter_ms = 1},
         "Nowhere",
         SC_ENOTFOUND},
    };
    sc_reason reason = {""};

    open_queue();

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        sc_err err =
            sc_scheduler_upsert(queue, SC_S("s"), &rows[i].repeat, &plain, NULL, NULL, &reason);

        if (err != rows[i].err || !strstr(reason.text, rows[i].why))
            fail_msg("row %zu: %s, \"%s\"", i, sc_err_name(err), reason.text);
    }

    assert_redis("EXISTS bull:q:repeat", "0");
    close_queue();
}

TEST(a_removed_schedule_leaves_no_run_that_would_follow)
{
    sc_scheduler_guard *guard;
    sc_worker *worker;
    sc_repeat repeat;

    open_queue();
    repeat = every(50);
    repeat.overlap = SC_OVERLAP_BUFFER_ONE;
    worker = start_slow_worker();
    guard = start_guard();
    upsert("e", &repeat);
    wait_until(running == 1 && made("e") == 2);

    assert_ok(sc_scheduler_remove(queue, SC_S("e")));
    released = 1;
    wait_until(completed() == 1);
    stop_worker(worker);
    sc_scheduler_guard_stop(guard);

    assert_int_equal(pending(), 0);
    assert_redis("KEYS bull:q:repeat", "");
    close_queue();
}

TEST(rules_with_fields_that_make_no_sense_stop_no_other_schedule)
{
    static const char *const wild[] = {
        "sc:nominal abc",
        "sc:nominal 9223372036854775807",
        "sc:nominal -9223372036854775808",
        "every 9223372036854775807",
        "every -5",
        "every 0",
        "sc:jitter 9223372036854775807",
        "sc:jitter -7",
        "sc:window -9223372036854775808",
        "sc:overlap what sc:catchup never sc:dst moon",
        "sc:exclude nonsense|||",
        "sc:runs :::w:0:x sc:last abc sc:overlap all",
        "ic 1e99 limit -3 sc:missed nan sc:skipped inf",
        "endDate 9223372036854775807 startDate -1",
        "opts [[[ data {",
    };
    sc_scheduler_guard *guard = NULL;
    sc_scheduler_list *list = NULL;
    sc_repeat repeat;

    open_queue();
    for (size_t i = 0; i < sizeof(wild) / sizeof(*wild); i++) {
        redis("HSET bull:q:repeat:w%zu name n every 1000 ic 1 sc:rev 1 sc:nominal 1000 sc:catchup "
              "one",
              i);
        redis("HSET bull:q:repeat:w%zu %s", i, wild[i]);
        redis("ZADD bull:q:repeat %lld w%zu", (long long)now_ms() - 500 * (int64_t)i, i);
    }
    redis("ZADD bull:q:repeat -inf w0");
    redis("ZADD bull:q:repeat 1234.5 w1");
    repeat = every(100);
    repeat.jitter_ms = 10;
    upsert("good", &repeat);

    assert_ok(
        sc_scheduler_guard_start(queue, &(sc_scheduler_guard_opts){.interval_ms = 20}, &guard));
    wait_until(made("good") >= 5);
    sc_scheduler_guard_stop(guard);

    assert_ok(sc_scheduler_list_get(queue, 0, -1, &list));
    assert_int_equal(list->count, sizeof(wild) / sizeof(*wild) + 1);
    for (size_t i = 0; i < list->count; i++) {
        sc_scheduler_runs *last = NULL;

        assert_ok(sc_scheduler_runs_get(queue, list->items[i].id, &last));
        sc_scheduler_runs_free(last);
    }
    sc_scheduler_list_free(list);
    close_queue();
}

/* Guarded by a policy that changes nothing here. */
static void upsert_due_tomorrow(const char *id, sc_overlap overlap, sc_slice data)
{
    const sc_job_spec spec = {.name = SC_S("job"), .data = data};
    sc_repeat repeat = every(3600 * 1000);

    repeat.start_ms = now_ms() + 24 * 3600 * 1000;
    repeat.overlap = overlap;
    repeat.catchup = SC_CATCHUP_ALL;
    assert_ok(
        sc_scheduler_upsert(queue, sc_slice_of(id), &repeat, &spec, NULL, NULL, &(sc_reason){""}));
}

static atomic_int complaints;

static void count_complaints(sc_log_level level, const char *text, void *user)
{
    (void)user;
    complaints += level == SC_LOG_ERROR && strstr(text, "scheduler b:") != NULL &&
                  strstr(text, "WRONGTYPE") != NULL;
}

TEST(an_odd_schedule_stops_none_of_those_that_are_due_with_it)
{
    int64_t at = 0;
    sc_scheduler_guard *guard;

    open_queue();
    sc_set_log(count_complaints, NULL);
    upsert_due_tomorrow("a", SC_OVERLAP_ALLOW, SC_S("1"));
    upsert_due_tomorrow("b", SC_OVERLAP_BUFFER_ALL, SC_S("1"));
    upsert_due_tomorrow("c", SC_OVERLAP_ALLOW, SC_S("1"));
    test_redis(&server, "HSET bull:q:repeat:b sc:last 5");
    test_redis(&server, "SET bull:q:repeat:b:5 odd");
    at = now_ms();
    move_guarded("a", at);
    move_guarded("b", at);
    move_guarded("c", at);

    guard = start_guard();
    wait_until(made("a") == 1 && made("c") == 1 && complaints == 1);
    sc_scheduler_guard_stop(guard);

    assert_int_equal(waiting(), 2);
    assert_int_equal(made("b"), 0);
    assert_int_equal(complaints, 1); /* once, however often it is tried */
    assert_true(atoll(test_redis(&server, "ZSCORE bull:q:repeat b")) == at);
    close_queue();
}

TEST(runs_with_much_data_are_made_by_more_scripts)
{
    static char data[600 * 1024 + 2];
    sc_scheduler_guard *guard;
    int64_t at;
    char id[8];

    open_queue();
    memset(data, 'x', sizeof(data));
    data[0] = data[sizeof(data) - 1] = '"';
    for (int i = 0; i < 7; i++) {
        snprintf(id, sizeof(id), "s%d", i);
        upsert_due_tomorrow(id, SC_OVERLAP_ALLOW, (sc_slice){data, sizeof(data)});
    }
    at = now_ms();
    for (int i = 0; i < 7; i++) {
        snprintf(id, sizeof(id), "s%d", i);
        move_guarded(id, at);
    }

    guard = start_guard();
    wait_until(waiting() == 7);
    sc_scheduler_guard_stop(guard);

    for (int i = 0; i < 7; i++) {
        snprintf(id, sizeof(id), "s%d", i);
        assert_int_equal(made(id), 1);
        assert_int_equal(atoi(redis("HSTRLEN bull:q:repeat:%s:%lld data", id, (long long)at)),
                         sizeof(data));
    }
    close_queue();
}
