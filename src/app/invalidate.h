/* What a write makes stale: the sets of cached values that are removed together.
 *
 * Called after the write is stored. They give no error, for the write has happened and stands: while
 * Redis is away the cache remembers the removals and makes up for them (<storychain/cache.h>). */
#ifndef APP_INVALIDATE_H
#define APP_INVALIDATE_H

#include <storychain/cache.h>

/* A story and what shows it. The caller knows these from its store, so that no keyspace is searched. */
struct story_scope {
    sc_slice slug;
    const sc_slice *chapter_slugs; /* of all its chapters */
    size_t chapter_count;
    const sc_slice *user_ids; /* whose list of stories has it: author, collaborators */
    size_t user_count;
};

/* Its detail, tree and overview, its chapters' details, and all lists that may have it: published, new, featured
 * and those of the users. */
void invalidate_story(sc_cache *cache, const struct story_scope *story);

/* The user's profile, stories and notification count. */
void invalidate_user(sc_cache *cache, sc_slice user_id, sc_slice clerk_id);

/* The chapter's detail and the story's tree. A chapter that is new, moved or gone changes its story too
 * (counts, lists): then invalidate_story(). */
void invalidate_chapter(sc_cache *cache, sc_slice story_slug, sc_slice chapter_slug);

/* One value: after a notification was stored or read; after a reader moved on. */
void invalidate_notification_count(sc_cache *cache, sc_slice user_id);
void invalidate_reading_history(sc_cache *cache, sc_slice user_id, sc_slice story_slug);

#endif
