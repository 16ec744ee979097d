/* app/services/chapters.c: who hears of a new chapter, also when Redis was away */
#include "app/services/chapters.h"

#include <signal.h>

#include "app/import/import.h"
#include "app/queues.h"
#include "app/services/notifications.h"
#include "app/services/stories.h"
#include "app/services/users.h"
#include "base/clock.h"
#include "support/server.h"
#include "support/test.h"

struct fixture {
    struct test_server server;
    sc_client *client;
    struct queues *queues;
    struct catalog catalog;
    sc__arena arena;
    struct user ada, bob, eve;
    sc_reason reason;
};

static struct user add_user(struct fixture *f, const char *name)
{
    struct user user = {.clerk_id = sc_slice_of(name), .name = sc_slice_of(name)};

    assert_ok(user_put(&f->catalog, &user, &f->arena, NULL, &f->reason));
    return user;
}

/* "Sea" by Ada, with Bob for an editor and Eve for a follower. */
static void begin(struct fixture *f, int64_t command_timeout_ms)
{
    struct story_draft draft = {.title = SC_S("Sea"), .publish = true};
    sc_client_opts opts = {.command_timeout_ms = command_timeout_ms};
    struct story *story;
    char url[128];

    memset(f, 0, sizeof(*f));
    sc__arena_init(&f->arena, 64 * 1024 * 1024);
    test_server_start(&f->server);
    opts.url = f->server.url;
    assert_ok(sc_client_new(&opts, &f->client, NULL));
    assert_ok(sc_client_wait_ready(f->client, 30000, NULL));
    assert_ok(sc_cache_new(f->client, NULL, &f->catalog.cache, NULL));
    assert_ok(queues_initialize(f->client, "bull", &f->queues, NULL));
    snprintf(url, sizeof(url), "sqlite:%s/storychain.db", test_folder());
    assert_ok(store_open(url, &f->catalog.store, NULL));
    assert_ok(
        notifier_new(f->catalog.store, f->catalog.cache, f->queues, &f->catalog.notifier, NULL));
    f->ada = add_user(f, "ada");
    f->bob = add_user(f, "bob");
    f->eve = add_user(f, "eve");
    draft.author_id = f->ada.id;
    assert_ok(story_create(&f->catalog, &draft, &f->arena, &story, &f->reason));
    assert_ok(story_collaborate(&f->catalog, SC_S("sea"), f->bob.id, SC_S("editor"), NULL));
    assert_ok(story_follow(&f->catalog, SC_S("sea"), f->eve.id, true, NULL, NULL));
}

static void end(struct fixture *f)
{
    notifier_free(f->catalog.notifier);
    queues_destroy(f->queues, 0, NULL);
    sc_cache_free(f->catalog.cache);
    sc_client_free(f->client);
    store_close(f->catalog.store);
    sc__arena_release(&f->arena);
}

static sc_err publish(struct fixture *f, const char *title, const struct user *author)
{
    const struct chapter_draft draft = {
        .title = sc_slice_of(title), .content = SC_S("Water."), .author_id = author->id};
    struct chapter *chapter;
    sc_err unheard = SC_OK;

    if (chapter_publish(&f->catalog, SC_S("sea"), &draft, &f->arena, &chapter, &unheard,
                        &f->reason))
        fail_msg("%s", f->reason.text);
    return unheard;
}

static int64_t unread(struct fixture *f, const struct user *user)
{
    int64_t count = -1;

    assert_ok(store_notification_count_unread(f->catalog.store, user->id, &count, NULL));
    return count;
}

TEST(all_but_the_author_hear_of_a_chapter)
{
    struct notifications list;
    struct fixture f;

    begin(&f, 30000);
    assert_ok(publish(&f, "The \"Tide\"", &f.bob));
    assert_ok(
        store_notification_list(f.catalog.store, f.eve.id, true, 10, 0, &f.arena, &list, NULL));

    assert_int_equal(unread(&f, &f.ada), 1);
    assert_int_equal(unread(&f, &f.bob), 0);
    assert_int_equal(list.count, 1);
    assert_slice(list.items[0].type, "chapter.published");
    assert_slice(list.items[0].title, "New in Sea");
    assert_slice(list.items[0].message, "bob has published \"The \"Tide\"\".");
    assert_slice(list.items[0].action_url, "/stories/sea/chapters/the-tide");
    assert_slice(list.items[0].metadata, "{\"story\":\"sea\",\"chapter\":\"the-tide\"}");
    assert_string_equal(test_redis(&f.server, "LLEN bull:notification:wait"), "2");
    end(&f);
}

TEST_LIMIT(who_could_not_be_told_is_told_later_and_once, 60)
{
    struct fixture f;
    int64_t told = -1;

    begin(&f, 500);
    test_server_kill(&f.server, SIGKILL);
    wait_until(!sc_client_is_connected(f.client));
    assert_true(publish(&f, "Storm", &f.ada) != SC_OK);
    test_server_restart(&f.server);
    wait_until(sc_client_is_connected(f.client));
    assert_ok(chapter_tell_pending(&f.catalog, &told, &f.reason));
    assert_int_equal(told, 0);

    sc__clock_shift(20000);
    wait_until(chapter_tell_pending(&f.catalog, &told, &f.reason) == SC_OK);
    assert_int_equal(told, 1);
    assert_ok(chapter_tell_pending(&f.catalog, &told, &f.reason));
    assert_int_equal(told, 0);
    assert_int_equal(unread(&f, &f.bob), 1);
    assert_int_equal(unread(&f, &f.eve), 1);
    assert_int_equal(unread(&f, &f.ada), 0);
    assert_string_equal(test_redis(&f.server, "LLEN bull:notification:wait"), "2");
    end(&f);
}

TEST(the_sample_story_is_imported_once_and_tells_nobody)
{
    struct fixture f;
    sc_cache_value list, tree;
    size_t imported = 0;
    int64_t told = -1;

    begin(&f, 30000);
    assert_ok(story_list_json(&f.catalog, STORY_LIST_FEATURED, &list, &f.reason));
    sc_cache_value_release(&list);
    assert_ok(sample_import(&f.catalog, &imported, &f.reason));
    assert_int_equal(imported, 1);
    assert_ok(story_list_json(&f.catalog, STORY_LIST_FEATURED, &list, &f.reason));
    assert_int_equal(list.source, SC_CACHE_MISS);
    sc_cache_value_release(&list);
    assert_ok(sample_import(&f.catalog, &imported, &f.reason));
    assert_int_equal(imported, 0);
    sc__clock_shift(20000);
    assert_ok(chapter_tell_pending(&f.catalog, &told, &f.reason));
    assert_int_equal(told, 0);

    assert_ok(story_tree_json(&f.catalog, SC_S("the-lighthouse-that-walked"), &tree, &f.reason));
    assert_non_null(strstr(tree.bytes.ptr, "\"children\":[\"footprints\",\"the-cats-version\"]"));
    assert_non_null(
        strstr(tree.bytes.ptr, "\"children\":[\"up-the-stairs\",\"back-to-the-shore\"]"));
    sc_cache_value_release(&tree);
    end(&f);
}
