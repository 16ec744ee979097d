/* Keys whose values are not loaded anew for some time: the last try failed, or another process is at it. So that a thousand readers of
 * an old value don't ask Redis a thousand times who may renew it. A key may be forgotten for another one. */
#ifndef SC_CACHE_REST_H
#define SC_CACHE_REST_H

#include <stdatomic.h>

#include <storychain/base.h>

enum { SC__REST_SLOTS = 256 };

/* Zeroed: none. */
typedef struct sc__rests {
    atomic_uint_fast64_t
        slots[SC__REST_SLOTS]; /* 20 bits of the key's hash, 44 of the mono ms when it ends */
} sc__rests;

void sc__rest_begin(sc__rests *rests, sc_slice key, int64_t ms);
bool sc__is_resting(sc__rests *rests, sc_slice key);

#endif
