/* A cache without a server: its values are in the near cache and nowhere else. The rest of the cache asks here where it would ask
 * Redis; leases are not needed, for the flights are all there is. */
#ifndef SC_CACHE_ALONE_H
#define SC_CACHE_ALONE_H

#include "lead.h"
#include "near.h"
#include "pulse.h"

/* Zeroed: the cache has a server. */
typedef struct sc__alone {
    sc__near *near;
    sc__loop *loop; /* of the sweep */
    sc__pulse sweep;
    pthread_mutex_t
        mutex; /* of who stores or removes: what he saw before still holds when he does */
} sc__alone;

SC_MUST_USE sc_err sc__alone_start(sc__alone *alone, const sc_cache_opts *opts);
void sc__alone_stop(sc__alone *alone); /* or does nothing */

static inline bool sc__is_alone(const sc__alone *alone)
{
    return alone->near != NULL;
}

/* What is held at a key. SC_ENOMEM. */
SC_MUST_USE sc_err sc__alone_look(sc_cache *cache, sc_slice key, sc__look *ret_look);

/* The tag clock, before a load begins. */
int64_t sc__alone_birth(const sc_cache *cache);

/* The end of a load: its value or its error is held, unless the flight has lost its key to a removal. True: a value is. */
bool sc__alone_settle(const sc__lead *lead, sc_err load_err, const sc_cache_load *load,
                      int64_t birth);

/* Holds a value whatever was there; an error has removed that, too. */
SC_MUST_USE sc_err sc__alone_store(sc_cache *cache, sc_slice key, const sc_cache_load *load);

bool sc__alone_del(sc_cache *cache, sc_slice key); /* whether there was one */
void sc__alone_expire(sc_cache *cache, sc_slice key);
bool sc__alone_has(sc_cache *cache, sc_slice key);

sc__tag_word sc__alone_tags_say(sc_cache *cache, const sc__tag_keys *keys, int64_t birth);
void sc__alone_bump(sc_cache *cache, const sc__tag_keys *keys, sc__tag_word word);

#endif
