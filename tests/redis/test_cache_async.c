/* cache/async.c: calls that don't wait */
#include <signal.h>
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

/* both ways of asking give the same */

struct given {
    atomic_bool is_there;
    sc_err err;
    sc_cache_source source;
    bool none, stale;
    size_t len;
    uint64_t hash;
};

static uint64_t hash_of(sc_slice bytes)
{
    uint64_t hash = 14695981039346656037u;

    for (size_t i = 0; i < bytes.len; i++)
        hash = (hash ^ (unsigned char)bytes.ptr[i]) * 1099511628211u;
    return hash;
}

static void note(void *user, sc_err err, const sc_cache_value *got)
{
    struct given *g = user;

    g->err = err;
    if (!err) {
        g->source = got->source;
        g->none = got->none;
        g->stale = got->stale;
        g->len = got->bytes.len;
        g->hash = hash_of(got->bytes);
    }
    atomic_store(&g->is_there, true);
}

static void ask(sc_cache *cache, const sc_cache_def *def, const char *key,
                struct cache_source *source, bool waits, struct given *ret_given)
{
    sc_cache_value v = {0};
    sc_err err;

    *ret_given = (struct given){0};
    if (waits) {
        err = def ? sc_cache_fetch(cache, def, sc_slice_of(key), source, &v)
                  : sc_cache_get(cache, sc_slice_of(key), &v);
        note(ret_given, err, &v);
        sc_cache_value_release(&v);
        return;
    }
    if (def)
        assert_ok(sc_cache_fetch_async(cache, def, sc_slice_of(key), source, note, ret_given));
    else
        assert_ok(sc_cache_get_async(cache, sc_slice_of(key), note, ret_given));
    wait_until(atomic_load(&ret_given->is_there));
}

static void expect_same(sc_cache *cache, const sc_cache_def *def, const char *key,
                        struct cache_source *source)
{
    struct given one, other;

    for (int i = 0; i < 2; i++) {
        ask(cache, def, key, source, true, &one);
        ask(cache, def, key, source, false, &other);
        assert_int_equal(other.err, one.err);
        assert_int_equal(other.source, one.source);
        assert_int_equal(other.none, one.none);
        assert_int_equal(other.stale, one.stale);
        assert_int_equal(other.len, one.len);
        assert_true(other.hash == one.hash);
    }
}

static void store(sc_cache *cache, const char *key, size_t size)
{
    char *bytes = malloc(size + 1);

    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)('a' + i / 7 % 26);
    assert_ok(sc_cache_set(cache, sc_slice_of(key), (sc_slice){bytes, size}, 60000));
    free(bytes);
}

TEST(whatever_lies_at_a_key_is_given_as_by_calls_that_wait)
{
    const sc_cache_def keeps = {
        .ttl_ms = 60000, .negative_ttl_ms = 60000, .error_ttl_ms = 60000, .load = cache_load};
    struct cache_source source = CACHE_SOURCE(NULL);
    struct cache_fixture f;
    struct given g;

    cache_fixture_start(&f);
    store(f.cache, "small", 100);
    store(f.cache, "compressed", 10000);
    store(f.cache, "large", 1000000);
    store(f.cache, "empty", 0);
    test_redis(&f.server, "SET foreign text");
    test_redis(&f.server, "LPUSH list item");
    ask(f.cache, &keeps, "none", &source, true, &g);
    source.err = SC_EIO;
    ask(f.cache, &keeps, "failed", &source, true, &g);
    wait_until(strcmp(test_redis(&f.server, "EXISTS failed"), "1") == 0);
    source.err = SC_OK;
    for (const char *const *key =
             (const char *const[]){"small", "compressed", "large", "empty", "foreign", "list",
                                   "none", "failed", "missing", NULL};
         *key; key++)
        expect_same(f.cache, NULL, *key, NULL);
    for (const char *const *key = (const char *const[]){"small", "compressed", "large", "empty",
                                                        "foreign", "list", "none", "failed", NULL};
         *key; key++)
        expect_same(f.cache, &keeps, *key, &source);
    cache_fixture_stop(&f);
}

TEST(tags_are_asked_for_and_what_they_delete_is_loaded_anew)
{
    struct cache_source source = CACHE_SOURCE("v");
    struct cache_fixture f;
    struct given g;

    cache_fixture_start(&f);
    source.tag = "t";
    for (int round = 1; round <= 3; round++) {
        ask(f.cache, &value, "k", &source, false, &g);
        assert_int_equal(g.source, SC_CACHE_MISS);
        for (int i = 0; i < 3; i++) { /* the other cache has never seen its tags */
            ask(f.other, &value, "k", &source, false, &g);
            assert_int_equal(g.source, SC_CACHE_HIT);
        }
        assert_int_equal(source.loads, round);
        assert_ok(sc_cache_del_tags(f.cache, &SC_S("t"), 1));
        ask(f.other, NULL, "k", NULL, false, &g);
        assert_int_equal(g.source, SC_CACHE_MISS);
    }
    cache_fixture_stop(&f);
}

TEST(an_old_value_is_given_and_renewed_behind_and_a_get_gives_none)
{
    const sc_cache_def soft = {.ttl_ms = 60000, .soft_ttl_ms = 1, .load = cache_load};
    const sc_cache_def grace = {.ttl_ms = 60000, .grace_ms = 60000, .load = cache_load};
    struct cache_source source = CACHE_SOURCE("v1"), other = CACHE_SOURCE("w1");
    struct cache_fixture f;
    struct given g;

    cache_fixture_start(&f);
    ask(f.cache, &soft, "soft", &source, false, &g);
    cache_source_set(&source, "v2");
    do { /* once it is old enough */
        ask(f.cache, &soft, "soft", &source, false, &g);
        assert_int_equal(g.source, SC_CACHE_HIT);
    } while (cache_source_loads(&source) < 2);

    ask(f.cache, &grace, "grace", &other, false, &g);
    assert_ok(sc_cache_expire(f.cache, SC_S("grace")));
    ask(f.cache, NULL, "grace", NULL, false, &g);
    assert_int_equal(g.source, SC_CACHE_MISS);
    ask(f.cache, &grace, "grace", &other, false, &g);
    assert_true(g.stale);
    wait_until(cache_source_loads(&other) == 2);
    cache_fixture_stop(&f);
}

TEST(a_value_that_is_held_comes_to_the_callback_on_the_io_thread)
{
    const sc_cache_opts opts = {.near_bytes = 1 << 20};
    struct cache_fixture f;
    struct answer a = {0};
    sc_cache *near;

    cache_fixture_start(&f);
    store(f.cache, "k", 10);
    assert_ok(sc_cache_new(f.client, &opts, &near, NULL));
    a.cache = near;
    for (int i = 1; i <= 3; i++) {
        assert_ok(sc_cache_get_async(near, SC_S("k"), on_value, &a));
        await(&a, i);
        assert_int_equal(a.inner_err, SC_EDEADLK);
        assert_int_equal(a.source, i == 1 ? SC_CACHE_HIT : SC_CACHE_NEAR);
    }
    sc_cache_free(near);
    cache_fixture_stop(&f);
}

TEST(a_definition_that_says_nonsense_is_told_by_the_callback)
{
    const char *const tags[] = {"", NULL};
    const sc_cache_def bad = {.ttl_ms = 1, .load = cache_load, .tags = tags};
    struct cache_source source = CACHE_SOURCE("v");
    struct cache_fixture f;
    struct given g;

    cache_fixture_start(&f);
    ask(f.cache, &bad, "k", &source, false, &g);
    assert_err(g.err, SC_EINVAL);
    cache_fixture_stop(&f);
}

TEST(calls_to_a_server_that_hangs_end_with_what_is_loaded_even_while_the_cache_is_freed)
{
    const sc_cache_opts opts = {.timeout_ms = 300};
    struct cache_source source = CACHE_SOURCE("v");
    struct cache_fixture f;
    struct answer a = {0};
    sc_cache *hasty;

    cache_fixture_start(&f);
    assert_ok(sc_cache_new(f.client, &opts, &hasty, NULL));
    kill(f.server.pid, SIGSTOP);
    for (int i = 0; i < 20; i++) {
        assert_ok(sc_cache_fetch_async(hasty, &value, SC_S("k"), &source, on_value, &a));
        assert_ok(sc_cache_get_async(hasty, SC_S("k"), on_value, &a));
    }
    sc_cache_free(hasty);
    assert_int_equal(a.count, 40);
    assert_ok(a.err);
    kill(f.server.pid, SIGCONT);
    cache_fixture_stop(&f);
}
