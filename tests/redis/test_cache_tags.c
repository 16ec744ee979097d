/* cache/tags.c: deleting and expiring values by what they are about */
#include <stdatomic.h>

#include "base/clock.h"
#include "ops/cache_tags.h"
#include "support/cache_fixture.h"
#include "support/test.h"

static const char *const story_tags[] = {"story", "story:sea", NULL};
static const sc_cache_def story = {.ttl_ms = 60000, .tags = story_tags, .load = cache_load};
static const sc_cache_def page = {.ttl_ms = 60000, .load = cache_load};
static const sc_cache_def lasting = {
    .ttl_ms = 60000, .grace_ms = 600000, .tags = story_tags, .load = cache_load};

static void del_tag(sc_cache *cache, const char *tag)
{
    const sc_slice one = sc_slice_of(tag);

    assert_ok(sc_cache_del_tags(cache, &one, 1));
}

static void expire_tag(sc_cache *cache, const char *tag)
{
    const sc_slice one = sc_slice_of(tag);

    assert_ok(sc_cache_expire_tags(cache, &one, 1));
}

TEST(a_tags_values_are_gone_in_every_process_once_it_is_deleted)
{
    struct cache_source source = CACHE_SOURCE("old");
    struct cache_fixture f;

    cache_fixture_start(&f);
    cache_expect(f.cache, &story, "a", &source, "old");
    cache_expect(f.cache, &story, "b", &source, "old");
    assert_int_equal(cache_expect(f.other, &story, "a", &source, "old").source, SC_CACHE_HIT);
    source.value = "new";

    del_tag(f.cache, "story:sea");
    assert_int_equal(cache_expect(f.other, &story, "a", &source, "new").source, SC_CACHE_MISS);
    assert_int_equal(cache_expect(f.cache, &story, "a", &source, "new").source, SC_CACHE_HIT);
    assert_int_equal(cache_expect(f.cache, &story, "b", &source, "new").source, SC_CACHE_MISS);
    assert_int_equal(cache_source_loads(&source), 4);
    cache_fixture_stop(&f);
}

TEST(a_tag_of_the_loader_works_as_one_of_the_definition)
{
    struct cache_source source = CACHE_SOURCE("old");
    struct cache_fixture f;
    sc_cache_value value;

    cache_fixture_start(&f);
    source.tag = "author:7";
    cache_expect(f.cache, &page, "a", &source, "old");
    assert_int_equal(cache_expect(f.other, &page, "a", &source, "old").source, SC_CACHE_HIT);
    source.value = "new";

    del_tag(f.other, "author:8");
    assert_int_equal(cache_expect(f.cache, &page, "a", &source, "old").source, SC_CACHE_HIT);
    del_tag(f.other, "author:7");
    assert_ok(sc_cache_get(f.cache, SC_S("a"), &value));
    assert_int_equal(value.source, SC_CACHE_MISS);
    cache_expect(f.cache, &page, "a", &source, "new");
    assert_int_equal(cache_source_loads(&source), 2);
    cache_fixture_stop(&f);
}

TEST(a_tagged_hit_is_one_command_and_a_tagged_miss_three)
{
    struct cache_source source = CACHE_SOURCE("v");
    struct cache_fixture f;

    cache_fixture_start(&f);
    cache_expect(f.cache, &story, "warm", &source, "v");
    test_redis(&f.server, "CONFIG RESETSTAT");
    cache_expect(f.cache, &story, "k", &source, "v");
    assert_int_equal(cache_calls(&f.server, "mget"), 1);
    assert_int_equal(cache_calls(&f.server, "evalsha"), 2);

    test_redis(&f.server, "CONFIG RESETSTAT");
    cache_expect(f.cache, &story, "k", &source, "v");
    assert_int_equal(cache_calls(&f.server, "get"), 1); /* what the tag says is known by now */
    assert_int_equal(cache_calls(&f.server, "mget"), 0);
    assert_int_equal(cache_calls(&f.server, "evalsha"), 0);
    cache_fixture_stop(&f);
}

TEST(deleting_a_tag_is_one_command_however_many_have_it)
{
    struct cache_source source = CACHE_SOURCE("v");
    struct cache_fixture f;
    char key[32];

    cache_fixture_start(&f);
    for (int i = 0; i < 300; i++) {
        snprintf(key, sizeof(key), "k%d", i);
        cache_expect(f.cache, &story, key, &source, "v");
    }
    del_tag(f.cache, "unknown");
    test_redis(&f.server, "CONFIG RESETSTAT");
    del_tag(f.cache, "story");
    assert_int_equal(cache_calls(&f.server, "evalsha"), 1);
    assert_int_equal(cache_calls(&f.server, "unlink"), 0);
    assert_int_equal(cache_calls(&f.server, "set"), 1);
    source.value = "w";
    cache_expect(f.other, &story, "k299", &source, "w");
    cache_fixture_stop(&f);
}

/* A fetch on a thread of its own. */
struct caller {
    pthread_t thread;
    sc_cache *cache;
    const sc_cache_def *def;
    struct cache_source *source;
    sc_cache_value value;
};

static void *fetch(void *arg)
{
    struct caller *c = arg;

    if (sc_cache_fetch(c->cache, c->def, SC_S("k"), c->source, &c->value))
        abort();
    return NULL;
}

static void start_fetch(struct caller *c, sc_cache *cache, const sc_cache_def *def,
                        struct cache_source *source)
{
    *c = (struct caller){.cache = cache, .def = def, .source = source};
    assert_int_equal(pthread_create(&c->thread, NULL, fetch, c), 0);
}

/* A tag is deleted while a value that will have it is being loaded: who waited gets it, Redis doesn't. */
static void does_not_resurrect(const sc_cache_def *def, const char *loaders_tag, const char *tag)
{
    struct cache_source source = CACHE_SOURCE("old"), next = CACHE_SOURCE("new");
    struct cache_fixture f;
    struct caller caller;

    cache_fixture_start(&f);
    source.tag = next.tag = loaders_tag;
    source.gated = true;
    start_fetch(&caller, f.cache, def, &source);
    cache_source_wait(&source, 1);
    del_tag(f.other, tag);
    cache_source_open(&source);
    pthread_join(caller.thread, NULL);

    assert_slice(caller.value.bytes, "old");
    sc_cache_value_release(&caller.value);
    assert_int_equal(cache_expect(f.other, def, "k", &next, "new").source, SC_CACHE_MISS);
    assert_int_equal(cache_expect(f.cache, def, "k", &next, "new").source, SC_CACHE_HIT);
    cache_fixture_stop(&f);
}

TEST(a_delete_by_the_definitions_tag_is_not_undone_by_a_load)
{
    does_not_resurrect(&story, NULL, "story:sea");
}

TEST(a_delete_by_the_loaders_tag_is_not_undone_by_a_load)
{
    does_not_resurrect(&page, "author:7", "author:7");
}

TEST(who_asks_after_a_delete_by_tag_joins_no_older_load)
{
    struct cache_source source = CACHE_SOURCE("old"), next = CACHE_SOURCE("new");
    struct cache_fixture f;
    struct caller first, second;

    cache_fixture_start(&f);
    source.tag = next.tag = "author:7";
    source.gated = true;
    start_fetch(&first, f.cache, &page, &source);
    cache_source_wait(&source, 1);
    del_tag(f.other, "author:7");
    start_fetch(&second, f.cache, &page, &next); /* may join the load, whose tag nobody knows yet */
    wait_until(cache_calls(&f.server, "get") >= 1);
    cache_source_open(&source);
    pthread_join(first.thread, NULL);
    pthread_join(second.thread, NULL);

    assert_slice(first.value.bytes, "old");
    assert_slice(second.value.bytes, "new");
    sc_cache_value_release(&first.value);
    sc_cache_value_release(&second.value);
    cache_fixture_stop(&f);
}

TEST(a_lost_tag_or_clock_means_deleted_and_heals)
{
    struct cache_source source = CACHE_SOURCE("1");
    struct cache_fixture f;

    cache_fixture_start(&f);
    cache_expect(f.cache, &story, "k", &source, "1");
    test_redis(&f.server, "DEL sc-cache:tag:story");
    source.value = "2";
    cache_expect(f.cache, &story, "k", &source, "2");
    cache_expect(f.cache, &story, "k", &source, "2");

    test_redis(&f.server, "DEL sc-cache:clock");
    cache_expect(f.cache, &story, "k", &source, "2");
    del_tag(f.cache, "story");
    source.value = "3";
    cache_expect(f.cache, &story, "k", &source, "3");

    test_redis(&f.server, "SET sc-cache:tag:story nonsense");
    source.value = "4";
    cache_expect(f.cache, &story, "k", &source, "4");
    test_redis(&f.server, "DEL sc-cache:tag:story");
    test_redis(&f.server, "HSET sc-cache:tag:story a b");
    source.value = "5";
    cache_expect(f.cache, &story, "k", &source, "5");
    cache_expect(f.cache, &story, "k", &source, "5");
    assert_int_equal(cache_expect(f.cache, &story, "k", &source, "5").source, SC_CACHE_HIT);
    cache_fixture_stop(&f);
}

TEST(changed_tags_of_a_definition_change_what_is_stored)
{
    static const char *const more[] = {"story", "story:sea", "site", NULL};
    const sc_cache_def changed = {.ttl_ms = 60000, .tags = more, .load = cache_load};
    struct cache_source source = CACHE_SOURCE("old");
    struct cache_fixture f;

    cache_fixture_start(&f);
    cache_expect(f.cache, &story, "k", &source, "old");
    del_tag(f.cache, "site");
    source.value = "new";
    cache_expect(f.cache, &changed, "k", &source, "new");
    assert_int_equal(cache_expect(f.cache, &changed, "k", &source, "new").source, SC_CACHE_HIT);
    cache_fixture_stop(&f);
}

TEST(an_expired_tags_values_are_given_while_they_are_loaded_anew)
{
    struct cache_source source = CACHE_SOURCE("old");
    struct cache_fixture f;
    sc_cache_value value;

    cache_fixture_start(&f);
    cache_expect(f.cache, &lasting, "k", &source, "old");
    source.value = "new";
    expire_tag(f.other, "story");
    value = cache_expect(f.cache, &lasting, "k", &source, "old");
    assert_int_equal(value.source, SC_CACHE_HIT);
    assert_true(value.stale);
    wait_until(sc_cache_get(f.other, SC_S("k"), &value) == SC_OK && value.bytes.len);
    assert_slice(value.bytes, "new");
    assert_false(value.stale);
    sc_cache_value_release(&value);
    assert_int_equal(cache_source_loads(&source), 2);
    cache_fixture_stop(&f);
}

TEST(an_expired_tags_values_without_a_grace_are_gone)
{
    struct cache_source source = CACHE_SOURCE("old");
    struct cache_fixture f;

    cache_fixture_start(&f);
    cache_expect(f.cache, &story, "k", &source, "old");
    source.value = "new";
    expire_tag(f.other, "story");
    cache_expect(f.cache, &story, "k", &source, "new");
    cache_fixture_stop(&f);
}

TEST(stored_values_have_their_tags_too)
{
    struct cache_source source = CACHE_SOURCE("loaded");
    struct cache_fixture f;

    cache_fixture_start(&f);
    assert_ok(sc_cache_store(f.cache, &story, SC_S("k"), SC_S("stored")));
    assert_int_equal(cache_expect(f.other, &story, "k", &source, "stored").source, SC_CACHE_HIT);
    assert_ok(sc_cache_store(f.cache, &story, SC_S("k"), SC_S("again")));
    cache_expect(f.other, &story, "k", &source, "again");
    del_tag(f.other, "story:sea");
    cache_expect(f.cache, &story, "k", &source, "loaded");
    cache_fixture_stop(&f);
}

TEST(bad_tags_are_refused)
{
    static char text[SC__TAG_LEN_MAX + 2];
    const sc_slice bad[] = {SC_S(""), {text, SC__TAG_LEN_MAX + 1}};
    const char *const empty[] = {"", NULL};
    const sc_cache_def def = {.ttl_ms = 1, .tags = empty, .load = cache_load};
    struct cache_source source = CACHE_SOURCE("v");
    struct cache_fixture f;
    sc_cache_value value;

    cache_fixture_start(&f);
    memset(text, 'x', sizeof(text) - 1);
    for (int i = 0; i < 2; i++) {
        assert_err(sc_cache_del_tags(f.cache, &bad[i], 1), SC_EINVAL);
        assert_err(sc_cache_expire_tags(f.cache, &bad[i], 1), SC_EINVAL);
    }
    assert_err(sc_cache_fetch(f.cache, &def, SC_S("k"), &source, &value), SC_EINVAL);
    assert_ok(sc_cache_del_tags(f.cache, NULL, 0));
    cache_fixture_stop(&f);
}

TEST(more_tags_than_one_call_takes_are_deleted_all)
{
    struct cache_source source = CACHE_SOURCE("old");
    static char text[40][16];
    struct cache_fixture f;
    sc_slice tags[40];

    cache_fixture_start(&f);
    source.tag = "t39";
    cache_expect(f.cache, &page, "k", &source, "old");
    for (int i = 0; i < 40; i++) {
        snprintf(text[i], sizeof(text[i]), "t%d", i);
        tags[i] = sc_slice_of(text[i]);
    }
    assert_ok(sc_cache_del_tags(f.other, tags, 40));
    source.value = "new";
    cache_expect(f.cache, &page, "k", &source, "new");
    cache_fixture_stop(&f);
}

TEST(a_tags_key_lives_longer_than_its_values)
{
    static const sc_cache_def forever = {
        .ttl_ms = SC_TTL_FOREVER, .tags = story_tags, .load = cache_load};
    struct cache_source source = CACHE_SOURCE("v");
    struct cache_fixture f;

    cache_fixture_start(&f);
    cache_expect(f.cache, &story, "k", &source, "v");
    assert_true(atoll(test_redis(&f.server, "PTTL sc-cache:tag:story")) > 60000);
    cache_expect(f.cache, &forever, "k2", &source, "v");
    assert_string_equal(test_redis(&f.server, "PTTL sc-cache:tag:story"), "-1");
    del_tag(f.cache, "story");
    assert_string_equal(test_redis(&f.server, "PTTL sc-cache:tag:story"), "-1");
    cache_fixture_stop(&f);
}

TEST(a_delete_by_tag_that_redis_missed_holds_here_and_is_made_up_for)
{
    struct cache_source source = CACHE_SOURCE("old");
    const sc_slice tag = SC_S("story");
    struct cache_fixture f;
    sc_cache_value value;

    cache_fixture_start(&f);
    cache_expect(f.cache, &story, "k", &source, "old");
    /* The scripts are refused: no key may be written to. */
    test_redis(&f.server, "ACL SETUSER default -evalsha -eval");
    assert_true(sc_cache_del_tags(f.cache, &tag, 1) != SC_OK);
    assert_ok(sc_cache_get(f.cache, SC_S("k"), &value));
    assert_int_equal(value.source, SC_CACHE_MISS);

    test_redis(&f.server, "ACL SETUSER default +evalsha +eval");
    source.value = "new";
    wait_until(strcmp(test_redis(&f.server, "EXISTS sc-cache:tag:story"), "0") == 0);
    cache_expect(f.other, &story, "k", &source, "new");
    cache_fixture_stop(&f);
}
