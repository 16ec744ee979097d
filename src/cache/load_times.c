#include "load_times.h"

static const int64_t bounds_ms[SC_CACHE_LOAD_BUCKETS] = {
    1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, INT64_MAX};

int64_t sc_cache_load_bound_ms(size_t bucket)
{
    return bucket < SC_CACHE_LOAD_BUCKETS ? bounds_ms[bucket] : INT64_MAX;
}

void sc__load_times_add(sc__load_times *times, int64_t us)
{
    size_t bucket = 0;

    while (bucket + 1 < SC_CACHE_LOAD_BUCKETS && us > bounds_ms[bucket] * 1000)
        bucket++;
    atomic_fetch_add_explicit(&times->buckets[bucket], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&times->us, (uint_fast64_t)us, memory_order_relaxed);
}

void sc__load_times_read(const sc__load_times *times, sc_cache_stats *stats)
{
    for (size_t i = 0; i < SC_CACHE_LOAD_BUCKETS; i++)
        stats->load_buckets[i] = atomic_load(&times->buckets[i]);
    stats->load_us = atomic_load(&times->us);
}
