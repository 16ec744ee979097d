/* app/invalidate.c */
#include <signal.h>

#include "app/cache_keys.h"
#include "app/invalidate.h"
#include "support/server.h"
#include "support/test.h"

struct fixture {
    struct test_server server;
    sc_client *client;
    sc_cache *cache;
};

static void set_up(struct fixture *f)
{
    test_server_start(&f->server);
    f->client = test_server_client(&f->server);
    assert_ok(sc_cache_new(f->client, NULL, &f->cache, NULL));
}

static void tear_down(struct fixture *f)
{
    sc_cache_free(f->cache);
    sc_client_free(f->client);
    test_server_kill(&f->server, SIGKILL);
}

/* A key and the tags that its value has beside those of its entity and operation. */
struct entry {
    const char *key, *tag, *list_tag;
};

static sc_err load(sc_cache_load *out, sc_slice key, void *user)
{
    const struct entry *entry = user;
    sc_err err = SC_OK;

    (void)key;
    if (entry->tag)
        err = sc_cache_load_tag(out, sc_slice_of(entry->tag));
    if (!err && entry->list_tag)
        err = sc_cache_load_tag(out, sc_slice_of(entry->list_tag));
    return err ? err : sc_cache_load_set(out, SC_S("v"));
}

static const sc_cache_def values = {.ttl_ms = 60000, .load = load};

/* From where it came. */
static sc_cache_source ask(struct fixture *f, const struct entry *entry)
{
    sc_cache_value value;

    assert_ok(sc_cache_fetch(f->cache, &values, sc_slice_of(entry->key), (void *)entry, &value));
    sc_cache_value_release(&value);
    return value.source;
}

static void store(struct fixture *f, const struct entry *entries)
{
    for (; entries->key; entries++) {
        ask(f, entries);
        ask(f, entries); /* the first ever may meet a tag clock that has just begun */
    }
}

static bool is_there(struct fixture *f, const struct entry *entry)
{
    sc_cache_value value;

    assert_ok(sc_cache_get(f->cache, sc_slice_of(entry->key), &value));
    sc_cache_value_release(&(sc_cache_value){.owner = value.owner});
    return value.source == SC_CACHE_HIT;
}

static void assert_stored(struct fixture *f, const struct entry *entries, bool expected)
{
    for (; entries->key; entries++)
        if (is_there(f, entries) != expected)
            fail_msg("%s is %s", entries->key, expected ? "gone" : "still there");
}

TEST(a_story_takes_along_its_chapters_and_lists_and_no_others)
{
    static const struct entry gone[] = {
        {"sc:story:detail:slug=sea", "sc:story:slug=sea", NULL},
        {"sc:story:tree:slug=sea", "sc:story:slug=sea", NULL},
        {"sc:chapter:detail:chapterSlug=two%2A:storySlug=sea", "sc:chapter:storySlug=sea", NULL},
        {"sc:story:list:published", CACHE_TAG_LISTS, NULL},
        {"sc:story:list:userId=u1", "sc:user:userId=u1", CACHE_TAG_LISTS},
        {NULL, NULL, NULL},
    };
    static const struct entry kept[] = {
        {"sc:story:detail:slug=sea-2", "sc:story:slug=sea-2", NULL},
        {"sc:chapter:detail:chapterSlug=one:storySlug=land", "sc:chapter:storySlug=land", NULL},
        {"sc:user:detail:clerkId=u1", NULL, NULL},
        {"sc:notification:count:userId=u1", "sc:user:userId=u1", NULL},
        {NULL, NULL, NULL},
    };
    static const struct entry chapter[] = {
        {"sc:chapter:detail:chapterSlug=one:storySlug=sea", "sc:chapter:storySlug=sea", NULL},
        {NULL, NULL, NULL},
    };
    struct fixture f;

    set_up(&f);
    store(&f, gone);
    store(&f, kept);
    invalidate_story(f.cache, SC_S("sea"), true);
    assert_stored(&f, gone, false);
    assert_stored(&f, kept, true);

    store(&f, chapter);
    invalidate_story(f.cache, SC_S("sea"), false);
    assert_stored(&f, chapter, true);
    tear_down(&f);
}

TEST(a_user_takes_along_profile_stories_and_notification_count)
{
    static const struct entry gone[] = {
        {"sc:user:detail:clerkId=clerk_1", NULL, NULL},
        {"sc:story:list:userId=u1", "sc:user:userId=u1", CACHE_TAG_LISTS},
        {"sc:notification:count:userId=u1", "sc:user:userId=u1", NULL},
        {NULL, NULL, NULL},
    };
    static const struct entry kept[] = {
        {"sc:user:detail:clerkId=u1", NULL, NULL},
        {"sc:story:list:published", CACHE_TAG_LISTS, NULL},
        {"sc:notification:count:userId=u2", "sc:user:userId=u2", NULL},
        {NULL, NULL, NULL},
    };
    struct fixture f;

    set_up(&f);
    store(&f, gone);
    store(&f, kept);

    invalidate_user(f.cache, SC_S("u1"), SC_S("clerk_1"));

    assert_stored(&f, gone, false);
    assert_stored(&f, kept, true);
    tear_down(&f);
}

TEST(a_chapter_takes_along_the_tree)
{
    static const struct entry gone[] = {
        {"sc:chapter:detail:chapterSlug=one:storySlug=sea", NULL, NULL},
        {"sc:story:tree:slug=sea", NULL, NULL},
        {NULL, NULL, NULL},
    };
    static const struct entry kept[] = {
        {"sc:story:detail:slug=sea", NULL, NULL},
        {"sc:chapter:detail:chapterSlug=two:storySlug=sea", NULL, NULL},
        {NULL, NULL, NULL},
    };
    struct fixture f;

    set_up(&f);
    store(&f, gone);
    store(&f, kept);

    invalidate_chapter(f.cache, SC_S("sea"), SC_S("one"));

    assert_stored(&f, gone, false);
    assert_stored(&f, kept, true);
    tear_down(&f);
}

TEST(single_values_are_removed)
{
    static const struct entry keys[] = {
        {"sc:notification:count:userId=u1", NULL, NULL},
        {"sc:reading-history:detail:storySlug=sea:userId=u1", NULL, NULL},
        {NULL, NULL, NULL},
    };
    struct fixture f;

    set_up(&f);
    store(&f, keys);
    invalidate_notification_count(f.cache, SC_S("u1"));
    invalidate_reading_history(f.cache, SC_S("u1"), SC_S("sea"));
    assert_stored(&f, keys, false);
    tear_down(&f);
}

TEST(an_entity_goes_without_a_search_for_its_keys)
{
    static const struct entry detail[] = {{"sc:story:detail:slug=sea", "sc:story:detail", NULL},
                                          {NULL, NULL, NULL}};
    static const struct entry tree[] = {{"sc:story:tree:slug=sea", "sc:story:tree", "sc:story"},
                                        {NULL, NULL, NULL}};
    struct fixture f;

    set_up(&f);
    store(&f, detail);
    store(&f, tree);
    invalidate_entity(f.cache, CACHE_STORY, CACHE_DETAIL);
    assert_stored(&f, detail, false);
    assert_stored(&f, tree, true);
    invalidate_entity(f.cache, CACHE_STORY, CACHE_ANY_OPERATION);
    assert_stored(&f, tree, false);
    assert_null(strstr(test_redis(&f.server, "INFO commandstats"), "cmdstat_scan"));
    tear_down(&f);
}

TEST(a_write_goes_on_while_redis_is_away)
{
    struct fixture f;

    set_up(&f);
    test_server_kill(&f.server, SIGKILL);
    invalidate_story(f.cache, SC_S("sea"), true);
    invalidate_user(f.cache, SC_S("u1"), SC_S("c1"));
    tear_down(&f);
}
