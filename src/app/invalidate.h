/* What a write makes stale: the sets of cached values that are removed together.
 *
 * Called after the write is stored. They give no error, for the write has happened and stands: while
 * Redis is away the cache remembers the removals and makes up for them (<storychain/cache.h>). Each is one or two
 * commands, however many values it removes; values that take long to be loaded don't come back either. */
#ifndef APP_INVALIDATE_H
#define APP_INVALIDATE_H

#include <storychain/cache.h>

#include "cache_keys.h"

/* A story's detail, tree, overview, what its readers have read of it, and all lists that may have it: published, new, featured,
 * those of users, search; and its chapters, unless they stay as they are. */
void invalidate_story(sc_cache *cache, sc_slice slug, bool with_chapters);

/* The user's profile, stories and notification count. */
void invalidate_user(sc_cache *cache, sc_slice user_id, sc_slice clerk_id);

/* The chapter's detail and the story's tree. A chapter that is new, moved or gone changes its story too
 * (counts, lists): then invalidate_story(). */
void invalidate_chapter(sc_cache *cache, sc_slice story_slug, sc_slice chapter_slug);

/* One value: after a notification was stored or read; after a reader moved on. */
void invalidate_notification_count(sc_cache *cache, sc_slice user_id);
void invalidate_reading_history(sc_cache *cache, sc_slice user_id, sc_slice story_slug);

/* All of an entity and operation, or of any: what cache_key_pattern() matches, without a search for it. */
void invalidate_entity(sc_cache *cache, enum cache_entity entity, enum cache_operation operation);

#endif
