/* One value by its definition, as part of a call that has begun before. */
#ifndef SC_CACHE_GET_OR_SET_H
#define SC_CACHE_GET_OR_SET_H

#include "look.h"

/* Until when a call waits for loaders; mono. */
typedef struct sc__patience {
    int64_t soft_ms; /* while it has a stale value at hand; 0: not at all */
    int64_t hard_ms; /* INT64_MAX: as long as it takes */
} sc__patience;

/* Of a call that begins now. */
sc__patience sc__patience_of(const sc_cache_def *def);

/* sc_cache_fetch(), but for how long it waits (NULL: it begins now). */
SC_MUST_USE sc_err sc__cache_fetch_within(sc_cache *cache, const sc_cache_def *def, sc_slice key,
                                          void *user, const sc__patience *patience,
                                          sc_cache_value *ret_value);

/* A call that has looked already, and goes on from there. */
typedef struct sc__looked {
    int64_t began_ns; /* mono; before it looked */
    sc__patience patience;
    sc__budget budget;
    sc__look look; /* its value is taken */
} sc__looked;

SC_MUST_USE sc_err sc__cache_fetch_on(sc_cache *cache, const sc_cache_def *def, sc_slice key,
                                      void *user, const sc__looked *looked,
                                      sc_cache_value *ret_value);

#endif
