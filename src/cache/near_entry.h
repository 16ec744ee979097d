/* A value in the near cache, in one piece of memory: this head, the key, NUL, the value, NUL, its tags. */
#ifndef SC_CACHE_NEAR_ENTRY_H
#define SC_CACHE_NEAR_ENTRY_H

#include <stdatomic.h>

#include <storychain/base.h>

struct sc__near_tag;

typedef struct sc__near_entry {
    /* the writers', under the cache's mutex; but `refs` */
    struct sc__near_entry *older, *newer; /* in its queue; or the next one that waits to be freed */
    struct sc__near_entry *due_next;      /* in its slot of the wheel */
    struct sc__near_entry **due_link;     /* what points at it there; NULL: it isn't in the wheel */
    atomic_uint refs;                     /* the cache's one, and pins that are counted */
    unsigned in_main : 1;                 /* which queue */
    unsigned trial : 2;                   /* sc__near_trial */
    unsigned price : 2;                   /* near_price.h */
    unsigned rounds : 2; /* that it may go through the main queue without being used */

    /* Fixed; of little use to who finds it. */
    uint16_t load_ms; /* rounded up; 0: not known. For the owner, as are stale_ms, kind and flags */
    int64_t stale_ms;
    uint64_t birth;

    /* What every find touches, together with the key behind it: a cache line and a bit. What isn't atomic is fixed once it
     * is listed. */
    _Atomic uint64_t tags_seen; /* the cache's tag_changes when its tags were last found well */
    _Atomic(struct sc__near_entry *) next; /* in its bucket */
    uint64_t hash;
    uint32_t key_len, value_len;
    uint32_t era; /* how often the cache had been cleared */
    uint8_t kind, flags;
    uint8_t tag_count;
    atomic_uchar uses; /* since it last passed the queue's end, up to 3 */
    int64_t expires_ms, soft_ms, stored_ms;
    /* At a fixed place, so that the key is fetched from memory together with the head. */
    char bytes[];
} sc__near_entry;

static inline sc_slice sc__near_key(const sc__near_entry *entry)
{
    return (sc_slice){entry->bytes, entry->key_len};
}

/* NUL-terminated. */
static inline sc_slice sc__near_value(const sc__near_entry *entry)
{
    return (sc_slice){entry->bytes + entry->key_len + 1, entry->value_len};
}

/* Where the tags lie: behind the value's NUL, at the next multiple of a pointer's size. */
static inline size_t sc__near_tags_at(size_t key_len, size_t value_len)
{
    const size_t end = offsetof(sc__near_entry, bytes) + key_len + 1 + value_len + 1;

    return (end + sizeof(void *) - 1) & ~(sizeof(void *) - 1);
}

static inline struct sc__near_tag **sc__near_entry_tags(const sc__near_entry *entry)
{
    return (struct sc__near_tag **)((char *)entry +
                                    sc__near_tags_at(entry->key_len, entry->value_len));
}

/* Its references (near_pins.h); the last one frees it. NULL is fine for unref. */
void sc__near_entry_ref(const sc__near_entry *entry);
void sc__near_entry_unref(const sc__near_entry *entry);

/* Bytes of malloc that an entry takes. */
size_t sc__near_size_held(size_t tag_count, size_t key_len, size_t value_len);
size_t sc__near_entry_held(const sc__near_entry *entry);

#endif
