/* What a cache is made of, and what its functions share. */
#ifndef SC_CACHE_HANDLE_H
#define SC_CACHE_HANDLE_H

#include <stdatomic.h>

#include "base/str.h"
#include "codec.h"
#include "failure.h"
#include "flight.h"
#include "health.h"
#include "lease_keeper.h"
#include "link.h"
#include "repair.h"
#include "stored_key.h"

struct sc_cache {
    sc_client *owner;  /* whom the cache was made from */
    sc_client *client; /* the link's: what all commands go over */
    sc__link link;
    sc_cache_opts opts; /* defaults filled in */
    sc__codec codec;
    sc__health health;
    sc__flights flights;
    sc__repair repair;
    sc__lease_keeper keeper;
    struct {
        atomic_uint_fast64_t hits, misses, shared, loads, load_errors, sets, deletes, errors;
    } count;
};

static inline void sc__cache_count(atomic_uint_fast64_t *counter)
{
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

/* SC_EDEADLK on the I/O thread; SC_EINVAL, SC_ETOOBIG for the key. */
SC_MUST_USE sc_err sc__cache_check(const sc_cache *cache, sc_slice key);

/* The key in Redis of a caller's key. Everything but the loaders uses that one. */
static inline sc_slice sc__cache_key(const sc_cache *cache, sc_slice key,
                                     char room[SC__STORED_KEY_LEN])
{
    return sc__stored_key(key, cache->opts.hash_keys_above, room);
}

/* A call of Redis has ended: counts and remembers it. */
void sc__cache_after(sc_cache *cache, sc_err err);

/* The same for one that stores. */
void sc__cache_after_store(sc_cache *cache, sc_err err, const sc_reason *reason);

/* What a look into Redis gave. */
typedef struct sc__look {
    bool has_asked;  /* Redis answered, and the key may be used */
    sc__blob *value; /* a hit; the caller's reference */
    int64_t age_ms;
    sc__lease lease;                   /* that stands there */
    char unreadable[SC__ENVELOPE_LEN]; /* how an unusable value begins */
    size_t unreadable_len;
    sc__failure failure; /* that lies there, to be replaced */
} sc__look;

/* SC_ENOMEM at most: whatever Redis does is a miss. */
SC_MUST_USE sc_err sc__cache_look(sc_cache *cache, sc_slice key, sc__look *ret_look);

/* Opens a reply (frees it, or hands it to the blob) into `look`. */
SC_MUST_USE sc_err sc__cache_open(sc_cache *cache, sc_slice key, sc_reply *reply, sc__look *look);

/* What a loader writes to. */
struct sc_cache_load {
    sc__blob *value; /* NULL: nothing set yet */
    int64_t ttl_ms;
};

#endif
