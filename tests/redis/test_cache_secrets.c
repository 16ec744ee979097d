/* cache/codec.c: what a cache with secrets takes from a real server, and leaves there */
#include "base/clock.h"
#include "support/cache_fixture.h"
#include "support/test.h"

static const sc_cache_secret old_secret = {1, "an old secret of 32 bytes ......"};
static const sc_cache_secret new_secret = {2, "a newer secret of 32 bytes ....."};

static const sc_cache_def def = {
    .ttl_ms = 60000, .negative_ttl_ms = 60000, .error_ttl_ms = 60000, .load = cache_load};

static sc_cache *with(struct cache_fixture *f, const sc_cache_secret *secrets, size_t count)
{
    const sc_cache_opts opts = {.timeout_ms = 10000, .secrets = secrets, .secret_count = count};
    sc_cache *cache;

    assert_ok(sc_cache_new(f->client, &opts, &cache, NULL));
    return cache;
}

/* The source's answer must come, after so many loads. */
static void must_give(sc_cache *cache, const char *key, struct cache_source *source, int loads)
{
    const char *value = source->value ? source->value : "";
    sc_cache_value got;

    if (source->err)
        assert_err(sc_cache_fetch(cache, &def, sc_slice_of(key), source, &got), source->err);
    else
        assert_int_equal(cache_expect(cache, &def, key, source, value).none, !source->value);
    assert_int_equal(cache_source_loads(source), loads);
}

static bool is_miss(sc_cache *cache, const char *key)
{
    sc_cache_value value;
    bool is_so;

    assert_ok(sc_cache_get(cache, sc_slice_of(key), &value));
    is_so = value.source == SC_CACHE_MISS;
    sc_cache_value_release(&value);
    return is_so;
}

TEST(secrets_keep_values_from_others_and_can_be_changed)
{
    const sc_cache_secret after[] = {new_secret, old_secret};
    struct cache_source source = CACHE_SOURCE("a private value");
    struct cache_fixture f;
    sc_cache *first, *second;

    cache_fixture_start(&f);
    first = with(&f, &old_secret, 1);
    must_give(first, "k", &source, 1);
    assert_null(strstr(test_redis(&f.server, "GETRANGE k 30 1000"), "private"));

    second = with(&f, after, 2);
    must_give(second, "k", &source, 1);

    must_give(f.cache, "k", &source, 2);
    assert_true(cache_fixture_was_told("with secret 1, which is not one of ours"));
    must_give(f.cache, "k", &source, 2);
    sc_cache_free(second);
    sc_cache_free(first);
    cache_fixture_stop(&f);
}

TEST(a_value_that_was_moved_to_another_key_is_a_miss)
{
    struct cache_source source = CACHE_SOURCE("of one");
    struct cache_fixture f;
    sc_cache *cache;

    cache_fixture_start(&f);
    cache = with(&f, &new_secret, 1);
    must_give(cache, "one", &source, 1);
    test_redis(&f.server, "RENAME one two");

    assert_true(is_miss(cache, "two"));
    assert_true(cache_fixture_was_told("belongs to another key"));
    sc_cache_free(cache);
    cache_fixture_stop(&f);
}

/* What another program, without the secret, says about a key: that there is no such thing, or that its load failed. */
static void must_not_be_forged(struct cache_source lie)
{
    struct cache_source source = CACHE_SOURCE("there is");
    struct cache_fixture f;
    sc_cache *cache;

    cache_fixture_start(&f);
    cache = with(&f, &new_secret, 1);
    must_give(f.cache, "k", &lie, 1);
    must_give(f.cache, "k", &lie, 1); /* it is kept, for those who believe it */

    must_give(cache, "k", &source, 1);
    assert_true(cache_fixture_was_told("it is not encrypted"));
    must_give(cache, "k", &source, 1);
    sc_cache_free(cache);
    cache_fixture_stop(&f);
}

TEST(nobody_without_the_secret_can_say_that_there_is_no_such_thing)
{
    struct cache_source lie = CACHE_SOURCE(NULL);

    must_not_be_forged(lie);
}

TEST(nobody_without_the_secret_can_say_that_a_load_failed)
{
    struct cache_source lie = CACHE_SOURCE(NULL);

    lie.err = SC_EREPLY;
    must_not_be_forged(lie);
}

/* Kept under the old secret, read under both, and not without it. */
static void must_be_kept_by(struct cache_source source)
{
    const sc_cache_secret after[] = {new_secret, old_secret};
    struct cache_fixture f;
    sc_cache *first, *second, *third;

    cache_fixture_start(&f);
    first = with(&f, &old_secret, 1);
    second = with(&f, after, 2);
    third = with(&f, &new_secret, 1);
    must_give(first, "k", &source, 1);
    must_give(second, "k", &source, 1);
    test_redis(&f.server, "RENAME k moved");
    must_give(second, "moved", &source, 2);
    assert_true(cache_fixture_was_told("belongs to another key"));
    must_give(first, "l", &source, 3);
    must_give(third, "l", &source, 4);
    must_give(second, "l", &source, 4);
    sc_cache_free(third);
    sc_cache_free(second);
    sc_cache_free(first);
    cache_fixture_stop(&f);
}

TEST(that_there_is_no_such_thing_is_kept_encrypted)
{
    struct cache_source nothing = CACHE_SOURCE(NULL);

    must_be_kept_by(nothing);
}

TEST(an_error_is_kept_encrypted)
{
    struct cache_source failing = CACHE_SOURCE(NULL);

    failing.err = SC_EREPLY;
    must_be_kept_by(failing);
}

TEST(what_was_put_back_after_its_time_is_a_miss)
{
    struct cache_source source = CACHE_SOURCE(NULL);
    struct cache_fixture f;
    sc_cache *cache;

    cache_fixture_start(&f);
    cache = with(&f, &new_secret, 1);
    must_give(cache, "none", &source, 1);
    source.value = "v";
    must_give(cache, "value", &source, 2);
    test_redis(&f.server, "PERSIST none");
    test_redis(&f.server, "PERSIST value");

    sc__clock_shift(61000);
    must_give(cache, "none", &source, 3);
    must_give(cache, "value", &source, 4);
    sc_cache_free(cache);
    cache_fixture_stop(&f);
}

TEST(plain_values_are_plain_whatever_secrets_there_are)
{
    static const sc_cache_def plain = {.ttl_ms = 60000, .plain = true, .load = cache_load};
    struct cache_source source = CACHE_SOURCE("for all to read");
    struct cache_fixture f;
    sc_cache *cache;

    cache_fixture_start(&f);
    cache = with(&f, &new_secret, 1);
    for (int i = 0; i < 2; i++)
        cache_expect(cache, &plain, "k", &source, "for all to read");
    assert_int_equal(source.loads, 1);
    assert_string_equal(test_redis(&f.server, "GET k"), "for all to read");
    assert_true(is_miss(cache, "k")); /* without the definition it is what nobody encrypted */
    assert_true(cache_fixture_was_told("it is not encrypted"));
    sc_cache_free(cache);
    cache_fixture_stop(&f);
}

TEST(a_plain_loader_that_finds_nothing_stores_nothing)
{
    static const sc_cache_def plain = {.ttl_ms = 60000, .plain = true, .load = cache_load};
    struct cache_source source = CACHE_SOURCE(NULL);
    struct cache_fixture f;

    source.ttl_ms = 60000;
    cache_fixture_start(&f);
    assert_true(cache_expect(f.cache, &plain, "k", &source, "").none);
    assert_string_equal(test_redis(&f.server, "EXISTS k"), "0");
    cache_fixture_stop(&f);
}

TEST(secrets_that_are_counted_and_not_given_are_refused)
{
    static const sc_cache_opts opts = {.secret_count = 1};
    struct cache_fixture f;
    sc_cache *cache;
    sc_reason reason;

    cache_fixture_start(&f);
    assert_err(sc_cache_new(f.client, &opts, &cache, &reason), SC_EINVAL);
    assert_non_null(strstr(reason.text, "secrets"));
    cache_fixture_stop(&f);
}
