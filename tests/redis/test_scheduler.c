/* sched/scheduler.c, ops/op_scheduler.c, ops/scheduler_opts.c, lua/{upsert,remove,list}Scheduler(s) */
#include <pthread.h>

#include "scheduler_fixture.h"

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
    int64_t next, before;

    open_queue();
    repeat.every_ms = 60000;
    repeat.offset_ms = 1234;
    before = now_ms();

    next = upsert("e", &repeat);

    assert_int_equal(next % 60000, 1234);
    assert_true(next > before && next <= now_ms() + 60000);
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

TEST(a_removed_scheduler_leaves_no_memory)
{
    sc_repeat repeat = SC_REPEAT_INIT;

    open_queue();
    repeat.every_ms = 3600 * 1000;
    upsert("e", &repeat);
    test_redis(&server, "HSET bull:q:repeat:e ic 7");
    assert_ok(sc_scheduler_remove(queue, SC_S("e")));
    assert_redis("EXISTS bull:q:repeat bull:q:repeat:e bull:q:delayed", "0");

    repeat.limit = 3;
    upsert("e", &repeat);

    assert_redis("HGET bull:q:repeat:e ic", "1");
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
