/* Autosaves; chapters.h has their contract. */
#include "chapters.h"

#include "base/error.h"
#include "base/utf8.h"

#include "app/text_rules.h"

#include "story_parts.h"

enum { ARENA_MAX = 1024 * 1024 };

/* The story of an autosave may be a draft: it is its writer who asks. */
static sc_err find_story(struct store *store, sc_slice slug, sc__arena *arena, sc_slice *ret_id,
                         sc_reason *ret_reason)
{
    struct story *story;
    sc_err err = store_story_find(store, slug, arena, &story, ret_reason);

    if (!err && !story)
        err = story_missing(slug, ret_reason);
    if (!err)
        *ret_id = story->id;
    return err;
}

/* A title or text may be empty while it is being written. */
static sc_err check(sc_slice chapter, sc_slice title, sc_slice content, sc_reason *ret_reason)
{
    sc_err err = line_check("the name to save under", chapter, AUTOSAVE_CHAPTER_MAX, ret_reason);

    if (!err && title.len)
        err = line_check("the title", title, TITLE_MAX, ret_reason);
    if (!err && content.len > CONTENT_MAX)
        err = sc__because(ret_reason, SC_ETOOBIG, "the content has %zu bytes; the limit is %d",
                          content.len, CONTENT_MAX);
    if (!err && !sc__utf8_valid(content, NULL))
        err = sc__because(ret_reason, SC_EINVAL, "the content is not UTF-8");
    return err;
}

sc_err autosave_put(const struct catalog *catalog, sc_slice user_id, sc_slice story_slug,
                    sc_slice chapter, sc_slice title, sc_slice content,
                    struct autosave *ret_autosave, sc_reason *ret_reason)
{
    struct autosave autosave = {
        .user_id = user_id,
        .chapter = chapter,
        .title = title,
        .content = content.ptr ? content : SC_S(""),
    };
    sc__arena arena;
    sc_err err = check(chapter, title, content, ret_reason);

    if (err)
        return err;
    sc__arena_init(&arena, ARENA_MAX);
    err = find_story(catalog->store, story_slug, &arena, &autosave.story_id, ret_reason);
    if (!err)
        err = store_autosave_put(catalog->store, &autosave, ret_reason);
    sc__arena_release(&arena);
    autosave.story_id = (sc_slice){NULL, 0};
    if (!err)
        *ret_autosave = autosave;
    return err;
}

sc_err autosave_find(const struct catalog *catalog, sc_slice user_id, sc_slice story_slug,
                     sc_slice chapter, sc__arena *arena, struct autosave **ret_autosave,
                     sc_reason *ret_reason)
{
    sc_slice story_id;
    sc_err err = find_story(catalog->store, story_slug, arena, &story_id, ret_reason);

    return err ? err
               : store_autosave_find(catalog->store, user_id, story_id, chapter, arena,
                                     ret_autosave, ret_reason);
}

sc_err autosave_remove(const struct catalog *catalog, sc_slice user_id, sc_slice story_slug,
                       sc_slice chapter, bool *ret_removed, sc_reason *ret_reason)
{
    sc_slice story_id;
    sc__arena arena;
    sc_err err;

    sc__arena_init(&arena, ARENA_MAX);
    err = find_story(catalog->store, story_slug, &arena, &story_id, ret_reason);
    if (!err)
        err = store_autosave_remove(catalog->store, user_id, story_id, chapter, ret_removed,
                                    ret_reason);
    sc__arena_release(&arena);
    return err;
}
