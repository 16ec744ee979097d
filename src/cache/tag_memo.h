/* What the keys of tags in Redis hold, for as long as the server has not told that they changed. What it tells comes in order with its
 * answers (redis/tracking.h): what is known here when an answer is there was so when the server made that answer, as if it had been
 * asked for in the same command.
 *
 *     unknown -> asked for -> known -> unknown: it has changed, or the connection is lost
 *
 * Of fixed size: a tag has one of two places, and loses it to whichever comes there next. Any thread. */
#ifndef SC_CACHE_TAG_MEMO_H
#define SC_CACHE_TAG_MEMO_H

#include <pthread.h>
#include <stdatomic.h>

#include "ops/cache_tags.h"

enum { SC__TAG_MEMO_PLACES = 4096 };

typedef struct sc__tag_memo_place sc__tag_memo_place;

typedef struct sc__tag_memo {
    uint64_t seed;                /* of the hash, so that nobody can choose tags for one place */
    pthread_mutex_t mutex;        /* of what writes */
    atomic_uint_fast64_t changes; /* that were told; from 1 */
    _Atomic(sc__tag_memo_place *) places; /* NULL until something is noted */
} sc__tag_memo;

void sc__tag_memo_init(sc__tag_memo *memo);
void sc__tag_memo_release(sc__tag_memo *memo);

/* How many of the tags are known, from the first on; their versions are written then. Tags go by their keys. */
size_t sc__tag_memo_get(const sc__tag_memo *memo, const sc_slice *keys, size_t count,
                        sc__tag_version *ret_versions);

/* Before they are asked for; never 0. */
uint64_t sc__tag_memo_ticket(const sc__tag_memo *memo);

/* What the server answered to what was asked since that ticket. Nothing is noted if anything has changed meanwhile. */
void sc__tag_memo_note(sc__tag_memo *memo, uint64_t ticket, const sc_slice *keys, size_t count,
                       const sc__tag_version *versions);

void sc__tag_memo_changed(sc__tag_memo *memo, sc_slice key);
void sc__tag_memo_all_changed(sc__tag_memo *memo);

#endif
