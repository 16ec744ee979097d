/* What a near cache is made of, and what its files share. All of it is under the mutex but for what says otherwise. */
#ifndef SC_CACHE_NEAR_INSIDE_H
#define SC_CACHE_NEAR_INSIDE_H

#include <pthread.h>
#define XXH_INLINE_ALL /* a call costs as much as the hash of a short key */
#include <xxhash.h>

#include "near.h"
#include "near_ghosts.h"
#include "near_pins.h"
#include "near_price.h"
#include "near_queues.h"
#include "near_tags.h"
#include "near_wheel.h"

enum { SC__NEAR_SLICE = 64 }; /* entries that a turn may work on under the mutex */

/* A list, chained by `older`. */
typedef struct sc__near_batch {
    sc__near_entry *first, *last; /* without a first one `last` means nothing */
    size_t bytes;
} sc__near_batch;

/* What is unlinked and not freed: fresh -> waiting -> gone -> freed. */
typedef struct sc__near_limbo {
    sc__near_batch fresh;   /* unlinked since the readers' wait began */
    sc__near_batch waiting; /* for it to end */
    sc__near_batch gone;    /* nobody can see them any more */
    size_t unlinked;        /* by this call */
} sc__near_limbo;

struct sc__near {
    /* read without the mutex; fixed, but for what is atomic */
    _Atomic(sc__near_entry *) *buckets;
    uint64_t bucket_count;
    uint64_t seed;                /* of the hash, so that nobody can choose keys for one bucket */
    atomic_uint era;              /* how often it was cleared */
    _Atomic uint64_t tag_changes; /* of versions of tags, after they were made; from 1 */
    sc__near_readers readers;
    sc__near_pins *pins;

    alignas(64) pthread_mutex_t mutex;
    size_t max_bytes, max_entries; /* SIZE_MAX: no bound */
    size_t fixed_bytes;            /* tables and such */
    size_t bytes;                  /* of what is listed */
    uint64_t evicted, expired;
    sc__near_queues queues;
    sc__near_ghosts ghosts;
    sc__near_prices prices;
    sc__near_wheel wheel;
    sc__near_tags tags;
    sc__near_limbo limbo;
    void *memory; /* that all this lies in, at a cache line's beginning */
};

/* Whether it was cleared; it is only waiting to be taken out. */
static inline bool sc__near_is_cleared(const sc__near *near, const sc__near_entry *entry)
{
    return entry->era != atomic_load_explicit(&near->era, memory_order_relaxed);
}

static inline uint64_t sc__near_hash(const sc__near *near, sc_slice bytes)
{
    return XXH3_64bits_withSeed(bytes.ptr, bytes.len, near->seed);
}

static inline _Atomic(sc__near_entry *) *sc__near_bucket(const sc__near *near, uint64_t hash)
{
    return &near->buckets[(hash >> 32) * near->bucket_count >> 32];
}

/* The listed entry of a key, whatever its state; or NULL. For readers in a section, too. */
static inline sc__near_entry *sc__near_look(const sc__near *near, sc_slice key, uint64_t hash)
{
    sc__near_entry *entry = atomic_load(sc__near_bucket(near, hash));

    while (entry) {
        __builtin_prefetch((const char *)entry + 128);
        if (entry->hash == hash && sc_slice_eq(sc__near_key(entry), key))
            break;
        entry = atomic_load(&entry->next);
    }
    return entry;
}

/* Not listed, without its tags. NULL without memory. */
SC_MUST_USE sc__near_entry *sc__near_entry_new(const sc__near_item *item, uint64_t hash);

/* Takes a listed entry out of the table, its queue and the wheel; readers may still see it. */
void sc__near_unlink(sc__near *near, sc__near_entry *entry);

/* The same for one that goes for another reason than want of room: if it was used, it will be used again when it's back. */
void sc__near_remove(sc__near *near, sc__near_entry *entry);

/* An entry that isn't listed any more, and is in no queue, waits for its readers. */
void sc__near_to_limbo(sc__near *near, sc__near_entry *entry);

size_t sc__near_limbo_bytes(const sc__near_limbo *limbo);

/* Unlocks the mutex and frees some of what no reader can see any more. True: there's more of that. */
bool sc__near_unlock(sc__near *near);

/* Frees entries that are chained by `older`, or leaves them to the pins that are counted in them. */
void sc__near_free_list(sc__near_entry *entry);

#endif
