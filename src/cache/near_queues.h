/* Which values leave when there's no room: S3-FIFO.
 *
 * A new value enters the small queue, a tenth of the room and two entries. At its end it leaves, unless it was used meanwhile
 * (near_promotion.h): then it goes to the main queue. At the end of the main queue a value that was used goes back to the
 * beginning, with one use less. A value that had left the small queue not long ago (near_ghosts.h) enters the main
 * one at once. So what is used once passes by without pushing out what is used often, and a find writes nothing but a
 * small counter, and that only up to 3.
 *
 * By its price (near_price.h) a value goes back to the beginning of the main queue as often without being used, and
 * the dearest enter that queue without being used. */
#ifndef SC_CACHE_NEAR_QUEUES_H
#define SC_CACHE_NEAR_QUEUES_H

#include "near_entry.h"
#include "near_promotion.h"

typedef struct sc__near_queue {
    sc__near_entry *oldest, *newest;
    size_t count, bytes;
} sc__near_queue;

typedef struct sc__near_queues {
    sc__near_queue small, main;
    sc__near_promotion promotion;
    bool was_full; /* since then a full small queue means that the whole is full */
} sc__near_queues;

struct sc__near;

/* A new entry, listed. */
void sc__near_queues_add(struct sc__near *near, sc__near_entry *entry);
void sc__near_queues_remove(struct sc__near *near, sc__near_entry *entry);

/* `entry` takes the place and the uses of `old`. */
void sc__near_queues_replace(struct sc__near *near, const sc__near_entry *old,
                             sc__near_entry *entry);

/* How many entries there are. */
size_t sc__near_queues_count(const sc__near_queues *queues);

/* Whether entry is worth a ghost when it goes for another reason than want of room. */
bool sc__near_queues_is_used(const sc__near_entry *entry);

/* Evicts until there is room for so much more. */
void sc__near_queues_make_room(struct sc__near *near, size_t bytes, size_t entries);

/* Takes out cleared entries, up to `max`. True when there are more. */
bool sc__near_queues_drop_cleared(struct sc__near *near, int max);

#endif
