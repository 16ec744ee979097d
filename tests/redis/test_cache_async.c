/* cache/async.c: calls that don't wait */
#include <stdatomic.h>

#include "support/cache_fixture.h"
#include "support/test.h"

struct answer {
    sc_cache *cache; /* to be asked again, from inside */
    atomic_int count;
    sc_err err, inner_err;
    char text[64];
    sc_cache_source source;
    bool none;
};

static void on_value(void *user, sc_err err, const sc_cache_value *value)
{
    struct answer *a = user;
    sc_cache_value inner;

    a->err = err;
    if (!err) {
        snprintf(a->text, sizeof(a->text), "%.*s", (int)value->bytes.len,
                 value->bytes.ptr ? value->bytes.ptr : "");
        a->source = value->source;
        a->none = value->none;
    }
    if (a->cache)
        a->inner_err = sc_cache_get(a->cache, SC_S("k"), &inner);
    atomic_fetch_add(&a->count, 1);
}

static const sc_cache_def value = {.ttl_ms = 60000, .load = cache_load};

static void await(struct answer *a, int count)
{
    wait_until(atomic_load(&a->count) == count);
}

TEST(values_come_to_a_callback_where_nothing_may_wait)
{
    struct cache_source source = CACHE_SOURCE("loaded");
    struct answer a = {0};
    struct cache_fixture f;

    cache_fixture_start(&f);
    a.cache = f.cache;
    assert_ok(sc_cache_get_async(f.cache, SC_S("k"), on_value, &a));
    await(&a, 1);
    assert_int_equal(a.source, SC_CACHE_MISS);
    assert_int_equal(a.inner_err, SC_EDEADLK);
    assert_ok(sc_cache_fetch_async(f.cache, &value, SC_S("k"), &source, on_value, &a));
    await(&a, 2);
    assert_string_equal(a.text, "loaded");
    assert_int_equal(a.source, SC_CACHE_MISS);
    assert_ok(sc_cache_get_async(f.cache, SC_S("k"), on_value, &a));
    await(&a, 3);
    assert_string_equal(a.text, "loaded");
    assert_int_equal(a.source, SC_CACHE_HIT);
    cache_fixture_stop(&f);
}

TEST(errors_and_nothing_come_to_the_callback_too)
{
    struct cache_source source = CACHE_SOURCE(NULL);
    struct answer a = {0};
    struct cache_fixture f;

    cache_fixture_start(&f);
    assert_ok(sc_cache_fetch_async(f.cache, &value, SC_S("k"), &source, on_value, &a));
    await(&a, 1);
    assert_true(a.none);
    source.err = SC_EIO;
    assert_ok(sc_cache_fetch_async(f.cache, &value, SC_S("k"), &source, on_value, &a));
    await(&a, 2);
    assert_int_equal(a.err, SC_EIO);
    assert_err(sc_cache_get_async(f.cache, SC_S(""), on_value, &a), SC_EINVAL);
    assert_err(sc_cache_fetch_async(f.cache, NULL, SC_S("k"), &source, on_value, &a), SC_EINVAL);
    assert_int_equal(a.count, 2);
    cache_fixture_stop(&f);
}

TEST(many_calls_that_wait_for_loads_behind_end_all)
{
    static const sc_cache_def slow = {
        .ttl_ms = 60000, .hard_timeout_ms = 600000, .load = cache_load};
    struct cache_source source = CACHE_SOURCE("v");
    struct answer a = {0};
    struct cache_fixture f;
    char key[32];

    cache_fixture_start(&f);
    cache_source_close(&source);
    for (int i = 0; i < 100; i++) {
        snprintf(key, sizeof(key), "k%d", i);
        assert_ok(sc_cache_fetch_async(f.cache, &slow, sc_slice_of(key), &source, on_value, &a));
    }
    cache_source_wait(&source, 1);
    cache_source_open(&source);
    await(&a, 100);
    assert_int_equal(cache_source_loads(&source), 100);
    cache_fixture_stop(&f);
}

TEST(a_cache_that_is_freed_ends_its_calls_first)
{
    struct cache_source source = CACHE_SOURCE("v");
    struct answer a = {0}, alone = {0};
    struct cache_fixture f;
    sc_cache *cache;

    cache_fixture_start(&f);
    assert_ok(sc_cache_new(NULL, NULL, &cache, NULL));
    for (int i = 0; i < 20; i++) {
        assert_ok(sc_cache_fetch_async(f.cache, &value, SC_S("k"), &source, on_value, &a));
        assert_ok(sc_cache_fetch_async(cache, &value, SC_S("k"), &source, on_value, &alone));
    }
    sc_cache_free(cache);
    cache_fixture_stop(&f);
    assert_int_equal(a.count, 20);
    assert_int_equal(alone.count, 20);
}
