/* Waits between attempts, with BullMQ's rounding. */
#include "support/test.h"

#include "base/backoff.h"

static int64_t delay(sc_backoff_kind kind, int64_t delay_ms, double jitter, int64_t attempts,
                     double unit)
{
    sc_backoff backoff = {.kind = kind, .delay_ms = delay_ms, .jitter = jitter};

    return sc__backoff_delay(&backoff, attempts, unit);
}

TEST(no_backoff_is_no_wait)
{
    assert_int_equal(delay(SC_BACKOFF_NONE, 5000, 0, 3, 0.5), 0);
}

TEST(fixed_is_the_same_each_time)
{
    assert_int_equal(delay(SC_BACKOFF_FIXED, 1000, 0, 1, 0), 1000);
    assert_int_equal(delay(SC_BACKOFF_FIXED, 1000, 0, 9, 0), 1000);
    assert_int_equal(delay(SC_BACKOFF_FIXED, 0, 0, 1, 0), 0);
}

TEST(exponential_doubles)
{
    assert_int_equal(delay(SC_BACKOFF_EXPONENTIAL, 1000, 0, 1, 0), 1000);
    assert_int_equal(delay(SC_BACKOFF_EXPONENTIAL, 1000, 0, 2, 0), 2000);
    assert_int_equal(delay(SC_BACKOFF_EXPONENTIAL, 1000, 0, 5, 0), 16000);
}

TEST(no_delay_stays_none_however_often_it_doubles)
{
    assert_int_equal(delay(SC_BACKOFF_EXPONENTIAL, 0, 0, 3, 0), 0);
    assert_int_equal(delay(SC_BACKOFF_EXPONENTIAL, 0, 0, 1025, 0), 0);
    assert_int_equal(delay(SC_BACKOFF_EXPONENTIAL, 0, 0, INT64_MAX, 0), 0);
}

TEST(jitter_stays_below_the_delay)
{
    assert_int_equal(delay(SC_BACKOFF_FIXED, 1000, 0.5, 1, 0), 500);
    assert_int_equal(delay(SC_BACKOFF_FIXED, 1000, 0.5, 1, 0.9999), 999);
    assert_int_equal(delay(SC_BACKOFF_EXPONENTIAL, 1000, 1, 3, 0.5), 2000);
    assert_int_equal(delay(SC_BACKOFF_EXPONENTIAL, 1000, 1, 3, 0), 0);
}

TEST(absurd_attempts_and_delays_stay_within_a_century)
{
    const int64_t century_ms = 3155760000000;

    assert_int_equal(delay(SC_BACKOFF_EXPONENTIAL, 1000, 0, 5000, 0), century_ms);
    assert_int_equal(delay(SC_BACKOFF_FIXED, INT64_MAX, 0, 1, 0), century_ms);
}
