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
    sc__look look;    /* what lies there; its value is the one to be renewed, and the lead's */
    int64_t asked_ns; /* mono; before the right to load was last asked for */
    sc__flight *flight;
} sc__lead;

/* What came of it. */
typedef struct sc__led {
    sc_err err;
    bool is_moot;    /* nothing: look again */
    sc__blob *value; /* the caller's; NULL without error: there is no such thing */
    sc_cache_source source;
    bool is_stale;
    int64_t age_ms;
} sc__led;

/* Ends the flight, and takes look.value. */
void sc__lead_run(sc__lead *lead, sc__led *ret_led);

/* The same behind, with a copy of all and references of its own. False: without memory for it the flight is moot. */
bool sc__lead_behind(const sc__lead *lead);

#endif
