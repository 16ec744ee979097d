/* app/services: stories, chapters and users, on a real Redis */
#include "app/services/stories.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "app/services/chapters.h"
#include "app/services/users.h"
#include "support/server.h"
#include "support/test.h"

struct fixture {
    struct test_server server;
    sc_client *client;
    struct catalog catalog;
    sc__arena arena;
    struct user ada, bob;
    sc_reason reason;
};

static struct user add_user(struct fixture *f, const char *name)
{
    struct user user = {.clerk_id = sc_slice_of(name), .name = sc_slice_of(name)};

    assert_ok(user_put(&f->catalog, &user, &f->arena, NULL, &f->reason));
    return user;
}

static void add_chapter(struct fixture *f, const char *slug, const char *parent)
{
    const struct chapter_draft draft = {.slug = sc_slice_of(slug),
                                        .title = sc_slice_of(slug),
                                        .content = SC_S("Once *upon* a time."),
                                        .parent_slug = sc_slice_of(parent),
                                        .author_id = f->ada.id};
    struct chapter *chapter;

    if (chapter_publish(&f->catalog, SC_S("sea"), &draft, &f->arena, &chapter, NULL, &f->reason))
        fail_msg("%s", f->reason.text);
}

/* A store and a cache; one story, "sea", by Ada. */
static void begin(struct fixture *f)
{
    struct story_draft draft = {.title = SC_S("Sea"), .publish = true};
    struct story *story;
    char url[128];

    memset(f, 0, sizeof(*f));
    sc__arena_init(&f->arena, 256 * 1024 * 1024);
    test_server_start(&f->server);
    f->client = test_server_client(&f->server);
    assert_ok(sc_cache_new(f->client, NULL, &f->catalog.cache, NULL));
    snprintf(url, sizeof(url), "sqlite:%s/storychain.db", test_folder());
    assert_ok(store_open(url, &f->catalog.store, NULL));
    f->ada = add_user(f, "ada");
    f->bob = add_user(f, "bob");
    draft.author_id = f->ada.id;
    assert_ok(story_create(&f->catalog, &draft, &f->arena, &story, &f->reason));
    assert_slice(story->slug, "sea");
}

static void end(struct fixture *f)
{
    sc_cache_free(f->catalog.cache);
    sc_client_free(f->client);
    store_close(f->catalog.store);
    sc__arena_release(&f->arena);
}

/* What each answer is asked by, so that a write can be tried on all of them. */
enum { DETAIL, OVERVIEW, TREE, LIST, NEW, USERS, CHAPTER, PROFILE, HISTORY, ANSWERS };

static sc_err ask(struct fixture *f, int answer, sc_cache_value *ret_json)
{
    const sc_slice sea = SC_S("sea");

    switch (answer) {
    case DETAIL:
        return story_detail_json(&f->catalog, sea, ret_json, &f->reason);
    case OVERVIEW:
        return story_overview_json(&f->catalog, sea, ret_json, &f->reason);
    case TREE:
        return story_tree_json(&f->catalog, sea, ret_json, &f->reason);
    case LIST:
        return story_list_json(&f->catalog, STORY_LIST_PUBLISHED, ret_json, &f->reason);
    case NEW:
        return story_list_json(&f->catalog, STORY_LIST_NEW, ret_json, &f->reason);
    case USERS:
        return story_user_list_json(&f->catalog, f->ada.id, ret_json, &f->reason);
    case CHAPTER:
        return chapter_detail_json(&f->catalog, sea, SC_S("one"), ret_json, &f->reason);
    case PROFILE:
        return user_profile_json(&f->catalog, SC_S("ada"), ret_json, &f->reason);
    default:
        return chapter_history_json(&f->catalog, f->bob.id, sea, ret_json, &f->reason);
    }
}

/* The answer's text, in a buffer of its own, and where it came from. */
static const char *get(struct fixture *f, int answer, sc_cache_source *ret_source)
{
    sc_cache_value value;
    const char *copy;

    if (ask(f, answer, &value))
        fail_msg("answer %d: %s", answer, f->reason.text);
    copy = sc__arena_dup(&f->arena, value.bytes);
    if (ret_source)
        *ret_source = value.source;
    sc_cache_value_release(&value);
    return copy;
}

static void warm(struct fixture *f)
{
    for (int answer = 0; answer < ANSWERS; answer++)
        get(f, answer, NULL);
}

static void assert_shows(struct fixture *f, int answer, const char *part)
{
    const char *text = get(f, answer, NULL);

    if (!strstr(text, part))
        fail_msg("answer %d lacks %s: %s", answer, part, text);
}

TEST(every_answer_is_loaded_once_and_then_a_hit)
{
    struct fixture f;
    sc_cache_source first, second;

    begin(&f);
    add_chapter(&f, "one", NULL);
    for (int answer = 0; answer < ANSWERS; answer++) {
        const char *loaded = get(&f, answer, &first), *cached = get(&f, answer, &second);

        assert_int_equal(first, SC_CACHE_MISS);
        assert_int_equal(second, SC_CACHE_HIT);
        assert_string_equal(loaded, cached);
    }

    assert_string_equal(test_redis(&f.server, "EXISTS sc:story:detail:slug=sea "
                                              "sc:story:overview:slug=sea sc:story:tree:slug=sea "
                                              "sc:story:list:published sc:story:list:new "
                                              "sc:chapter:detail:chapterSlug=one:storySlug=sea "
                                              "sc:user:detail:clerkId=ada"),
                        "7");
    end(&f);
}

TEST(keys_live_as_long_as_the_table_says)
{
    struct fixture f;

    begin(&f);
    add_chapter(&f, "one", NULL);
    warm(&f);

    assert_string_equal(test_redis(&f.server, "TTL sc:story:detail:slug=sea"), "3600");
    assert_string_equal(test_redis(&f.server, "TTL sc:story:tree:slug=sea"), "900");
    assert_string_equal(test_redis(&f.server, "TTL sc:story:list:new"), "300");
    assert_string_equal(test_redis(&f.server, "TTL sc:story:list:published"), "600");
    end(&f);
}

TEST(shapes_say_what_the_header_says)
{
    struct fixture f;

    begin(&f);
    add_chapter(&f, "one", NULL);
    add_chapter(&f, "two", "one");
    add_chapter(&f, "three", "one");
    add_chapter(&f, "four", "two");

    assert_shows(&f, DETAIL, "\"slug\":\"sea\",\"title\":\"Sea\",\"summary\":null,\"tags\":[],");
    assert_shows(&f, DETAIL, "\"status\":\"published\",\"featured\":false,\"chapters\":4,");
    assert_shows(&f, OVERVIEW, "\"collaborators\":[]}");
    assert_shows(&f, TREE, "{\"slug\":\"sea\",\"title\":\"Sea\",\"chapters\":[{\"slug\":\"one\",");
    assert_shows(&f, TREE, "\"parent\":null,\"depth\":1,");
    assert_shows(&f, TREE, "\"children\":[\"two\",\"three\"]},{\"slug\":\"two\"");
    assert_shows(&f, TREE, "\"children\":[\"four\"]},{\"slug\":\"four\"");
    assert_shows(&f, TREE, "\"children\":[]},{\"slug\":\"three\"");
    assert_shows(&f, CHAPTER,
                 "\"content\":\"Once *upon* a time.\",\"parent\":null,\"children\":"
                 "[{\"slug\":\"two\",\"title\":\"two\"},"
                 "{\"slug\":\"three\",\"title\":\"three\"}],");
    assert_shows(&f, CHAPTER, "\"words\":4,");
    assert_shows(&f, PROFILE, "\"clerkId\":\"ada\",\"name\":\"ada\",\"createdAt\":\"20");
    end(&f);
}

TEST(after_a_chapter_is_published_no_answer_is_stale)
{
    struct fixture f;

    begin(&f);
    add_chapter(&f, "one", NULL);
    warm(&f);
    add_chapter(&f, "two", "one");

    assert_shows(&f, DETAIL, "\"chapters\":2");
    assert_shows(&f, OVERVIEW, "\"chapters\":2");
    assert_shows(&f, LIST, "\"chapters\":2");
    assert_shows(&f, NEW, "\"chapters\":2");
    assert_shows(&f, USERS, "\"chapters\":2");
    assert_shows(&f, TREE, "\"two\"");
    assert_shows(&f, CHAPTER, "\"children\":[{\"slug\":\"two\"");
    end(&f);
}

TEST(after_a_name_changed_no_answer_is_stale)
{
    struct user ada = {.clerk_id = SC_S("ada"), .name = SC_S("Countess")};
    struct fixture f;

    begin(&f);
    add_chapter(&f, "one", NULL);
    warm(&f);
    assert_ok(user_put(&f.catalog, &ada, &f.arena, NULL, &f.reason));

    for (int answer = 0; answer <= PROFILE; answer++)
        assert_shows(&f, answer, "Countess");
    end(&f);
}

TEST(after_an_import_that_knows_new_names_no_answer_is_stale)
{
    struct user ada = {.clerk_id = SC_S("ada"), .name = SC_S("Countess Ada")};
    struct story *story;
    struct fixture f;

    begin(&f);
    add_chapter(&f, "one", NULL);
    warm(&f);
    assert_ok(store_user_put(f.catalog.store, &ada, &f.arena, NULL, NULL));
    assert_ok(store_story_find(f.catalog.store, SC_S("sea"), &f.arena, &story, NULL));

    story_changed(&f.catalog, story->id);

    assert_shows(&f, PROFILE, "Countess Ada");
    assert_shows(&f, CHAPTER, "Countess Ada");
    assert_shows(&f, OVERVIEW, "Countess Ada");
    end(&f);
}

TEST(after_people_came_or_left_no_answer_is_stale)
{
    struct fixture f;
    bool changed = false;

    begin(&f);
    add_chapter(&f, "one", NULL);
    warm(&f);
    assert_ok(story_follow(&f.catalog, SC_S("sea"), f.bob.id, true, &changed, &f.reason));
    assert_true(changed);
    assert_shows(&f, DETAIL, "\"followers\":1");
    assert_shows(&f, LIST, "\"followers\":1");

    assert_ok(story_collaborate(&f.catalog, SC_S("sea"), f.bob.id, SC_S("editor"), &f.reason));
    assert_shows(&f, OVERVIEW, "\"role\":\"editor\"");
    f.ada = f.bob; /* so that USERS asks for his */
    assert_shows(&f, USERS, "\"slug\":\"sea\"");
    assert_ok(story_collaborate(&f.catalog, SC_S("sea"), f.bob.id, (sc_slice){NULL, 0}, NULL));
    assert_shows(&f, OVERVIEW, "\"collaborators\":[]");
    assert_shows(&f, USERS, "{\"stories\":[]}");

    assert_ok(chapter_mark_read(&f.catalog, f.bob.id, SC_S("sea"), SC_S("one"), &f.reason));
    assert_shows(&f, HISTORY, "{\"story\":\"sea\",\"chapters\":[{\"slug\":\"one\"");
    end(&f);
}

TEST(a_draft_is_hidden_until_published)
{
    struct story_draft draft = {.title = SC_S("Secret Plans"), .tags = SC_S("[\"spies\"]")};
    struct fixture f;
    struct story *story;
    sc_cache_value value;

    begin(&f);
    draft.author_id = f.ada.id;
    get(&f, LIST, NULL);
    assert_ok(story_create(&f.catalog, &draft, &f.arena, &story, &f.reason));
    assert_err(story_detail_json(&f.catalog, story->slug, &value, &f.reason), SC_ENOTFOUND);
    assert_string_equal(f.reason.text, "there is no story \"secret-plans\"");
    assert_null(strstr(get(&f, LIST, NULL), "secret"));

    assert_ok(story_publish(&f.catalog, story->slug, &f.arena, &story, &f.reason));
    assert_ok(story_detail_json(&f.catalog, story->slug, &value, &f.reason));
    sc_cache_value_release(&value);
    assert_shows(&f, LIST, "secret");
    end(&f);
}

TEST(what_is_not_there_is_not_cached)
{
    struct fixture f;
    sc_cache_value value;

    begin(&f);
    assert_err(story_tree_json(&f.catalog, SC_S("nothing"), &value, &f.reason), SC_ENOTFOUND);
    assert_err(story_tree_json(&f.catalog, SC_S("../*"), &value, &f.reason), SC_ENOTFOUND);
    assert_err(chapter_detail_json(&f.catalog, SC_S("sea"), SC_S("one"), &value, &f.reason),
               SC_ENOTFOUND);
    assert_string_equal(f.reason.text, "there is no chapter \"one\" of a story \"sea\"");
    assert_err(story_user_list_json(&f.catalog, SC_S("nobody"), &value, &f.reason), SC_ENOTFOUND);
    assert_err(user_profile_json(&f.catalog, SC_S("nobody"), &value, &f.reason), SC_ENOTFOUND);

    add_chapter(&f, "one", NULL);
    assert_shows(&f, CHAPTER, "\"slug\":\"one\"");
    end(&f);
}

TEST(search_answers_come_from_the_cache_too)
{
    struct fixture f;
    sc_cache_value value;

    begin(&f);
    assert_ok(story_search_json(&f.catalog, SC_S("SE"), &value, &f.reason));
    assert_non_null(strstr(value.bytes.ptr, "\"slug\":\"sea\""));
    sc_cache_value_release(&value);
    assert_ok(story_search_json(&f.catalog, SC_S("SE"), &value, &f.reason));
    assert_int_equal(value.source, SC_CACHE_HIT);
    sc_cache_value_release(&value);
    assert_err(story_search_json(&f.catalog, SC_S(" "), &value, &f.reason), SC_EINVAL);
    end(&f);
}

static void assert_refused(struct fixture *f, struct chapter_draft draft, sc_err expected,
                           const char *sentence)
{
    struct chapter *chapter;

    assert_err(
        chapter_publish(&f->catalog, SC_S("sea"), &draft, &f->arena, &chapter, NULL, &f->reason),
        expected);
    assert_string_equal(f->reason.text, sentence);
}

TEST(a_chapter_that_is_not_right_is_refused_in_words)
{
    char *huge = calloc(1, 256 * 1024 + 2);
    struct chapter_draft good = {.title = SC_S("T"), .content = SC_S("c")}, bad;
    struct chapter *chapter;
    struct fixture f;

    begin(&f);
    assert_non_null(huge);
    memset(huge, 'x', 256 * 1024 + 1);
    good.author_id = f.ada.id;
    bad = good, bad.title = SC_S(" ");
    assert_refused(&f, bad, SC_EINVAL, "the title is missing");
    bad = good, bad.content = SC_S("a\xff");
    assert_refused(&f, bad, SC_EINVAL, "the content is not UTF-8 (at byte 1)");
    bad = good, bad.content = sc_slice_of(huge);
    assert_refused(&f, bad, SC_ETOOBIG, "the content has 262145 bytes; the limit is 262144");
    bad = good, bad.slug = SC_S("a/b");
    assert_refused(&f, bad, SC_EINVAL,
                   "the slug \"a/b\" is not one: use letters A-Z a-z, digits, '-' and '_', and "
                   "begin with a letter or digit");
    bad = good, bad.parent_slug = SC_S("none");
    assert_refused(&f, bad, SC_EPARENT, "the story has no chapter \"none\" to continue from");
    bad = good, bad.author_id = SC_S("nobody");
    assert_refused(&f, bad, SC_EINVAL, "the author \"nobody\" is no user");
    assert_ok(chapter_publish(&f.catalog, SC_S("sea"), &good, &f.arena, &chapter, NULL, NULL));
    assert_slice(chapter->slug, "t");
    assert_refused(&f, good, SC_EEXIST, "the story has a chapter \"t\" already");
    assert_err(
        chapter_publish(&f.catalog, SC_S("lake"), &good, &f.arena, &chapter, NULL, &f.reason),
        SC_ENOTFOUND);
    free(huge);
    end(&f);
}

TEST(autosaves_are_kept_per_user_and_chapter)
{
    struct autosave saved, *found;
    struct fixture f;
    bool removed;

    begin(&f);
    assert_ok(autosave_put(&f.catalog, f.bob.id, SC_S("sea"), SC_S("new"), SC_S(""), SC_S("draft"),
                           &saved, &f.reason));
    assert_true(saved.saved_ms > 0);
    assert_ok(
        autosave_find(&f.catalog, f.bob.id, SC_S("sea"), SC_S("new"), &f.arena, &found, &f.reason));
    assert_slice(found->content, "draft");
    assert_ok(
        autosave_find(&f.catalog, f.ada.id, SC_S("sea"), SC_S("new"), &f.arena, &found, &f.reason));
    assert_null(found);
    assert_ok(autosave_remove(&f.catalog, f.bob.id, SC_S("sea"), SC_S("new"), &removed, NULL));
    assert_true(removed);
    assert_err(autosave_put(&f.catalog, f.bob.id, SC_S("lake"), SC_S("new"), SC_S(""), SC_S("x"),
                            &saved, &f.reason),
               SC_ENOTFOUND);
    end(&f);
}

TEST(without_redis_answers_come_from_the_store)
{
    struct fixture f;

    begin(&f);
    add_chapter(&f, "one", NULL);
    warm(&f);
    test_server_kill(&f.server, SIGKILL);
    wait_until(!sc_client_is_connected(f.client));
    add_chapter(&f, "two", "one");
    assert_shows(&f, DETAIL, "\"chapters\":2");
    assert_shows(&f, TREE, "\"two\"");

    /* The old values are gone too when Redis is back, with what it had. */
    test_server_restart(&f.server);
    wait_until(sc_client_is_connected(f.client));
    assert_shows(&f, DETAIL, "\"chapters\":2");
    end(&f);
}

/* Readers look while a writer publishes; what the writer has published before a reader began,
 * the reader must see. */
struct race {
    struct fixture *f;
    atomic_int published;
    atomic_int stale;
};

static int64_t chapters_shown(const struct catalog *catalog)
{
    sc_cache_value value;
    int64_t count = -1;

    if (story_detail_json(catalog, SC_S("sea"), &value, NULL))
        return -1;
    sscanf(strstr(value.bytes.ptr, "\"chapters\":"), "\"chapters\":%" SCNd64, &count);
    sc_cache_value_release(&value);
    return count;
}

static void *read_on(void *user)
{
    struct race *race = user;
    int known;

    do {
        known = atomic_load(&race->published);
        if (chapters_shown(&race->f->catalog) < known)
            atomic_fetch_add(&race->stale, 1);
    } while (known < 60);
    return NULL;
}

TEST_LIMIT(a_reader_never_sees_less_than_was_published_before, 60)
{
    enum { READERS = 4 };
    pthread_t readers[READERS];
    struct fixture f;
    struct race race;
    char slug[16];

    begin(&f);
    race.f = &f;
    atomic_init(&race.published, 0);
    atomic_init(&race.stale, 0);
    for (int i = 0; i < READERS; i++)
        pthread_create(&readers[i], NULL, read_on, &race);
    for (int i = 1; i <= 60; i++) {
        snprintf(slug, sizeof(slug), "c%d", i);
        add_chapter(&f, slug, NULL);
        atomic_store(&race.published, i);
    }
    for (int i = 0; i < READERS; i++)
        pthread_join(readers[i], NULL);

    assert_int_equal(atomic_load(&race.stale), 0);
    end(&f);
}
