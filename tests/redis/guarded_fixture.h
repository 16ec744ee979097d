/* scheduler_fixture.h for schedules that have policies, or had. */
#ifndef TESTS_REDIS_GUARDED_FIXTURE_H
#define TESTS_REDIS_GUARDED_FIXTURE_H

#include "scheduler_fixture.h"

static inline sc_scheduler_guard *start_guard(void)
{
    sc_scheduler_guard *guard = NULL;

    assert_ok(
        sc_scheduler_guard_start(queue, &(sc_scheduler_guard_opts){.interval_ms = 200}, &guard));
    return guard;
}

static inline sc_repeat every(int64_t every_ms)
{
    sc_repeat repeat = SC_REPEAT_INIT;

    repeat.every_ms = every_ms;
    return repeat;
}

static inline int64_t field(const char *id, const char *name)
{
    return atoll(redis("HGET bull:q:repeat:%s %s", id, name));
}

static inline int64_t made(const char *id)
{
    return field(id, "ic");
}

static inline sc_scheduler_info info_of(const char *id, sc_scheduler_list **ret_list)
{
    assert_ok(sc_scheduler_get(queue, sc_slice_of(id), ret_list));
    assert_int_equal((*ret_list)->count, 1);
    return (*ret_list)->items[0];
}

static inline void upsert_with(const char *id, const sc_repeat *repeat, const sc_job_opts *opts)
{
    const sc_job_spec spec = {.name = SC_S("job"), .opts = opts};

    assert_ok(sc_scheduler_upsert(queue, sc_slice_of(id), repeat, &spec, NULL, NULL, NULL));
}

#endif
