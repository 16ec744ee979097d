/* cache/tag_guess.c: tags that only the value knows are asked for in one command with it */
#include "support/cache_fixture.h"
#include "support/test.h"

static const char *const story_tags[] = {"story", NULL};
static const sc_cache_def page = {.ttl_ms = 60000, .load = cache_load};
static const sc_cache_def story = {.ttl_ms = 60000, .load = cache_load, .tags = story_tags};

static void del_tag(sc_cache *cache, const char *tag)
{
    const sc_slice slice = sc_slice_of(tag);

    assert_ok(sc_cache_del_tags(cache, &slice, 1));
}

/* How many commands read what a hit needs. */
static long commands_of_a_hit(struct cache_fixture *f, const sc_cache_def *def, const char *key,
                              struct cache_source *source)
{
    long before = cache_calls(&f->server, "get") + cache_calls(&f->server, "mget");
    const int loads = cache_source_loads(source);

    cache_expect(f->other, def, key, source, source->value);
    assert_int_equal(cache_source_loads(source), loads);
    return cache_calls(&f->server, "get") + cache_calls(&f->server, "mget") - before;
}

TEST(a_hit_with_tags_of_the_loader_is_one_command_from_the_second_on)
{
    struct cache_source source = CACHE_SOURCE("v");
    struct cache_fixture f;

    cache_fixture_start(&f);
    source.tag = "author:7";
    cache_expect(f.cache, &story, "a", &source, "v");
    assert_int_equal(commands_of_a_hit(&f, &story, "a", &source), 2);
    assert_int_equal(commands_of_a_hit(&f, &story, "a", &source), 1);
    assert_int_equal(commands_of_a_hit(&f, &page, "a", &source), 1); /* whatever its definition */
    cache_fixture_stop(&f);
}

TEST(a_get_that_knows_no_definition_is_one_command_too)
{
    struct cache_source source = CACHE_SOURCE("v");
    struct cache_fixture f;
    sc_cache_value value;

    cache_fixture_start(&f);
    cache_expect(f.cache, &story, "a", &source, "v");
    for (int i = 0; i < 2; i++) {
        test_redis(&f.server, "CONFIG RESETSTAT");
        assert_ok(sc_cache_get(f.other, SC_S("a"), &value));
        assert_int_equal(value.source, SC_CACHE_HIT);
        sc_cache_value_release(&value);
        assert_int_equal(cache_calls(&f.server, "mget"), 1);
        assert_int_equal(cache_calls(&f.server, "get"), i == 0);
        test_redis(&f.server, "PEXPIRE sc-cache:tag:story 3600000");
        wait_until(!cache_knows_tag(f.other, "story"));
    }
    cache_fixture_stop(&f);
}

TEST(a_tag_that_the_value_no_longer_has_does_not_count)
{
    struct cache_source source = CACHE_SOURCE("v");
    struct cache_fixture f;

    cache_fixture_start(&f);
    source.tag = "author:7";
    cache_expect(f.cache, &story, "a", &source, "v");
    commands_of_a_hit(&f, &story, "a", &source);
    assert_ok(sc_cache_del(f.cache, SC_S("a"), NULL));
    source.tag = "author:8";
    cache_expect(f.cache, &story, "a", &source, "v");
    del_tag(f.cache, "author:7");

    assert_int_equal(commands_of_a_hit(&f, &story, "a", &source),
                     2); /* it asks for the wrong one */
    assert_int_equal(commands_of_a_hit(&f, &story, "a", &source), 1);
    assert_ok(sc_cache_del(f.cache, SC_S("a"), NULL));
    source.tag = NULL;
    cache_expect(f.cache, &page, "a", &source, "v");
    del_tag(f.cache, "author:8");
    assert_int_equal(commands_of_a_hit(&f, &page, "a", &source), 1);
    assert_int_equal(commands_of_a_hit(&f, &page, "a", &source), 1);
    cache_fixture_stop(&f);
}

TEST(a_tag_that_the_value_has_now_counts_whatever_it_had)
{
    struct cache_source source = CACHE_SOURCE("old");
    struct cache_fixture f;

    cache_fixture_start(&f);
    source.tag = "author:7";
    cache_expect(f.cache, &story, "a", &source, "old");
    commands_of_a_hit(&f, &story, "a", &source);
    assert_ok(sc_cache_del(f.cache, SC_S("a"), NULL));
    source.tag = "author:8";
    cache_expect(f.cache, &story, "a", &source, "old");
    source.value = "new";
    del_tag(f.cache, "author:8");
    assert_int_equal(cache_expect(f.other, &story, "a", &source, "new").source, SC_CACHE_MISS);

    source.value = "newer";
    del_tag(f.cache, "author:8");
    assert_int_equal(cache_expect(f.other, &story, "a", &source, "newer").source, SC_CACHE_MISS);
    cache_fixture_stop(&f);
}
