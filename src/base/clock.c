#include "clock.h"

#include <stdatomic.h>
#include <time.h>

static _Atomic int64_t shift_ms;

static int64_t read_ns(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t sc__wall_ms(void)
{
    return read_ns(CLOCK_REALTIME) / 1000000 +
           atomic_load_explicit(&shift_ms, memory_order_relaxed);
}

int64_t sc__mono_ns(void)
{
    return read_ns(CLOCK_MONOTONIC) +
           atomic_load_explicit(&shift_ms, memory_order_relaxed) * 1000000;
}

int64_t sc__mono_ms(void)
{
    return sc__mono_ns() / 1000000;
}

int64_t sc__mono_coarse_ms(void)
{
    return read_ns(CLOCK_MONOTONIC_COARSE) / 1000000 +
           atomic_load_explicit(&shift_ms, memory_order_relaxed);
}

void sc__clock_shift(int64_t by_ms)
{
    atomic_fetch_add(&shift_ms, by_ms);
}
