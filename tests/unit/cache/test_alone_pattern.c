/* cache/del_pattern.c, cache/near_walk.c: a pattern over what a cache without a server holds */
#include <pthread.h>
#include <stdatomic.h>

#include "support/cache_fixture.h"
#include "support/test.h"

static sc_cache *new_cache(size_t bytes)
{
    sc_cache *cache;

    assert_ok(sc_cache_new(NULL, &(sc_cache_opts){.near_bytes = bytes}, &cache, NULL));
    return cache;
}

/* prefix:0, prefix:1, … */
static void populate(sc_cache *cache, const char *prefix, int from, int count)
{
    char key[32];

    for (int i = from; i < from + count; i++) {
        snprintf(key, sizeof(key), "%s:%d", prefix, i);
        assert_ok(sc_cache_set(cache, sc_slice_of(key), SC_S("v"), 60000));
    }
}

static int64_t entries(sc_cache *cache)
{
    sc_cache_stats stats;

    sc_cache_stats_get(cache, &stats);
    return (int64_t)stats.near_entries;
}

static int64_t del(sc_cache *cache, const char *pattern)
{
    int64_t removed = -1;

    assert_ok(sc_cache_del_pattern(cache, sc_slice_of(pattern), NULL, &removed));
    return removed;
}

TEST(keys_that_match_are_removed_and_others_stay)
{
    struct cache_told told = {0};
    const sc_sweep sweep = {cache_on_progress, &told};
    sc_cache *cache = new_cache(8 << 20);
    sc_cache_stats stats;
    int64_t removed;

    populate(cache, "a", 0, 3000);
    populate(cache, "b", 0, 2000);
    assert_ok(sc_cache_del_pattern(cache, SC_S("a:*"), &sweep, &removed));
    assert_int_equal(removed, 3000);
    assert_int_equal(told.done, 3000);
    assert_false(told.went_back);
    assert_true(told.times > 5);
    assert_int_equal(entries(cache), 2000);
    sc_cache_stats_get(cache, &stats);
    assert_int_equal(stats.deletes, 3000);

    assert_int_equal(del(cache, "a:*"), 0);
    assert_int_equal(del(cache, "b:[12]?"), 20);
    assert_int_equal(del(cache, "b:\\*"), 0);
    assert_int_equal(del(cache, "*"), 1980);
    assert_int_equal(entries(cache), 0);
    assert_err(sc_cache_del_pattern(cache, SC_S(""), NULL, NULL), SC_EINVAL);
    sc_cache_free(cache);
}

TEST(a_caller_may_stop_it_between_two_slices)
{
    struct cache_told told = {.stop_at = 500};
    const sc_sweep sweep = {cache_on_progress, &told};
    sc_cache *cache = new_cache(8 << 20);
    int64_t removed = -1;

    populate(cache, "a", 0, 3000);
    assert_err(sc_cache_del_pattern(cache, SC_S("a:*"), &sweep, &removed), SC_ECANCELED);
    assert_int_equal(removed, -1);
    assert_in_range(told.done, 500, 1500);
    assert_int_equal(entries(cache), 3000 - told.done);
    assert_int_equal(del(cache, "a:*"), 3000 - told.done);
    sc_cache_free(cache);
}

TEST(long_keys_are_met_by_their_beginning)
{
    static char key[5000];
    sc_cache *cache = new_cache(0);

    memset(key, 'k', sizeof(key));
    assert_ok(sc_cache_set(cache, (sc_slice){key, sizeof(key)}, SC_S("v"), 60000));
    assert_int_equal(del(cache, "kkkkkkkkkkk*"), 1);
    sc_cache_free(cache);
}

struct call {
    sc_cache *cache;
    struct cache_source *source;
    const char *key;
};

static void *fetch(void *arg)
{
    static const sc_cache_def def = {.ttl_ms = 60000, .load = cache_load};
    struct call *call = arg;

    cache_expect(call->cache, &def, call->key, call->source, "old");
    return NULL;
}

TEST(a_load_under_way_of_a_key_that_matches_is_not_kept)
{
    struct cache_source source = CACHE_SOURCE("old");
    sc_cache *cache = new_cache(0);
    struct call calls[] = {{cache, &source, "a:1"}, {cache, &source, "b:1"}};
    pthread_t threads[2];
    bool there;

    cache_source_close(&source);
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, fetch, &calls[i]);
    cache_source_wait(&source, 2);
    assert_int_equal(del(cache, "a:*"), 0);
    cache_source_open(&source);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);

    assert_ok(sc_cache_exists(cache, SC_S("a:1"), &there));
    assert_false(there);
    assert_ok(sc_cache_exists(cache, SC_S("b:1"), &there));
    assert_true(there);
    sc_cache_free(cache);
}

struct stage {
    sc_cache *cache;
    atomic_bool over;
};

/* Sets, reads and deletes without an end, and lets much be evicted. */
static void *keep_busy(void *arg)
{
    struct stage *stage = arg;
    char text[16], key[32];
    size_t len;

    for (unsigned i = 0; !atomic_load(&stage->over); i++) {
        snprintf(key, sizeof(key), "busy:%u", i * 7919u % 5000);
        if (i % 3 == 0 && sc_cache_set(stage->cache, sc_slice_of(key), sc_slice_of(key), 60000))
            abort();
        if (i % 7 == 0 && sc_cache_del(stage->cache, sc_slice_of(key), NULL))
            abort();
        if (sc_cache_try_copy(stage->cache, sc_slice_of(key), text, sizeof(text), &len) &&
            strncmp(text, key, len < sizeof(text) ? len : sizeof(text)) != 0)
            abort();
    }
    return NULL;
}

TEST_LIMIT(it_walks_while_others_write, 60)
{
    struct stage stage = {.cache = new_cache(300 * 1024)};
    pthread_t threads[2];

    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, keep_busy, &stage);
    for (int round = 0; round < 50; round++) {
        populate(stage.cache, "there", 0, 20);
        del(stage.cache, "there:*");
        for (int i = 0; i < 20; i++) {
            char key[32];
            bool there;

            snprintf(key, sizeof(key), "there:%d", i);
            assert_ok(sc_cache_exists(stage.cache, sc_slice_of(key), &there));
            assert_false(there);
        }
        del(stage.cache, "busy:1*");
    }
    atomic_store(&stage.over, true);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    sc_cache_free(stage.cache);
}
