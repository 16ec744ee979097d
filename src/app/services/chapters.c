#include "chapters.h"

#include "base/clock.h"
#include "base/error.h"

#include "app/invalidate.h"
#include "app/shapes.h"
#include "app/text_rules.h"

#include "notifications.h"
#include "read_through.h"
#include "story_parts.h"

enum { ARENA_MAX = 128 * 1024 * 1024, HISTORY_MAX = 1000, TELL_BATCH = 100, LATE_MS = 10000 };

static sc_err no_chapter(sc_slice story_slug, sc_slice slug, sc_reason *ret_reason)
{
    return sc__because(ret_reason, SC_ENOTFOUND, "there is no chapter \"%.*s\" of a story \"%.*s\"",
                       (int)(slug.len < SLUG_MAX ? slug.len : SLUG_MAX), slug.ptr,
                       (int)(story_slug.len < SLUG_MAX ? story_slug.len : SLUG_MAX),
                       story_slug.ptr);
}

/* ---- Reading ---- */

static sc_err load_detail(const struct read *read, sc__arena *arena, sc__str *out,
                          sc_reason *ret_reason)
{
    struct store *store = read->catalog->store;
    struct chapter *chapter = NULL;
    struct chapters all;
    struct story *story;
    sc_err err = story_find_published(store, read->name, arena, &story, ret_reason);

    if (!err)
        err = store_chapter_find(store, story->id, read->name2, arena, &chapter, ret_reason);
    if (!err && !chapter)
        err = SC_ENOTFOUND;
    if (!err)
        err = store_chapter_list(store, story->id, arena, &all, ret_reason);
    if (!err)
        chapter_shape(out, story, chapter, &all);
    return err;
}

sc_err chapter_detail_json(const struct catalog *catalog, sc_slice story_slug,
                           sc_slice chapter_slug, sc_cache_value *ret_json, sc_reason *ret_reason)
{
    const struct read read = {.catalog = catalog,
                              .kind = READ_CHAPTER_DETAIL,
                              .name = story_slug,
                              .name2 = chapter_slug,
                              .load = load_detail,
                              .tag = cache_tag_chapters,
                              .tag_id = story_slug};
    AUTO_STR key = CACHE_KEY;
    sc_err err;

    if (!slug_is_valid(story_slug) || !slug_is_valid(chapter_slug))
        return no_chapter(story_slug, chapter_slug, ret_reason);
    err = cache_key_chapter_detail(&key, story_slug, chapter_slug);
    err = read_through(&read, &key, err, ret_json, ret_reason);
    return err == SC_ENOTFOUND ? no_chapter(story_slug, chapter_slug, ret_reason) : err;
}

/* ---- Publishing ---- */

/* One notification to all who write or follow the story, but the chapter's author. Repeating it
 * is harmless: its key is the chapter's. */
static sc_err tell(const struct catalog *catalog, const struct story *story,
                   const struct chapter *chapter, sc__arena *arena, sc_reason *ret_reason)
{
    AUTO_STR metadata = STR_MAX(4096);
    struct notification news = {
        .type = SC_S("chapter.published"),
        .key = sc_slice_of(
            sc__arena_printf(arena, "chapter:%.*s", (int)chapter->id.len, chapter->id.ptr)),
        .title = sc_slice_of(sc__arena_printf(arena, "New in %s", story->title.ptr)),
        .message = sc_slice_of(sc__arena_printf(arena, "%s has published \"%s\".",
                                                chapter->author_name.ptr, chapter->title.ptr)),
        .action_url = sc_slice_of(
            sc__arena_printf(arena, "/stories/%s/chapters/%s", story->slug.ptr, chapter->slug.ptr)),
    };
    sc_err err;

    sc__str_text(&metadata, "{\"story\":");
    sc__str_json(&metadata, story->slug);
    sc__str_text(&metadata, ",\"chapter\":");
    sc__str_json(&metadata, chapter->slug);
    sc__str_char(&metadata, '}');
    news.metadata = sc__str_slice(&metadata);
    if (metadata.err || !news.key.ptr || !news.title.ptr || !news.message.ptr ||
        !news.action_url.ptr)
        return sc__because(ret_reason, SC_ENOMEM, "out of memory");
    err = notification_tell_audience(catalog->notifier, story->id, chapter->author_id, &news, NULL,
                                     ret_reason);
    if (!err)
        err = store_chapter_mark_told(catalog->store, chapter->id, ret_reason);
    return err;
}

/* `*ret_slug`: the given one, or one made from the title. */
static sc_err check_draft(const struct chapter_draft *draft, sc__arena *arena, sc_slice *ret_slug,
                          sc_reason *ret_reason)
{
    sc_err err = line_check("the title", draft->title, TITLE_MAX, ret_reason);

    if (!err)
        err = text_check("the content", draft->content, CONTENT_MAX, ret_reason);
    if (err)
        return err;
    *ret_slug = draft->slug.ptr ? draft->slug : slug_from_title(draft->title, arena);
    return slug_check("the slug", *ret_slug, ret_reason);
}

static sc_err insert(const struct catalog *catalog, const struct story *story,
                     const struct chapter_draft *draft, sc__arena *arena,
                     struct chapter **ret_chapter, sc_reason *ret_reason)
{
    struct chapter chapter = {
        .story_id = story->id,
        .title = draft->title,
        .content = draft->content,
        .parent_slug = draft->parent_slug,
        .author_id = draft->author_id,
        .untold = catalog->notifier != NULL,
    };
    sc_err err = check_draft(draft, arena, &chapter.slug, ret_reason);

    if (!err)
        err = store_chapter_insert(catalog->store, &chapter, arena, ret_reason);
    if (err)
        return err;
    story_invalidate(catalog, story->id, true);
    return store_chapter_find(catalog->store, story->id, chapter.slug, arena, ret_chapter,
                              ret_reason);
}

sc_err chapter_publish(const struct catalog *catalog, sc_slice story_slug,
                       const struct chapter_draft *draft, sc__arena *arena,
                       struct chapter **ret_chapter, sc_err *ret_unheard, sc_reason *ret_reason)
{
    sc_err err, unheard = SC_OK;
    struct story *story;

    err = story_find_published(catalog->store, story_slug, arena, &story, ret_reason);
    if (!err)
        err = insert(catalog, story, draft, arena, ret_chapter, ret_reason);
    if (err)
        return err;
    if (catalog->notifier)
        unheard = tell(catalog, story, *ret_chapter, arena, ret_reason);
    if (ret_unheard)
        *ret_unheard = unheard;
    return SC_OK;
}

/* Tells of one chapter whose story may have been withdrawn since. */
static sc_err tell_late(const struct catalog *catalog, const struct chapter *chapter,
                        sc__arena *arena, sc_reason *ret_reason)
{
    struct story *story;
    sc_err err =
        store_story_find_by_id(catalog->store, chapter->story_id, arena, &story, ret_reason);

    if (err)
        return err;
    if (!story || story->status != PUBLISHED)
        return store_chapter_mark_told(catalog->store, chapter->id, ret_reason);
    return tell(catalog, story, chapter, arena, ret_reason);
}

sc_err chapter_tell_pending(const struct catalog *catalog, int64_t *ret_told, sc_reason *ret_reason)
{
    struct chapters untold = {NULL, 0};
    int64_t told = 0;
    sc__arena arena;
    sc_err err;

    sc__arena_init(&arena, ARENA_MAX);
    do {
        sc__arena_reset(&arena);
        err = store_chapter_list_untold(catalog->store, TELL_BATCH, &arena, &untold, ret_reason);
        for (size_t i = 0; !err && i < untold.count; i++) {
            if (untold.items[i].created_ms > sc__wall_ms() - LATE_MS)
                goto out; /* its publisher may be about to */
            err = tell_late(catalog, &untold.items[i], &arena, ret_reason);
            told += !err;
        }
    } while (!err && untold.count == TELL_BATCH);
out:
    sc__arena_release(&arena);
    if (ret_told)
        *ret_told = told;
    return err;
}

/* ---- Reading history ---- */

sc_err chapter_mark_read(const struct catalog *catalog, sc_slice user_id, sc_slice story_slug,
                         sc_slice chapter_slug, sc_reason *ret_reason)
{
    struct story *story;
    sc__arena arena;
    sc_err err;

    sc__arena_init(&arena, ARENA_MAX);
    err = story_find_published(catalog->store, story_slug, &arena, &story, ret_reason);
    if (!err)
        err = store_reading_put(catalog->store, user_id, story->id, chapter_slug, sc__wall_ms(),
                                ret_reason);
    sc__arena_release(&arena);
    if (!err)
        invalidate_reading_history(catalog->cache, user_id, story_slug);
    return err;
}

static sc_err load_history(const struct read *read, sc__arena *arena, sc__str *out,
                           sc_reason *ret_reason)
{
    struct store *store = read->catalog->store;
    struct readings readings;
    struct story *story;
    sc_err err = story_find_published(store, read->name2, arena, &story, ret_reason);

    if (!err)
        err = store_reading_list(store, read->name, story->id, HISTORY_MAX, arena, &readings,
                                 ret_reason);
    if (!err)
        readings_shape(out, story->slug, &readings);
    return err;
}

sc_err chapter_history_json(const struct catalog *catalog, sc_slice user_id, sc_slice story_slug,
                            sc_cache_value *ret_json, sc_reason *ret_reason)
{
    const struct read read = {.catalog = catalog,
                              .kind = READ_READING_HISTORY,
                              .name = user_id,
                              .name2 = story_slug,
                              .load = load_history,
                              .tag = cache_tag_story,
                              .tag_id = story_slug};
    AUTO_STR key = CACHE_KEY;
    sc_err err;

    if (!slug_is_valid(story_slug))
        return story_missing(story_slug, ret_reason);
    err = cache_key_reading_history(&key, user_id, story_slug);
    err = read_through(&read, &key, err, ret_json, ret_reason);
    return err == SC_ENOTFOUND ? story_missing(story_slug, ret_reason) : err;
}
