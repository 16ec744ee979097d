/* What a cache is made of, and what its functions share. */
#ifndef SC_CACHE_HANDLE_H
#define SC_CACHE_HANDLE_H

#include <stdatomic.h>

#include "alone.h"
#include "async.h"
#include "base/clock.h"
#include "base/str.h"
#include "budget.h"
#include "codec.h"
#include "health.h"
#include "lease_keeper.h"
#include "link.h"
#include "load_times.h"
#include "loop/pool.h"
#include "look.h"
#include "miss_guess.h"
#include "repair.h"
#include "rest.h"
#include "stored_key.h"
#include "tag_guess.h"
#include "tier.h"
#include "turns.h"

struct sc_cache {
    sc_client *owner;  /* whom the cache was made from */
    sc_client *client; /* the link's: what all commands go over */
    sc__link link;
    sc__tier tier;
    sc__alone alone;    /* without a server: all that is above and behind it is not there */
    sc_cache_opts opts; /* defaults filled in */
    sc__codec codec;
    sc__health health;
    sc__pace pace;
    sc__flights flights;
    sc__repair repair;
    sc__lease_keeper keeper;
    sc__rests rests;
    sc__turns turns;
    sc__tag_guesses tag_guesses;
    sc__miss_guesses miss_guesses;
    sc__pool *pool;    /* loads behind run on it, */
    sc__pool *callers; /* and calls that wait for those on this */
    sc__async async;
    sc__tag_keys no_tags;
    char prefix[SC__CACHE_PREFIX_MAX + 1];
    struct {
        atomic_uint_fast64_t hits, misses, shared, loads, load_errors, sets, deletes, errors, stale,
            none, renewals, lease_waits;
    } count;
    sc__load_times load_times;
};

static inline void sc__cache_count(atomic_uint_fast64_t *counter)
{
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

/* The server's date; without one, a clock of our own. */
static inline int64_t sc__cache_now_ms(const sc_cache *cache)
{
    if (sc__is_alone(&cache->alone))
        return sc__mono_coarse_ms();
    return sc__client_server_ms(cache->client);
}

/* The loop of its I/O thread. */
static inline sc__loop *sc__cache_loop(const sc_cache *cache)
{
    return sc__is_alone(&cache->alone) ? cache->alone.loop : sc__client_loop(cache->client);
}

bool sc__cache_is_on_loop(const sc_cache *cache); /* where nothing may wait */

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

/* Gives what a look found, or a miss; takes its value, and counts. */
void sc__cache_give_look(sc_cache *cache, sc__look *look, sc_cache_value *ret_value);

/* The same for who does not load: nothing that is stale. */
void sc__cache_give_fresh(sc_cache *cache, sc__look *look, sc_cache_value *ret_value);

#endif
