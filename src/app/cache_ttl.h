/* How long each kind of cached value lives: one table. */
#ifndef APP_CACHE_TTL_H
#define APP_CACHE_TTL_H

#include <storychain/base.h>

/* Name, seconds. */
#define CACHE_TTLS(X)                                                                              \
    X(STORY_DETAIL, 3600)                                                                          \
    X(STORY_OVERVIEW, 1800)                                                                        \
    X(USER_PROFILE, 3600)                                                                          \
    X(STORY_LIST_PUBLISHED, 600)                                                                   \
    X(STORY_LIST_NEW, 300)                                                                         \
    X(STORY_TREE, 900)                                                                             \
    X(NOTIFICATION_COUNT, 120)                                                                     \
    X(READING_HISTORY, 300)                                                                        \
    X(SEARCH_RESULTS, 180)                                                                         \
    X(RATE_LIMIT, 60)

enum cache_ttl {
#define X(name, seconds) CACHE_TTL_##name,
    CACHE_TTLS(X)
#undef X
        CACHE_TTL_COUNT
};

int64_t cache_ttl_ms(enum cache_ttl ttl);
const char *cache_ttl_name(enum cache_ttl ttl); /* "STORY_DETAIL" */

/* By its name ("STORY_DETAIL"). SC_ENOTFOUND. */
SC_MUST_USE sc_err cache_ttl_find(sc_slice name, enum cache_ttl *ret_ttl);

#endif
