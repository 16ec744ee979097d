#include "invalidate.h"

#include "base/log.h"

enum { NAMES_MAX = 4 };

/* The names of keys, or of tags, that are removed together. */
struct removal {
    sc__str names[NAMES_MAX];
    size_t count;
    sc_err err; /* the first name that could not be made */
};

static void removal_init(struct removal *r)
{
    *r = (struct removal){.count = 0};
    for (size_t i = 0; i < NAMES_MAX; i++)
        r->names[i] = CACHE_KEY;
}

static sc__str *next(struct removal *r)
{
    return &r->names[r->count];
}

/* Adds the name in next(), which was made with `err`. */
static void add(struct removal *r, sc_err err)
{
    r->err = r->err ? r->err : err;
    r->count += !err;
}

/* Removes, and frees the names. `what` and `id` are for the log. When it fails the cache has told the log, and removes them
 * later. */
static void finish(struct removal *r, sc_cache *cache, bool are_tags, const char *what, sc_slice id)
{
    sc_slice names[NAMES_MAX];
    sc_err err;

    for (size_t i = 0; i < r->count; i++)
        names[i] = sc__str_slice(&r->names[i]);
    err = are_tags ? sc_cache_del_tags(cache, names, r->count)
                   : sc_cache_del_many(cache, names, r->count, NULL);
    if (!err)
        sc__log(SC_LOG_DEBUG, "cache: %s %.*s invalidated", what,
                (int)(id.len < 128 ? id.len : 128), id.ptr);
    if (r->err || err == SC_EINVAL)
        sc__log(SC_LOG_WARN, "cache: something cached of %s %.*s may be old until its TTL ends: %s",
                what, (int)(id.len < 128 ? id.len : 128), id.ptr,
                sc_err_text(r->err ? r->err : err));
    for (size_t i = 0; i < NAMES_MAX; i++)
        sc__str_release(&r->names[i]);
}

void invalidate_story(sc_cache *cache, sc_slice slug, bool with_chapters)
{
    struct removal r;

    removal_init(&r);
    add(&r, cache_tag_story(next(&r), slug));
    sc__str_text(next(&r), CACHE_TAG_LISTS);
    add(&r, next(&r)->err);
    if (with_chapters)
        add(&r, cache_tag_chapters(next(&r), slug));
    finish(&r, cache, true, "story", slug);
}

void invalidate_user(sc_cache *cache, sc_slice user_id, sc_slice clerk_id)
{
    struct removal r;

    removal_init(&r);
    add(&r, cache_tag_user(next(&r), user_id));
    finish(&r, cache, true, "what is made for user", user_id);
    removal_init(&r);
    add(&r, cache_key_user_profile(next(&r), clerk_id));
    finish(&r, cache, false, "user", clerk_id);
}

void invalidate_chapter(sc_cache *cache, sc_slice story_slug, sc_slice chapter_slug)
{
    struct removal r;

    removal_init(&r);
    add(&r, cache_key_chapter_detail(next(&r), story_slug, chapter_slug));
    add(&r, cache_key_story_tree(next(&r), story_slug));
    finish(&r, cache, false, "chapter", chapter_slug);
}

void invalidate_notification_count(sc_cache *cache, sc_slice user_id)
{
    struct removal r;

    removal_init(&r);
    add(&r, cache_key_notification_count(next(&r), user_id));
    finish(&r, cache, false, "the notifications of user", user_id);
}

void invalidate_reading_history(sc_cache *cache, sc_slice user_id, sc_slice story_slug)
{
    struct removal r;

    removal_init(&r);
    add(&r, cache_key_reading_history(next(&r), user_id, story_slug));
    finish(&r, cache, false, "the reading history of user", user_id);
}

void invalidate_entity(sc_cache *cache, enum cache_entity entity, enum cache_operation operation)
{
    struct removal r;

    removal_init(&r);
    add(&r, cache_tag_of(next(&r), entity, operation));
    finish(&r, cache, true, "all that is", r.count ? sc__str_slice(&r.names[0]) : SC_S("unknown"));
}
