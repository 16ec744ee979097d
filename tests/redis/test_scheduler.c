/* sched/scheduler.c, sched/guardian.c, ops/op_scheduler.c, ops/scheduler_ticker.c, ops/scheduler_opts.c,
 * ops/scheduler_sweep.c, lua/{upsert,tick,remove,list,findLost,restore}Scheduler(s) */
#include <storychain/scheduler.h>
#include <storychain/worker.h>

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "base/iso8601.h"
#include "loop/loop.h"
#include "ops/keys.h"
#include "ops/op_scheduler.h"
#include "redis/client.h"
#include "support/server.h"
#include "support/test.h"

static struct test_server server;
static sc_client *client;
static sc_queue *queue;

static void open_queue(void)
{
    test_server_start(&server);
    client = test_server_client(&server);
    assert_ok(sc_queue_new(client, SC_S("q"), NULL, &queue, NULL));
}

static void close_queue(void)
{
    sc_queue_free(queue);
    sc_client_free(client);
}

#define assert_redis(command, expected) assert_string_equal(test_redis(&server, command), expected)

SC_PRINTF(1, 2)
static const char *redis(const char *fmt, ...)
{
    char command[1024];
    va_list args;

    va_start(args, fmt);
    vsnprintf(command, sizeof(command), fmt, args);
    va_end(args);
    return test_redis(&server, command);
}

static int64_t now_ms(void)
{
    int64_t ms = 0;

    assert_ok(sc__op_server_time(client, &ms, NULL));
    return ms;
}

static const sc_job_spec plain = {.name = {"job", 3}, .data = {"{\"a\":1}", 7}};

static int64_t upsert(const char *id, const sc_repeat *repeat)
{
    sc_reason reason = {""};
    int64_t next_ms = 0;

    if (sc_scheduler_upsert(queue, sc_slice_of(id), repeat, &plain, NULL, &next_ms, &reason))
        fail_msg("%s: %s", id, reason.text);
    return next_ms;
}

static int64_t upsert_every(const char *id, int64_t every_ms)
{
    sc_repeat repeat = SC_REPEAT_INIT;

    repeat.every_ms = every_ms;
    return upsert(id, &repeat);
}

static int64_t upsert_pattern(const char *id, const char *pattern, const char *tz)
{
    sc_repeat repeat = SC_REPEAT_INIT;

    repeat.pattern = sc_slice_of(pattern);
    repeat.tz = sc_slice_of(tz);
    return upsert(id, &repeat);
}

/* Jobs of schedulers that nobody has taken yet. */
static int64_t pending(void)
{
    sc_queue_counts counts;

    assert_ok(sc_queue_get_counts(queue, &counts));
    return counts.by_state[SC_JOB_WAITING] + counts.by_state[SC_JOB_DELAYED] +
           counts.by_state[SC_JOB_PRIORITIZED];
}

static int64_t completed(void)
{
    sc_queue_counts counts;

    assert_ok(sc_queue_get_counts(queue, &counts));
    return counts.by_state[SC_JOB_COMPLETED];
}

TEST(a_pattern_is_stored_with_one_pending_job_at_its_next_time)
{
    char *id = NULL, expected[64];
    int64_t next_ms = 0;
    sc_repeat repeat = SC_REPEAT_INIT;
    const sc_job_opts opts = {.attempts = 3,
                              .backoff = {SC_BACKOFF_EXPONENTIAL, 1000, 0, {NULL, 0}}};
    const sc_job_spec spec = {.name = SC_S("clean"), .data = SC_S("{\"days\":30}"), .opts = &opts};
    sc_job *job = NULL;

    open_queue();
    repeat.pattern = SC_S("0 3 * * *");
    repeat.tz = SC_S("Europe/Berlin");
    repeat.limit = 7;

    assert_ok(sc_scheduler_upsert(queue, SC_S("clean:up"), &repeat, &spec, &id, &next_ms, NULL));

    snprintf(expected, sizeof(expected), "repeat:clean:up:%lld", (long long)next_ms);
    assert_string_equal(id, expected);
    assert_true(next_ms > now_ms() && next_ms <= now_ms() + 25 * 3600 * 1000);
    snprintf(expected, sizeof(expected), "%lld", (long long)next_ms);
    assert_redis("ZSCORE bull:q:repeat clean:up", expected);
    assert_redis("HMGET bull:q:repeat:clean:up name pattern tz limit ic offset data",
                 "clean 0 3 * * * Europe/Berlin 7 1 0 {\"days\":30}");
    assert_redis("HGET bull:q:repeat:clean:up opts",
                 "{\"attempts\":3,\"backoff\":{\"type\":\"exponential\",\"delay\":1000}}");
    assert_ok(sc_queue_get_job(queue, sc_slice_of(id), &job));
    assert_slice(job->scheduler_id, "clean:up");
    assert_slice(job->name, "clean");
    assert_int_equal(job->attempts, 3);
    assert_non_null(strstr(job->opts.ptr,
                           "\"repeat\":{\"pattern\":\"0 3 * * *\",\"tz\":\"Europe/Berlin\","
                           "\"limit\":7,\"count\":1}"));
    assert_non_null(strstr(job->opts.ptr, "\"prevMillis\":"));
    assert_int_equal(pending(), 1);
    assert_redis("GET bull:q:id", "1");
    sc_job_free(job);
    sc_free(id);
    close_queue();
}

static void *upsert_many_times(void *arg)
{
    sc_repeat repeat = SC_REPEAT_INIT;

    if (*(const char *)arg == 'e')
        repeat.every_ms = 3600 * 1000;
    else
        repeat.pattern = SC_S("0 3 * * *");
    for (int i = 0; i < 25; i++)
        if (sc_scheduler_upsert(queue, sc_slice_of(arg), &repeat, &plain, NULL, NULL, NULL))
            return arg;
    return NULL;
}

static void upsert_from_eight_threads(char *id)
{
    pthread_t threads[8];
    void *failed;

    for (int i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, upsert_many_times, id), 0);
    for (int i = 0; i < 8; i++) {
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
}

TEST(eight_threads_that_upsert_leave_one_scheduler_and_one_pending_job)
{
    open_queue();

    upsert_from_eight_threads((char[]){"pattern"});
    upsert_from_eight_threads((char[]){"every"});

    assert_int_equal(pending(), 2);
    assert_redis("ZCARD bull:q:repeat", "2");
    close_queue();
}

TEST(the_same_interval_keeps_its_phase_and_another_begins_anew)
{
    int64_t first, again, other;

    open_queue();
    first = upsert_every("e", 60000);

    again = upsert_every("e", 60000);
    other = upsert_every("e", 61000);

    assert_true(first <= now_ms() && again == first && other >= first);
    assert_int_equal(pending(), 1);
    assert_redis("HGET bull:q:repeat:e every", "61000");
    close_queue();
}

TEST(an_offset_puts_runs_into_their_slots)
{
    sc_repeat repeat = SC_REPEAT_INIT;
    int64_t next;

    open_queue();
    repeat.every_ms = 60000;
    repeat.offset_ms = 1234;

    next = upsert("e", &repeat);

    assert_int_equal(next % 60000, 1234);
    assert_true(next > now_ms() && next <= now_ms() + 60000);
    assert_redis("HGET bull:q:repeat:e offset", "1234");
    close_queue();
}

TEST(start_dates_put_the_first_run_off)
{
    sc_repeat every = SC_REPEAT_INIT, pattern = SC_REPEAT_INIT;
    int64_t start;

    open_queue();
    start = now_ms() / 3600000 * 3600000 + 48 * 3600 * 1000;
    every.every_ms = 60000;
    every.start_ms = start;
    pattern.pattern = SC_S("0 * * * *");
    pattern.start_ms = start;

    assert_true(upsert("e", &every) == start);
    assert_true(upsert("p", &pattern) == start + 3600 * 1000); /* strictly after */
    close_queue();
}

TEST(immediately_means_now)
{
    sc_repeat repeat = SC_REPEAT_INIT;

    open_queue();
    repeat.pattern = SC_S("0 0 1 1 *");
    repeat.immediately = true;

    assert_true(upsert("p", &repeat) <= now_ms());
    assert_redis("LLEN bull:q:wait", "1");
    close_queue();
}

TEST(upserts_in_a_paused_queue_leave_one_pending_job)
{
    open_queue();
    assert_ok(sc_queue_pause(queue));

    for (int i = 0; i < 5; i++) {
        upsert_every("e", 3600 * 1000);
        upsert_pattern("p", "0 3 * * *", "");
    }

    assert_int_equal(pending(), 2);
    assert_redis("LLEN bull:q:wait", "1");
    assert_redis("ZCARD bull:q:marker", "1"); /* of the delayed job alone */
    assert_ok(sc_queue_resume(queue));
    close_queue();
}

TEST(removing_takes_the_pending_job_away_wherever_it_is)
{
    open_queue();
    upsert_every("waiting", 3600 * 1000);
    upsert_pattern("delayed", "0 3 * * *", "");

    assert_ok(sc_scheduler_remove(queue, SC_S("waiting")));
    assert_ok(sc_scheduler_remove(queue, SC_S("delayed")));
    assert_err(sc_scheduler_remove(queue, SC_S("delayed")), SC_ENOTFOUND);

    assert_int_equal(pending(), 0);
    assert_redis("KEYS bull:q:repeat*", "");
    close_queue();
}

TEST(schedulers_are_listed_by_their_next_run)
{
    sc_scheduler_list *list = NULL;

    open_queue();
    upsert_pattern("later", "0 0 29 2 *", "America/New_York");
    upsert_every("now", 5000);

    assert_ok(sc_scheduler_list_get(queue, 0, -1, &list));

    assert_int_equal(list->count, 2);
    assert_slice(list->items[0].id, "now");
    assert_int_equal(list->items[0].every_ms, 5000);
    assert_int_equal(list->items[0].iterations, 1);
    assert_true(list->items[0].offset_ms >= 0);
    assert_slice(list->items[0].data, "{\"a\":1}");
    assert_slice(list->items[1].id, "later");
    assert_slice(list->items[1].pattern, "0 0 29 2 *");
    assert_slice(list->items[1].tz, "America/New_York");
    assert_true(list->items[1].next_ms > list->items[0].next_ms);
    sc_scheduler_list_free(list);
    assert_ok(sc_scheduler_list_get(queue, 1, 1, &list));
    assert_int_equal(list->count, 1);
    sc_scheduler_list_free(list);
    assert_ok(sc_scheduler_list_get(queue, 5, 3, &list));
    assert_int_equal(list->count, 0);
    sc_scheduler_list_free(list);
    close_queue();
}

TEST(long_lists_are_read_in_slices)
{
    sc_scheduler_list *list = NULL;

    open_queue();
    for (int i = 0; i < 250; i++) {
        redis("ZADD bull:q:repeat %d s%d", i, i);
        if (i != 7) /* an id without a rule */
            redis("HSET bull:q:repeat:s%d name n%d every 1000 ic 1", i, i);
    }

    assert_ok(sc_scheduler_list_get(queue, 0, -1, &list));

    assert_int_equal(list->count, 249);
    assert_slice(list->items[248].id, "s249");
    sc_scheduler_list_free(list);
    close_queue();
}

TEST(what_makes_no_schedule_is_refused_with_a_reason)
{
    static const struct {
        sc_repeat repeat;
        const char *why;
        sc_err err;
    } rows[] = {
        {{.offset_ms = -1}, "a pattern", SC_EINVAL},
        {{.every_ms = -5, .offset_ms = -1}, "a pattern", SC_EINVAL},
        {{.pattern = {"* * * * *", 9}, .every_ms = 5}, "not both", SC_EINVAL},
        {{.pattern = {"61 * * * *", 10}}, "minute: \"61\" at column 1", SC_ESYNTAX},
        {{.pattern = {"* * * * *", 9}, .tz = {"UTC+3", 5}}, "no time zone", SC_ENOTFOUND},
        {{.pattern = {"* * * * *", 9}, .tz = {"Europe/Berln", 12}}, "Europe/Berlin", SC_ENOTFOUND},
        {{.pattern = {"* * * * *", 9}, .offset_ms = 5}, "offset", SC_EINVAL},
        {{.every_ms = 5, .offset_ms = 5}, "offset", SC_EINVAL},
        {{.every_ms = 5, .tz = {"UTC", 3}}, "time zone", SC_EINVAL},
        {{.every_ms = 5, .immediately = true}, "immediately", SC_EINVAL},
        {{.pattern = {"* * * * *", 9}, .immediately = true, .start_ms = 1},
         "start date",
         SC_EINVAL},
        {{.every_ms = 5, .end_ms = 1000}, "has passed", SC_EINVAL},
        {{.every_ms = 5, .limit = -1}, "limit", SC_EINVAL},
        {{.every_ms = 5, .start_ms = 9000, .end_ms = 5}, "before the start", SC_EINVAL},
        {{.every_ms = INT64_MAX}, "out of range", SC_EINVAL},
        {{.pattern = {"0 0 0 1 1 * 2020", 16}}, "no time before", SC_EINVAL},
    };
    const sc_job_opts delayed = {.delay_ms = 5}, child = {.parent = {SC_S("p"), SC_S("bull:q")}};
    const sc_job_spec bad_data = {.name = SC_S("n"), .data = SC_S("{")},
                      no_name = {.data = SC_S("1")},
                      bad_opts = {.name = SC_S("n"), .opts = &delayed},
                      has_parent = {.name = SC_S("n"), .opts = &child};
    sc_repeat good = SC_REPEAT_INIT;
    sc_reason reason = {""};

    open_queue();
    good.every_ms = 1000;

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        sc_err err =
            sc_scheduler_upsert(queue, SC_S("s"), &rows[i].repeat, &plain, NULL, NULL, &reason);

        if (err != rows[i].err || !strstr(reason.text, rows[i].why))
            fail_msg("row %zu: %s, \"%s\"", i, sc_err_name(err), reason.text);
    }
    assert_err(sc_scheduler_upsert(queue, SC_S("s"), &good, &bad_data, NULL, NULL, NULL),
               SC_EINVAL);
    assert_err(sc_scheduler_upsert(queue, SC_S("s"), &good, &no_name, NULL, NULL, NULL), SC_EINVAL);
    assert_err(sc_scheduler_upsert(queue, SC_S("s"), &good, &bad_opts, NULL, NULL, NULL),
               SC_EINVAL);
    assert_err(sc_scheduler_upsert(queue, SC_S("s"), &good, &has_parent, NULL, NULL, NULL),
               SC_EINVAL);
    assert_err(sc_scheduler_upsert(queue, SC_S(""), &good, &plain, NULL, NULL, NULL), SC_EINVAL);
    assert_err(sc_scheduler_upsert(queue, SC_S("a\nb"), &good, &plain, NULL, NULL, NULL),
               SC_EINVAL);

    assert_redis("EXISTS bull:q:repeat", "0");
    close_queue();
}

TEST(taken_slots_are_walked_over_up_to_a_bound)
{
    sc_repeat repeat = SC_REPEAT_INIT;
    int64_t start;

    open_queue();
    start = now_ms() + 3600 * 1000;
    repeat.every_ms = 1000;
    repeat.start_ms = start;
    redis("HSET bull:q:repeat:e:%lld name old", (long long)start);
    assert_true(upsert("e", &repeat) == start + 1000);

    for (int i = 0; i < 40; i++)
        redis("HSET bull:q:repeat:f:%lld name old", (long long)start + i * 1000);
    assert_err(sc_scheduler_upsert(queue, SC_S("f"), &repeat, &plain, NULL, NULL, NULL), SC_ESLOT);

    repeat = SC_REPEAT_INIT;
    repeat.pattern = SC_S("0 0 29 2 *");
    start = upsert("p", &repeat);
    assert_ok(sc_scheduler_remove(queue, SC_S("p")));
    redis("HSET bull:q:repeat:p:%lld name old", (long long)start);
    assert_err(sc_scheduler_upsert(queue, SC_S("p"), &repeat, &plain, NULL, NULL, NULL), SC_ESLOT);
    assert_redis("ZSCORE bull:q:repeat p", "(nil)");
    close_queue();
}

TEST(repeatables_of_old_bullmq_are_left_alone)
{
    sc_repeat repeat = SC_REPEAT_INIT;

    open_queue();
    repeat.every_ms = 1000;
    test_redis(&server, "HSET bull:q:repeat:old name n every 500");
    test_redis(&server, "ZADD bull:q:repeat 5 old");

    assert_err(sc_scheduler_upsert(queue, SC_S("old"), &repeat, &plain, NULL, NULL, NULL),
               SC_ELAYOUT);

    assert_redis("HGET bull:q:repeat:old every", "500");
    close_queue();
}

TEST(ids_without_a_rule_hide_no_scheduler_from_the_list)
{
    sc_scheduler_list *list = NULL;

    open_queue();
    upsert_every("real", 60000);
    for (int i = 0; i < 150; i++)
        redis("ZADD bull:q:repeat %d old%d", i, i);

    assert_ok(sc_scheduler_list_get(queue, 0, -1, &list));

    assert_int_equal(list->count, 1);
    sc_scheduler_list_free(list);
    close_queue();
}

/* What a processor saw. */
static atomic_int runs;

static sc_outcome count_run(sc_run *run, const sc_job *job, void *user)
{
    (void)run, (void)job, (void)user;
    runs++;
    return SC_DONE;
}

static sc_worker *start_worker(void)
{
    const sc_worker_opts opts = {.concurrency = 4, .drain_delay_ms = 200};
    sc_worker *worker = NULL;

    assert_ok(sc_worker_new(client, SC_S("q"), &opts, &worker, NULL));
    assert_ok(sc_worker_handle(worker, SC_S(""), count_run, NULL));
    assert_ok(sc_worker_start(worker));
    return worker;
}

static void stop_worker(sc_worker *worker)
{
    assert_ok(sc_worker_close(worker, 5000, NULL));
    sc_worker_free(worker);
}

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
    for (int i = 0; i < 3; i++)
        assert_int_equal(
            atoi(redis("ZRANK bull:q:completed repeat:s:%lld", (long long)first + i * 1000)), i);
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

    open_queue();
    repeat.every_ms = 100;
    repeat.end_ms = now_ms() + 450;

    worker = start_worker();
    upsert("e", &repeat);

    wait_until(runs >= 3 && pending() == 0 && now_ms() > repeat.end_ms);
    stop_worker(worker);
    assert_true(runs >= 3 && runs <= 5);
    assert_int_equal(completed(), runs);
    close_queue();
}

/* Makes the pending job of a scheduler one of `to`, as if nobody had worked since. */
static void move_pending(const char *id, int64_t from, int64_t to)
{
    redis("RENAME bull:q:repeat:%s:%lld bull:q:repeat:%s:%lld", id, (long long)from, id,
          (long long)to);
    redis("ZADD bull:q:repeat %lld %s", (long long)to, id);
    redis("ZREM bull:q:delayed repeat:%s:%lld", id, (long long)from);
    redis("ZADD bull:q:delayed %lld repeat:%s:%lld", (long long)to * 4096, id, (long long)to);
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
    int64_t first, next, hour = 3600 * 1000;
    sc_repeat repeat = SC_REPEAT_INIT;
    sc_worker *worker;

    open_queue();
    repeat.every_ms = hour;
    repeat.offset_ms = 777;
    first = upsert("e", &repeat);
    move_pending("e", first, first - 1000 * hour);

    worker = start_worker();
    wait_until(runs == 1);
    stop_worker(worker);

    next = strtoll(redis("ZSCORE bull:q:repeat e"), NULL, 10);
    assert_true(next > now_ms() && next <= now_ms() + hour && next % hour == 777);
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

static void on_tick(void *user, sc_err err)
{
    struct ticks *t = user;

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

static sc_scheduler_guard *start_guard(void)
{
    sc_scheduler_guard *guard = NULL;

    assert_ok(sc_scheduler_guard_start(queue, 20, &guard));
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
    wait_until(pending() == 150);
    for (int i = 0; i < 8; i++)
        sc_scheduler_guard_stop(guards[i]);

    assert_int_equal(pending(), 150);
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
    int64_t next, ran, hour = 3600 * 1000;
    sc_scheduler_guard *guard;

    open_queue();
    next = upsert_pattern("p", "@hourly", "");
    ran = next - 5 * hour;
    move_pending("p", next, ran);
    redis("ZREM bull:q:delayed repeat:p:%lld", (long long)ran);
    redis("HSET bull:q:repeat:p:%lld finishedOn %lld", (long long)ran, (long long)ran);
    redis("ZADD bull:q:completed %lld repeat:p:%lld", (long long)ran, (long long)ran);

    guard = start_guard();
    wait_until(pending() == 1);
    sc_scheduler_guard_stop(guard);

    next = strtoll(redis("ZSCORE bull:q:repeat p"), NULL, 10);
    assert_true(next > now_ms() - 1000 && next <= now_ms() + hour && next % hour == 0);
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
