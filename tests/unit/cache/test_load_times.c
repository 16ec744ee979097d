/* cache/load_times.c */
#include "cache/load_times.h"
#include "support/test.h"

TEST(a_load_is_counted_by_how_long_it_took)
{
    static const struct {
        int64_t us;
        size_t bucket;
    } loads[] = {{0, 0},
                 {1000, 0},
                 {1001, 1},
                 {2000, 1},
                 {2001, 2},
                 {10000, 3},
                 {10001, 4},
                 {10000000, SC_CACHE_LOAD_BUCKETS - 2},
                 {10000001, SC_CACHE_LOAD_BUCKETS - 1},
                 {INT64_MAX / 2, SC_CACHE_LOAD_BUCKETS - 1}};
    sc__load_times times = {0};
    sc_cache_stats stats;

    for (size_t i = 0; i < sizeof(loads) / sizeof(*loads); i++) {
        sc_cache_stats before;

        sc__load_times_read(&times, &before);
        sc__load_times_add(&times, loads[i].us);
        sc__load_times_read(&times, &stats);
        assert_int_equal(stats.load_buckets[loads[i].bucket],
                         before.load_buckets[loads[i].bucket] + 1);
        assert_true(stats.load_us == before.load_us + (uint64_t)loads[i].us);
    }
}

TEST(the_bounds_grow_and_the_last_one_is_none)
{
    for (size_t i = 1; i < SC_CACHE_LOAD_BUCKETS; i++)
        assert_true(sc_cache_load_bound_ms(i) > sc_cache_load_bound_ms(i - 1));
    assert_true(sc_cache_load_bound_ms(SC_CACHE_LOAD_BUCKETS - 1) == INT64_MAX);
    assert_true(sc_cache_load_bound_ms(1000) == INT64_MAX);
}
