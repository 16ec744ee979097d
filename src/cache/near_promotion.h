/* How many uses bring a value from the small queue to the main one: one, or two.
 *
 * One is better where what was used once more is used again soon, two where it isn't; by far in both cases. So it is
 * measured: of the values that came with one use and of those that came with more, how many are used on
 * their first way through the main queue? Two are asked for until one is seen to be enough; a few come with one all the same,
 * to be measured. */
#ifndef SC_CACHE_NEAR_PROMOTION_H
#define SC_CACHE_NEAR_PROMOTION_H

#include <storychain/base.h>

/* With how many uses a value was promoted; until it has passed through the main queue once. */
typedef enum sc__near_trial {
    SC__NEAR_ON_NO_TRIAL,
    SC__NEAR_CAME_WITH_ONE,
    SC__NEAR_CAME_WITH_MORE,
    SC__NEAR_TRIALS
} sc__near_trial;

typedef struct sc__near_promotion {
    bool one_is_enough;
    unsigned turned_away; /* counts to the next that comes with one all the same */
    uint64_t seen[SC__NEAR_TRIALS], used[SC__NEAR_TRIALS]; /* halved now and then */
} sc__near_promotion;

/* Whether a value at the end of the small queue goes to the main queue, and what is tried with it. */
bool sc__near_promotion_grants(sc__near_promotion *p, unsigned uses, uint8_t *ret_trial);

/* A value on trial has come to the end of the main queue. `entries`: in the whole cache. */
void sc__near_promotion_result(sc__near_promotion *p, uint8_t trial, bool was_used, size_t entries);

#endif
