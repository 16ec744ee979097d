/* Leading a flight: the right to load, the load, and what becomes of it in Redis.
 *
 *     of a missing value: the lease in its key -> load -> the value takes the lease's place
 *     of an old one, which is given meanwhile: a lease beside it -> load -> the value takes its place, if it is still the same
 *
 * It runs on the caller's thread, or behind: on one of the cache's own. */
#ifndef SC_CACHE_LEAD_H
#define SC_CACHE_LEAD_H

#include "load.h"
#include "loop/pool.h"
#include "look.h"

typedef struct sc__lead {
    sc__work work; /* first: work of the pool is turned into its lead */
    sc_cache *cache;
    const sc_cache_def *def;
    sc_slice asked; /* the caller's key */
    sc_slice key;   /* in Redis */
    void *user;
    bool
        is_early; /* the key was not looked at: what lies there is seen when the lease is first asked for */
    sc__look look; /* what lies there; its value is the lead's */
    sc__budget budget;
    int64_t asked_ns; /* mono; before the right to load was last asked for */
    sc__flight *flight;
} sc__lead;

/* What came of it. */
typedef enum sc__led {
    SC__LED_LOADED,
    SC__LED_FOUND, /* lead->look has it: another process had loaded it meanwhile, or had failed to */
    SC__LED_NOTHING, /* look again */
    SC__LED_FAILED   /* before a load could begin */
} sc__led;

/* Ends the flight. `*ret_value` is set when it was loaded, and the caller's; NULL without error: there is no such thing. `*ret_err`
 * is set in all cases. look.value is the caller's when it was found; otherwise it is gone. */
SC_MUST_USE sc__led sc__lead_run(sc__lead *lead, sc__blob **ret_value, sc_err *ret_err);

/* The same behind, with a copy of all and references of its own. False: without memory for it the flight is moot. */
bool sc__lead_behind(const sc__lead *lead);

#endif
