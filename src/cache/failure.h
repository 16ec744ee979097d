/* Word of a failed load, left in the value's key for a moment: those who waited for that very load, in other processes, share its
 * error. For anybody else it is nothing, and may be replaced; unless failures of this kind of value are kept for some time. */
#ifndef SC_CACHE_FAILURE_H
#define SC_CACHE_FAILURE_H

#include "ops/cache_envelope.h"
#include "flight.h"

typedef struct sc__failure {
    bool is_there;
    sc__lease lease; /* of the load */
    sc_err err;
} sc__failure;

/* Puts it where `lease` stands, to be kept for `keep_ms`. Doesn't wait and tells no result. */
void sc__failure_leave(sc_cache *cache, sc_slice key, const sc__lease *lease, sc_err err,
                       int64_t keep_ms);

/* From the opened content of an envelope of kind SC__ENVELOPE_ERROR. */
void sc__failure_read(sc_slice content, sc__failure *ret_failure);

/* Whether it is of the load that began with `lease`. */
bool sc__failure_is_of(const sc__failure *failure, const sc__lease *lease);

#endif
