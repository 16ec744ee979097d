/* Times of schedulers by a strategy of the program's own: sched/scheduler.c, sched/guardian.c, ops/scheduler_ticker.c. */
#include <storychain/scheduler.h>

#include "support/worker_bench.h"

static struct bench b;
static _Atomic int asked;

/* "~200": every 200 ms, up to `*user` times. */
static sc_err next_time(void *user, sc_slice scheduler_id, sc_slice pattern, sc_slice tz,
                        int64_t after_ms, int64_t *ret_next_ms, sc_reason *ret_reason)
{
    assert_slice(scheduler_id, "s");
    assert_int_equal(tz.len, 0);
    if (pattern.ptr[0] != '~')
        return SC_ESYNTAX;
    if (pattern.ptr[1] == '?') {
        snprintf(ret_reason->text, sizeof(ret_reason->text), "what is %.*s?", (int)pattern.len,
                 pattern.ptr);
        return SC_EINVAL;
    }
    if (asked++ >= *(int *)user)
        return SC_ENOTFOUND;
    *ret_next_ms = after_ms + atoll(pattern.ptr + 1);
    return SC_OK;
}

static int most;
static const sc_repeat_strategy strategy = {.user = &most, .next = next_time};

static void open_queue(int times)
{
    most = times;
    bench_open(&b);
    sc_queue_free(b.queue);
    assert_ok(sc_queue_new(b.client, SC_S("q"), &(sc_queue_opts){.repeat_strategy = &strategy},
                           &b.queue, NULL));
}

static sc_err upsert(const char *pattern, int64_t *ret_next_ms, sc_reason *ret_reason)
{
    const sc_repeat repeat = {.pattern = sc_slice_of(pattern), .offset_ms = -1};
    const sc_job_spec spec = {.name = SC_S("job")};

    return sc_scheduler_upsert(b.queue, SC_S("s"), &repeat, &spec, NULL, ret_next_ms, ret_reason);
}

static bool is_over(void)
{
    sc_queue_counts counts;

    assert_ok(sc_queue_get_counts(b.queue, &counts));
    return !counts.by_state[SC_JOB_DELAYED] && !counts.by_state[SC_JOB_WAITING] &&
           !counts.by_state[SC_JOB_ACTIVE];
}

TEST(a_pattern_of_ones_own_says_when_each_job_runs_until_it_ends)
{
    open_queue(4);
    assert_ok(upsert("~30", NULL, NULL));
    assert_string_equal(redis(&b, "HGET bull:q:repeat:s pattern"), "~30");
    bench_work(&b, &(sc_worker_opts){.repeat_strategy = &strategy}, succeed);
    wait_until(asked > 4); /* there is none any more; times that were missed are asked for, too */
    wait_until(is_over()); /* the guardian may have asked before the last ones ran */
    assert_in_range(b.runs, 1, 4);
    assert_int_equal(count_of(&b, SC_JOB_COMPLETED), b.runs);
    bench_close(&b);
}

TEST(other_patterns_are_cron_expressions)
{
    int64_t next_ms = 0;

    open_queue(0);
    assert_ok(upsert("0 0 1 1 *", &next_ms, NULL));
    assert_true(next_ms % (24 * 3600 * 1000) == 0);
    assert_int_equal(asked, 0);
    bench_close(&b);
}

TEST(what_the_strategy_refuses_is_not_stored)
{
    sc_reason why = {""};

    open_queue(0);
    assert_err(upsert("~?", NULL, &why), SC_EINVAL);
    assert_string_equal(why.text, "its pattern: what is ~??");
    assert_err(upsert("~0", NULL, &why), SC_EINVAL);
    assert_string_equal(why.text, "the pattern has no time any more");
    most = 9;
    assert_err(upsert("~0", NULL, &why), SC_EINVAL);
    assert_string_equal(why.text,
                        "the strategy of its pattern gave a time that is not after the last");
    assert_string_equal(redis(&b, "EXISTS bull:q:repeat"), "0");
    bench_close(&b);
}

TEST(a_lost_job_is_made_again_by_the_strategy)
{
    sc_scheduler_guard *guard;

    open_queue(1000);
    assert_ok(upsert("~10", NULL, NULL));
    redis(&b, "EVAL redis.call('DEL',unpack(redis.call('KEYS','bull:q:repeat:s:*'))) 0");
    redis(&b, "DEL bull:q:delayed");
    redis(&b, "ZADD bull:q:repeat 1000 s");
    assert_ok(
        sc_scheduler_guard_start(b.queue, &(sc_scheduler_guard_opts){.interval_ms = 20}, &guard));

    wait_until(count_of(&b, SC_JOB_DELAYED) + count_of(&b, SC_JOB_WAITING) >= 1);
    sc_scheduler_guard_stop(guard);
    bench_close(&b);
}

/* "<": every 20 ms, but each time when it is asked for the one after the last that it gave, it gives that again. */
static sc_err next_backwards(void *user, sc_slice scheduler_id, sc_slice pattern, sc_slice tz,
                             int64_t after_ms, int64_t *ret_next_ms, sc_reason *ret_reason)
{
    static _Atomic int64_t last_ms;

    (void)user, (void)scheduler_id, (void)tz, (void)ret_reason;
    if (pattern.ptr[0] != '<')
        return SC_ESYNTAX;
    *ret_next_ms = after_ms == last_ms ? last_ms : after_ms + 20;
    if (after_ms) /* it is asked for the times after 1970, too: whether it reads the pattern */
        last_ms = *ret_next_ms;
    return SC_OK;
}

static _Atomic int told;

static void on_error(void *user, sc_slice scheduler_id, sc_err err, const char *text)
{
    (void)user, (void)scheduler_id;
    assert_int_equal(err, SC_EINVAL);
    assert_string_equal(text, "it goes on with its first time from now on: the strategy of its "
                              "pattern gave a time that is not after the last");
    told++;
}

static void goes_on(sc_catchup catchup)
{
    const sc_repeat_strategy backwards = {.next = next_backwards};
    const sc_scheduler_guard_opts opts = {.on_error = on_error};
    const sc_repeat repeat = {.pattern = SC_S("<"), .offset_ms = -1, .catchup = catchup};
    const sc_job_spec spec = {.name = SC_S("job")};
    sc_scheduler_guard *guard;

    bench_open(&b);
    sc_queue_free(b.queue);
    assert_ok(sc_queue_new(b.client, SC_S("q"), &(sc_queue_opts){.repeat_strategy = &backwards},
                           &b.queue, NULL));
    assert_ok(sc_scheduler_guard_start(b.queue, &opts, &guard));
    assert_ok(sc_scheduler_upsert(b.queue, SC_S("s"), &repeat, &spec, NULL, NULL, NULL));

    wait_until(atoi(redis(&b, "HGET bull:q:repeat:s ic")) >= 5 && told);
    sc_scheduler_guard_stop(guard);

    assert_int_equal(told, 1);
    bench_close(&b);
}

TEST(a_strategy_that_goes_backwards_is_told_and_the_schedule_goes_on)
{
    goes_on(SC_CATCHUP_LATE);
}

TEST(a_strategy_that_goes_backwards_stops_no_guarded_schedule_either)
{
    goes_on(SC_CATCHUP_ALL);
}
