/* Who reads just now, so that a writer knows when nobody can see any more what it has unlinked.
 *
 * A section counts itself in a slot of its processor, so that readers of different processors share no cache line;
 * it leaves the slot that it entered, wherever it runs by then. Each slot has two counters, of which new sections
 * use one. A writer waits for what it has unlinked so:
 *
 *     unlinked -> seen the unused counters at 0 -> others are used -> seen the first ones at 0 -> free
 *
 * It never waits in fact, but looks again at its next step. No reader can hold it up but one that stays inside. */
#ifndef SC_CACHE_NEAR_READERS_H
#define SC_CACHE_NEAR_READERS_H

#include <stdalign.h>
#include <stdatomic.h>

#include <storychain/base.h>

enum { SC__NEAR_SLOTS_MAX = 64 };

typedef struct sc__near_slot {
    alignas(64) atomic_uint_fast64_t inside[2]; /* low 16 bits: sections; above: hits they had */
    atomic_uint_fast64_t misses;
} sc__near_slot;

typedef struct sc__near_section {
    sc__near_slot *slot;
    unsigned side;
} sc__near_section;

typedef struct sc__near_readers {
    atomic_uint side; /* the counters that new sections use */
    unsigned count;   /* of slots, a power of two */
    /* the writers', under their mutex */
    bool is_waiting, has_turned;
    unsigned waits_for; /* the side */
    uint64_t seen;      /* slots whose counter was at 0 since; bits */
    sc__near_slot *slots;
    void *memory; /* that they lie in */
} sc__near_readers;

SC_MUST_USE sc_err sc__near_readers_init(sc__near_readers *r);
void sc__near_readers_release(sc__near_readers *r);      /* a zeroed one is fine */
size_t sc__near_readers_held(const sc__near_readers *r); /* bytes of malloc */

sc__near_section sc__near_readers_enter(sc__near_readers *r);
void sc__near_readers_leave(sc__near_section *section, bool was_hit);
void sc__near_readers_quit(sc__near_section *section); /* counts neither a hit nor a miss */

/* A wait begins, for what was unlinked up to now. None may be under way. */
void sc__near_readers_await(sc__near_readers *r);

/* Whether the wait is over. */
bool sc__near_readers_are_gone(sc__near_readers *r);

void sc__near_readers_count(sc__near_readers *r, uint64_t *ret_hits, uint64_t *ret_misses);

#endif
