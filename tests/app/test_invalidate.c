/* app/invalidate.c */
#include <signal.h>

#include "app/cache_keys.h"
#include "app/invalidate.h"
#include "base/mem.h"
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

static void store(struct fixture *f, const char *const *keys)
{
    for (; *keys; keys++)
        assert_ok(sc_cache_set(f->cache, sc_slice_of(*keys), SC_S("v"), 60000));
}

static void assert_stored(struct fixture *f, const char *const *keys, bool expected)
{
    bool exists;

    for (; *keys; keys++) {
        assert_ok(sc_cache_exists(f->cache, sc_slice_of(*keys), &exists));
        if (exists != expected)
            fail_msg("%s is %s", *keys, exists ? "still there" : "gone");
    }
}

TEST(a_story_takes_along_its_chapters_and_lists_and_no_others)
{
    static const char *const gone[] = {
        "sc:story:detail:slug=sea",
        "sc:story:tree:slug=sea",
        "sc:story:overview:slug=sea",
        "sc:chapter:detail:chapterSlug=one:storySlug=sea",
        "sc:chapter:detail:chapterSlug=two%2A:storySlug=sea",
        "sc:story:list:published",
        "sc:story:list:new",
        "sc:story:list:featured",
        "sc:story:list:userId=u1",
        "sc:story:list:userId=u2",
        NULL,
    };
    static const char *const kept[] = {
        "sc:story:detail:slug=sea-2",
        "sc:chapter:detail:chapterSlug=one:storySlug=land",
        "sc:chapter:detail:chapterSlug=two:storySlug=sea",
        "sc:story:list:userId=u3",
        "sc:user:detail:clerkId=u1",
        "sc:notification:count:userId=u1",
        NULL,
    };
    const sc_slice chapters[] = {SC_S("one"), SC_S("two*")}, users[] = {SC_S("u1"), SC_S("u2")};
    const struct story_scope story = {SC_S("sea"), chapters, 2, users, 2};
    struct fixture f;

    set_up(&f);
    store(&f, gone);
    store(&f, kept);

    invalidate_story(f.cache, &story);

    assert_stored(&f, gone, false);
    assert_stored(&f, kept, true);
    tear_down(&f);
}

TEST(a_story_of_a_thousand_chapters_is_removed_whole)
{
    enum { COUNT = 1000 };
    static char text[COUNT][16];
    static sc_slice chapters[COUNT];
    const struct story_scope story = {SC_S("sea"), chapters, COUNT, NULL, 0};
    AUTO_STR key = CACHE_KEY;
    struct fixture f;

    set_up(&f);
    for (int i = 0; i < COUNT; i++) {
        snprintf(text[i], sizeof(text[i]), "chapter-%d", i);
        chapters[i] = sc_slice_of(text[i]);
        assert_ok(cache_key_chapter_detail(&key, story.slug, chapters[i]));
        assert_ok(sc_cache_set(f.cache, sc__str_slice(&key), SC_S("v"), 60000));
    }

    invalidate_story(f.cache, &story);

    assert_string_equal(test_redis(&f.server, "DBSIZE"), "0");
    tear_down(&f);
}

TEST(a_user_takes_along_profile_stories_and_notification_count)
{
    static const char *const gone[] = {"sc:user:detail:clerkId=clerk_1", "sc:story:list:userId=u1",
                                       "sc:notification:count:userId=u1", NULL};
    static const char *const kept[] = {"sc:user:detail:clerkId=u1", "sc:story:list:published",
                                       "sc:reading-history:detail:storySlug=sea:userId=u1", NULL};
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
    static const char *const gone[] = {"sc:chapter:detail:chapterSlug=one:storySlug=sea",
                                       "sc:story:tree:slug=sea", NULL};
    static const char *const kept[] = {"sc:story:detail:slug=sea",
                                       "sc:chapter:detail:chapterSlug=two:storySlug=sea", NULL};
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
    static const char *const keys[] = {"sc:notification:count:userId=u1",
                                       "sc:reading-history:detail:storySlug=sea:userId=u1", NULL};
    struct fixture f;

    set_up(&f);
    store(&f, keys);
    invalidate_notification_count(f.cache, SC_S("u1"));
    invalidate_reading_history(f.cache, SC_S("u1"), SC_S("sea"));
    assert_stored(&f, keys, false);
    tear_down(&f);
}

TEST(a_write_goes_on_while_redis_is_away)
{
    const struct story_scope story = {.slug = SC_S("sea")};
    struct fixture f;

    set_up(&f);
    test_server_kill(&f.server, SIGKILL);
    invalidate_story(f.cache, &story);
    invalidate_user(f.cache, SC_S("u1"), SC_S("c1"));
    tear_down(&f);
}
