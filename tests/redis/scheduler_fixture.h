/* A queue on a Redis of the test's own, schedulers in it, and workers that count their runs. */
#ifndef TESTS_REDIS_SCHEDULER_FIXTURE_H
#define TESTS_REDIS_SCHEDULER_FIXTURE_H

#include <storychain/scheduler.h>
#include <storychain/worker.h>

#include <stdatomic.h>

#include "ops/keys.h"
#include "ops/op_scheduler.h"
#include "support/server.h"
#include "support/test.h"

__attribute__((unused)) static struct test_server server;
__attribute__((unused)) static sc_client *client;
__attribute__((unused)) static sc_queue *queue;

static inline void open_queue(void)
{
    test_server_start(&server);
    client = test_server_client(&server);
    assert_ok(sc_queue_new(client, SC_S("q"), NULL, &queue, NULL));
}

static inline void close_queue(void)
{
    sc_queue_free(queue);
    sc_client_free(client);
}

#define assert_redis(command, expected) assert_string_equal(test_redis(&server, command), expected)

SC_PRINTF(1, 2)
static inline const char *redis(const char *fmt, ...)
{
    char command[1024];
    va_list args;

    va_start(args, fmt);
    vsnprintf(command, sizeof(command), fmt, args);
    va_end(args);
    return test_redis(&server, command);
}

static inline int64_t now_ms(void)
{
    int64_t ms = 0;

    assert_ok(sc__op_server_time(client, &ms, NULL));
    return ms;
}

__attribute__((unused)) static const sc_job_spec plain = {.name = {"job", 3},
                                                          .data = {"{\"a\":1}", 7}};

static inline int64_t upsert(const char *id, const sc_repeat *repeat)
{
    sc_reason reason = {""};
    int64_t next_ms = 0;

    if (sc_scheduler_upsert(queue, sc_slice_of(id), repeat, &plain, NULL, &next_ms, &reason))
        fail_msg("%s: %s", id, reason.text);
    return next_ms;
}

static inline int64_t upsert_every(const char *id, int64_t every_ms)
{
    sc_repeat repeat = SC_REPEAT_INIT;

    repeat.every_ms = every_ms;
    return upsert(id, &repeat);
}

static inline int64_t upsert_pattern(const char *id, const char *pattern, const char *tz)
{
    sc_repeat repeat = SC_REPEAT_INIT;

    repeat.pattern = sc_slice_of(pattern);
    repeat.tz = sc_slice_of(tz);
    return upsert(id, &repeat);
}

/* Jobs of schedulers that nobody has taken yet. */
static inline int64_t pending(void)
{
    sc_queue_counts counts;

    assert_ok(sc_queue_get_counts(queue, &counts));
    return counts.by_state[SC_JOB_WAITING] + counts.by_state[SC_JOB_DELAYED] +
           counts.by_state[SC_JOB_PRIORITIZED];
}

static inline int64_t completed(void)
{
    sc_queue_counts counts;

    assert_ok(sc_queue_get_counts(queue, &counts));
    return counts.by_state[SC_JOB_COMPLETED];
}

__attribute__((unused)) static atomic_int runs; /* jobs that a processor saw */

static inline sc_outcome count_run(sc_run *run, const sc_job *job, void *user)
{
    (void)run, (void)job, (void)user;
    runs++;
    return SC_DONE;
}

static inline sc_worker *start_worker(void)
{
    const sc_worker_opts opts = {.concurrency = 4, .drain_delay_ms = 200, .skip_guardian = true};
    sc_worker *worker = NULL;

    assert_ok(sc_worker_new(client, SC_S("q"), &opts, &worker, NULL));
    assert_ok(sc_worker_handle(worker, SC_S(""), count_run, NULL));
    assert_ok(sc_worker_start(worker));
    return worker;
}

static inline void stop_worker(sc_worker *worker)
{
    assert_ok(sc_worker_close(worker, 5000, NULL));
    sc_worker_free(worker);
}

/* Makes the pending job of a scheduler one of `to`, as if nobody had worked since. */
static inline void move_pending(const char *id, int64_t from, int64_t to)
{
    redis("RENAME bull:q:repeat:%s:%lld bull:q:repeat:%s:%lld", id, (long long)from, id,
          (long long)to);
    redis("ZADD bull:q:repeat %lld %s", (long long)to, id);
    redis("ZREM bull:q:delayed repeat:%s:%lld", id, (long long)from);
    redis("ZADD bull:q:delayed %lld repeat:%s:%lld", (long long)to * 4096, id, (long long)to);
}

/* A guarded schedule is due at `at_ms`. The score comes last: from then on guardians look at it. */
static inline void move_guarded(const char *id, int64_t at_ms)
{
    redis("HSET bull:q:repeat:%s sc:nominal %lld", id, (long long)at_ms);
    redis("ZADD bull:q:repeat %lld %s", (long long)at_ms, id);
}

/* Its first run; stored anew as long as all that stood still until its end date had passed. */
static inline int64_t upsert_ending_in(const char *id, sc_repeat *repeat, int64_t ms)
{
    int64_t first_ms = 0;
    sc_err err;

    do {
        repeat->end_ms = now_ms() + ms;
        err = sc_scheduler_upsert(queue, sc_slice_of(id), repeat, &plain, NULL, &first_ms, NULL);
    } while (err == SC_EINVAL && now_ms() >= repeat->end_ms);
    assert_ok(err);
    return first_ms;
}

/* A run of a plain schedule that is later has been missed: GRACE_MS in ops/scheduler_ticker.c. */
enum { LATE_MS = 3000 };

/* Every run from `first` to the pending one has its job, and there is no other. Runs may be missing in a row only if the first was overdue for
 * longer than a run may be late: all stood still then. */
static inline void assert_no_gap(const char *id, int64_t first, int64_t step)
{
    int64_t last = atoll(redis("ZSCORE bull:q:repeat %s", id)), before = first, found = 0;

    for (int64_t ms = first; ms <= last; ms += step) {
        if (strcmp(redis("EXISTS bull:q:repeat:%s:%lld", id, (long long)ms), "1") != 0)
            continue;
        assert_true(ms <= before + step || ms > before + step + LATE_MS);
        before = ms;
        found++;
    }
    assert_int_equal(before, last);
    assert_int_equal(found, atoll(redis("HGET bull:q:repeat:%s ic", id)));
}

/* Looks of the guardian, at least. */
static inline int sweeps(void)
{
    const char *found =
        strstr(test_redis(&server, "INFO commandstats"), "cmdstat_zrangebyscore:calls=");

    return found ? atoi(strchr(found, '=') + 1) : 0;
}

#endif
