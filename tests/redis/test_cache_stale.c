/* cache/lead.c: old values that are given while newer ones are loaded */
#include <stdatomic.h>

#include "base/clock.h"
#include "support/cache_fixture.h"
#include "support/test.h"

/* The server's clock is not ours to move, so what must be over soon is short, and what is to be stale is expired. */
static const sc_cache_def soft = {.ttl_ms = 60000, .soft_ttl_ms = 300, .load = cache_load};
static const sc_cache_def graceful = {.ttl_ms = 60000, .grace_ms = 600000, .load = cache_load};

static void expire(struct cache_fixture *f)
{
    assert_ok(sc_cache_expire(f->other, SC_S("k")));
}

static int64_t age(struct cache_fixture *f)
{
    sc_cache_value value;

    int64_t age_ms;

    assert_ok(sc_cache_get(f->cache, SC_S("k"), &value));
    age_ms = value.age_ms;
    sc_cache_value_release(&value);
    return age_ms;
}

static const char *stored(struct cache_fixture *f)
{
    static char text[64];
    sc_cache_value value;

    assert_ok(sc_cache_get(f->cache, SC_S("k"), &value));
    snprintf(text, sizeof(text), "%.*s", (int)value.bytes.len,
             value.bytes.ptr ? value.bytes.ptr : "");
    sc_cache_value_release(&value);
    return text;
}

TEST(after_its_soft_ttl_a_value_is_given_and_loaded_anew_behind)
{
    struct cache_source source = CACHE_SOURCE("old");
    struct cache_fixture f;
    sc_cache_value value;

    cache_fixture_start(&f);
    cache_expect(f.cache, &soft, "k", &source, "old");
    wait_until(age(&f) > 300);
    cache_source_close(&source);
    for (int i = 0; i < 20; i++) {
        value = cache_expect(f.cache, &soft, "k", &source, "old");
        assert_int_equal(value.source, SC_CACHE_HIT);
        assert_false(value.stale);
        cache_expect(f.other, &soft, "k", &source, "old");
    }
    cache_source_wait(&source, 2);
    assert_string_equal(source.old, "");
    source.value = "new";
    cache_source_open(&source);
    wait_until(strcmp(stored(&f), "new") == 0);
    assert_string_equal(source.old, "old");
    assert_int_equal(cache_source_loads(&source), 2);
    cache_fixture_stop(&f);
}

TEST(in_its_grace_a_value_is_given_as_stale)
{
    struct cache_source source = CACHE_SOURCE("old");
    struct cache_fixture f;
    sc_cache_value value;
    sc_cache_stats stats;

    cache_fixture_start(&f);
    cache_expect(f.cache, &graceful, "k", &source, "old");
    expire(&f);
    assert_string_equal(stored(&f), ""); /* a get gives no stale value */
    source.value = "new";
    value = cache_expect(f.cache, &graceful, "k", &source, "old");
    assert_true(value.stale);
    wait_until(strcmp(stored(&f), "new") == 0);
    value = cache_expect(f.cache, &graceful, "k", &source, "new");
    assert_false(value.stale);
    sc_cache_stats_get(f.cache, &stats);
    assert_int_equal(stats.stale, 1);
    cache_fixture_stop(&f);
}

TEST(after_its_grace_a_value_is_gone)
{
    static const sc_cache_def brief = {.ttl_ms = 20, .grace_ms = 200, .load = cache_load};
    struct cache_source source = CACHE_SOURCE("old");
    struct cache_fixture f;

    cache_fixture_start(&f);
    cache_expect(f.cache, &graceful, "k", &source, "old");
    assert_in_range(atoll(test_redis(&f.server, "PTTL k")), 600000, 660000);
    cache_expect(f.cache, &brief, "k2", &source, "old");
    wait_until(strcmp(test_redis(&f.server, "EXISTS k2"), "0") == 0);
    source.value = "new";
    assert_int_equal(cache_expect(f.cache, &brief, "k2", &source, "new").source, SC_CACHE_MISS);
    cache_fixture_stop(&f);
}

TEST(a_soft_timeout_waits_a_little_for_the_newer_value)
{
    static const sc_cache_def def = {
        .ttl_ms = 60000, .grace_ms = 600000, .soft_timeout_ms = 600000, .load = cache_load};
    struct cache_source source = CACHE_SOURCE("old");
    struct cache_fixture f;

    cache_fixture_start(&f);
    cache_expect(f.cache, &def, "k", &source, "old");
    expire(&f);
    source.value = "new";
    assert_false(cache_expect(f.cache, &def, "k", &source, "new").stale);
    cache_fixture_stop(&f);
}

TEST(after_a_soft_timeout_the_stale_value_is_given_and_the_load_ends_behind)
{
    static const sc_cache_def def = {
        .ttl_ms = 60000, .grace_ms = 600000, .soft_timeout_ms = 20, .load = cache_load};
    struct cache_source source = CACHE_SOURCE("old");
    struct cache_fixture f;

    cache_fixture_start(&f);
    cache_expect(f.cache, &def, "k", &source, "old");
    expire(&f);
    cache_source_close(&source);
    assert_true(cache_expect(f.cache, &def, "k", &source, "old").stale);
    source.value = "new";
    cache_source_open(&source);
    wait_until(strcmp(stored(&f), "new") == 0);
    cache_fixture_stop(&f);
}

TEST(after_a_hard_timeout_the_call_fails_and_the_load_ends_behind)
{
    static const sc_cache_def def = {.ttl_ms = 10000, .hard_timeout_ms = 20, .load = cache_load};
    struct cache_source source = CACHE_SOURCE("v");
    struct cache_fixture f;
    sc_cache_value value;

    cache_fixture_start(&f);
    cache_source_close(&source);
    assert_err(sc_cache_fetch(f.cache, &def, SC_S("k"), &source, &value), SC_ETIMEDOUT);
    cache_source_open(&source);
    wait_until(strcmp(stored(&f), "v") == 0);
    assert_int_equal(cache_source_loads(&source), 1);
    cache_fixture_stop(&f);
}

TEST(a_hard_timeout_that_does_not_pass_changes_nothing)
{
    static const sc_cache_def def = {
        .ttl_ms = 10000, .hard_timeout_ms = 600000, .load = cache_load};
    struct cache_source source = CACHE_SOURCE("v");
    struct cache_fixture f;
    sc_cache_value value;

    cache_fixture_start(&f);
    assert_int_equal(cache_expect(f.cache, &def, "k", &source, "v").source, SC_CACHE_MISS);
    wait_until(cache_expect(f.cache, &def, "k", &source, "v").source == SC_CACHE_HIT);
    source.err = SC_EIO;
    assert_err(sc_cache_fetch(f.cache, &def, SC_S("k2"), &source, &value), SC_EIO);
    cache_fixture_stop(&f);
}

/* Whether a fetch gives this value, and not stale. */
static bool gives_fresh(struct cache_fixture *f, const sc_cache_def *def,
                        struct cache_source *source, const char *text)
{
    sc_cache_value got;
    bool is_so;

    assert_ok(sc_cache_fetch(f->cache, def, SC_S("k"), source, &got));
    is_so = !got.stale && sc_slice_eq(got.bytes, sc_slice_of(text));
    sc_cache_value_release(&got);
    return is_so;
}

TEST(a_failed_renewal_leaves_the_old_value_and_rests)
{
    static const sc_cache_def def = {
        .ttl_ms = 60000, .grace_ms = 600000, .error_ttl_ms = 60000, .load = cache_load};
    struct cache_source source = CACHE_SOURCE("old");
    struct cache_fixture f;

    cache_fixture_start(&f);
    cache_expect(f.cache, &def, "k", &source, "old");
    expire(&f);
    source.err = SC_EIO;
    assert_true(cache_expect(f.cache, &def, "k", &source, "old").stale);
    cache_source_wait(&source, 2);
    /* It rests once the failure has been told to Redis, behind the loader's end. */
    wait_until(atoll(test_redis(&f.server, "PTTL sc-cache:renew:k")) > 20000);
    for (int i = 0; i < 20; i++) {
        assert_true(cache_expect(f.cache, &def, "k", &source, "old").stale);
        assert_true(cache_expect(f.other, &def, "k", &source, "old").stale);
    }
    assert_int_equal(cache_source_loads(&source), 2);

    sc__clock_shift(61000);
    test_redis(&f.server, "DEL sc-cache:renew:k"); /* the server's clock does not move */
    source.err = SC_OK;
    source.value = "new";
    wait_until(gives_fresh(&f, &def, &source, "new"));
    cache_fixture_stop(&f);
}

TEST(a_delete_during_a_renewal_is_not_undone)
{
    struct cache_source source = CACHE_SOURCE("old"), next = CACHE_SOURCE("new");
    struct cache_fixture f;

    cache_fixture_start(&f);
    cache_expect(f.cache, &graceful, "k", &source, "old");
    expire(&f);
    source.value = "older";
    cache_source_close(&source);
    cache_expect(f.cache, &graceful, "k", &source, "old");
    cache_source_wait(&source, 2);
    assert_ok(sc_cache_del(f.other, SC_S("k"), NULL));
    assert_int_equal(cache_expect(f.cache, &graceful, "k", &next, "new").source, SC_CACHE_MISS);
    cache_source_open(&source);
    wait_until(strcmp(test_redis(&f.server, "EXISTS sc-cache:renew:k"), "0") == 0);
    assert_string_equal(stored(&f), "new");
    cache_fixture_stop(&f);
}

TEST(a_renewal_that_finds_nothing_removes_the_old_value)
{
    struct cache_source source = CACHE_SOURCE("old");
    struct cache_fixture f;

    cache_fixture_start(&f);
    cache_expect(f.cache, &graceful, "k", &source, "old");
    expire(&f);
    source.value = NULL;
    cache_expect(f.cache, &graceful, "k", &source, "old");
    wait_until(strcmp(test_redis(&f.server, "EXISTS k"), "0") == 0);
    assert_true(cache_expect(f.cache, &graceful, "k", &source, "").none);
    cache_fixture_stop(&f);
}

TEST(a_loader_may_keep_the_old_value)
{
    struct cache_source source = CACHE_SOURCE("old");
    struct cache_fixture f;
    sc_cache_value value;

    cache_fixture_start(&f);
    cache_expect(f.cache, &graceful, "k", &source, "old");
    expire(&f);
    source.keeps = true;
    cache_expect(f.cache, &graceful, "k", &source, "old");
    wait_until(strcmp(stored(&f), "old") == 0);
    value = cache_expect(f.cache, &graceful, "k", &source, "old");
    assert_false(value.stale);
    assert_err(sc_cache_fetch(f.cache, &graceful, SC_S("k2"), &source, &value), SC_ESTATE);
    cache_fixture_stop(&f);
}

TEST(an_expired_key_is_stale_if_it_has_a_grace_and_else_gone)
{
    static const sc_cache_def plain_ttl = {.ttl_ms = 60000, .load = cache_load};
    struct cache_source source = CACHE_SOURCE("old");
    struct cache_fixture f;

    cache_fixture_start(&f);
    cache_expect(f.cache, &graceful, "k", &source, "old");
    cache_expect(f.cache, &plain_ttl, "k2", &source, "old");
    cache_source_close(&source);
    assert_ok(sc_cache_expire(f.other, SC_S("k")));
    assert_ok(sc_cache_expire(f.other, SC_S("k2")));
    assert_ok(sc_cache_expire(f.other, SC_S("unknown")));
    assert_err(sc_cache_expire(f.other, SC_S("")), SC_EINVAL);
    assert_true(cache_expect(f.cache, &graceful, "k", &source, "old").stale);
    assert_string_equal(test_redis(&f.server, "EXISTS k2"), "0");
    assert_in_range(atoll(test_redis(&f.server, "PTTL k")), 590000, 670000);
    source.value = "new";
    cache_source_open(&source);
    wait_until(strcmp(stored(&f), "new") == 0);
    cache_fixture_stop(&f);
}

TEST(an_eager_value_is_loaded_anew_before_its_time)
{
    /* So eager that any call is too late. */
    static const sc_cache_def def = {.ttl_ms = 600000, .eager = 1e12, .load = cache_load};
    static const sc_cache_def calm = {.ttl_ms = 600000, .eager = 1e-9, .load = cache_load};
    struct cache_source source = CACHE_SOURCE("old");
    struct cache_fixture f;

    cache_fixture_start(&f);
    cache_expect(f.cache, &calm, "k", &source, "old");
    for (int i = 0; i < 100; i++)
        cache_expect(f.cache, &calm, "k", &source, "old");
    assert_int_equal(cache_source_loads(&source), 1);
    cache_source_set(&source, "new");
    assert_false(cache_expect(f.cache, &def, "k", &source, "old").stale);
    wait_until(strcmp(stored(&f), "new") == 0);
    cache_fixture_stop(&f);
}

TEST(a_loader_that_hangs_in_a_renewal_does_not_keep_the_cache_from_ending)
{
    struct cache_source source = CACHE_SOURCE("old");
    struct cache_fixture f;

    cache_fixture_start(&f);
    cache_expect(f.cache, &graceful, "k", &source, "old");
    expire(&f);
    for (int i = 0; i < 10; i++)
        cache_expect(f.cache, &graceful, "k", &source, "old");
    cache_fixture_stop(&f); /* waits for the load that may be under way */
    assert_true(cache_source_loads(&source) <= 2);
}

/* What is kept of `user` for loads behind. */
struct kept {
    struct cache_source *source;
    atomic_int *copies;
};

static void *keep(const void *user)
{
    const struct kept *kept = user;
    struct kept *copy = malloc(sizeof(*copy));

    *copy = *kept;
    atomic_fetch_add(kept->copies, 1);
    return copy;
}

static void drop(void *user)
{
    struct kept *kept = user;

    atomic_fetch_sub(kept->copies, 1);
    free(kept);
}

static sc_err load_kept(sc_cache_load *load, sc_slice key, void *user)
{
    return cache_load(load, key, ((struct kept *)user)->source);
}

TEST(what_a_load_behind_needs_is_copied_and_freed)
{
    static const sc_cache_def def = {
        .ttl_ms = 60000, .grace_ms = 600000, .load = load_kept, .keep = keep, .drop = drop};
    struct cache_source source = CACHE_SOURCE("old");
    atomic_int copies = 0;
    struct cache_fixture f;
    sc_cache_value value;

    cache_fixture_start(&f);
    for (int i = 0; i < 2; i++) {
        struct kept *user = malloc(sizeof(*user));

        *user = (struct kept){&source, &copies};
        assert_ok(sc_cache_fetch(f.cache, &def, SC_S("k"), user, &value));
        sc_cache_value_release(&value);
        free(user);
        source.value = "new";
        if (!i)
            expire(&f);
    }
    wait_until(strcmp(stored(&f), "new") == 0);
    wait_until(atomic_load(&copies) == 0);
    cache_fixture_stop(&f);
}
