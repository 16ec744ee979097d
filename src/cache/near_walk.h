/* Going over all keys of a near cache, slice by slice; readers and writers go on meanwhile. */
#ifndef SC_CACHE_NEAR_WALK_H
#define SC_CACHE_NEAR_WALK_H

#include "near.h"

/* Shows `visit` the keys in the next slice of the table, which begins at `*at` (0 at first); dead ones, too. Keys that are there from the
 * first slice to the last are shown. It may delete. A section of its own: no lock is held, and `visit` must not wait.
 * False: that was the last one. */
bool sc__near_walk(sc__near *near, size_t *at, void (*visit)(void *user, sc_slice key), void *user);

#endif
