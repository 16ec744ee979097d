/* An answer through the cache: the key's value, else what the store has, which is then kept. */
#ifndef APP_SERVICES_READ_THROUGH_H
#define APP_SERVICES_READ_THROUGH_H

#include "app/cache_keys.h"
#include "app/cache_ttl.h"

#include "catalog.h"

/* Kinds of answers: name, entity and operation of their keys, TTL, and the tag that goes with all of them (or none). */
#define READ_KINDS(X)                                                                              \
    X(STORY_DETAIL, "sc:story", "sc:story:detail", STORY_DETAIL, NULL)                             \
    X(STORY_OVERVIEW, "sc:story", "sc:story:overview", STORY_OVERVIEW, NULL)                       \
    X(STORY_TREE, "sc:story", "sc:story:tree", STORY_TREE, NULL)                                   \
    X(STORY_LIST, "sc:story", "sc:story:list", STORY_LIST_PUBLISHED, CACHE_TAG_LISTS)              \
    X(STORY_LIST_NEW, "sc:story", "sc:story:list", STORY_LIST_NEW, CACHE_TAG_LISTS)                \
    X(STORY_SEARCH, "sc:story", "sc:story:search", SEARCH_RESULTS, CACHE_TAG_LISTS)                \
    X(CHAPTER_DETAIL, "sc:chapter", "sc:chapter:detail", STORY_DETAIL, NULL)                       \
    X(USER_PROFILE, "sc:user", "sc:user:detail", USER_PROFILE, NULL)                               \
    X(NOTIFICATION_COUNT, "sc:notification", "sc:notification:count", NOTIFICATION_COUNT, NULL)    \
    X(READING_HISTORY, "sc:reading-history", "sc:reading-history:detail", READING_HISTORY, NULL)

enum read_kind {
#define X(name, entity, operation, ttl, tag) READ_##name,
    READ_KINDS(X)
#undef X
        READ_KIND_COUNT
};

struct read {
    const struct catalog *catalog;
    enum read_kind kind;
    sc_slice name;  /* what is asked for: a slug, an id, words */
    sc_slice name2; /* a second one: the chapter's slug, the story's */
    enum story_list list;

    /* Writes the answer. SC_ENOTFOUND and other errors are given on and nothing is kept. */
    sc_err (*load)(const struct read *read, sc__arena *arena, sc__str *out, sc_reason *ret_reason);

    /* Whose answer it is (absent: nobody's): a tag of it, and what `tag_id` is of. */
    sc_err (*tag)(sc__str *tag, sc_slice id);
    sc_slice tag_id;
};

/* `key_err`: how making the key went. The reason of SC_ENOTFOUND is the caller's to write, for the
 * load may be one that another thread began. When four fifths of its TTL are over an answer is loaded anew while it is given; so
 * `load` may run later, on another thread, with copies of all that `read` points to but the store and the cache. */
SC_MUST_USE sc_err read_through(const struct read *read, const sc__str *key, sc_err key_err,
                                sc_cache_value *ret_json, sc_reason *ret_reason);

#endif
