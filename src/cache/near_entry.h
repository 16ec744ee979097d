/* A value in the near cache, in one piece of memory: this head, its tags, the key, NUL, the value, NUL. */
#ifndef SC_CACHE_NEAR_ENTRY_H
#define SC_CACHE_NEAR_ENTRY_H

#include <stdatomic.h>

#include <storychain/base.h>

struct sc__near_tag;

typedef struct sc__near_entry {
    /* What a find touches comes first: it is 64 bytes. All but `next` and `uses` is fixed once it is listed. */
    _Atomic(struct sc__near_entry *) next; /* in its bucket */
    uint64_t hash;
    uint32_t key_len, value_len;
    uint32_t era;        /* how often the cache had been cleared */
    uint8_t kind, flags; /* the owner's own */
    uint8_t tag_count;
    atomic_uchar uses; /* since it last passed the queue's end, up to 3 */
    int64_t expires_ms, soft_ms, stored_ms;
    uint64_t birth;

    atomic_uint refs;                     /* the cache's one, and pins */
    bool in_main;                         /* which queue; from here on under the cache's mutex */
    struct sc__near_entry *older, *newer; /* in its queue; or the next one that waits to be freed */
    struct sc__near_entry *due_next;      /* in its slot of the wheel */
    struct sc__near_entry **due_link;     /* what points at it there; NULL: it isn't in the wheel */
    struct sc__near_tag *tags[];
} sc__near_entry;

static inline const char *sc__near_key_ptr(const sc__near_entry *entry)
{
    return (const char *)&entry->tags[entry->tag_count];
}

static inline sc_slice sc__near_key(const sc__near_entry *entry)
{
    return (sc_slice){sc__near_key_ptr(entry), entry->key_len};
}

/* NUL-terminated. */
static inline sc_slice sc__near_value(const sc__near_entry *entry)
{
    return (sc_slice){sc__near_key_ptr(entry) + entry->key_len + 1, entry->value_len};
}

/* Bytes of malloc that an entry takes. */
size_t sc__near_size_held(size_t tag_count, size_t key_len, size_t value_len);
size_t sc__near_entry_held(const sc__near_entry *entry);

#endif
