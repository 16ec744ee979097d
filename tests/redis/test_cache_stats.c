/* sc_cache_stats: each figure counts what it says */
#include "support/cache_fixture.h"
#include "support/test.h"

static const sc_cache_def def = {
    .name = "test", .ttl_ms = 60000, .negative_ttl_ms = 60000, .load = cache_load};

static sc_cache_stats stats_of(const sc_cache *cache)
{
    sc_cache_stats stats;

    sc_cache_stats_get(cache, &stats);
    return stats;
}

static uint64_t loads_counted_by_length(const sc_cache_stats *stats)
{
    uint64_t count = 0;

    for (size_t i = 0; i < SC_CACHE_LOAD_BUCKETS; i++)
        count += stats->load_buckets[i];
    return count;
}

static void expect(sc_cache *cache, const char *key, struct cache_source *source, const char *value)
{
    sc_cache_value got = cache_expect(cache, &def, key, source, value);

    sc_cache_value_release(&got);
}

TEST(loads_hits_and_misses_are_counted)
{
    struct cache_source source = CACHE_SOURCE("v"), nothing = CACHE_SOURCE(NULL);
    struct cache_fixture f;
    sc_cache_stats stats;
    sc_cache_value value;

    cache_fixture_start(&f);
    expect(f.cache, "k", &source, "v");
    expect(f.cache, "k", &source, "v");
    expect(f.cache, "none", &nothing, "");
    expect(f.cache, "none", &nothing, "");
    source.err = SC_EIO;
    assert_err(sc_cache_fetch(f.cache, &def, SC_S("fails"), &source, &value), SC_EIO);
    assert_ok(sc_cache_set(f.cache, SC_S("set"), SC_S("v"), 1000));
    assert_ok(sc_cache_del(f.cache, SC_S("set"), NULL));

    stats = stats_of(f.cache);
    assert_int_equal(stats.loads, 3);
    assert_int_equal(stats.load_errors, 1);
    assert_int_equal(loads_counted_by_length(&stats), 3);
    assert_true(stats.load_us >= 3);
    assert_int_equal(stats.hits + stats.near_hits, 2);
    assert_int_equal(stats.none, 1);
    assert_int_equal(stats.misses, 3);
    assert_int_equal(stats.sets, 3);
    assert_int_equal(stats.deletes, 1);
    assert_int_equal(stats.errors, 0);
    assert_int_equal(stats.lease_waits, 0);
    cache_fixture_stop(&f);
}

struct caller {
    pthread_t thread;
    sc_cache *cache;
    struct cache_source *source;
};

static void *ask(void *arg)
{
    struct caller *caller = arg;

    expect(caller->cache, "k", caller->source, "v");
    return NULL;
}

TEST(who_waits_for_another_process_is_counted)
{
    struct cache_source source = CACHE_SOURCE("v");
    struct cache_fixture f;
    struct caller one, two;

    cache_fixture_start(&f);
    one = (struct caller){.cache = f.cache, .source = &source};
    two = (struct caller){.cache = f.other, .source = &source};
    cache_source_close(&source);
    assert_int_equal(pthread_create(&one.thread, NULL, ask, &one), 0);
    cache_source_wait(&source, 1);
    assert_int_equal(pthread_create(&two.thread, NULL, ask, &two), 0);
    wait_until(stats_of(f.other).lease_waits == 1);
    cache_source_open(&source);
    pthread_join(one.thread, NULL);
    pthread_join(two.thread, NULL);

    assert_int_equal(stats_of(f.cache).lease_waits, 0);
    assert_int_equal(stats_of(f.other).lease_waits, 1); /* however often it looked */
    assert_int_equal(stats_of(f.other).loads, 0);
    cache_fixture_stop(&f);
}

TEST(what_leaves_the_processs_memory_is_counted)
{
    enum { KEYS = 2000, BYTES = 64 * 1024 };
    const sc_cache_opts opts = {.timeout_ms = 10000, .near_bytes = BYTES};
    struct cache_fixture f;
    sc_cache_value value;
    sc_cache *near;
    char key[32];

    cache_fixture_start(&f);
    assert_ok(sc_cache_new(f.client, &opts, &near, NULL));
    for (int i = 0; i < KEYS; i++) {
        snprintf(key, sizeof(key), "key:%d", i);
        assert_ok(sc_cache_set(near, sc_slice_of(key), SC_S("a value of some length"), 60000));
        assert_ok(sc_cache_get(near, sc_slice_of(key), &value));
        sc_cache_value_release(&value);
    }

    assert_true(stats_of(near).near_bytes <= BYTES);
    assert_true(stats_of(near).near_evicted > 0);
    assert_true(stats_of(near).near_entries + stats_of(near).near_evicted <= KEYS);
    assert_int_equal(stats_of(near).near_expired, 0);
    sc_cache_free(near);
    cache_fixture_stop(&f);
}
