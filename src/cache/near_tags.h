/* The tags of near values, each once: what the tag clock said at its last deletion and at its last expiry.
 *
 * A tag is there while an entry has it. Without a server (keeps_tags) a tag that goes leaves its versions to the floor,
 * at which every tag begins: so a load whose birth is older than what was forgotten is refused, wrongly at
 * times, but no old value comes back. */
#ifndef SC_CACHE_NEAR_TAGS_H
#define SC_CACHE_NEAR_TAGS_H

#include <stdatomic.h>

#include <storychain/base.h>

/* A version that is not known. Greater than any birth, so that a find has one comparison to do. */
#define SC__NEAR_UNKNOWN_VERSION UINT64_MAX

typedef struct sc__near_tag {
    _Atomic uint64_t deleted; /* or unknown: then `expired` means nothing. Read without the mutex */
    _Atomic uint64_t expired;
    struct sc__near_tag *next; /* in its bucket */
    uint64_t hash;
    size_t refs;  /* entries that have it */
    uint32_t era; /* of the cache; what was known in another one counts for nothing */
    uint32_t name_len;
    char name[];
} sc__near_tag;

typedef struct sc__near_tags {
    sc__near_tag **buckets;
    uint64_t bucket_count;
    size_t bytes;           /* of malloc, of all tags */
    bool keeps;             /* versions and clock are here */
    uint64_t floor;         /* with `keeps` */
    _Atomic uint64_t clock; /* with `keeps`; read without the mutex */
} sc__near_tags;

SC_MUST_USE sc_err sc__near_tags_init(sc__near_tags *tags, size_t buckets, bool keeps);
void sc__near_tags_release(sc__near_tags *tags);      /* a zeroed one is fine */
size_t sc__near_tags_held(const sc__near_tags *tags); /* the table alone */

sc__near_tag *sc__near_tags_find(sc__near_tags *tags, sc_slice name, uint64_t hash);

/* The tag, with a reference more; made when it isn't there. NULL without memory. */
SC_MUST_USE sc__near_tag *sc__near_tags_ref(sc__near_tags *tags, sc_slice name, uint64_t hash,
                                            uint32_t era);

/* The last reference frees it: no reader may see it any more. */
void sc__near_tags_unref(sc__near_tags *tags, sc__near_tag *tag);

#endif
