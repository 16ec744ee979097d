/* Where the versions of tags are asked for, and what they say about a value. */
#ifndef SC_CACHE_TAGS_H
#define SC_CACHE_TAGS_H

#include <storychain/cache.h>

#include "budget.h"
#include "ops/cache_tags.h"

/* The keys of a definition's tags (NULL: none). SC_EINVAL, SC_ETOOBIG for the definition. */
SC_MUST_USE sc_err sc__cache_tags_of(const sc_cache *cache, const sc_cache_def *def,
                                     sc__tag_keys *ret_keys);

/* The versions of tags, by their keys. The one place where they are asked for. Fails as Redis does. */
SC_MUST_USE sc_err sc__cache_tag_versions(sc_cache *cache, const sc_slice *keys, size_t count,
                                          sc__budget *budget, sc__tag_version *ret_versions);

/* The strictest word of these tags about a value of this birth. `versions` has those of the first `known`; the others are asked for.
 * When that fails, and for a tag whose delete Redis has not done yet, it is SC__TAG_DELETES. */
sc__tag_word sc__cache_tags_say(sc_cache *cache, const sc__tag_keys *keys,
                                sc__tag_version versions[SC__TAGS_MAX], size_t known, int64_t birth,
                                sc__budget *budget);

/* Whether a delete of one of them has still to be done in Redis. */
bool sc__cache_tags_wait(sc_cache *cache, const sc__tag_keys *keys);

#endif
