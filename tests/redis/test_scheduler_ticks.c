/* ops/scheduler_ticker.c, lua/tickScheduler: what workers make of a schedule */
#include "loop/loop.h"
#include "redis/client.h"
#include "scheduler_fixture.h"

TEST(every_second_makes_one_job_a_second)
{
    sc_worker *worker;
    int64_t first;

    open_queue();
    first = upsert_pattern("s", "* * * * * *", "");
    worker = start_worker();

    wait_until(runs >= 3);
    stop_worker(worker);

    assert_int_equal(pending(), 1);
    assert_no_gap("s", first, 1000);
    assert_true(atoi(test_redis(&server, "HGET bull:q:repeat:s ic")) == runs + 1);
    close_queue();
}

TEST(a_limit_ends_the_schedule)
{
    sc_repeat repeat = SC_REPEAT_INIT;
    sc_worker *worker;

    open_queue();
    repeat.every_ms = 20;
    repeat.limit = 3;
    worker = start_worker();

    upsert("e", &repeat);

    wait_until(completed() == 3);
    stop_worker(worker);
    assert_int_equal(runs, 3);
    assert_int_equal(pending(), 0);
    assert_redis("HGET bull:q:repeat:e ic", "3");
    close_queue();
}

TEST(an_end_date_ends_the_schedule)
{
    sc_repeat repeat = SC_REPEAT_INIT;
    sc_worker *worker;
    int64_t first;

    open_queue();
    repeat.every_ms = 100;

    worker = start_worker();
    first = upsert_ending_in("e", &repeat, 450);

    wait_until(runs >= 1 && pending() == 0 && now_ms() > repeat.end_ms);
    stop_worker(worker);
    assert_true(atoll(test_redis(&server, "ZSCORE bull:q:repeat e")) <= repeat.end_ms);
    assert_no_gap("e", first, 100);
    assert_int_equal(completed(), runs);
    close_queue();
}

/* False when all stood still for so long that the run was missed. */
static bool runs_at_its_end_date(const char *id)
{
    const sc_job_spec spec = {.name = SC_S("job")};
    sc_repeat repeat = SC_REPEAT_INIT;

    repeat.pattern = SC_S("* * * * * *");
    repeat.end_ms = now_ms() / 1000 * 1000 + 3000;
    if (sc_scheduler_upsert(queue, sc_slice_of(id), &repeat, &spec, NULL, NULL, NULL))
        return false; /* its end has passed */
    wait_until(now_ms() > repeat.end_ms + LATE_MS ||
               strcmp(redis("ZSCORE bull:q:completed repeat:%s:%lld", id, (long long)repeat.end_ms),
                      "(nil)") != 0);
    wait_until(now_ms() > repeat.end_ms + 1100);
    assert_redis("ZCARD bull:q:delayed", "0");
    assert_true(atoll(redis("ZSCORE bull:q:repeat %s", id)) <= repeat.end_ms);
    return atoll(redis("ZSCORE bull:q:repeat %s", id)) == repeat.end_ms;
}

TEST(a_run_at_the_very_end_date_is_made_and_is_the_last)
{
    sc_worker *worker;
    bool has_run = false;

    open_queue();
    worker = start_worker();
    for (int i = 0; !has_run && i < 5; i++)
        has_run = runs_at_its_end_date((char[]){'e', (char)('0' + i), '\0'});
    stop_worker(worker);

    assert_true(has_run);
    close_queue();
}

TEST(a_schedule_goes_on_when_the_server_is_killed_and_started_again)
{
    static const char *const durable[] = {"--appendonly", "yes", "--appendfsync", "always", NULL};
    sc_worker *worker;
    int before;

    test_server_start_args(&server, durable);
    client = test_server_client(&server);
    assert_ok(sc_queue_new(client, SC_S("q"), NULL, &queue, NULL));
    upsert_every("e", 50);
    worker = start_worker();

    for (int i = 0; i < 3; i++) {
        before = runs;
        wait_until(runs > before + 3);
        test_server_kill(&server, 9);
        test_server_restart(&server);
    }
    before = runs;
    wait_until(runs > before + 3);
    wait_until(atoi(test_redis(&server, "LLEN bull:q:active")) ==
               0); /* those of a lost answer, too */
    stop_worker(worker);

    assert_int_equal(pending(), 1);
    assert_int_equal(atoi(test_redis(&server, "HGET bull:q:repeat:e ic")), completed() + 1);
    close_queue();
}

TEST(missed_ticks_are_skipped_after_one_late_run)
{
    int64_t next, old, minute = 60 * 1000;
    sc_worker *worker;
    char *end = NULL;

    open_queue();
    next = upsert_pattern("m", "* * * * *", "Pacific/Chatham");
    old = next - 3 * 24 * 3600 * 1000;
    move_pending("m", next, old);

    worker = start_worker();
    wait_until(runs == 1);
    stop_worker(worker);

    assert_int_equal(pending(), 1);
    next = strtoll(redis("ZSCORE bull:q:repeat m"), &end, 10);
    assert_true(next > now_ms() - minute && next <= now_ms() + minute && next % minute == 0);
    assert_int_equal(completed(), 1);
    close_queue();
}

TEST(missed_intervals_are_skipped_and_the_phase_is_kept)
{
    int64_t first, next, before, hour = 3600 * 1000;
    sc_repeat repeat = SC_REPEAT_INIT;
    sc_worker *worker;

    open_queue();
    repeat.every_ms = hour;
    repeat.offset_ms = 777;
    first = upsert("e", &repeat);
    move_pending("e", first, first - 1000 * hour);
    before = now_ms();

    worker = start_worker();
    wait_until(runs == 1);
    stop_worker(worker);

    next = strtoll(redis("ZSCORE bull:q:repeat e"), NULL, 10);
    assert_true(next > before && next <= now_ms() + hour && next % hour == 777);
    assert_int_equal(pending(), 1);
    close_queue();
}

TEST(a_due_tick_is_not_lost_when_the_same_pattern_is_stored_again)
{
    int64_t next, due, day = 24 * 3600 * 1000;

    open_queue();
    next = upsert_pattern("d", "0 3 * * *", "");
    due = next - day;
    move_pending("d", next, due);

    assert_true(upsert_pattern("d", "0 3 * * *", "") == due);
    assert_true(upsert_pattern("d", "0 4 * * *", "") > now_ms());

    assert_int_equal(pending(), 1);
    close_queue();
}

/* Ticks made by hand, on the I/O thread. */
struct ticks {
    sc__ticker *ticker;
    char scheduler[64], job[128], opts[512];
    int count;
    atomic_int done, failed;
    sc_err started;
};

static void on_tick(void *user, sc_err err, sc__ticked ticked)
{
    struct ticks *t = user;

    (void)ticked;
    if (err)
        t->failed++;
    t->done++;
}

static void tick_on_loop(void *arg)
{
    struct ticks *t = arg;

    for (int i = 0; i < t->count; i++) {
        t->started = sc__ticker_tick(t->ticker, sc_slice_of(t->scheduler), sc_slice_of(t->job),
                                     sc_slice_of(t->opts), on_tick, t);
        if (t->started)
            t->done++;
    }
}

static void tick(struct ticks *t)
{
    int expected = t->done + t->count;

    sc__loop_run_wait(sc__client_loop(client), tick_on_loop, t);
    wait_until(t->done == expected);
}

static void tick_args(struct ticks *t, const char *id, int64_t ms)
{
    snprintf(t->scheduler, sizeof(t->scheduler), "%s", id);
    snprintf(t->job, sizeof(t->job), "repeat:%s:%lld", id, (long long)ms);
    snprintf(t->opts, sizeof(t->opts), "%s", redis("HGET bull:q:%s opts", t->job));
}

TEST(a_job_that_is_taken_again_makes_no_second_next_one)
{
    sc__queue_keys keys;
    struct ticks t = {.count = 8};
    int64_t first;

    open_queue();
    assert_ok(sc__queue_keys_init(&keys, SC_S(""), SC_S("q"), NULL));
    assert_ok(sc__ticker_new(client, &keys, NULL, &t.ticker));
    first = upsert_pattern("p", "0 3 * * *", "Europe/Berlin");
    tick_args(&t, "p", first);
    assert_int_equal(pending(), 1);

    tick(&t);

    assert_int_equal(t.failed, 0);
    assert_int_equal(pending(), 2); /* the one "taken", which stands where it was, and the next */
    assert_redis("HGET bull:q:repeat:p ic", "2");
    assert_true(strtoll(redis("ZSCORE bull:q:repeat p"), NULL, 10) > first);
    sc__ticker_free(t.ticker);
    sc__queue_keys_release(&keys);
    close_queue();
}

TEST(a_late_retry_does_not_bring_back_a_run_that_is_done)
{
    sc__queue_keys keys;
    struct ticks t = {.count = 1}, retry;
    int64_t first, second;

    open_queue();
    assert_ok(sc__queue_keys_init(&keys, SC_S(""), SC_S("q"), NULL));
    assert_ok(sc__ticker_new(client, &keys, NULL, &t.ticker));
    first = upsert_pattern("p", "0 3 * * *", "Europe/Berlin");
    tick_args(&t, "p", first);
    tick(&t);
    retry = t;
    second = strtoll(redis("ZSCORE bull:q:repeat p"), NULL, 10);
    tick_args(&t, "p", second);
    tick(&t);
    redis("DEL bull:q:repeat:p:%lld", (long long)second); /* done, and removed */
    redis("ZREM bull:q:delayed repeat:p:%lld", (long long)second);

    tick(&retry);

    assert_int_equal(pending(), 2); /* the first, which stands where it was, and the third */
    assert_redis("HGET bull:q:repeat:p ic", "3");
    assert_true(strtoll(redis("ZSCORE bull:q:repeat p"), NULL, 10) > second);
    sc__ticker_free(t.ticker);
    sc__queue_keys_release(&keys);
    close_queue();
}

TEST(ticks_of_removed_schedulers_and_of_other_jobs_do_nothing)
{
    sc__queue_keys keys;
    struct ticks t = {.count = 1};
    int64_t first;

    open_queue();
    assert_ok(sc__queue_keys_init(&keys, SC_S(""), SC_S("q"), NULL));
    assert_ok(sc__ticker_new(client, &keys, NULL, &t.ticker));
    first = upsert_every("e", 3600 * 1000);

    tick_args(&t, "e", first + 1);
    tick(&t);
    snprintf(t.job, sizeof(t.job), "e");
    tick(&t);
    snprintf(t.scheduler, sizeof(t.scheduler), "nobody");
    tick(&t);

    assert_int_equal(t.failed, 0);
    assert_int_equal(pending(), 1);
    sc__ticker_free(t.ticker);
    sc__queue_keys_release(&keys);
    close_queue();
}

static atomic_int errors_logged;
static char last_log[1024];

static void on_log(sc_log_level level, const char *text, void *user)
{
    (void)user;
    if (level != SC_LOG_ERROR)
        return;
    snprintf(last_log, sizeof(last_log), "%s", text);
    errors_logged++;
}

TEST(a_foreign_rule_that_we_cannot_read_is_logged_once_and_its_job_runs)
{
    sc_worker *worker;
    int64_t ms;

    open_queue();
    sc_set_log(on_log, NULL);
    for (int i = 0; i < 3; i++) {
        ms = now_ms() - 1000 + i;
        redis("HSET bull:q:repeat:odd:%lld name job data {} timestamp 1 delay 0 priority 0 rjk odd "
              "opts "
              "{\"repeat\":{\"pattern\":\"nonsense\"}}",
              (long long)ms);
        redis("ZADD bull:q:repeat %lld odd", (long long)ms);
        test_redis(&server, "HSET bull:q:repeat:odd name job pattern nonsense ic 1");
        redis("LPUSH bull:q:wait repeat:odd:%lld", (long long)ms);
    }

    worker = start_worker();
    wait_until(runs == 3);
    stop_worker(worker);

    assert_int_equal(errors_logged, 1);
    assert_non_null(strstr(last_log, "odd"));
    assert_non_null(strstr(last_log, "nonsense"));
    close_queue();
}

TEST(the_rule_counts_not_what_its_job_says)
{
    int64_t first, next;
    sc_worker *worker;

    open_queue();
    first = upsert_pattern("p", "0 3 * * *", "Europe/Berlin");
    move_pending("p", first, first - 24 * 3600 * 1000);
    test_redis(&server, "HSET bull:q:repeat:p pattern 0,30");
    test_redis(&server, "HSET bull:q:repeat:p tz Asia/Tokyo");
    redis("HSET bull:q:repeat:p pattern %s", "@hourly");

    worker = start_worker();
    wait_until(runs == 1);
    stop_worker(worker);

    next = strtoll(redis("ZSCORE bull:q:repeat p"), NULL, 10);
    assert_true(next % (3600 * 1000) == 0 && next <= now_ms() + 3600 * 1000);
    assert_non_null(
        strstr(redis("HGET bull:q:repeat:p:%lld opts", (long long)next),
               "\"repeat\":{\"pattern\":\"@hourly\",\"tz\":\"Asia/Tokyo\",\"count\":2}"));
    close_queue();
}

TEST(schedulers_of_one_queue_do_not_disturb_each_other)
{
    sc_worker *worker;
    char id[32];

    open_queue();
    for (int i = 0; i < 20; i++) {
        snprintf(id, sizeof(id), "s:%d", i);
        upsert_every(id, 100);
    }

    worker = start_worker();
    wait_until(runs >= 100);
    stop_worker(worker);

    assert_int_equal(pending(), 20);
    assert_redis("ZCARD bull:q:repeat", "20");
    close_queue();
}

static atomic_int told;
static char told_text[512];

static void on_guard_error(void *user, sc_slice scheduler_id, sc_err err, const char *text)
{
    (void)user;
    assert_slice(scheduler_id, "p");
    assert_int_equal(err, SC_ELAYOUT);
    snprintf(told_text, sizeof(told_text), "%s", text);
    told++;
}

/* What BullMQ's worker leaves when its cron library finds a time that is past: a job for the moment. The schedule's score comes last: from then on
 * guardians look at it. */
static void clamp_pending(const char *id)
{
    int64_t pending_ms = atoll(redis("ZSCORE bull:q:repeat %s", id)), now = now_ms();

    redis("RENAME bull:q:repeat:%s:%lld bull:q:repeat:%s:%lld", id, (long long)pending_ms, id,
          (long long)now);
    redis("ZREM bull:q:delayed repeat:%s:%lld", id, (long long)pending_ms);
    redis("LPUSH bull:q:wait repeat:%s:%lld", id, (long long)now);
    redis("HSET bull:q:repeat:%s:%lld opts "
          "{\"repeat\":{\"pattern\":\"@yearly\",\"count\":7},\"delay\":0}",
          id, (long long)now);
    redis("ZADD bull:q:repeat %lld %s", (long long)now, id);
}

TEST(a_schedule_whose_time_another_program_moved_to_now_goes_on_by_its_pattern_and_it_is_told)
{
    const sc_scheduler_guard_opts opts = {.interval_ms = 20, .on_error = on_guard_error};
    sc_scheduler_guard *guard;
    int64_t next;

    open_queue();
    next = upsert_pattern("p", "@yearly", "");
    assert_ok(sc_scheduler_guard_start(queue, &opts, &guard));

    for (int i = 0; i < 3; i++) {
        clamp_pending("p");
        wait_until(atoll(test_redis(&server, "ZSCORE bull:q:repeat p")) == next);
    }
    sc_scheduler_guard_stop(guard);

    assert_int_equal(told, 1); /* once, however often */
    assert_string_equal(told_text,
                        "it goes on with its first time from now on: another program made a "
                        "job for no time of its pattern, at once");
    assert_redis("LLEN bull:q:wait", "3");
    assert_redis("ZCARD bull:q:delayed", "1");
    close_queue();
}
