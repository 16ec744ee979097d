/* The near cache as the first tier before Redis, kept true to it.
 *
 * Only what was read from Redis is held, and only while it is known not to have changed since:
 *
 *     ticket -> read from Redis -> fill, unless a change was told since the ticket -> given until a change is told
 *
 * A change is told by the server (link.h), or by our own call that made it before that call returns. So who reads here after
 * a write of his own sees it, and no reader goes back to an older value. With the connection all that is held goes; while the
 * server is silent nothing is given; nor is a value that still waits to be deleted in Redis (repair.h).
 *
 * Versions of tags are held (tag_memo.h) with or without a near cache. */
#ifndef SC_CACHE_TIER_H
#define SC_CACHE_TIER_H

#include <pthread.h>

#include <storychain/cache.h>

#include "confirm.h"
#include "budget.h"
#include "link.h"
#include "near.h"
#include "ops/cache_tags.h"
#include "tag_memo.h"

enum { SC__TIER_STRIPES = 64 };

/* The keys of one stripe. */
typedef struct sc__tier_stripe {
    pthread_mutex_t mutex; /* held while it is compared and something is put in */
    atomic_uint changes;
} sc__tier_stripe;

typedef struct sc__tier {
    sc__near *near; /* NULL: there is none, and all but the versions of tags does nothing */
    sc__link *link;
    sc__tag_memo tag_memo;
    bool confirms; /* nothing is given before the server was asked whether it still holds */
    sc__confirm confirm;
    sc__pulse sweep;                    /* frees what has expired */
    sc_slice tag_prefix;                /* of the keys of tags */
    atomic_uint_fast64_t invalidations; /* told by the server */
    sc__tier_stripe stripes[SC__TIER_STRIPES];
} sc__tier;

/* Is told by `link`, which is started. Without a bound there is none. `prefix` (of the cache's own keys) is borrowed. SC_ENOMEM. */
SC_MUST_USE sc_err sc__tier_start(sc__tier *tier, const sc_cache_opts *opts, const char *prefix,
                                  sc__link *link, sc__health *health);
void sc__tier_stop(sc__tier *tier);    /* before its link; */
void sc__tier_release(sc__tier *tier); /* and after that */

/* What had changed when a read began. */
typedef struct sc__ticket {
    unsigned changes[SC__TIER_STRIPES];
} sc__ticket;

void sc__tier_ticket(sc__tier *tier, sc__ticket *ret_ticket);

/* What was read. Its tags are those of `keys`, with the versions that were read. */
typedef struct sc__tier_item {
    sc__near_item near; /* but for its tags */
    const sc__tag_keys *keys;
    const sc__tag_version *versions;
} sc__tier_item;

/* Holds what was read since the ticket was taken. */
void sc__tier_fill(sc__tier *tier, const sc__ticket *ticket, sc__tier_item *item);

/* A key in Redis, of a value or of a tag, has changed; perhaps all have. Any thread. */
void sc__tier_changed(sc__tier *tier, sc_slice key);
void sc__tier_all_changed(sc__tier *tier);

/* How many of some tags, from the first on, have versions that are known to hold as of any answer of Redis that is there. They are
 * written then. */
size_t sc__tier_know_tags(const sc__tier *tier, const sc_slice *keys, size_t count,
                          sc__tag_version *ret_versions);

/* Versions that Redis told since a ticket of the tag memo was taken. */
void sc__tier_note_tags(sc__tier *tier, uint64_t ticket, const sc_slice *keys, size_t count,
                        const sc__tag_version *versions);

/* The near cache, if what it holds at a key of Redis may be given now; or NULL. For a cache without a server, too. */
sc__near *sc__tier_readable(sc_cache *cache, sc_slice key, int64_t *ret_now_ms);

/* Gives what is held at a key of Redis, when it is fresh. False: ask Redis. Counts. `def` may be NULL. If it is to be confirmed, that
 * takes of `budget`. */
SC_MUST_USE bool sc__tier_give(sc_cache *cache, const sc_cache_def *def, sc_slice key,
                               sc__budget *budget, sc_cache_value *ret_value);

/* The same for who must not wait: nothing that is to be confirmed. */
SC_MUST_USE bool sc__tier_give_at_once(sc_cache *cache, const sc_cache_def *def, sc_slice key,
                                       sc_cache_value *ret_value);

/* The same for keys of one call, which are confirmed together. `*call` is SC__TIER_BEGINS at first. */
typedef enum sc__tier_call {
    SC__TIER_BEGINS,
    SC__TIER_CONFIRMED,
    SC__TIER_UNCONFIRMED
} sc__tier_call;

SC_MUST_USE bool sc__tier_give_next(sc_cache *cache, const sc_cache_def *def, sc_slice key,
                                    sc__tier_call *call, sc__budget *budget,
                                    sc_cache_value *ret_value);

/* By what an item tells for which tags and schema of a definition it was read: the near item's `flags`. */
uint8_t sc__tier_flags(const sc_cache_def *def);

/* Fills in what it knows. For a cache without a server, too. */
void sc__tier_stats(const sc_cache *cache, sc_cache_stats *stats);

/* The end of a value that was given. */
void sc__tier_value_release(const void *owner);
bool sc__tier_owns(const void *owner);

#endif
