/* What changes stories: each write is stored, then all that shows it is invalidated. */
#include "stories.h"

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"

#include "app/invalidate.h"
#include "app/text_rules.h"

#include "story_parts.h"

enum { ARENA_MAX = 128 * 1024 * 1024 };

void story_invalidate(const struct catalog *catalog, sc_slice story_id, bool with_chapters)
{
    sc_reason reason = {""};
    struct story *story;
    sc__arena arena;
    sc_err err;

    sc__arena_init(&arena, ARENA_MAX);
    err = store_story_find_by_id(catalog->store, story_id, &arena, &story, &reason);
    if (!err && !story)
        err = sc__because(&reason, SC_ENOTFOUND, "the story is gone");
    if (err)
        sc__log(SC_LOG_ERROR, "the cache may show an old state of story %.*s until it expires: %s",
                (int)story_id.len, story_id.ptr, reason.text);
    else
        invalidate_story(catalog->cache, story->slug, with_chapters);
    sc__arena_release(&arena);
}

void story_changed(const struct catalog *catalog, sc_slice story_id)
{
    story_invalidate(catalog, story_id, true);
    story_people_invalidate(catalog, story_id);
}

/* ---- Creating and publishing ---- */

static sc_err check_tags(sc_slice tags, sc_reason *ret_reason)
{
    AUTO_JSON *array = NULL;
    sc_err err;

    if (sc__json_parse(tags, &array, NULL) || !json_is_array(array))
        return sc__because(ret_reason, SC_EINVAL, "the tags are not an array of texts");
    if (json_array_size(array) > TAGS_MAX)
        return sc__because(ret_reason, SC_EINVAL, "a story has at most %d tags", TAGS_MAX);
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *tag = json_array_get(array, i);

        if (!json_is_string(tag))
            return sc__because(ret_reason, SC_EINVAL, "a tag is not a text");
        err = line_check("a tag", (sc_slice){json_string_value(tag), json_string_length(tag)},
                         TAG_MAX, ret_reason);
        if (err)
            return err;
    }
    return SC_OK;
}

/* `*ret_slug`: the given one, or one made from the title. */
static sc_err check_draft(const struct story_draft *draft, sc__arena *arena, sc_slice *ret_slug,
                          sc_reason *ret_reason)
{
    sc_err err = line_check("the title", draft->title, TITLE_MAX, ret_reason);

    if (!err && draft->summary.ptr)
        err = text_check("the summary", draft->summary, SUMMARY_MAX, ret_reason);
    if (!err && draft->tags.ptr)
        err = check_tags(draft->tags, ret_reason);
    if (err)
        return err;
    *ret_slug = draft->slug.ptr ? draft->slug : slug_from_title(draft->title, arena);
    return slug_check("the slug", *ret_slug, ret_reason);
}

sc_err story_create(const struct catalog *catalog, const struct story_draft *draft,
                    sc__arena *arena, struct story **ret_story, sc_reason *ret_reason)
{
    struct story story = {
        .title = draft->title,
        .summary = draft->summary,
        .tags = draft->tags,
        .author_id = draft->author_id,
        .status = draft->publish ? PUBLISHED : DRAFT,
    };
    sc_err err = check_draft(draft, arena, &story.slug, ret_reason);

    if (!err)
        err = store_story_insert(catalog->store, &story, arena, ret_reason);
    if (err)
        return err;
    story_invalidate(catalog, story.id, true);
    return store_story_find_by_id(catalog->store, story.id, arena, ret_story, ret_reason);
}

sc_err story_publish(const struct catalog *catalog, sc_slice slug, sc__arena *arena,
                     struct story **ret_story, sc_reason *ret_reason)
{
    struct story *story;
    sc_err err = store_story_find(catalog->store, slug, arena, &story, ret_reason);

    if (!err && !story)
        err = story_missing(slug, ret_reason);
    if (err)
        return err;
    if (story->status == DRAFT) {
        story->status = PUBLISHED;
        err = store_story_update(catalog->store, story, ret_reason);
        if (err)
            return err;
        story_invalidate(catalog, story->id, true);
    }
    return store_story_find_by_id(catalog->store, story->id, arena, ret_story, ret_reason);
}

/* ---- Followers and collaborators ---- */

/* The id of a published story. */
static sc_err find_id(struct store *store, sc_slice slug, sc__arena *arena, sc_slice *ret_id,
                      sc_reason *ret_reason)
{
    struct story *story;
    sc_err err = story_find_published(store, slug, arena, &story, ret_reason);

    if (!err)
        *ret_id = story->id;
    return err;
}

sc_err story_follow(const struct catalog *catalog, sc_slice slug, sc_slice user_id, bool follow,
                    bool *ret_changed, sc_reason *ret_reason)
{
    bool changed = false;
    sc__arena arena;
    sc_slice id;
    sc_err err;

    sc__arena_init(&arena, ARENA_MAX);
    err = find_id(catalog->store, slug, &arena, &id, ret_reason);
    if (!err && follow)
        err = store_follower_add(catalog->store, id, user_id, &changed, ret_reason);
    else if (!err)
        err = store_follower_remove(catalog->store, id, user_id, &changed, ret_reason);
    if (!err && changed)
        story_invalidate(catalog, id, false);
    if (!err && ret_changed)
        *ret_changed = changed;
    sc__arena_release(&arena);
    return err;
}

sc_err story_collaborate(const struct catalog *catalog, sc_slice slug, sc_slice user_id,
                         sc_slice role, sc_reason *ret_reason)
{
    sc__arena arena;
    sc_slice id;
    sc_err err = role.ptr ? line_check("the role", role, NAME_MAX_BYTES, ret_reason) : SC_OK;

    if (err)
        return err;
    sc__arena_init(&arena, ARENA_MAX);
    err = find_id(catalog->store, slug, &arena, &id, ret_reason);
    if (!err && role.ptr)
        err = store_collaborator_put(catalog->store, id, user_id, role, ret_reason);
    else if (!err)
        err = store_collaborator_remove(catalog->store, id, user_id, NULL, ret_reason);
    if (!err)
        story_invalidate(catalog, id, false);
    sc__arena_release(&arena);
    return err;
}
