/* Reading many keys at once. */
#ifndef SC_CACHE_MANY_H
#define SC_CACHE_MANY_H

#include "look.h"
#include "ops/op_cache_load.h"

/* What Redis answered about up to SC__CACHE_MANY_MAX keys. */
typedef struct sc__found_many {
    const sc_cache_def *def; /* may be NULL */
    const sc_slice *keys;    /* in Redis */
    size_t count;
    const sc_reply *items;     /* one per key */
    const sc__tag_keys *tags;  /* of the definition, */
    sc__tag_version *versions; /* known */
    const sc__ticket *ticket;
    sc__budget *budget; /* for asking what their own tags say */
} sc__found_many;

/* Opens all that are strings; the other looks have asked and found nothing. Each value is a copy. SC_ENOMEM, and then no look has a
 * value. */
SC_MUST_USE sc_err sc__cache_open_many(sc_cache *cache, const sc__found_many *found,
                                       sc__look *ret_looks);

#endif
