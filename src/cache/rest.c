#include "rest.h"

#include <xxhash.h>

#include "base/clock.h"

enum { TIME_BITS = 44 };

static const uint64_t time_mask = ((uint64_t)1 << TIME_BITS) - 1;

static uint64_t hash_of(sc_slice key)
{
    return XXH3_64bits(key.ptr, key.len);
}

void sc__rest_begin(sc__rests *rests, sc_slice key, int64_t ms)
{
    uint64_t hash = hash_of(key), until = (uint64_t)(sc__mono_ms() + ms) & time_mask;

    atomic_store_explicit(&rests->slots[hash % SC__REST_SLOTS], (hash & ~time_mask) | until,
                          memory_order_relaxed);
}

bool sc__is_resting(sc__rests *rests, sc_slice key)
{
    uint64_t hash = hash_of(key);
    uint64_t slot =
        atomic_load_explicit(&rests->slots[hash % SC__REST_SLOTS], memory_order_relaxed);

    return (slot & ~time_mask) == (hash & ~time_mask) &&
           (int64_t)(slot & time_mask) > sc__mono_ms();
}
