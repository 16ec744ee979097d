/* A load of many keys with one call of their definition's bulk loader: each key has a flight of its own, so that others may join
 * it; one lease stands in all of them.
 *
 *     init -> add … -> run: load -> the flights end -> what was made is stored -> the flights leave
 *
 * It runs on the caller's thread, or behind: on one of the cache's own, while the caller waits for the flights. */
#ifndef SC_CACHE_BULK_H
#define SC_CACHE_BULK_H

#include "budget.h"
#include "flight.h"
#include "load.h"
#include "loop/pool.h"
#include "ops/op_cache_load.h"

typedef struct sc__bulk {
    sc__work work; /* first: work of the pool is turned into its bulk */
    sc_cache *cache;
    const sc_cache_def *def;
    void *user;
    sc__budget budget;
    sc__lease lease; /* stands in those keys that are leased */
    int64_t birth;
    size_t count;
    sc_slice asked[SC__CACHE_MANY_MAX]; /* the callers' keys */
    sc_slice keys[SC__CACHE_MANY_MAX];  /* in Redis */
    bool are_leased[SC__CACHE_MANY_MAX];
    sc__flight *flights[SC__CACHE_MANY_MAX]; /* which this leads, with a reference */
    sc_cache_load *loads[SC__CACHE_MANY_MAX];
    sc_cache_load all[SC__CACHE_MANY_MAX];
    sc__tag_keys tags[SC__CACHE_MANY_MAX];
    char *text; /* copies of all keys, behind; or NULL */
} sc__bulk;

/* None yet; the budget is the caller's to set, and so are lease and birth if there are any. All is borrowed until it has run, or goes behind. */
void sc__bulk_init(sc__bulk *bulk, sc_cache *cache, const sc_cache_def *def, void *user);

/* One more key that is missing; `is_leased`: it may be stored. Takes the reference of the flight. */
void sc__bulk_add(sc__bulk *bulk, sc_slice asked, sc_slice key, bool is_leased,
                  const sc__tag_keys *tags, sc__flight *flight);

/* Returns when all is stored, or the budget is gone. What was made is in `loads` then, and the values there are the caller's; the flights are gone. */
void sc__bulk_run(sc__bulk *bulk);

/* The same on a thread of the cache's own, which frees the bulk with sc_free. False: there was no memory for that, and nothing
 * was done. */
SC_MUST_USE bool sc__bulk_go_behind(sc__bulk *bulk);

/* Instead of a run: the leases are given up, and whoever waits looks again. */
void sc__bulk_drop(sc__bulk *bulk);

#endif
