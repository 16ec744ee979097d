/* cache/fetch_many.c, cache/bulk.c: how long a call for many keys waits */
#include <stdatomic.h>

#include "base/clock.h"
#include "support/cache_fixture.h"
#include "support/test.h"

enum { MAX = 120, LONG_MS = 600000, SHORT_MS = 100 };

static char texts[MAX][16];
static sc_slice keys[MAX];
static sc_cache_value values[MAX];
static sc_err errs[MAX];

static void release(size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!errs[i])
            sc_cache_value_release(&values[i]);
}

static atomic_int calls, kept, dropped;

static void *keep(const void *user)
{
    atomic_fetch_add(&kept, 1);
    return (void *)user;
}

static void drop(void *user)
{
    (void)user;
    atomic_fetch_add(&dropped, 1);
}

static sc_err load_many(sc_cache_load *const *loads, const sc_slice *asked, size_t count,
                        void *user)
{
    atomic_fetch_add(&calls, 1);
    for (size_t i = 0; i < count; i++)
        sc_cache_load_fail(loads[i], cache_load(loads[i], asked[i], user));
    return SC_OK;
}

static const sc_cache_def brief = {.ttl_ms = 60000,
                                   .hard_timeout_ms = SHORT_MS,
                                   .load_many = load_many,
                                   .load = cache_load,
                                   .keep = keep,
                                   .drop = drop};
static const sc_cache_def patient = {.ttl_ms = 60000,
                                     .hard_timeout_ms = LONG_MS,
                                     .error_ttl_ms = 60000,
                                     .load_many = load_many,
                                     .load = cache_load};

TEST(after_a_hard_timeout_what_is_missing_fails_and_is_loaded_behind)
{
    struct cache_source source = CACHE_SOURCE("v");
    struct cache_fixture f;

    cache_make_keys(texts, keys, MAX);
    cache_fixture_start(&f);
    cache_expect(f.cache, &patient, "k1", &source, "v");
    cache_source_close(&source);
    assert_ok(sc_cache_fetch_many(f.cache, &brief, keys, 3, &source, values, errs));
    assert_err(errs[0], SC_ETIMEDOUT);
    assert_ok(errs[1]);
    assert_slice(values[1].bytes, "v");
    assert_err(errs[2], SC_ETIMEDOUT);
    release(3);

    memset(texts, '?', sizeof(texts)); /* the caller's keys are his own again */
    cache_source_open(&source);
    wait_until(strcmp(test_redis(&f.server, "EXISTS k0 k1 k2"), "3") == 0);
    wait_until(atomic_load(&dropped) == 1);
    assert_int_equal(calls, 1);
    assert_int_equal(kept, 1);
    assert_int_equal(cache_source_loads(&source), 3);
    cache_make_keys(texts, keys, MAX);
    wait_until(cache_expect(f.other, &patient, "k2", &source, "v").source == SC_CACHE_HIT);
    cache_fixture_stop(&f);
}

TEST(a_hard_timeout_that_does_not_pass_changes_nothing_for_many)
{
    struct cache_source source = CACHE_SOURCE("v");
    struct cache_fixture f;

    cache_make_keys(texts, keys, MAX);
    cache_fixture_start(&f);
    assert_ok(sc_cache_fetch_many(f.cache, &patient, keys, MAX, &source, values, errs));
    for (int i = 0; i < MAX; i++) {
        assert_ok(errs[i]);
        assert_slice(values[i].bytes, "v");
        assert_int_equal(values[i].source, SC_CACHE_MISS);
    }
    release(MAX);
    assert_int_equal(calls, 2);
    wait_until(strcmp(test_redis(&f.server, "DBSIZE"), "121") == 0); /* and the clock */
    assert_ok(sc_cache_del(f.cache, keys[5], NULL));
    source.err = SC_EIO;
    assert_ok(sc_cache_fetch_many(f.cache, &patient, keys, 10, &source, values, errs));
    for (int i = 0; i < 10; i++)
        assert_err(errs[i], i == 5 ? SC_EIO : SC_OK);
    release(10);
    cache_fixture_stop(&f);
}

static sc_err load_own_key(sc_cache_load *const *loads, const sc_slice *asked, size_t count,
                           void *user)
{
    const sc_cache_def def = {.ttl_ms = 60000, .load = cache_load};
    sc_cache_value value;

    for (size_t i = 0; i < count; i++)
        sc_cache_load_fail(loads[i], sc_cache_fetch(user, &def, asked[i], NULL, &value));
    return SC_OK;
}

TEST(a_loader_behind_that_asks_for_one_of_its_keys_is_told_so)
{
    static const sc_cache_def def = {
        .ttl_ms = 60000, .hard_timeout_ms = LONG_MS, .load_many = load_own_key};
    struct cache_fixture f;

    cache_make_keys(texts, keys, MAX);
    cache_fixture_start(&f);
    assert_ok(sc_cache_fetch_many(f.cache, &def, keys, 2, f.cache, values, errs));
    assert_err(errs[0], SC_EDEADLK);
    assert_err(errs[1], SC_EDEADLK);
    cache_fixture_stop(&f);
}

/* However many keys there are to wait for. */
static void must_take_one_timeout(const sc_cache_def *def, sc_cache *cache,
                                  struct cache_source *source)
{
    const int64_t began_ms = sc__mono_ms();

    assert_ok(sc_cache_fetch_many(cache, def, keys, MAX, source, values, errs));
    assert_true(sc__mono_ms() - began_ms < MAX * SHORT_MS / 2);
}

TEST(the_hard_timeout_is_that_of_the_whole_call)
{
    struct cache_source theirs = CACHE_SOURCE("theirs"), source = CACHE_SOURCE("v");
    struct cache_fixture f;

    cache_make_keys(texts, keys, MAX);
    cache_fixture_start(&f);
    cache_source_close(&theirs);
    must_take_one_timeout(&brief, f.other, &theirs); /* it goes on loading, in another process */
    must_take_one_timeout(&brief, f.cache, &source);
    for (int i = 0; i < MAX; i++)
        assert_err(errs[i], SC_ETIMEDOUT);

    cache_source_open(&theirs);
    wait_until(strcmp(test_redis(&f.server, "DBSIZE"), "121") == 0);
    cache_expect(f.cache, &patient, "k7", &source, "theirs");
    assert_int_equal(cache_source_loads(&source), 0);
    cache_fixture_stop(&f);
}

TEST(the_soft_timeout_is_that_of_the_whole_call)
{
    static const sc_cache_def def = {.ttl_ms = 60000,
                                     .grace_ms = 600000,
                                     .soft_timeout_ms = SHORT_MS,
                                     .load_many = load_many,
                                     .load = cache_load};
    struct cache_source source = CACHE_SOURCE("old");
    struct cache_fixture f;

    cache_make_keys(texts, keys, MAX);
    cache_fixture_start(&f);
    assert_ok(sc_cache_fetch_many(f.cache, &def, keys, MAX, &source, values, errs));
    release(MAX);
    for (int i = 0; i < MAX; i++)
        assert_ok(sc_cache_expire(f.cache, keys[i]));
    cache_source_close(&source);
    must_take_one_timeout(&def, f.cache, &source);
    for (int i = 0; i < MAX; i++) {
        assert_slice(values[i].bytes, "old");
        assert_true(values[i].stale);
    }
    release(MAX);
    cache_source_open(&source);
    cache_fixture_stop(&f);
}

TEST(without_a_server_many_have_timeouts_too)
{
    struct cache_source source = CACHE_SOURCE("v");
    sc_cache *cache;

    cache_make_keys(texts, keys, MAX);
    assert_ok(sc_cache_new(NULL, NULL, &cache, NULL));
    cache_source_close(&source);
    assert_ok(sc_cache_fetch_many(cache, &brief, keys, 2, &source, values, errs));
    assert_err(errs[0], SC_ETIMEDOUT);
    cache_source_open(&source);
    wait_until(cache_expect(cache, &patient, "k0", &source, "v").source == SC_CACHE_NEAR);
    assert_ok(sc_cache_fetch_many(cache, &patient, keys, 4, &source, values, errs));
    assert_slice(values[3].bytes, "v");
    release(4);
    sc_cache_free(cache);
}
