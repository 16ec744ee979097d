/* cache/alone.c: a cache without a server */
#include <pthread.h>
#include <sched.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cache/handle.h"
#include "support/alloc.h"
#include "support/cache_fixture.h"
#include "support/test.h"

static sc_cache *cache_of(size_t bytes, size_t entries)
{
    sc_cache *cache;

    assert_ok(sc_cache_new(NULL, &(sc_cache_opts){.near_bytes = bytes, .near_entries = entries},
                           &cache, NULL));
    return cache;
}

static void set(sc_cache *cache, const char *key, const char *value)
{
    assert_ok(sc_cache_set(cache, sc_slice_of(key), sc_slice_of(value), 60000));
}

/* NULL: a miss. */
static const char *get(sc_cache *cache, const char *key)
{
    static char text[64];
    sc_cache_value value;
    bool hit;

    assert_ok(sc_cache_get(cache, sc_slice_of(key), &value));
    hit = value.source != SC_CACHE_MISS;
    snprintf(text, sizeof(text), "%s", hit && value.bytes.ptr ? value.bytes.ptr : "");
    sc_cache_value_release(&value);
    return hit ? text : NULL;
}

static sc__near_stats near_stats(sc_cache *cache)
{
    sc__near_stats stats;

    sc__near_stats_get(cache->alone.near, &stats);
    return stats;
}

static sc_cache_def def_of(int64_t ttl_ms)
{
    return (sc_cache_def){.name = "test", .ttl_ms = ttl_ms, .load = cache_load};
}

static void expect(sc_cache *cache, const sc_cache_def *def, struct cache_source *source,
                   const char *text)
{
    sc_cache_value value = cache_expect(cache, def, "k", source, text);

    sc_cache_value_release(&value);
}

TEST(it_sets_gets_and_deletes)
{
    sc_cache *cache = cache_of(0, 0);
    bool there;

    assert_null(get(cache, "k"));
    set(cache, "k", "one");
    set(cache, "empty", "");
    assert_string_equal(get(cache, "k"), "one");
    assert_string_equal(get(cache, "empty"), "");
    assert_ok(sc_cache_exists(cache, SC_S("k"), &there));
    assert_true(there);

    assert_ok(sc_cache_del(cache, SC_S("k"), &there));
    assert_true(there);
    assert_ok(sc_cache_del(cache, SC_S("k"), &there));
    assert_false(there);
    assert_null(get(cache, "k"));
    assert_ok(sc_cache_exists(cache, SC_S("k"), &there));
    assert_false(there);
    set(cache, "k", "two");
    assert_ok(sc_cache_set(cache, SC_S("k"), SC_S("x"), 0));
    assert_null(get(cache, "k"));
    sc_cache_free(cache);
}

TEST(bad_calls_are_refused)
{
    sc_cache *cache = cache_of(0, 0);
    sc_cache_value value;

    assert_err(sc_cache_get(cache, SC_S(""), &value), SC_EINVAL);
    assert_err(sc_cache_set(cache, SC_S("k"), SC_S("v"), -1), SC_EINVAL);
    assert_false(sc_cache_try_copy(cache, SC_S(""), NULL, 0, NULL));
    sc_cache_free(cache);
    sc_cache_free(NULL);
}

TEST(a_value_ends_with_its_time_and_is_freed)
{
    sc_cache *cache = cache_of(0, 0);

    set(cache, "k", "v");
    sc__clock_shift(40000);
    assert_string_equal(get(cache, "k"), "v");
    sc__clock_shift(21000);

    assert_null(get(cache, "k"));
    wait_until(near_stats(cache).entries == 0);
    assert_int_equal(near_stats(cache).expired, 1);
    sc_cache_free(cache);
}

TEST(its_bound_holds)
{
    sc_cache *cache = cache_of(0, 50);

    for (int i = 0; i < 500; i++) {
        char key[16];

        snprintf(key, sizeof(key), "k%d", i);
        set(cache, key, key);
        assert_string_equal(get(cache, key), key);
    }

    assert_int_equal(near_stats(cache).entries, 50);
    sc_cache_free(cache);
}

static sc_err load_for_a_while(sc_cache_load *load, sc_slice key, void *user)
{
    (void)user;
    sc__clock_shift(key.ptr[0] == 'd' ? 100 : 1);
    return sc_cache_load_set(load, key);
}

TEST(what_takes_long_to_load_stays)
{
    sc_cache *cache = cache_of(0, 100);
    int left = 0;

    for (int i = 0; i < 400; i++) {
        char key[16];
        sc_cache_value value;

        snprintf(key, sizeof(key), "%s%d", i % 20 ? "k" : "dear", i);
        assert_ok(sc_cache_get_or_set(cache, sc_slice_of(key), SC_TTL_FOREVER, load_for_a_while,
                                      NULL, &value));
        sc_cache_value_release(&value);
    }
    for (int i = 100; i < 380; i += 20) {
        char key[16];

        snprintf(key, sizeof(key), "dear%d", i);
        left += get(cache, key) != NULL;
    }

    assert_in_range(left, 12, 14);
    sc_cache_free(cache);
}

/* One of many who ask at once. */
struct asker {
    pthread_t thread;
    sc_cache *cache;
    struct cache_source *source;
    sc_err err;
    sc_cache_value value;
};

static void *ask(void *arg)
{
    struct asker *a = arg;
    const sc_cache_def def = def_of(60000);

    a->err = sc_cache_fetch(a->cache, &def, SC_S("k"), a->source, &a->value);
    return NULL;
}

static void start_ask(struct asker *a, sc_cache *cache, struct cache_source *source)
{
    *a = (struct asker){.cache = cache, .source = source};
    assert_int_equal(pthread_create(&a->thread, NULL, ask, a), 0);
}

TEST(it_loads_once_for_ten_callers)
{
    sc_cache *cache = cache_of(0, 0);
    struct cache_source source = CACHE_SOURCE("loaded");
    struct asker askers[10];
    sc_cache_stats stats;

    cache_source_close(&source);
    for (int i = 0; i < 10; i++)
        start_ask(&askers[i], cache, &source);
    cache_source_wait(&source, 1);
    cache_source_open(&source);
    for (int i = 0; i < 10; i++) {
        pthread_join(askers[i].thread, NULL);
        assert_ok(askers[i].err);
        assert_slice(askers[i].value.bytes, "loaded");
        sc_cache_value_release(&askers[i].value);
    }

    assert_int_equal(cache_source_loads(&source), 1);
    assert_string_equal(get(cache, "k"), "loaded");
    sc_cache_stats_get(cache, &stats);
    assert_int_equal(stats.loads, 1);
    assert_int_equal(stats.sets, 1);
    sc_cache_free(cache);
}

/* A load that waits, while something happens to its key or tag; who was there before gets its value. */
static sc_cache *load_while(void (*happen)(sc_cache *cache), const char *tag)
{
    sc_cache *cache = cache_of(0, 0);
    static struct cache_source source = CACHE_SOURCE("old");
    struct asker asker;

    source.tag = tag;
    cache_source_close(&source);
    start_ask(&asker, cache, &source);
    cache_source_wait(&source, 1);
    happen(cache);
    cache_source_open(&source);
    pthread_join(asker.thread, NULL);
    assert_ok(asker.err);
    assert_slice(asker.value.bytes, "old");
    sc_cache_value_release(&asker.value);
    return cache;
}

static void delete_it(sc_cache *cache)
{
    assert_ok(sc_cache_del(cache, SC_S("k"), NULL));
}

static void set_it(sc_cache *cache)
{
    set(cache, "k", "new");
}

static void delete_its_tag(sc_cache *cache)
{
    const sc_slice tag = SC_S("red");

    assert_ok(sc_cache_del_tags(cache, &tag, 1));
}

TEST(a_load_that_was_overtaken_by_a_delete_is_not_held)
{
    sc_cache *cache = load_while(delete_it, NULL);

    assert_null(get(cache, "k"));
    sc_cache_free(cache);
}

TEST(a_load_that_was_overtaken_by_a_set_is_not_held)
{
    sc_cache *cache = load_while(set_it, NULL);

    assert_string_equal(get(cache, "k"), "new");
    sc_cache_free(cache);
}

TEST(a_load_whose_tag_was_deleted_is_not_held)
{
    sc_cache *cache = load_while(delete_its_tag, "red");

    assert_null(get(cache, "k"));
    sc_cache_free(cache);
}

TEST(who_asks_after_a_tag_was_deleted_gets_no_older_load)
{
    sc_cache *cache = cache_of(0, 0);
    struct cache_source source = CACHE_SOURCE("old");
    struct asker before, after;

    source.tag = "red";
    cache_source_close(&source);
    start_ask(&before, cache, &source);
    cache_source_wait(&source, 1);
    delete_its_tag(cache);
    start_ask(&after, cache, &source);
    wait_until(cache->flights.count == 1); /* it may have joined, or not yet */
    cache_source_set(&source, "new");
    cache_source_open(&source);
    pthread_join(before.thread, NULL);
    pthread_join(after.thread, NULL);

    assert_slice(after.value.bytes, "new");
    assert_string_equal(get(cache, "k"), "new");
    sc_cache_value_release(&before.value);
    sc_cache_value_release(&after.value);
    sc_cache_free(cache);
}

TEST(tags_delete_and_expire)
{
    static const char *const tags[] = {"red", NULL};
    sc_cache *cache = cache_of(0, 0);
    struct cache_source source = CACHE_SOURCE("1");
    sc_cache_def def = def_of(60000);
    const sc_slice red = SC_S("red");

    def.tags = tags;
    expect(cache, &def, &source, "1");
    cache_source_set(&source, "2");
    expect(cache, &def, &source, "1");
    assert_ok(sc_cache_del_tags(cache, &red, 1));
    expect(cache, &def, &source, "2");

    cache_source_set(&source, "3");
    assert_ok(sc_cache_expire_tags(cache, &red, 1)); /* without a grace that is the end, too */
    assert_null(get(cache, "k"));
    expect(cache, &def, &source, "3");
    sc_cache_free(cache);
}

TEST(an_expired_value_is_given_in_its_grace_while_a_newer_one_is_loaded)
{
    static const char *const tags[] = {"red", NULL};
    sc_cache *cache = cache_of(0, 0);
    struct cache_source source = CACHE_SOURCE("1");
    sc_cache_def def = def_of(60000);
    const sc_slice red = SC_S("red");

    def.tags = tags;
    def.grace_ms = 600000;
    expect(cache, &def, &source, "1");
    cache_source_set(&source, "2");
    assert_ok(sc_cache_expire_tags(cache, &red, 1));
    expect(cache, &def, &source, "1");
    wait_until(get(cache, "k"));
    expect(cache, &def, &source, "2");

    cache_source_set(&source, "3");
    assert_ok(sc_cache_expire(cache, SC_S("k")));
    expect(cache, &def, &source, "2");
    wait_until(get(cache, "k"));
    expect(cache, &def, &source, "3");

    cache_source_set(&source, "4");
    sc__clock_shift(60001);
    expect(cache, &def, &source, "3");
    wait_until(get(cache, "k"));
    expect(cache, &def, &source, "4");
    sc__clock_shift(660001);
    assert_null(get(cache, "k"));
    sc_cache_free(cache);
}

TEST(expiring_a_value_without_grace_removes_it)
{
    sc_cache *cache = cache_of(0, 0);

    set(cache, "k", "v");
    assert_ok(sc_cache_expire(cache, SC_S("k")));
    assert_null(get(cache, "k"));
    assert_ok(sc_cache_expire(cache, SC_S("k")));
    sc_cache_free(cache);
}

TEST(a_value_past_its_soft_ttl_is_loaded_anew_behind)
{
    sc_cache *cache = cache_of(0, 0);
    struct cache_source source = CACHE_SOURCE("1");
    sc_cache_def def = def_of(60000);

    def.soft_ttl_ms = 10000;
    expect(cache, &def, &source, "1");
    cache_source_set(&source, "2");
    sc__clock_shift(10001);
    expect(cache, &def, &source, "1");
    assert_non_null(get(cache, "k"));

    wait_until(strcmp(get(cache, "k"), "2") == 0);
    assert_int_equal(cache_source_loads(&source), 2);
    sc_cache_free(cache);
}

TEST(there_is_no_such_thing_is_kept)
{
    sc_cache *cache = cache_of(0, 0);
    struct cache_source source = CACHE_SOURCE(NULL);
    sc_cache_def def = def_of(60000);
    char byte;
    size_t len;

    def.negative_ttl_ms = 1000;
    expect(cache, &def, &source, "");
    expect(cache, &def, &source, "");
    assert_int_equal(cache_source_loads(&source), 1);
    assert_false(sc_cache_try_copy(cache, SC_S("k"), &byte, 1, &len));
    sc__clock_shift(1100);
    cache_source_set(&source, "now");

    expect(cache, &def, &source, "now");
    sc_cache_free(cache);
}

TEST(an_error_is_given_again_for_its_time)
{
    sc_cache *cache = cache_of(0, 0);
    struct cache_source source = CACHE_SOURCE("v");
    sc_cache_def def = def_of(60000);
    sc_cache_value value;

    source.err = SC_EIO;
    assert_err(sc_cache_fetch(cache, &def, SC_S("k"), &source, &value), SC_EIO);
    assert_err(sc_cache_fetch(cache, &def, SC_S("k"), &source, &value), SC_EIO);
    assert_int_equal(cache_source_loads(&source), 2);
    def.error_ttl_ms = 1000;
    assert_err(sc_cache_fetch(cache, &def, SC_S("k"), &source, &value), SC_EIO);
    assert_err(sc_cache_fetch(cache, &def, SC_S("k"), &source, &value), SC_EIO);
    assert_int_equal(cache_source_loads(&source), 3);
    sc__clock_shift(1100);
    source.err = SC_OK;

    expect(cache, &def, &source, "v");
    sc_cache_free(cache);
}

TEST(a_held_value_is_copied_and_borrowed)
{
    sc_cache *cache = cache_of(0, 0);
    sc_cache_borrowed borrowed;
    char buffer[4] = "....";
    size_t len;

    assert_false(sc_cache_try_borrow(cache, SC_S("k"), &borrowed));
    set(cache, "k", "value");
    sc__clock_shift(1000);
    assert_true(sc_cache_try_copy(cache, SC_S("k"), buffer, 3, &len));
    assert_int_equal(len, 5);
    assert_memory_equal(buffer, "val.", 4);
    assert_true(sc_cache_try_copy(cache, SC_S("k"), NULL, 0, &len));
    assert_true(sc_cache_try_borrow(cache, SC_S("k"), &borrowed));
    assert_ok(sc_cache_del(cache, SC_S("k"), NULL));

    assert_slice(borrowed.bytes, "value");
    assert_in_range(borrowed.age_ms, 980, 30000);
    sc_cache_give_back(&borrowed);
    assert_false(sc_cache_try_borrow(cache, SC_S("k"), &borrowed));
    sc_cache_free(cache);
}

/* Sets a large value again and again, up to `times`. */
static sc_err set_large(sc_cache *cache, int times)
{
    enum { LEN = 1 << 20 };
    char *bytes = sc__calloc(1, LEN);
    sc_err err = SC_OK;

    for (int i = 0; i < times && !err; i++)
        err = sc_cache_set(cache, SC_S("large"), (sc_slice){bytes, LEN}, 60000);
    sc_free(bytes);
    return err;
}

static atomic_bool has_borrowed;

static void *borrow_until_busy(void *arg)
{
    sc_cache *cache = arg;
    sc_cache_borrowed borrowed;
    bool was_found = sc_cache_try_borrow(cache, SC_S("k"), &borrowed);

    atomic_store(&has_borrowed, true);
    while (was_found && !sc__near_is_busy(cache->alone.near))
        sched_yield();
    if (was_found)
        sc_cache_give_back(&borrowed);
    return was_found ? arg : NULL;
}

TEST(who_stores_waits_for_a_reader_who_comes_back)
{
    sc_cache *cache = cache_of(16 << 20, 0);
    pthread_t reader;
    void *was_found;

    set(cache, "k", "v");
    assert_int_equal(pthread_create(&reader, NULL, borrow_until_busy, cache), 0);
    wait_until(atomic_load(&has_borrowed));

    assert_ok(set_large(cache, 60));
    pthread_join(reader, &was_found);
    assert_non_null(was_found);
    sc_cache_free(cache);
}

TEST(and_is_refused_when_he_does_not)
{
    sc_cache *cache = cache_of(16 << 20, 0);
    sc_cache_borrowed borrowed;

    set(cache, "k", "v");
    assert_true(sc_cache_try_borrow(cache, SC_S("k"), &borrowed));

    assert_err(set_large(cache, 60), SC_EBUSY);
    assert_null(get(cache, "large"));
    assert_string_equal(get(cache, "k"), "v");
    sc_cache_give_back(&borrowed);
    assert_ok(set_large(cache, 1));
    sc_cache_free(cache);
}

TEST(without_memory_for_it_there_is_no_cache)
{
    sc_cache *cache = NULL;
    sc_err err = SC_ENOMEM;
    long fail_at;

    test_alloc_use();
    for (fail_at = 1; err && fail_at < 50; fail_at++) {
        atomic_store(&test_allocations, 0);
        atomic_store(&test_fail_at, fail_at);
        err = sc_cache_new(NULL, NULL, &cache, NULL);
        atomic_store(&test_fail_at, 0);
        if (err) {
            assert_int_equal(err, SC_ENOMEM);
            assert_int_equal(atomic_load(&test_live), 0);
        }
    }

    assert_ok(err);
    assert_true(fail_at > 5);
    sc_cache_free(cache);
    assert_int_equal(atomic_load(&test_live), 0);
}

/* many threads */

enum { THREADS = 4, ROUNDS = 3000, KEYS = 20 };

static _Atomic uint64_t truth[KEYS]; /* the source of all values */
static atomic_bool wrong;

static sc_err load_truth(sc_cache_load *load, sc_slice key, void *user)
{
    char text[24];
    int number = (int)strtol(key.ptr + 1, NULL, 10);
    int len = snprintf(text, sizeof(text), "%llu", (unsigned long long)atomic_load(&truth[number]));

    (void)user;
    sched_yield();
    return sc_cache_load_set(load, (sc_slice){text, (size_t)len});
}

static const sc_cache_def truth_def = {.name = "truth", .ttl_ms = 60000, .load = load_truth};

static void read_truth(sc_cache *cache, sc_slice key, int number)
{
    uint64_t least = atomic_load(&truth[number]);
    sc_cache_value value;

    /* What a writer wrote just now he may not have removed yet. */
    if (sc_cache_fetch(cache, &truth_def, key, NULL, &value)) {
        atomic_store(&wrong, true);
        return;
    }
    if (strtoull(value.bytes.ptr, NULL, 10) + 1 < least)
        atomic_store(&wrong, true);
    sc_cache_value_release(&value);
}

/* Each thread writes its own keys and reads all. */
static void write_truth(sc_cache *cache, sc_slice key, int number)
{
    uint64_t version = atomic_fetch_add(&truth[number], 1) + 1;
    sc_cache_value value;

    if (sc_cache_del(cache, key, NULL) || sc_cache_fetch(cache, &truth_def, key, NULL, &value)) {
        atomic_store(&wrong, true);
        return;
    }
    if (strtoull(value.bytes.ptr, NULL, 10) != version)
        atomic_store(&wrong, true);
    sc_cache_value_release(&value);
}

static atomic_int loads;

static sc_err load_counting(sc_cache_load *load, sc_slice key, void *user)
{
    (void)user;
    atomic_fetch_add(&loads, 1);
    return sc_cache_load_set(load, key);
}

static void *fetch_all(void *arg)
{
    for (int i = 0; i < ROUNDS; i++) {
        char text[16];
        sc_cache_value value;

        snprintf(text, sizeof(text), "k%d", i);
        if (sc_cache_get_or_set(arg, sc_slice_of(text), 60000, load_counting, NULL, &value))
            atomic_store(&wrong, true);
        else
            sc_cache_value_release(&value);
    }
    return NULL;
}

TEST_LIMIT(one_load_a_key_whatever_the_timing, 120)
{
    sc_cache *cache = cache_of(0, 0);
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, fetch_all, cache), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);

    assert_false(atomic_load(&wrong));
    assert_int_equal(atomic_load(&loads), ROUNDS);
    sc_cache_free(cache);
}

struct worker {
    pthread_t thread;
    sc_cache *cache;
    int part;
};

static void *work(void *arg)
{
    struct worker *w = arg;
    unsigned state = (unsigned)w->part + 1;

    for (int i = 0; i < ROUNDS; i++) {
        char text[16];
        sc_slice key;
        int number;

        state = state * 1664525u + 1013904223u;
        number = (int)(state >> 8) % KEYS;
        if (number < 0)
            number = -number;
        if (state % 4 == 0)
            number = number / THREADS * THREADS + w->part;
        key = (sc_slice){text, (size_t)snprintf(text, sizeof(text), "k%d", number)};
        if (number % THREADS == w->part && state % 4 == 0)
            write_truth(w->cache, key, number);
        else
            read_truth(w->cache, key, number);
    }
    return NULL;
}

TEST_LIMIT(no_thread_reads_an_older_value_than_it_knows, 120)
{
    struct worker workers[THREADS];
    sc_cache *cache = cache_of(0, KEYS / 2);

    for (int i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.cache = cache, .part = i};
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(workers[i].thread, NULL);

    assert_false(atomic_load(&wrong));
    sc_cache_free(cache);
}
