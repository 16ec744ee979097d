#include "invalidate.h"

#include "base/arena.h"
#include "base/log.h"
#include "cache_keys.h"

/* Keys are collected and removed this many at a time. */
enum { BATCH = 256, BATCH_BYTES = BATCH * 32 * 1024 };

struct removal {
    sc_cache *cache;
    sc__arena arena; /* of the keys */
    sc__str key;     /* the one being made */
    sc_slice keys[BATCH];
    size_t count;
    sc_err err; /* the first key that could not be made */
};

static void removal_init(struct removal *r, sc_cache *cache)
{
    r->cache = cache;
    sc__arena_init(&r->arena, BATCH_BYTES);
    r->key = CACHE_KEY;
    r->count = 0;
    r->err = SC_OK;
}

static void failed(struct removal *r, sc_err err)
{
    r->err = r->err ? r->err : err;
}

static void flush(struct removal *r)
{
    /* When it fails the cache has told the log, and removes them later. */
    if (r->count && sc_cache_del_many(r->cache, r->keys, r->count, NULL) == SC_OK)
        sc__log(SC_LOG_DEBUG, "cache: %zu keys invalidated", r->count);
    r->count = 0;
    sc__arena_reset(&r->arena);
}

/* Adds the key in r->key, which was made with `err`. */
static void add(struct removal *r, sc_err err)
{
    char *copy;

    if (err) {
        failed(r, err);
        return;
    }
    copy = sc__arena_dup(&r->arena, sc__str_slice(&r->key));
    if (!copy) {
        failed(r, SC_ENOMEM);
        return;
    }
    r->keys[r->count++] = (sc_slice){copy, r->key.len};
    if (r->count == BATCH)
        flush(r);
}

/* Removes the rest. `what` and `id` are for the log. */
static void removal_finish(struct removal *r, const char *what, sc_slice id)
{
    flush(r);
    if (r->err)
        sc__log(SC_LOG_WARN, "cache: something cached of %s %.*s may be old until its TTL ends: %s",
                what, (int)(id.len < 128 ? id.len : 128), id.ptr, sc_err_text(r->err));
    sc__str_release(&r->key);
    sc__arena_release(&r->arena);
}

void invalidate_story(sc_cache *cache, const struct story_scope *story)
{
    struct removal r;

    removal_init(&r, cache);
    add(&r, cache_key_story_detail(&r.key, story->slug));
    add(&r, cache_key_story_tree(&r.key, story->slug));
    add(&r, cache_key_story_overview(&r.key, story->slug));
    for (int list = 0; list < STORY_LIST_COUNT; list++)
        add(&r, cache_key_story_list(&r.key, (enum story_list)list));
    for (size_t i = 0; i < story->user_count; i++)
        add(&r, cache_key_user_stories(&r.key, story->user_ids[i]));
    for (size_t i = 0; i < story->chapter_count; i++)
        add(&r, cache_key_chapter_detail(&r.key, story->slug, story->chapter_slugs[i]));
    removal_finish(&r, "story", story->slug);
}

void invalidate_user(sc_cache *cache, sc_slice user_id, sc_slice clerk_id)
{
    struct removal r;

    removal_init(&r, cache);
    add(&r, cache_key_user_profile(&r.key, clerk_id));
    add(&r, cache_key_user_stories(&r.key, user_id));
    add(&r, cache_key_notification_count(&r.key, user_id));
    removal_finish(&r, "user", user_id);
}

void invalidate_chapter(sc_cache *cache, sc_slice story_slug, sc_slice chapter_slug)
{
    struct removal r;

    removal_init(&r, cache);
    add(&r, cache_key_chapter_detail(&r.key, story_slug, chapter_slug));
    add(&r, cache_key_story_tree(&r.key, story_slug));
    removal_finish(&r, "chapter", chapter_slug);
}

void invalidate_notification_count(sc_cache *cache, sc_slice user_id)
{
    struct removal r;

    removal_init(&r, cache);
    add(&r, cache_key_notification_count(&r.key, user_id));
    removal_finish(&r, "the notifications of user", user_id);
}

void invalidate_reading_history(sc_cache *cache, sc_slice user_id, sc_slice story_slug)
{
    struct removal r;

    removal_init(&r, cache);
    add(&r, cache_key_reading_history(&r.key, user_id, story_slug));
    removal_finish(&r, "the reading history of user", user_id);
}
