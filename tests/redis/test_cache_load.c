/* cache/get_or_set.c, cache/lead.c: loads of one process, and what becomes of them */
#include "base/clock.h"
#include "support/cache_fixture.h"
#include "support/test.h"

TEST(get_or_set_loads_once_then_hits_with_an_age)
{
    struct cache_source source = CACHE_SOURCE("loaded");
    sc_cache_value value;
    sc_cache_stats stats;
    struct cache_fixture f;

    cache_fixture_start(&f);
    assert_ok(sc_cache_get_or_set(f.cache, SC_S("k"), 60000, cache_load, &source, &value));
    assert_int_equal(value.source, SC_CACHE_MISS);
    assert_slice(value.bytes, "loaded");
    assert_true(value.age_ms == 0);
    sc_cache_value_release(&value);
    sc__clock_shift(5000);
    assert_ok(sc_cache_get_or_set(f.cache, SC_S("k"), 60000, cache_load, &source, &value));
    assert_int_equal(value.source, SC_CACHE_HIT);
    assert_slice(value.bytes, "loaded");
    assert_in_range(value.age_ms, 5000, 9000);
    sc_cache_value_release(&value);

    assert_int_equal(source.loads, 1);
    assert_in_range(atoll(test_redis(&f.server, "PTTL k")), 50000, 60000);
    sc_cache_stats_get(f.cache, &stats);
    assert_int_equal(stats.hits, 1);
    assert_int_equal(stats.misses, 1);
    assert_int_equal(stats.loads, 1);
    assert_int_equal(stats.sets, 1);
    assert_int_equal(stats.errors, 0);
    cache_fixture_stop(&f);
}

TEST(the_loader_may_choose_the_ttl_and_may_give_an_empty_value)
{
    struct cache_source source = CACHE_SOURCE("");
    sc_cache_value value;
    struct cache_fixture f;

    cache_fixture_start(&f);
    source.ttl_ms = 9000;
    assert_ok(sc_cache_get_or_set(f.cache, SC_S("k"), 60000, cache_load, &source, &value));
    assert_int_equal(value.bytes.len, 0);
    assert_non_null(value.bytes.ptr);
    sc_cache_value_release(&value);
    assert_in_range(atoll(test_redis(&f.server, "PTTL k")), 5000, 9000);
    cache_assert_hit(f.cache, SC_S("k"), SC_S(""));

    source.ttl_ms = 0;
    assert_ok(sc_cache_get_or_set(f.cache, SC_S("k2"), 60000, cache_load, &source, &value));
    sc_cache_value_release(&value);
    wait_until(strcmp(test_redis(&f.server, "EXISTS k2"), "0") == 0);
    cache_fixture_stop(&f);
}

TEST(ten_callers_load_once)
{
    struct cache_source source = CACHE_SOURCE("loaded");
    struct cache_call callers[10];
    sc_cache_stats stats;
    struct cache_fixture f;
    int shared = 0;

    cache_fixture_start(&f);
    cache_source_close(&source);
    for (int i = 0; i < 10; i++)
        cache_call_start(&callers[i], f.cache, &source);
    cache_source_wait(&source, 1);
    cache_source_open(&source);
    for (int i = 0; i < 10; i++) {
        cache_call_end(&callers[i]);
        assert_ok(callers[i].err);
        assert_slice(callers[i].value.bytes, "loaded");
        shared += callers[i].value.source == SC_CACHE_SHARED;
        sc_cache_value_release(&callers[i].value);
    }

    assert_int_equal(source.loads, 1);
    sc_cache_stats_get(f.cache, &stats);
    assert_int_equal(stats.loads, 1);
    assert_int_equal(stats.shared, shared);
    assert_int_equal(stats.hits + stats.shared + stats.misses, 10);
    cache_assert_hit(f.cache, SC_S("k"), SC_S("loaded"));
    cache_fixture_stop(&f);
}

TEST(a_failed_load_goes_to_all_who_wait_and_stores_nothing)
{
    struct cache_source source = CACHE_SOURCE("");
    struct cache_call callers[10];
    sc_cache_value value;
    sc_cache_stats stats;
    struct cache_fixture f;
    bool exists;

    cache_fixture_start(&f);
    cache_source_close(&source);
    source.err = SC_EIO;
    cache_call_start(&callers[0], f.cache, &source);
    cache_source_wait(&source, 1);
    for (int i = 1; i < 10; i++)
        cache_call_start(&callers[i], f.cache, &source);
    /* A lease stands in the key, which is no value. */
    assert_ok(sc_cache_exists(f.cache, SC_S("k"), &exists));
    assert_false(exists);
    cache_assert_miss(f.cache, SC_S("k"));
    wait_until(cache_calls(&f.server, "get") == 13); /* ten looked, we, the lease, its clock */
    cache_source_open(&source);
    for (int i = 0; i < 10; i++) {
        cache_call_end(&callers[i]);
        assert_err(callers[i].err, SC_EIO);
    }

    wait_until(strcmp(test_redis(&f.server, "EXISTS k"), "0") == 0);
    sc_cache_stats_get(f.cache, &stats);
    assert_int_equal(stats.loads, stats.load_errors);
    assert_int_equal(stats.loads, source.loads);
    source.err = SC_OK;
    assert_ok(sc_cache_get_or_set(f.cache, SC_S("k"), 60000, cache_load, &source, &value));
    sc_cache_value_release(&value);
    cache_fixture_stop(&f);
}

/* False when it ended, because all stood still for as long. */
static bool keeps_its_lease(void)
{
    struct cache_source source = CACHE_SOURCE("v");
    struct cache_call caller;
    struct cache_fixture f;
    int64_t left_ms = 0;

    cache_fixture_start(&f);
    cache_source_close(&source);
    cache_call_start(&caller, f.cache, &source);
    cache_source_wait(&source, 1);

    test_redis(&f.server, "PEXPIRE k 1000");
    sc__clock_shift(1000); /* the lease looks as old as that to its keeper */
    wait_until((left_ms = atoll(test_redis(&f.server, "PTTL k"))) > 1000 || left_ms < 0);
    cache_source_open(&source);
    cache_call_end(&caller);

    sc_cache_value_release(&caller.value);
    if (left_ms > 0)
        cache_assert_hit(f.cache, SC_S("k"), SC_S("v"));
    cache_fixture_stop(&f);
    return left_ms > 0;
}

TEST(a_long_load_keeps_its_lease)
{
    bool is_kept = false;

    for (int i = 0; i < 5 && !is_kept; i++)
        is_kept = keeps_its_lease();
    assert_true(is_kept);
}

struct own_key {
    sc_cache *cache;
    int loads;
};

static sc_err load_itself(sc_cache_load *out, sc_slice key, void *user)
{
    struct own_key *own = user;
    sc_cache_value value;
    sc_err err;

    own->loads++;
    err = sc_cache_get_or_set(own->cache, key, 60000, load_itself, user, &value);
    return err ? err : sc_cache_load_set(out, SC_S("?"));
}

TEST(a_loader_that_asks_for_its_own_key_is_told_so)
{
    struct own_key own = {.loads = 0};
    sc_cache_value value;
    struct cache_fixture f;

    cache_fixture_start(&f);
    own.cache = f.cache;
    assert_err(sc_cache_get_or_set(f.cache, SC_S("k"), 60000, load_itself, &own, &value),
               SC_EDEADLK);
    assert_int_equal(own.loads, 1);
    cache_fixture_stop(&f);
}

TEST(a_value_over_the_limit_is_given_and_not_stored)
{
    const sc_cache_opts opts = {.max_value_size = 4};
    struct cache_source source = CACHE_SOURCE("12345");
    sc_cache_value value;
    struct cache_fixture f;
    sc_cache *small;

    cache_fixture_start(&f);
    assert_ok(sc_cache_new(f.client, &opts, &small, NULL));
    assert_ok(sc_cache_get_or_set(small, SC_S("k"), 60000, cache_load, &source, &value));
    assert_slice(value.bytes, "12345");
    sc_cache_value_release(&value);
    wait_until(strcmp(test_redis(&f.server, "EXISTS k"), "0") == 0);
    sc_cache_free(small);
    cache_fixture_stop(&f);
}

struct square {
    int loads;
};

static sc_err square_key(sc_cache_load *key, const void *arg, void *user)
{
    char text[32];

    (void)user;
    snprintf(text, sizeof(text), "square:%d", *(const int *)arg);
    return sc_cache_load_set(key, sc_slice_of(text));
}

static sc_err square_load(sc_cache_load *out, const void *arg, void *user)
{
    struct square *square = user;
    char text[32];
    int n = *(const int *)arg;

    square->loads++;
    snprintf(text, sizeof(text), "%d", n * n);
    return sc_cache_load_set(out, sc_slice_of(text));
}

TEST(a_wrapped_loader_is_cached_by_its_argument)
{
    static const int args[] = {7, 8, 7};
    static const char *const squares[] = {"49", "64", "49"};
    struct square square = {0};
    sc_cache_value value;
    struct cache_fixture f;

    cache_fixture_start(&f);
    sc_cache_wrapped wrapped = {f.cache, square_key, square_load, 60000, &square};
    for (int i = 0; i < 3; i++) {
        assert_ok(sc_cache_wrapped_get(&wrapped, &args[i], &value));
        assert_slice(value.bytes, squares[i]);
        sc_cache_value_release(&value);
    }
    assert_int_equal(square.loads, 2);
    cache_assert_hit(f.cache, SC_S("square:8"), SC_S("64"));
    cache_fixture_stop(&f);
}
