/* StoryChain's cache keys: sc:{entity}:{operation}[:{name}={value}…][:{variant}]
 *
 * Identifiers are sorted by name. In names, values and variants every byte but A-Z a-z 0-9 - . _ ~ is
 * written as %XX, so two different calls never give one key, and nothing in a value acts as a
 * separator or as a wildcard. Slugs and ids stay as they are.
 *
 * No other file makes a key of the cache. All functions replace what `key` held; start with
 *
 *     AUTO_STR key = CACHE_KEY;
 *
 * and leave it empty when they fail: SC_ETOOBIG over CACHE_KEY's ceiling, SC_ENOMEM. */
#ifndef APP_CACHE_KEYS_H
#define APP_CACHE_KEYS_H

#include "base/str.h"

#define CACHE_KEY STR_MAX(16 * 1024)

#define CACHE_ENTITIES(X)                                                                          \
    X(STORY, "story")                                                                              \
    X(CHAPTER, "chapter")                                                                          \
    X(USER, "user")                                                                                \
    X(NOTIFICATION, "notification")                                                                \
    X(COLLABORATOR, "collaborator")                                                                \
    X(READING_HISTORY, "reading-history")                                                          \
    X(AUTOSAVE, "autosave")

#define CACHE_OPERATIONS(X)                                                                        \
    X(DETAIL, "detail")                                                                            \
    X(LIST, "list")                                                                                \
    X(TREE, "tree")                                                                                \
    X(COUNT, "count")                                                                              \
    X(SEARCH, "search")                                                                            \
    X(OVERVIEW, "overview")                                                                        \
    X(SETTINGS, "settings")

enum cache_entity {
    CACHE_ANY_ENTITY = -1, /* in patterns only */
#define X(name, text) CACHE_##name,
    CACHE_ENTITIES(X)
#undef X
};

enum cache_operation {
    CACHE_ANY_OPERATION = -1, /* in patterns only */
#define X(name, text) CACHE_##name,
    CACHE_OPERATIONS(X)
#undef X
};

/* From their names ("reading-history"). SC_ENOTFOUND. */
SC_MUST_USE sc_err cache_entity_find(sc_slice name, enum cache_entity *ret_entity);
SC_MUST_USE sc_err cache_operation_find(sc_slice name, enum cache_operation *ret_operation);

/* `slug` = `my-story` */
struct cache_id {
    sc_slice name, value;
};

/* Any key. `variant` may be empty: none. SC_EINVAL: an identifier without a name or given twice (at most
 * 8 may be given), or an entity or operation that isn't one. */
SC_MUST_USE sc_err cache_key_build(sc__str *key, enum cache_entity entity,
                                   enum cache_operation operation, const struct cache_id *ids,
                                   size_t id_count, sc_slice variant);

/* A pattern for sc_cache_del_pattern(): "sc:story:detail:*"; "sc:story:*" for any operation, "sc:*" for
 * any entity too. It does not match the key that ends with its operation ("sc:story:detail").
 * SC_EINVAL: an operation of any entity. */
SC_MUST_USE sc_err cache_key_pattern(sc__str *key, enum cache_entity entity,
                                     enum cache_operation operation);

enum story_list { STORY_LIST_PUBLISHED, STORY_LIST_NEW, STORY_LIST_FEATURED, STORY_LIST_COUNT };

SC_MUST_USE sc_err cache_key_story_detail(sc__str *key, sc_slice slug);
SC_MUST_USE sc_err cache_key_story_tree(sc__str *key, sc_slice slug);
SC_MUST_USE sc_err cache_key_story_overview(sc__str *key, sc_slice slug);
SC_MUST_USE sc_err cache_key_story_list(sc__str *key, enum story_list list);
SC_MUST_USE sc_err cache_key_user_stories(sc__str *key, sc_slice user_id);
SC_MUST_USE sc_err cache_key_chapter_detail(sc__str *key, sc_slice story_slug,
                                            sc_slice chapter_slug);
SC_MUST_USE sc_err cache_key_user_profile(sc__str *key, sc_slice clerk_id);
SC_MUST_USE sc_err cache_key_notification_count(sc__str *key, sc_slice user_id);
SC_MUST_USE sc_err cache_key_reading_history(sc__str *key, sc_slice user_id, sc_slice story_slug);

/* Tags, by which values are removed without naming them (<storychain/cache.h>). */

/* Of all values of an entity and operation, of an entity, of all: what cache_key_pattern() matches, and no key besides. Fails as that. */
SC_MUST_USE sc_err cache_tag_of(sc__str *tag, enum cache_entity entity,
                                enum cache_operation operation);

/* Of all lists that a change of any story may show in: they are many, and their makers alone know which. */
#define CACHE_TAG_LISTS "sc:lists"

SC_MUST_USE sc_err cache_tag_story(sc__str *tag, sc_slice slug);    /* what shows a story itself */
SC_MUST_USE sc_err cache_tag_chapters(sc__str *tag, sc_slice slug); /* a story's chapters */
SC_MUST_USE sc_err cache_tag_user(sc__str *tag, sc_slice user_id);  /* what is made for a user */

/* For the request limiter: "sc:rate-limit:client=…". No cached value, so it's of no entity. */
SC_MUST_USE sc_err cache_key_rate_limit(sc__str *key, sc_slice client);

#endif
