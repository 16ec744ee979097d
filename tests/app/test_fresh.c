/* app/services: after each write of one process no read of another is stale */
#include <stdatomic.h>

#include "app/app.h"
#include "app/services/chapters.h"
#include "app/services/notifications.h"
#include "app/services/stories.h"
#include "app/services/users.h"
#include "support/fleet.h"
#include "support/server.h"
#include "support/test.h"

/* What the two share. */
struct town {
    struct test_server server;
    char state[96];
    atomic_int turn;       /* odd: the reader's, even: the writer's */
    char ada[64], bob[64]; /* ids */
};

static void await_turn(struct town *town, int turn)
{
    wait_until(atomic_load(&town->turn) == turn);
}

static void pass(struct town *town)
{
    atomic_fetch_add(&town->turn, 1);
}

/* the writer: a whole StoryChain */

struct writer {
    struct town *town;
    struct app *app;
    sc__arena arena;
    sc_reason reason;
};

static void check(struct writer *w, sc_err err)
{
    if (err)
        fail_msg("%s: %s", sc_err_name(err), w->reason.text);
}

static void put_user(struct writer *w, const char *clerk_id, const char *name, char *ret_id)
{
    struct user user = {.clerk_id = sc_slice_of(clerk_id), .name = sc_slice_of(name)};

    check(w, user_put(&w->app->catalog, &user, &w->arena, NULL, &w->reason));
    if (ret_id)
        snprintf(ret_id, 64, "%.*s", (int)user.id.len, user.id.ptr);
}

static void create_story(struct writer *w, const char *title, bool publish)
{
    const struct story_draft draft = {
        .title = sc_slice_of(title), .author_id = sc_slice_of(w->town->ada), .publish = publish};
    struct story *story;

    check(w, story_create(&w->app->catalog, &draft, &w->arena, &story, &w->reason));
}

static void publish_chapter(struct writer *w, const char *slug, const char *parent)
{
    const struct chapter_draft draft = {.slug = sc_slice_of(slug),
                                        .title = sc_slice_of(slug),
                                        .content = SC_S("Once upon a time."),
                                        .parent_slug = sc_slice_of(parent),
                                        .author_id = sc_slice_of(w->town->ada)};
    struct chapter *chapter;

    check(w, chapter_publish(&w->app->catalog, SC_S("sea"), &draft, &w->arena, &chapter, NULL,
                             &w->reason));
}

static void create_published(struct writer *w)
{
    create_story(w, "Isle", true);
}

static void create_draft(struct writer *w)
{
    create_story(w, "Land", false);
}

static void publish_draft(struct writer *w)
{
    struct story *story;

    check(w, story_publish(&w->app->catalog, SC_S("land"), &w->arena, &story, &w->reason));
}

static void add_chapter(struct writer *w)
{
    publish_chapter(w, "two", "one");
}

static void follow(struct writer *w)
{
    check(w, story_follow(&w->app->catalog, SC_S("sea"), sc_slice_of(w->town->bob), true, NULL,
                          &w->reason));
}

static void unfollow(struct writer *w)
{
    check(w, story_follow(&w->app->catalog, SC_S("sea"), sc_slice_of(w->town->bob), false, NULL,
                          &w->reason));
}

static void collaborate(struct writer *w, const char *role)
{
    check(w, story_collaborate(&w->app->catalog, SC_S("sea"), sc_slice_of(w->town->bob),
                               sc_slice_of(role), &w->reason));
}

static void come(struct writer *w)
{
    collaborate(w, "editor");
}

static void change_role(struct writer *w)
{
    collaborate(w, "reviewer");
}

static void leave(struct writer *w)
{
    collaborate(w, NULL);
}

static void read_chapter(struct writer *w)
{
    check(w, chapter_mark_read(&w->app->catalog, sc_slice_of(w->town->bob), SC_S("sea"),
                               SC_S("one"), &w->reason));
}

static void rename_author(struct writer *w)
{
    put_user(w, "ada", "Countess", NULL);
}

static void rename_reader(struct writer *w)
{
    put_user(w, "bob", "Robert", NULL);
}

static void notify(struct writer *w)
{
    struct notification n = {.user_id = sc_slice_of(w->town->bob),
                             .type = SC_S("test"),
                             .title = SC_S("News"),
                             .message = SC_S("Something happened.")};

    check(w, notification_create(w->app->notifier, &n, &w->arena, &w->reason));
}

static void read_notifications(struct writer *w)
{
    check(w, notification_mark_read(w->app->notifier, sc_slice_of(w->town->bob),
                                    (sc_slice){NULL, 0}, NULL, &w->reason));
}

/* As an import does: past the services, and then told. */
static void import(struct writer *w)
{
    struct user ada = {.clerk_id = SC_S("ada"), .name = SC_S("Lady Lovelace")};
    struct story *story;

    check(w, store_user_put(w->app->store, &ada, &w->arena, NULL, &w->reason));
    check(w, store_story_find(w->app->store, SC_S("sea"), &w->arena, &story, &w->reason));
    story_changed(&w->app->catalog, story->id);
}

static const struct {
    const char *name;
    void (*run)(struct writer *w);
    bool shows; /* in the answers that are asked for */
} writes[] = {
    {"a story", create_published, true},
    {"a draft", create_draft, false},
    {"the draft's publication", publish_draft, true},
    {"a chapter", add_chapter, true},
    {"a follower", follow, true},
    {"a follower who leaves", unfollow, true},
    {"a collaborator", come, true},
    {"a collaborator's role", change_role, true},
    {"a collaborator who leaves", leave, true},
    {"a chapter that was read", read_chapter, true},
    {"an author's name", rename_author, true},
    {"a reader's name", rename_reader, true},
    {"a notification", notify, true},
    {"notifications that were read", read_notifications, true},
    {"an import", import, true},
};

enum { WRITES = sizeof(writes) / sizeof(*writes) };

static void write_all(struct town *town)
{
    const struct app_opts opts = {.state_dir = town->state, .redis_url = town->server.url};
    struct writer w = {.town = town};

    sc__arena_init(&w.arena, 64 * 1024 * 1024);
    check(&w, app_start(&opts, &w.app, &w.reason));
    put_user(&w, "ada", "Ada", town->ada);
    put_user(&w, "bob", "Bob", town->bob);
    create_story(&w, "Sea", true);
    publish_chapter(&w, "one", NULL);
    pass(town);
    for (int i = 0; i < WRITES; i++) {
        await_turn(town, 2 * i + 2);
        writes[i].run(&w);
        pass(town);
    }
    await_turn(town, 2 * WRITES + 2);
    app_stop(w.app, 5000, NULL);
    sc__arena_release(&w.arena);
}

/* the reader: another process with a connection and a cache of its own */

enum { ANSWERS = 17, TEXT_MAX = 16 * 1024 };

static sc_err ask(const struct catalog *c, const struct town *town, int answer,
                  sc_cache_value *ret_json)
{
    const sc_slice ada = sc_slice_of(town->ada), bob = sc_slice_of(town->bob), sea = SC_S("sea");

    switch (answer) {
    case 0:
        return story_detail_json(c, sea, ret_json, NULL);
    case 1:
        return story_overview_json(c, sea, ret_json, NULL);
    case 2:
        return story_tree_json(c, sea, ret_json, NULL);
    case 3:
        return story_list_json(c, STORY_LIST_PUBLISHED, ret_json, NULL);
    case 4:
        return story_list_json(c, STORY_LIST_NEW, ret_json, NULL);
    case 5:
        return story_list_json(c, STORY_LIST_FEATURED, ret_json, NULL);
    case 6:
        return story_user_list_json(c, ada, ret_json, NULL);
    case 7:
        return story_user_list_json(c, bob, ret_json, NULL);
    case 8:
        return story_search_json(c, sea, ret_json, NULL);
    case 9:
        return chapter_detail_json(c, sea, SC_S("one"), ret_json, NULL);
    case 10:
        return chapter_detail_json(c, sea, SC_S("two"), ret_json, NULL);
    case 11:
        return user_profile_json(c, SC_S("ada"), ret_json, NULL);
    case 12:
        return user_profile_json(c, SC_S("bob"), ret_json, NULL);
    case 13:
        return chapter_history_json(c, bob, sea, ret_json, NULL);
    case 14:
        return story_detail_json(c, SC_S("isle"), ret_json, NULL);
    case 15:
        return story_search_json(c, SC_S("Countess"), ret_json, NULL);
    default:
        return story_detail_json(c, SC_S("land"), ret_json, NULL);
    }
}

/* All answers as one text. */
static void ask_all(const struct catalog *c, const struct town *town, sc__str *out)
{
    struct notifier *notifier;
    int64_t count;

    sc__str_reset(out);
    for (int answer = 0; answer < ANSWERS; answer++) {
        sc_cache_value value = {0};
        sc_err err = ask(c, town, answer, &value);

        sc__str_printf(out, "\n%d: ", answer);
        sc__str_append(out, err ? sc_slice_of(sc_err_name(err)) : value.bytes);
        sc_cache_value_release(&value);
    }
    assert_ok(notifier_new(c->store, c->cache, NULL, &notifier, NULL));
    assert_ok(
        notification_count_unread(notifier, sc_slice_of(town->bob), &count, NULL, NULL, NULL));
    sc__str_printf(out, "\ncount: %d", (int)count);
    notifier_free(notifier);
    assert_ok(out->err);
}

/* What the store says now: nothing is in this cache yet. */
static void ask_store(struct store *store, const struct town *town, sc__str *out)
{
    struct catalog c = {.store = store};

    assert_ok(sc_cache_new(NULL, NULL, &c.cache, NULL));
    ask_all(&c, town, out);
    sc_cache_free(c.cache);
}

static void read_all(struct town *town)
{
    AUTO_STR before = STR_MAX(1024 * 1024);
    AUTO_STR after = STR_MAX(1024 * 1024);
    AUTO_STR truth = STR_MAX(1024 * 1024);
    struct catalog c = {NULL, NULL, NULL};
    sc_cache_opts opts = app_cache_opts();
    sc_cache_stats stats;
    sc_client *client;
    char url[128];

    await_turn(town, 1);
    snprintf(url, sizeof(url), "sqlite://%s/storychain.db", town->state);
    assert_ok(store_open(url, &c.store, NULL));
    client = test_server_client(&town->server);
    opts.timeout_ms = 10000;
    assert_ok(sc_cache_new(client, &opts, &c.cache, NULL));
    for (int i = 0; i < WRITES; i++) {
        for (int n = 0; n < 3; n++) /* from the store, from Redis, from memory */
            ask_all(&c, town, &before);
        pass(town);
        await_turn(town, 2 * i + 3);
        ask_all(&c, town, &after);
        ask_store(c.store, town, &truth);
        if (strcmp(after.ptr, truth.ptr))
            fail_msg("after %s:%s\nbut the store has:%s", writes[i].name, after.ptr, truth.ptr);
        if (writes[i].shows && strcmp(before.ptr, after.ptr) == 0)
            fail_msg("%s shows nowhere", writes[i].name);
    }
    pass(town);
    sc_cache_stats_get(c.cache, &stats);
    assert_true(stats.near_hits > WRITES);
    sc_cache_free(c.cache);
    sc_client_free(client);
    store_close(c.store);
}

static void run(void *memory, int number)
{
    if (number == 0)
        write_all(memory);
    else
        read_all(memory);
}

TEST_LIMIT(after_no_write_of_one_process_a_read_of_another_is_stale, 60)
{
    struct town *town = fleet_memory(sizeof(*town));
    struct test_server server;
    struct fleet fleet;

    test_server_start(&server);
    town->server =
        server; /* not started in there: the child that becomes it would write to it, too */
    snprintf(town->state, sizeof(town->state), "%s/state", test_folder());
    fleet_start(&fleet, 2, run, town);
    fleet_end(&fleet);
    test_server_kill(&server, 9);
}
