/* app/store: the store on SQLite */
#include "app/store/store.h"

#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/test.h"

enum { ARENA_MAX = 64 * 1024 * 1024 };

struct fixture {
    struct store *store;
    sc__arena arena;
    struct user ada, bob, eve;
    struct story story;
    char path[128];
};

static struct store *open_in_folder(struct fixture *f)
{
    struct store *store = NULL;
    sc_reason reason = {""};
    char url[160];

    snprintf(f->path, sizeof(f->path), "%s/storychain.db", test_folder());
    snprintf(url, sizeof(url), "sqlite://%s", f->path);
    if (store_open(url, &store, &reason))
        fail_msg("%s", reason.text);
    return store;
}

static struct user add_user(struct fixture *f, const char *name)
{
    struct user user = {.clerk_id = sc_slice_of(name),
                        .name = sc_slice_of(name),
                        .email = sc_slice_of("someone@example.org")};

    assert_ok(store_user_put(f->store, &user, &f->arena, NULL, NULL));
    return user;
}

static struct story add_story(struct fixture *f, const char *slug, enum publication status,
                              bool featured)
{
    struct story story = {.slug = sc_slice_of(slug),
                          .title = sc_slice_of(slug),
                          .author_id = f->ada.id,
                          .status = status,
                          .featured = featured};

    assert_ok(store_story_insert(f->store, &story, &f->arena, NULL));
    return story;
}

static sc_err add_chapter(struct fixture *f, const char *slug, const char *parent,
                          sc_reason *ret_reason)
{
    struct chapter chapter = {.story_id = f->story.id,
                              .slug = sc_slice_of(slug),
                              .title = sc_slice_of(slug),
                              .content = SC_S("It was  a dark\nand stormy night."),
                              .parent_slug = sc_slice_of(parent),
                              .author_id = f->ada.id};

    return store_chapter_insert(f->store, &chapter, &f->arena, ret_reason);
}

static void begin(struct fixture *f)
{
    memset(f, 0, sizeof(*f));
    sc__arena_init(&f->arena, ARENA_MAX);
    f->store = open_in_folder(f);
    f->ada = add_user(f, "ada");
    f->bob = add_user(f, "bob");
    f->eve = add_user(f, "eve");
    f->story = add_story(f, "the-island", PUBLISHED, false);
}

static void end(struct fixture *f)
{
    store_close(f->store);
    sc__arena_release(&f->arena);
}

TEST(what_is_stored_is_there_after_reopening)
{
    struct fixture f;
    struct story *story;
    struct user *user;

    begin(&f);
    store_close(f.store);
    f.store = open_in_folder(&f);

    assert_ok(store_story_find(f.store, SC_S("the-island"), &f.arena, &story, NULL));
    assert_non_null(story);
    assert_slice(story->author_name, "ada");
    assert_slice(story->tags, "[]");
    assert_null(story->summary.ptr);
    assert_true(story->published_ms == story->created_ms && story->created_ms > 0);
    assert_ok(store_user_find(f.store, f.ada.id, &f.arena, &user, NULL));
    assert_slice(user->clerk_id, "ada");
    assert_ok(store_check(f.store, NULL));
    end(&f);
}

TEST(what_is_not_there_is_found_as_null)
{
    struct fixture f;
    struct story *story = &f.story;
    struct user *user = &f.ada;
    struct chapter *chapter = (struct chapter *)&f;

    begin(&f);

    assert_ok(store_story_find(f.store, SC_S("nothing"), &f.arena, &story, NULL));
    assert_ok(store_user_find_by_clerk_id(f.store, SC_S("nobody"), &f.arena, &user, NULL));
    assert_ok(store_chapter_find(f.store, f.story.id, SC_S("nowhere"), &f.arena, &chapter, NULL));

    assert_null(story);
    assert_null(user);
    assert_null(chapter);
    end(&f);
}

TEST(a_user_is_put_twice_and_is_one)
{
    struct user again = {.clerk_id = SC_S("ada"), .name = SC_S("Ada L.")};
    struct user *found;
    struct fixture f;
    bool created = true;

    begin(&f);
    assert_ok(store_user_put(f.store, &again, &f.arena, &created, NULL));
    assert_ok(store_user_find_by_clerk_id(f.store, SC_S("ada"), &f.arena, &found, NULL));

    assert_false(created);
    assert_true(sc_slice_eq(again.id, f.ada.id));
    assert_slice(found->name, "Ada L.");
    assert_slice(found->email, "someone@example.org");
    end(&f);
}

TEST(a_slug_is_given_once)
{
    struct story second = {.slug = SC_S("the-island"), .title = SC_S("Another")};
    struct fixture f;
    sc_reason reason;

    begin(&f);
    second.author_id = f.ada.id;
    assert_err(store_story_insert(f.store, &second, &f.arena, &reason), SC_EEXIST);
    assert_string_equal(reason.text, "a story with the slug \"the-island\" exists already");
    second.slug = SC_S("another");
    second.author_id = SC_S("nobody");
    assert_err(store_story_insert(f.store, &second, &f.arena, &reason), SC_EINVAL);
    assert_string_equal(reason.text, "the author \"nobody\" is no user");

    assert_ok(add_chapter(&f, "one", NULL, &reason));
    assert_err(add_chapter(&f, "one", NULL, &reason), SC_EEXIST);
    assert_string_equal(reason.text, "the story has a chapter \"one\" already");
    end(&f);
}

TEST(chapters_make_a_tree)
{
    struct chapters list;
    struct story *story;
    struct chapter *chapter;
    struct fixture f;
    sc_reason reason;

    begin(&f);
    assert_ok(add_chapter(&f, "root", NULL, &reason));
    assert_ok(add_chapter(&f, "left", "root", &reason));
    assert_ok(add_chapter(&f, "right", "root", &reason));
    assert_err(add_chapter(&f, "lost", "no-such", &reason), SC_EPARENT);
    assert_string_equal(reason.text, "the story has no chapter \"no-such\" to continue from");
    assert_ok(store_chapter_list(f.store, f.story.id, &f.arena, &list, &reason));
    assert_ok(store_chapter_find(f.store, f.story.id, SC_S("left"), &f.arena, &chapter, NULL));
    assert_ok(store_story_find_by_id(f.store, f.story.id, &f.arena, &story, NULL));

    assert_int_equal(list.count, 3);
    assert_slice(list.items[2].slug, "right");
    assert_slice(list.items[2].parent_slug, "root");
    assert_null(list.items[2].content.ptr);
    assert_int_equal(list.items[2].position, 1);
    assert_int_equal(chapter->words, 7);
    assert_slice(chapter->content, "It was  a dark\nand stormy night.");
    assert_int_equal(story->chapters, 3);
    end(&f);
}

TEST(what_is_untold_is_listed_until_marked)
{
    struct chapter chapter = {
        .slug = SC_S("news"), .title = SC_S("News"), .content = SC_S("x"), .untold = true};
    struct chapters list;
    struct fixture f;

    begin(&f);
    chapter.story_id = f.story.id;
    chapter.author_id = f.bob.id;
    assert_ok(add_chapter(&f, "told", NULL, NULL));
    assert_ok(store_chapter_insert(f.store, &chapter, &f.arena, NULL));
    assert_ok(store_chapter_list_untold(f.store, 10, &f.arena, &list, NULL));
    assert_int_equal(list.count, 1);
    assert_slice(list.items[0].slug, "news");
    assert_ok(store_chapter_mark_told(f.store, list.items[0].id, NULL));
    assert_ok(store_chapter_list_untold(f.store, 10, &f.arena, &list, NULL));
    assert_int_equal(list.count, 0);
    end(&f);
}

TEST(the_stories_of_a_user_are_all_in_which_they_write)
{
    struct story_query query = {.limit = 10};
    struct stories before, after;
    struct fixture f;
    struct chapter chapter = {.slug = SC_S("c"), .title = SC_S("C"), .content = SC_S("x")};

    begin(&f);
    query.writer_id = f.bob.id;
    assert_ok(store_story_list(f.store, &query, &f.arena, &before, NULL));
    chapter.story_id = f.story.id;
    chapter.author_id = f.bob.id;
    assert_ok(store_chapter_insert(f.store, &chapter, &f.arena, NULL));
    assert_ok(store_collaborator_put(f.store, add_story(&f, "other", PUBLISHED, false).id, f.bob.id,
                                     SC_S("editor"), NULL));
    assert_ok(store_story_list(f.store, &query, &f.arena, &after, NULL));

    assert_int_equal(before.count, 0);
    assert_int_equal(after.count, 2);
    end(&f);
}

TEST(lists_show_published_stories_in_their_order)
{
    struct story_query query = {.limit = 10};
    struct stories updated, born, featured, adas, all;
    struct fixture f;

    begin(&f);
    sc__clock_shift(1000);
    add_story(&f, "young", PUBLISHED, true);
    sc__clock_shift(1000);
    add_story(&f, "secret", DRAFT, false);
    assert_ok(add_chapter(&f, "one", NULL, NULL));
    assert_ok(store_story_list(f.store, &query, &f.arena, &updated, NULL));
    query.order = BY_BIRTH;
    assert_ok(store_story_list(f.store, &query, &f.arena, &born, NULL));
    query.featured_only = true;
    assert_ok(store_story_list(f.store, &query, &f.arena, &featured, NULL));
    query = (struct story_query){.writer_id = f.ada.id, .limit = 10, .offset = 1};
    assert_ok(store_story_list(f.store, &query, &f.arena, &adas, NULL));
    query = (struct story_query){.drafts_too = true, .limit = 10};
    assert_ok(store_story_list(f.store, &query, &f.arena, &all, NULL));

    assert_int_equal(updated.count, 2);
    assert_slice(updated.items[0].slug, "the-island");
    assert_slice(born.items[0].slug, "young");
    assert_int_equal(featured.count, 1);
    assert_slice(featured.items[0].slug, "young");
    assert_int_equal(adas.count, 1);
    assert_int_equal(all.count, 3);
    end(&f);
}

TEST(a_draft_is_published_later)
{
    struct story draft, *found;
    struct fixture f;

    begin(&f);
    draft = add_story(&f, "draft", DRAFT, false);
    assert_true(draft.published_ms == 0);
    draft.status = PUBLISHED;
    draft.tags = SC_S("[\"sea\"]");
    sc__clock_shift(5000);
    assert_ok(store_story_update(f.store, &draft, NULL));
    assert_ok(store_story_find(f.store, SC_S("draft"), &f.arena, &found, NULL));
    draft.id = SC_S("nothing");
    assert_err(store_story_update(f.store, &draft, NULL), SC_ENOTFOUND);

    assert_int_equal(found->status, PUBLISHED);
    assert_true(found->published_ms >= found->created_ms + 5000);
    assert_slice(found->tags, "[\"sea\"]");
    end(&f);
}

static size_t search_count(struct fixture *f, const char *text)
{
    struct stories found;

    assert_ok(store_story_search(f->store, sc_slice_of(text), 10, &f->arena, &found, NULL));
    return found.count;
}

TEST(search_finds_words_and_their_beginnings)
{
    struct story story = {.slug = SC_S("x"),
                          .title = SC_S("Das H\xc3\xb6hlenlicht"),
                          .summary = SC_S("A lamp and the sea"),
                          .tags = SC_S("[\"caves\"]"),
                          .status = PUBLISHED};
    struct user bob = {.clerk_id = SC_S("bob"), .name = SC_S("Robert")};
    struct fixture f;

    begin(&f);
    story.author_id = f.bob.id;
    assert_ok(store_story_insert(f.store, &story, &f.arena, NULL));
    assert_ok(store_user_put(f.store, &bob, &f.arena, NULL, NULL));

    assert_int_equal(search_count(&f, "hohlen"), 1);
    assert_int_equal(search_count(&f, "SEA lam"), 1);
    assert_int_equal(search_count(&f, "sea cow"), 0);
    assert_int_equal(search_count(&f, "cave"), 1);
    assert_int_equal(search_count(&f, "robert"), 1);
    assert_int_equal(search_count(&f, ""), 0);
    assert_int_equal(search_count(&f, "\"*) OR NEAR("), 0);
    assert_int_equal(search_count(&f, "sea \xe2\x80\x94 lamp"), 1);
    end(&f);
}

TEST(the_audience_of_a_story_is_each_person_once)
{
    struct members collaborators;
    struct users all, rest;
    struct story *story;
    struct fixture f;
    bool changed;

    begin(&f);
    assert_ok(store_follower_add(f.store, f.story.id, f.bob.id, &changed, NULL));
    assert_true(changed);
    assert_ok(store_follower_add(f.store, f.story.id, f.bob.id, &changed, NULL));
    assert_false(changed);
    assert_ok(store_collaborator_put(f.store, f.story.id, f.bob.id, SC_S("reader"), NULL));
    assert_ok(store_collaborator_put(f.store, f.story.id, f.bob.id, SC_S("editor"), NULL));
    assert_ok(store_follower_add(f.store, f.story.id, f.eve.id, NULL, NULL));
    assert_err(store_follower_add(f.store, f.story.id, SC_S("nobody"), NULL, NULL), SC_ENOTFOUND);
    assert_ok(
        store_audience_list(f.store, f.story.id, (sc_slice){NULL, 0}, 10, &f.arena, &all, NULL));
    assert_ok(store_audience_list(f.store, f.story.id, all.items[0].id, 1, &f.arena, &rest, NULL));
    assert_ok(store_collaborator_list(f.store, f.story.id, &f.arena, &collaborators, NULL));
    assert_ok(store_follower_remove(f.store, f.story.id, f.eve.id, &changed, NULL));
    assert_ok(store_story_find(f.store, SC_S("the-island"), &f.arena, &story, NULL));

    assert_int_equal(all.count, 3);
    assert_int_equal(rest.count, 1);
    assert_true(sc_slice_eq(rest.items[0].id, all.items[1].id));
    assert_int_equal(collaborators.count, 1);
    assert_slice(collaborators.items[0].role, "editor");
    assert_int_equal(story->followers, 1);
    end(&f);
}

static struct notification note_for(const struct user *user, const char *key)
{
    return (struct notification){.user_id = user->id,
                                 .type = SC_S("chapter.published"),
                                 .title = SC_S("News"),
                                 .message = SC_S("A new chapter"),
                                 .key = sc_slice_of(key)};
}

TEST(a_notification_is_stored_once_per_key_and_counted_until_read)
{
    struct notification first, again, other, eves, lost;
    struct notifications list;
    struct fixture f;
    int64_t unread, marked;
    bool created;

    begin(&f);
    first = again = note_for(&f.bob, "job-1");
    other = note_for(&f.bob, NULL);
    lost = note_for(&f.bob, NULL);
    lost.user_id = SC_S("nobody");
    assert_ok(store_notification_insert(f.store, &first, &f.arena, &created, NULL));
    assert_true(created);
    assert_ok(store_notification_insert(f.store, &again, &f.arena, &created, NULL));
    assert_false(created);
    assert_true(sc_slice_eq(again.id, first.id));
    assert_ok(store_notification_insert(f.store, &other, &f.arena, NULL, NULL));
    eves = note_for(&f.eve, "job-1");
    assert_ok(store_notification_insert(f.store, &eves, &f.arena, &created, NULL));
    assert_true(created);
    assert_err(store_notification_insert(f.store, &lost, &f.arena, NULL, NULL), SC_ENOTFOUND);
    assert_ok(store_notification_count_unread(f.store, f.bob.id, &unread, NULL));
    assert_int_equal(unread, 2);

    assert_ok(store_notification_mark_read(f.store, f.bob.id, first.id, 7, &marked, NULL));
    assert_int_equal(marked, 1);
    assert_err(store_notification_mark_read(f.store, f.eve.id, first.id, 7, NULL, NULL),
               SC_ENOTFOUND);
    assert_ok(store_notification_list(f.store, f.bob.id, true, 10, 0, &f.arena, &list, NULL));
    assert_int_equal(list.count, 1);
    assert_true(sc_slice_eq(list.items[0].id, other.id));
    assert_ok(
        store_notification_mark_read(f.store, f.bob.id, (sc_slice){NULL, 0}, 8, &marked, NULL));
    assert_ok(store_notification_list(f.store, f.bob.id, false, 10, 1, &f.arena, &list, NULL));
    assert_int_equal(list.count, 1);
    assert_true(list.items[0].read_ms == 7);
    end(&f);
}

TEST(an_autosave_replaces_the_one_before)
{
    struct autosave save = {.chapter = SC_S("new"), .content = SC_S("draft 1")}, *found;
    struct fixture f;
    bool removed;

    begin(&f);
    save.user_id = f.bob.id;
    save.story_id = f.story.id;
    assert_ok(store_autosave_put(f.store, &save, NULL));
    save.content = SC_S("draft 2");
    assert_ok(store_autosave_put(f.store, &save, NULL));
    assert_ok(
        store_autosave_find(f.store, f.bob.id, f.story.id, SC_S("new"), &f.arena, &found, NULL));
    assert_slice(found->content, "draft 2");
    assert_ok(store_autosave_remove(f.store, f.bob.id, f.story.id, SC_S("new"), &removed, NULL));
    assert_true(removed);
    save.story_id = SC_S("nothing");
    assert_err(store_autosave_put(f.store, &save, NULL), SC_ENOTFOUND);
    end(&f);
}

TEST(a_session_ends_at_its_time_or_when_it_is_removed)
{
    struct session session = {.id = SC_S("s1"), .expires_ms = 1000}, *found;
    struct fixture f;
    bool removed;

    begin(&f);
    session.user_id = f.bob.id;
    assert_ok(store_session_put(f.store, &session, NULL));
    assert_ok(store_session_find(f.store, SC_S("s1"), 999, &f.arena, &found, NULL));
    assert_non_null(found);
    assert_ok(store_session_find(f.store, SC_S("s1"), 1000, &f.arena, &found, NULL));
    assert_null(found);

    assert_ok(store_session_remove(f.store, SC_S("s1"), &removed, NULL));
    assert_true(removed);
    assert_ok(store_session_remove(f.store, SC_S("s1"), &removed, NULL));
    assert_false(removed);
    assert_ok(store_session_find(f.store, SC_S("s1"), 999, &f.arena, &found, NULL));
    assert_null(found);
    end(&f);
}

TEST(reading_history_keeps_the_last_time_of_each_chapter)
{
    struct readings list;
    struct fixture f;

    begin(&f);
    assert_ok(add_chapter(&f, "one", NULL, NULL));
    assert_ok(add_chapter(&f, "two", "one", NULL));
    assert_ok(store_reading_put(f.store, f.bob.id, f.story.id, SC_S("one"), 10, NULL));
    assert_ok(store_reading_put(f.store, f.bob.id, f.story.id, SC_S("two"), 20, NULL));
    assert_ok(store_reading_put(f.store, f.bob.id, f.story.id, SC_S("one"), 30, NULL));
    assert_err(store_reading_put(f.store, f.bob.id, f.story.id, SC_S("six"), 1, NULL),
               SC_ENOTFOUND);
    assert_err(store_reading_put(f.store, SC_S("nobody"), f.story.id, SC_S("one"), 1, NULL),
               SC_ENOTFOUND);
    assert_ok(store_reading_list(f.store, f.bob.id, f.story.id, 10, &f.arena, &list, NULL));

    assert_int_equal(list.count, 2);
    assert_slice(list.items[0].chapter_slug, "one");
    assert_true(list.items[0].read_ms == 30);
    end(&f);
}

TEST(trending_weighs_deeds_by_their_age)
{
    struct stories found;
    struct fixture f;
    struct story other;
    int64_t now;

    begin(&f);
    other = add_story(&f, "other", PUBLISHED, false);
    assert_ok(add_chapter(&f, "one", NULL, NULL));
    sc__clock_shift(3600 * 1000);
    assert_ok(store_follower_add(f.store, other.id, f.bob.id, NULL, NULL));
    now = sc__wall_ms() + 1;
    assert_ok(store_story_trending(f.store, now, 2 * 3600 * 1000, 10, &f.arena, &found, NULL));

    assert_int_equal(found.count, 2);
    assert_slice(found.items[0].slug, "other");
    assert_true(found.items[0].score > 2.9 && found.items[0].score <= 3.0);
    assert_true(found.items[1].score > 0.9 && found.items[1].score < 1.1);
    end(&f);
}

TEST(events_are_stored_once_and_summed_up_by_day)
{
    const int64_t day = 1763856000000; /* 2025-11-23T00:00:00Z */
    const struct event events[] = {
        {.key = SC_S("1"), .name = SC_S("read"), .user_id = SC_S("u1"), .at_ms = day},
        {.key = SC_S("2"), .name = SC_S("read"), .user_id = SC_S("u1"), .at_ms = day + 1},
        {.key = SC_S("2"), .name = SC_S("read"), .user_id = SC_S("u1"), .at_ms = day + 1},
        {.name = SC_S("like"), .at_ms = day + 86399999},
        {.name = SC_S("read"), .at_ms = day + 86400000},
    };
    struct day_stats stats;
    struct fixture f;
    size_t stored = 0;
    int64_t rows = 0;

    begin(&f);
    assert_ok(store_events_insert(f.store, events, 5, &stored, NULL));
    assert_int_equal(stored, 4);
    assert_ok(store_events_insert(f.store, events, 2, &stored, NULL));
    assert_int_equal(stored, 0);
    assert_ok(store_day_aggregate(f.store, day + 12345, &rows, NULL));
    assert_ok(store_day_aggregate(f.store, day + 12345, &rows, NULL));
    assert_int_equal(rows, 2);
    assert_ok(store_day_list(f.store, day, day + 86400000, &f.arena, &stats, NULL));

    assert_int_equal(stats.count, 2);
    assert_slice(stats.items[1].day, "2025-11-23");
    assert_slice(stats.items[1].name, "read");
    assert_int_equal(stats.items[1].count, 2);
    assert_int_equal(stats.items[1].people, 1);
    assert_int_equal(stats.items[0].people, 0);
    end(&f);
}

TEST(cleanup_counts_and_deletes_in_slices)
{
    struct autosave save = {.content = SC_S("x")};
    struct notification read, unread;
    struct session session = {.id = SC_S("s"), .expires_ms = 50};
    struct job_run run = {.id = SC_S("1"), .job = SC_S("cleanup"), .ok = true, .finished_ms = 50};
    struct job_runs runs;
    struct fixture f;
    int64_t count = 0, deleted = 0;
    char name[16];

    begin(&f);
    save.user_id = f.bob.id;
    save.story_id = f.story.id;
    for (int i = 0; i < 5; i++) {
        snprintf(name, sizeof(name), "c%d", i);
        save.chapter = sc_slice_of(name);
        save.saved_ms = 10 * (i + 1);
        assert_ok(store_autosave_put(f.store, &save, NULL));
    }
    read = unread = note_for(&f.bob, NULL);
    read.created_ms = unread.created_ms = 50;
    read.read_ms = 60;
    assert_ok(store_notification_insert(f.store, &read, &f.arena, NULL, NULL));
    assert_ok(store_notification_insert(f.store, &unread, &f.arena, NULL, NULL));
    session.user_id = f.bob.id;
    assert_ok(store_session_put(f.store, &session, NULL));
    assert_ok(store_job_run_put(f.store, &run, NULL));
    assert_ok(store_job_run_put(f.store, &run, NULL));
    assert_ok(store_job_run_list(f.store, SC_S("cleanup"), 10, &f.arena, &runs, NULL));
    assert_int_equal(runs.count, 1);

    assert_ok(store_cleanup_count(f.store, CLEAN_AUTOSAVES, 41, &count, NULL));
    assert_int_equal(count, 4);
    assert_ok(store_cleanup_slice(f.store, CLEAN_AUTOSAVES, 41, 3, &deleted, NULL));
    assert_int_equal(deleted, 3);
    assert_ok(store_cleanup_slice(f.store, CLEAN_AUTOSAVES, 41, 3, &deleted, NULL));
    assert_int_equal(deleted, 1);
    for (int kind = CLEAN_SESSIONS; kind < CLEANUP_KINDS; kind++) {
        assert_ok(store_cleanup_slice(f.store, kind, 50, 10, &deleted, NULL));
        assert_int_equal(deleted, 0);
        assert_ok(store_cleanup_count(f.store, kind, 51, &count, NULL));
        assert_int_equal(count, 1);
        assert_ok(store_cleanup_slice(f.store, kind, 51, 10, &deleted, NULL));
        assert_int_equal(deleted, 1);
    }
    assert_ok(store_notification_count_unread(f.store, f.bob.id, &count, NULL));
    assert_int_equal(count, 1);
    end(&f);
}

TEST(a_bundle_is_stored_whole_or_not_at_all)
{
    struct chapter chapters[] = {
        {.slug = SC_S("one"), .title = SC_S("One"), .content = SC_S("a")},
        {.slug = SC_S("two"),
         .title = SC_S("Two"),
         .content = SC_S("b"),
         .parent_slug = SC_S("nowhere")},
    };
    struct member follower = {.user = {.clerk_id = SC_S("fan"), .name = SC_S("Fan")}};
    struct story_bundle bundle = {
        .author = {.clerk_id = SC_S("herman"), .name = SC_S("Herman")},
        .story = {.slug = SC_S("whale"), .title = SC_S("Whale"), .status = PUBLISHED},
        .chapters = {chapters, 2},
        .followers = {&follower, 1},
    };
    struct story *story;
    struct user *user;
    struct fixture f;

    begin(&f);
    assert_err(store_bundle_insert(f.store, &bundle, NULL, NULL, &f.arena, NULL), SC_EPARENT);
    assert_ok(store_story_find(f.store, SC_S("whale"), &f.arena, &story, NULL));
    assert_null(story);
    assert_ok(store_user_find_by_clerk_id(f.store, SC_S("herman"), &f.arena, &user, NULL));
    assert_null(user);

    chapters[1].parent_slug = SC_S("one");
    bundle.author.id = bundle.story.id = (sc_slice){NULL, 0};
    assert_ok(store_bundle_insert(f.store, &bundle, NULL, NULL, &f.arena, NULL));
    assert_ok(store_story_find(f.store, SC_S("whale"), &f.arena, &story, NULL));
    assert_int_equal(story->chapters, 2);
    assert_int_equal(story->followers, 1);
    end(&f);
}

struct crowd {
    struct fixture *f;
    atomic_int failed;
};

static void *write_and_read(void *user)
{
    struct crowd *crowd = user;
    struct story_query query = {.limit = 10};
    sc__arena arena;

    sc__arena_init(&arena, ARENA_MAX);
    for (int i = 0; i < 50; i++) {
        struct notification note = note_for(&crowd->f->bob, NULL);
        struct stories list;
        int64_t unread;

        sc__arena_reset(&arena);
        if (store_notification_insert(crowd->f->store, &note, &arena, NULL, NULL) ||
            store_story_list(crowd->f->store, &query, &arena, &list, NULL) ||
            store_notification_count_unread(crowd->f->store, crowd->f->bob.id, &unread, NULL))
            atomic_fetch_add(&crowd->failed, 1);
    }
    sc__arena_release(&arena);
    return NULL;
}

TEST_LIMIT(many_threads_use_one_store, 60)
{
    enum { THREADS = 20 };
    pthread_t threads[THREADS];
    struct crowd crowd;
    struct fixture f;
    int64_t unread = 0;

    begin(&f);
    crowd.f = &f;
    atomic_init(&crowd.failed, 0);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, write_and_read, &crowd);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_ok(store_notification_count_unread(f.store, f.bob.id, &unread, NULL));

    assert_int_equal(atomic_load(&crowd.failed), 0);
    assert_int_equal(unread, THREADS * 50);
    end(&f);
}

TEST_LIMIT(processes_open_a_new_file_at_once, 60)
{
    enum { PROCESSES = 6 };
    struct fixture f;
    pid_t pids[PROCESSES];

    memset(&f, 0, sizeof(f));
    for (int i = 0; i < PROCESSES; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            sc__arena_init(&f.arena, ARENA_MAX);
            f.store = open_in_folder(&f);
            add_user(&f, "same");
            end(&f);
            _exit(0);
        }
    }
    for (int i = 0; i < PROCESSES; i++) {
        int status = 1;

        waitpid(pids[i], &status, 0);
        assert_int_equal(status, 0);
    }
}

static void assert_open_fails(const char *url, sc_err expected, const char *sentence)
{
    struct store *store;
    sc_reason reason = {""};

    assert_err(store_open(url, &store, &reason), expected);
    if (!strstr(reason.text, sentence))
        fail_msg("\"%s\" lacks \"%s\"", reason.text, sentence);
}

static void run_sql(const char *path, const char *sql)
{
    sqlite3 *handle;

    assert_int_equal(sqlite3_open(path, &handle), SQLITE_OK);
    assert_int_equal(sqlite3_exec(handle, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(handle);
}

TEST(files_that_cannot_be_a_store_are_refused_in_words)
{
    char path[100], url[128];
    FILE *garbage;

    assert_open_fails("mysql://x", SC_EINVAL, "of a kind that is not known here");
    assert_open_fails("sqlite:", SC_EINVAL, "names no file");
    assert_open_fails("sqlite:///no/such/folder/x.db", SC_EIO, "its folder does not exist");

    snprintf(path, sizeof(path), "%s/x.db", test_folder());
    snprintf(url, sizeof(url), "sqlite:%s", path);
    garbage = fopen(path, "w");
    for (int i = 0; i < 500; i++)
        fputs("not a database at all ", garbage);
    fclose(garbage);
    assert_open_fails(url, SC_EIO, "is damaged or no SQLite database");
    remove(path);
    run_sql(path, "CREATE TABLE theirs(x)");
    assert_open_fails(url, SC_ESTATE, "a database of another program");
    remove(path);
    run_sql(path, "PRAGMA application_id = 0x53744368; PRAGMA user_version = 9999");
    assert_open_fails(url, SC_ESTATE, "was made by a newer StoryChain");
}

/* Root may write everywhere, so the test becomes somebody else. */
static void become_nobody(const char *folder)
{
    enum { NOBODY = 65534 };

    if (geteuid() != 0)
        return;
    assert_int_equal(chmod(folder, 0755), 0);
    assert_int_equal(seteuid(NOBODY), 0);
}

TEST(a_folder_that_is_not_ours_to_write_is_said)
{
    struct fixture f;
    char url[160];

    begin(&f);
    end(&f);
    snprintf(url, sizeof(url), "sqlite:%s", f.path);
    assert_int_equal(chmod(f.path, 0444), 0);
    assert_int_equal(chmod(test_folder(), 0555), 0);
    become_nobody(test_folder());

    assert_open_fails(url, SC_EREADONLY, "can't be written: check owner and mode of the file");
    snprintf(url, sizeof(url), "sqlite:%s/new.db", test_folder());
    assert_open_fails(url, SC_EREADONLY, "its folder is not ours to write");
    if (geteuid() != getuid())
        assert_int_equal(seteuid(getuid()), 0);
    assert_int_equal(chmod(test_folder(), 0755), 0);
}

TEST(what_another_process_holds_too_long_is_said)
{
    struct story story = {.slug = SC_S("x"), .title = SC_S("X")};
    struct story *found;
    struct fixture f;
    sqlite3 *other;
    sc_reason reason = {""};

    begin(&f);
    story.author_id = f.ada.id;
    assert_int_equal(sqlite3_open(f.path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    assert_err(store_story_insert(f.store, &story, &f.arena, &reason), SC_EBUSY);
    assert_non_null(strstr(reason.text, "another process has held"));

    assert_ok(store_story_find(f.store, SC_S("the-island"), &f.arena, &found, NULL));
    assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    assert_ok(store_story_insert(f.store, &story, &f.arena, &reason));
    sqlite3_close(other);
    end(&f);
}

TEST(a_full_disk_is_said_and_nothing_is_stored)
{
    enum { DISK = 4 * 1024 * 1024 };
    struct story story = {.slug = SC_S("big"), .title = SC_S("Big"), .status = PUBLISHED};
    const struct rlimit disk = {DISK, DISK};
    char *text = calloc(1, 2 * DISK);
    struct story *found;
    struct fixture f;
    sc_reason reason = {""};

    begin(&f);
    assert_non_null(text);
    memset(text, 'x', 2 * DISK);
    story.author_id = f.ada.id;
    story.summary = (sc_slice){text, 2 * DISK};
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &disk);

    assert_err(store_story_insert(f.store, &story, &f.arena, &reason), SC_EIO);
    assert_ok(store_story_find(f.store, SC_S("big"), &f.arena, &found, NULL));
    assert_null(found);
    story.summary = SC_S("small");
    assert_ok(store_story_insert(f.store, &story, &f.arena, &reason));
    free(text);
    end(&f);
}
