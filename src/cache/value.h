/* The bytes of a value, shared by all who got it: a reply of Redis, or what a loader made. */
#ifndef SC_CACHE_VALUE_H
#define SC_CACHE_VALUE_H

#include <stdatomic.h>

#include <storychain/cache.h>

#include "ops/cache_envelope.h"

typedef struct sc__blob {
    atomic_uint refs;
    sc_reply *reply; /* holds the bytes; NULL: they follow */
    sc_slice bytes;  /* the value, NUL-terminated */
    char *sealed;    /* with its envelope, where that didn't fit before the value; or NULL */
    char stored[];   /* room for an envelope without tags, the value, NUL */
} sc__blob;

/* Takes the reply. `bytes` lie in it. NULL without memory: the reply is freed then. */
SC_MUST_USE sc__blob *sc__blob_of_reply(sc_reply *reply, sc_slice bytes);

/* `len` bytes to be written to sc__blob_room(), with a NUL behind and room for an envelope before them. NULL without memory. */
SC_MUST_USE sc__blob *sc__blob_new(size_t len);
char *sc__blob_room(sc__blob *blob);

/* A copy of the bytes, with room for an envelope before them. NULL without memory. */
SC_MUST_USE sc__blob *sc__blob_copy(sc_slice bytes);

sc__blob *sc__blob_ref(sc__blob *blob);
void sc__blob_unref(sc__blob *blob); /* NULL is fine */

/* The value in this envelope; of copies only, by one thread. Lives as long as the blob, or until it is sealed
 * again. SC_ENOMEM. */
SC_MUST_USE sc_err sc__blob_seal(sc__blob *blob, const sc__envelope *envelope,
                                 sc_slice *ret_stored);

/* Fills in a value for the caller and takes the reference. NULL: there is no such thing. */
void sc__blob_give(sc__blob *blob, sc_cache_source source, int64_t age_ms,
                   sc_cache_value *ret_value);

#endif
