/* Which values left not long ago: fingerprints of their keys, the oldest forgotten first. */
#ifndef SC_CACHE_NEAR_GHOSTS_H
#define SC_CACHE_NEAR_GHOSTS_H

#include <storychain/base.h>

enum { SC__NEAR_GHOST_WAYS = 16 };

/* Places for fingerprints that share a part of the hash: one cache line. A place has the fingerprint above, and
 * below it the time of the addition; 0: free. */
typedef struct sc__near_ghost_set {
    uint32_t places[SC__NEAR_GHOST_WAYS];
} sc__near_ghost_set;

typedef struct sc__near_ghosts {
    sc__near_ghost_set *sets;
    uint64_t set_count;
    uint64_t added;    /* how many ever */
    uint64_t remember; /* how many of the last additions count */
    unsigned
        shift; /* time is additions >> shift, in 16 bits: it wraps around when all are long overwritten */
} sc__near_ghosts;

/* For about `count` of them. */
SC_MUST_USE sc_err sc__near_ghosts_init(sc__near_ghosts *ghosts, size_t count);
void sc__near_ghosts_release(sc__near_ghosts *ghosts); /* a zeroed one is fine */
size_t sc__near_ghosts_held(const sc__near_ghosts *ghosts);

void sc__near_ghosts_add(sc__near_ghosts *ghosts, uint64_t hash);

/* Whether it is one of the remembered ones; it is none from then on. */
bool sc__near_ghosts_take(sc__near_ghosts *ghosts, uint64_t hash);

#endif
