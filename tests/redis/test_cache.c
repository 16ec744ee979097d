/* cache/: values and keys, against a real server */
#include "base/clock.h"
#include "base/mem.h"
#include "support/cache_fixture.h"
#include "support/test.h"

TEST(a_value_comes_back_as_it_was)
{
    static const char bytes[] = "\xffSC\x01L a lease? no: \0\x01\r\n\xf0";
    const sc_slice values[] = {SC_S(""),      SC_S("null"), SC_S("0"),
                               SC_S("false"), SC_S("\"\""), {bytes, sizeof(bytes)}};
    struct cache_fixture f;

    cache_fixture_start(&f);
    for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
        assert_ok(sc_cache_set(f.cache, SC_S("a\0b c"), values[i], 60000));
        cache_assert_hit(f.cache, SC_S("a\0b c"), values[i]);
    }
    cache_assert_miss(f.cache, SC_S("a"));
    cache_fixture_stop(&f);
}

TEST(a_large_value_is_stored_whole_and_one_over_the_limit_is_refused)
{
    enum { SIZE = 8 * 1024 * 1024 };
    char *bytes = sc__malloc(SIZE + 1);
    struct cache_fixture f;

    cache_fixture_start(&f);
    for (size_t i = 0; i <= SIZE; i++)
        bytes[i] = (char)(i * 31 >> 3);
    assert_ok(sc_cache_set(f.cache, SC_S("k"), (sc_slice){bytes, SIZE}, 60000));
    cache_assert_hit(f.cache, SC_S("k"), (sc_slice){bytes, SIZE});
    assert_err(sc_cache_set(f.cache, SC_S("k"), (sc_slice){bytes, SIZE + 1}, 60000), SC_ETOOBIG);
    sc_free(bytes);
    cache_fixture_stop(&f);
}

TEST(a_ttl_is_that_of_redis)
{
    struct cache_fixture f;

    cache_fixture_start(&f);
    assert_ok(sc_cache_set(f.cache, SC_S("minute"), SC_S("v"), 60000));
    assert_ok(sc_cache_set(f.cache, SC_S("months"), SC_S("v"), (int64_t)100 * 86400 * 1000));
    assert_ok(sc_cache_set(f.cache, SC_S("forever"), SC_S("v"), SC_TTL_FOREVER));
    assert_ok(sc_cache_set(f.cache, SC_S("short"), SC_S("v"), 20));

    assert_in_range(atoll(test_redis(&f.server, "PTTL minute")), 50000, 60000);
    assert_true(atoll(test_redis(&f.server, "PTTL months")) > (int64_t)99 * 86400 * 1000);
    assert_string_equal(test_redis(&f.server, "PTTL forever"), "-1");
    wait_until(strcmp(test_redis(&f.server, "EXISTS short"), "0") == 0);
    cache_assert_miss(f.cache, SC_S("short"));
    cache_fixture_stop(&f);
}

TEST(a_ttl_of_zero_stores_nothing_and_leaves_nothing)
{
    struct cache_source source = CACHE_SOURCE("v");
    sc_cache_value value;
    struct cache_fixture f;

    cache_fixture_start(&f);
    assert_ok(sc_cache_set(f.cache, SC_S("k"), SC_S("old"), 60000));
    assert_ok(sc_cache_set(f.cache, SC_S("k"), SC_S("new"), 0));
    cache_assert_miss(f.cache, SC_S("k"));
    assert_err(sc_cache_set(f.cache, SC_S("k"), SC_S("new"), -1), SC_EINVAL);
    for (int i = 1; i <= 2; i++) {
        assert_ok(sc_cache_get_or_set(f.cache, SC_S("k"), 0, cache_load, &source, &value));
        assert_slice(value.bytes, "v");
        assert_int_equal(source.loads, i);
        sc_cache_value_release(&value);
    }
    /* The lease of the last load is given up behind the answer. */
    wait_until(!strcmp(test_redis(&f.server, "EXISTS k"), "0"));
    cache_fixture_stop(&f);
}

TEST(exists_and_del_count_values_alone)
{
    const sc_slice keys[] = {SC_S("a"), SC_S("b"), SC_S("none"), SC_S("hash"), SC_S("empty")};
    struct cache_fixture f;
    int64_t removed;
    bool exists, gone;

    cache_fixture_start(&f);
    assert_ok(sc_cache_set(f.cache, SC_S("a"), SC_S("1"), 60000));
    assert_ok(sc_cache_set(f.cache, SC_S("b"), SC_S("2"), 60000));
    assert_ok(sc_cache_set(f.cache, SC_S("empty"), SC_S(""), 60000));
    test_redis(&f.server, "HSET hash f v");

    assert_ok(sc_cache_exists(f.cache, SC_S("a"), &exists));
    assert_true(exists);
    assert_ok(sc_cache_exists(f.cache, SC_S("empty"), &exists));
    assert_true(exists);
    assert_ok(sc_cache_exists(f.cache, SC_S("none"), &exists));
    assert_false(exists);
    assert_ok(sc_cache_exists(f.cache, SC_S("hash"), &exists));
    assert_false(exists);
    assert_ok(sc_cache_del(f.cache, SC_S("a"), &gone));
    assert_true(gone);
    assert_ok(sc_cache_del(f.cache, SC_S("a"), &gone));
    assert_false(gone);
    assert_ok(sc_cache_del_many(f.cache, keys, 5, &removed));
    assert_int_equal(removed, 3);
    assert_ok(sc_cache_del_many(f.cache, keys, 0, &removed));
    assert_int_equal(removed, 0);
    assert_string_equal(test_redis(&f.server, "DBSIZE"), "0");
    cache_fixture_stop(&f);
}

TEST(many_keys_are_removed_in_slices)
{
    enum { COUNT = 1234 };
    static char text[COUNT][16];
    static sc_slice keys[COUNT];
    struct cache_fixture f;
    int64_t removed;

    cache_fixture_start(&f);
    for (int i = 0; i < COUNT; i++) {
        snprintf(text[i], sizeof(text[i]), "key:%d", i);
        keys[i] = sc_slice_of(text[i]);
    }
    cache_populate(f.client, "key", 1000);
    assert_ok(sc_cache_del_many(f.cache, keys, COUNT, &removed));
    assert_int_equal(removed, 1000);
    assert_string_equal(test_redis(&f.server, "DBSIZE"), "0");
    cache_fixture_stop(&f);
}

TEST(keys_are_neither_empty_nor_over_their_limit)
{
    enum { LIMIT = 1024 * 1024, SIZE = LIMIT + 1 };
    char *bytes = sc__calloc(1, SIZE);
    struct cache_source source = CACHE_SOURCE("v");
    sc_cache_value value;
    struct cache_fixture f;
    bool exists;

    cache_fixture_start(&f);
    assert_err(sc_cache_get(f.cache, SC_S(""), &value), SC_EINVAL);
    assert_err(sc_cache_set(f.cache, SC_S(""), SC_S("v"), 1), SC_EINVAL);
    assert_err(sc_cache_del(f.cache, SC_S(""), NULL), SC_EINVAL);
    assert_err(sc_cache_exists(f.cache, SC_S(""), &exists), SC_EINVAL);
    assert_err(sc_cache_get_or_set(f.cache, SC_S(""), 1, cache_load, &source, &value), SC_EINVAL);
    assert_err(sc_cache_get(f.cache, (sc_slice){bytes, SIZE}, &value), SC_ETOOBIG);
    assert_err(sc_cache_set(f.cache, (sc_slice){bytes, SIZE}, SC_S("v"), 1), SC_ETOOBIG);
    assert_err(sc_cache_del(f.cache, (sc_slice){bytes, SIZE}, NULL), SC_ETOOBIG);
    assert_ok(
        sc_cache_get_or_set(f.cache, (sc_slice){bytes, SIZE}, 1, cache_load, &source, &value));
    assert_slice(value.bytes, "v");
    sc_cache_value_release(&value);
    assert_string_equal(test_redis(&f.server, "DBSIZE"), "0");
    assert_ok(sc_cache_set(f.cache, (sc_slice){bytes, LIMIT}, SC_S("v"), 60000));
    cache_assert_hit(f.cache, (sc_slice){bytes, LIMIT}, SC_S("v"));
    sc_free(bytes);
    cache_fixture_stop(&f);
}

TEST(a_plain_value_of_another_program_is_a_value)
{
    struct cache_source source = CACHE_SOURCE("loaded");
    sc_cache_value value;
    struct cache_fixture f;

    cache_fixture_start(&f);
    test_redis(&f.server, "SET k {\"a\":1}");

    assert_ok(sc_cache_get_or_set(f.cache, SC_S("k"), 60000, cache_load, &source, &value));
    assert_slice(value.bytes, "{\"a\":1}");
    assert_int_equal(value.source, SC_CACHE_HIT);
    assert_true(value.age_ms == -1);
    assert_int_equal(source.loads, 0);
    sc_cache_value_release(&value);
    cache_fixture_stop(&f);
}

/* All calls, made on the I/O thread. */
struct on_loop {
    sc_cache *cache;
    sc_err errs[6];
    bool done;
};

static void call_on_loop(void *user, sc_err err, const sc_reply *reply)
{
    struct on_loop *o = user;
    struct cache_source source = CACHE_SOURCE("v");
    sc_cache_value value;
    bool exists;

    (void)err, (void)reply;
    o->errs[0] = sc_cache_get(o->cache, SC_S("k"), &value);
    o->errs[1] = sc_cache_set(o->cache, SC_S("k"), SC_S("v"), 1);
    o->errs[2] = sc_cache_del(o->cache, SC_S("k"), NULL);
    o->errs[3] = sc_cache_del_pattern(o->cache, SC_S("k"), NULL, NULL);
    o->errs[4] = sc_cache_exists(o->cache, SC_S("k"), &exists);
    o->errs[5] = sc_cache_get_or_set(o->cache, SC_S("k"), 1, cache_load, &source, &value);
    __atomic_store_n(&o->done, true, __ATOMIC_RELEASE);
}

TEST(nothing_waits_on_the_io_thread)
{
    const sc_slice ping = SC_S("PING");
    struct on_loop o = {0};
    struct cache_fixture f;

    cache_fixture_start(&f);
    o.cache = f.cache;
    assert_ok(sc_client_call_async(f.client, &ping, 1, call_on_loop, &o));
    wait_until(__atomic_load_n(&o.done, __ATOMIC_ACQUIRE));
    for (int i = 0; i < 6; i++)
        assert_err(o.errs[i], SC_EDEADLK);
    cache_fixture_stop(&f);
}
