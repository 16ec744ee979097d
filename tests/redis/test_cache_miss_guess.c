/* cache/miss_guess.c: where most values have to be loaded, they are not looked for first */
#include "cache/handle.h"

#include "support/cache_fixture.h"
#include "support/test.h"

enum { MANY = 20 };

static const sc_cache_def def = {.ttl_ms = 60000, .load = cache_load};

static void expect(sc_cache *cache, const sc_cache_def *d, const char *key,
                   struct cache_source *source, sc_cache_source from)
{
    sc_cache_value value = cache_expect(cache, d, key, source, source->value);

    assert_int_equal(value.source, from);
    sc_cache_value_release(&value);
}

static void miss_many(struct cache_fixture *f, struct cache_source *source)
{
    char key[16];

    for (int i = 0; i < MANY; i++) {
        snprintf(key, sizeof(key), "new%d", i);
        expect(f->cache, &def, key, source, SC_CACHE_MISS);
    }
    test_redis(&f->server, "CONFIG RESETSTAT");
}

/* Those who ask for a lease read the clock. */
static void expect_commands(struct cache_fixture *f, long scripts, long gets)
{
    assert_int_equal(cache_calls(&f->server, "evalsha"), scripts);
    assert_int_equal(cache_calls(&f->server, "get"), gets);
    test_redis(&f->server, "CONFIG RESETSTAT");
}

TEST(a_miss_among_misses_is_two_commands)
{
    struct cache_source source = CACHE_SOURCE("v");
    struct cache_fixture f;

    cache_fixture_start(&f);
    expect(f.cache, &def, "a", &source, SC_CACHE_MISS);
    test_redis(&f.server, "CONFIG RESETSTAT");
    expect(f.cache, &def, "b", &source, SC_CACHE_MISS);
    expect_commands(&f, 2, 2);
    miss_many(&f, &source);
    expect(f.cache, &def, "c", &source, SC_CACHE_MISS);
    expect_commands(&f, 2, 1);
    cache_assert_hit(f.other, SC_S("c"), SC_S("v"));
    cache_fixture_stop(&f);
}

TEST(a_hit_among_misses_is_one_and_hits_bring_the_look_back)
{
    struct cache_source source = CACHE_SOURCE("v");
    struct cache_fixture f;

    cache_fixture_start(&f);
    expect(f.other, &def, "a", &source, SC_CACHE_MISS);
    miss_many(&f, &source);
    expect(f.cache, &def, "a", &source, SC_CACHE_HIT);
    expect_commands(&f, 1, 1);
    for (int i = 0; i < MANY; i++)
        expect(f.cache, &def, "a", &source, SC_CACHE_HIT);
    test_redis(&f.server, "CONFIG RESETSTAT");
    expect(f.cache, &def, "a", &source, SC_CACHE_HIT);
    expect_commands(&f, 0, 1);
    cache_fixture_stop(&f);
}

TEST(misses_of_one_definition_say_nothing_of_another)
{
    const sc_cache_def another = {.name = "another", .ttl_ms = 60000, .load = cache_load};
    struct cache_source source = CACHE_SOURCE("v");
    struct cache_fixture f;

    cache_fixture_start(&f);
    expect(f.other, &def, "a", &source, SC_CACHE_MISS);
    miss_many(&f, &source);
    expect(f.cache, &another, "a", &source, SC_CACHE_HIT);
    expect_commands(&f, 0, 1);
    cache_fixture_stop(&f);
}

TEST(one_who_waits_for_another_process_was_missing_it)
{
    struct cache_source slow = CACHE_SOURCE("slow"), source = CACHE_SOURCE("v");
    struct cache_fixture f;
    struct cache_call there, here;

    cache_fixture_start(&f);
    miss_many(&f, &source);
    cache_source_close(&slow);
    cache_call_start(&there, f.other, &slow);
    cache_source_wait(&slow, 1);
    cache_call_start(&here, f.cache, &source);
    wait_until(atomic_load(&f.cache->count.lease_waits) == 1);
    cache_source_open(&slow);
    cache_call_end(&there);
    cache_call_end(&here);
    assert_slice(here.value.bytes, "slow");
    sc_cache_value_release(&there.value);
    sc_cache_value_release(&here.value);
    assert_int_equal(cache_source_loads(&slow), 1);
    assert_int_equal(cache_source_loads(&source), MANY);
    cache_fixture_stop(&f);
}

/* Of a definition with tags the lease's script makes those known, too. */
TEST(a_tag_deleted_during_an_early_load_keeps_its_value_out)
{
    static const char *const tags[] = {"t", NULL};
    static const sc_cache_def tagged = {.ttl_ms = 60000, .load = cache_load, .tags = tags};
    struct cache_source source = CACHE_SOURCE("v");
    struct cache_fixture f;
    struct cache_call call;

    cache_fixture_start(&f);
    source.tag = "t";
    miss_many(&f, &source);
    cache_source_close(&source);
    cache_call_start(&call, f.cache, &source);
    cache_source_wait(&source, MANY + 1);
    assert_ok(sc_cache_del_tags(f.other, &SC_S("t"), 1));
    cache_source_open(&source);
    cache_call_end(&call);
    sc_cache_value_release(&call.value);
    cache_assert_miss(f.other, SC_S("k"));
    expect(f.other, &tagged, "k", &source, SC_CACHE_MISS);
    expect(f.cache, &tagged, "k", &source, SC_CACHE_HIT);
    cache_fixture_stop(&f);
}

TEST(a_server_that_is_full_gives_what_it_has_and_no_lease)
{
    struct cache_source source = CACHE_SOURCE("v");
    struct cache_fixture f;

    cache_fixture_start(&f);
    expect(f.other, &def, "a", &source, SC_CACHE_MISS);
    miss_many(&f, &source);
    test_redis(&f.server, "CONFIG SET maxmemory 1");
    expect(f.cache, &def, "a", &source, SC_CACHE_HIT);
    expect(f.cache, &def, "b", &source, SC_CACHE_MISS);
    assert_string_equal(test_redis(&f.server, "EXISTS b"), "0");
    assert_non_null(strstr(cache_fixture_last_line(), "Redis stores no values"));
    test_redis(&f.server, "CONFIG RESETSTAT");
    expect(f.cache, &def, "a", &source,
           SC_CACHE_HIT); /* it looks first again, and asks for no lease */
    expect_commands(&f, 0, 1);
    cache_fixture_stop(&f);
}
