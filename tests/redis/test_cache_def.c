/* cache/load.c: what a definition says of its values, but for old ones */
#include "support/cache_fixture.h"
#include "support/test.h"

TEST(nothing_is_a_value_that_can_be_kept)
{
    static const sc_cache_def def = {.ttl_ms = 60000, .negative_ttl_ms = 30000, .load = cache_load};
    static const sc_cache_def forgetful = {.ttl_ms = 60000, .load = cache_load};
    struct cache_source source = CACHE_SOURCE(NULL);
    struct cache_fixture f;
    sc_cache_value value;
    bool exists;

    cache_fixture_start(&f);
    value = cache_expect(f.cache, &def, "k", &source, "");
    assert_true(value.none);
    assert_int_equal(value.source, SC_CACHE_MISS);
    value = cache_expect(f.other, &def, "k", &source, "");
    assert_true(value.none);
    assert_int_equal(value.source, SC_CACHE_HIT);
    assert_ok(sc_cache_get(f.cache, SC_S("k"), &value));
    assert_true(value.none);
    assert_int_equal(value.source, SC_CACHE_HIT);
    assert_ok(sc_cache_exists(f.cache, SC_S("k"), &exists));
    assert_false(exists);
    assert_in_range(atoll(test_redis(&f.server, "PTTL k")), 20000, 30000);
    assert_int_equal(cache_source_loads(&source), 1);

    assert_true(cache_expect(f.cache, &forgetful, "k2", &source, "").none);
    source.value = "now";
    assert_false(cache_expect(f.cache, &forgetful, "k2", &source, "now").none);
    assert_ok(sc_cache_del(f.cache, SC_S("k"), NULL));
    cache_expect(f.cache, &def, "k", &source, "now");
    cache_fixture_stop(&f);
}

TEST(an_error_is_given_again_for_its_ttl)
{
    static const sc_cache_def def = {.ttl_ms = 60000, .error_ttl_ms = 30000, .load = cache_load};
    struct cache_source source = CACHE_SOURCE("v");
    struct cache_fixture f;
    sc_cache_value value;

    cache_fixture_start(&f);
    source.err = SC_EIO;
    assert_err(sc_cache_fetch(f.cache, &def, SC_S("k"), &source, &value), SC_EIO);
    wait_until(atoll(test_redis(&f.server, "PTTL k")) > 20000);
    assert_err(sc_cache_fetch(f.cache, &def, SC_S("k"), &source, &value), SC_EIO);
    assert_err(sc_cache_fetch(f.other, &def, SC_S("k"), &source, &value), SC_EIO);
    assert_int_equal(cache_source_loads(&source), 1);
    test_redis(&f.server, "PEXPIRE k 1");
    source.err = SC_OK;
    wait_until(sc_cache_fetch(f.other, &def, SC_S("k"), &source, &value) == SC_OK);
    assert_slice(value.bytes, "v");
    sc_cache_value_release(&value);
    cache_fixture_stop(&f);
}

TEST(jitter_makes_lives_shorter_and_never_longer)
{
    static const sc_cache_def def = {.ttl_ms = 1000000, .jitter_percent = 50, .load = cache_load};
    struct cache_source source = CACHE_SOURCE("v");
    struct cache_fixture f;
    bool differ = false;
    char text[32];

    cache_fixture_start(&f);
    for (int i = 0; i < 20; i++) {
        long long left;

        snprintf(text, sizeof(text), "k%d", i);
        cache_expect(f.cache, &def, text, &source, "v");
        snprintf(text, sizeof(text), "PTTL k%d", i);
        left = atoll(test_redis(&f.server, text));
        assert_in_range(left, 450000, 1000001);
        differ = differ || left < 900000;
    }
    assert_true(differ);
    cache_fixture_stop(&f);
}

TEST(definitions_that_say_nonsense_are_refused)
{
    static const char *const tags[] = {"t", NULL};
    const sc_cache_def bad[] = {
        {.ttl_ms = -1, .load = cache_load},
        {.ttl_ms = 1000},
        {.ttl_ms = 1000, .soft_ttl_ms = 1000, .load = cache_load},
        {.ttl_ms = 1000, .grace_ms = -1, .load = cache_load},
        {.ttl_ms = 1000, .jitter_percent = 91, .load = cache_load},
        {.ttl_ms = 1000, .eager = -1, .load = cache_load},
        {.ttl_ms = 1000, .plain = true, .tags = tags, .load = cache_load},
        {.ttl_ms = 1000, .plain = true, .schema = 1, .load = cache_load},
        {.ttl_ms = 1000, .schema = -1, .load = cache_load},
    };
    struct cache_source source = CACHE_SOURCE("v");
    struct cache_fixture f;
    sc_cache_value value;

    cache_fixture_start(&f);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_err(sc_cache_fetch(f.cache, &bad[i], SC_S("k"), &source, &value), SC_EINVAL);
    assert_err(sc_cache_fetch(f.cache, NULL, SC_S("k"), &source, &value), SC_EINVAL);
    assert_int_equal(cache_source_loads(&source), 0);
    cache_fixture_stop(&f);
}

TEST(a_plain_value_lies_in_redis_as_it_is)
{
    static const sc_cache_def def = {.ttl_ms = 60000, .plain = true, .load = cache_load};
    struct cache_source source = CACHE_SOURCE("{\"a\":1}");
    struct cache_fixture f;

    cache_fixture_start(&f);
    cache_expect(f.cache, &def, "k", &source, "{\"a\":1}");
    assert_string_equal(test_redis(&f.server, "GET k"), "{\"a\":1}");
    assert_in_range(atoll(test_redis(&f.server, "PTTL k")), 50000, 60000);
    assert_int_equal(cache_expect(f.other, &def, "k", &source, "{\"a\":1}").source, SC_CACHE_HIT);
    test_redis(&f.server, "SET k {\"a\":2}");
    cache_expect(f.cache, &def, "k", &source, "{\"a\":2}");
    assert_ok(sc_cache_store(f.cache, &def, SC_S("k"), SC_S("[]")));
    assert_string_equal(test_redis(&f.server, "GET k"), "[]");
    cache_fixture_stop(&f);
}

TEST(while_a_plain_value_is_loaded_its_key_holds_nothing)
{
    static const sc_cache_def def = {
        .ttl_ms = 60000, .plain = true, .hard_timeout_ms = 20, .load = cache_load};
    struct cache_source source = CACHE_SOURCE("mine");
    struct cache_fixture f;
    sc_cache_value value;

    cache_fixture_start(&f);
    cache_source_close(&source);
    assert_err(sc_cache_fetch(f.cache, &def, SC_S("k"), &source, &value), SC_ETIMEDOUT);
    assert_string_equal(test_redis(&f.server, "EXISTS k"), "0");
    test_redis(&f.server, "SET k theirs");
    cache_source_open(&source);
    wait_until(cache_source_loads(&source) == 1);
    sc_cache_free(f.cache); /* behind the load's end */
    f.cache = NULL;
    assert_string_equal(test_redis(&f.server, "GET k"), "theirs");
    cache_fixture_stop(&f);
}
