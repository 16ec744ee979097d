/* What it would cost to lose a value: how long its load took, beside the mean of loads.
 *
 *     price 0    less than twice the mean, or not known
 *     price 1    twice the mean; 2: four times; 3: eight times, and more
 *
 * A dear value is kept longer (near_queues.h): the cache misses a bit more often, but its owner waits less for loads. */
#ifndef SC_CACHE_NEAR_PRICE_H
#define SC_CACHE_NEAR_PRICE_H

#include <storychain/base.h>

enum { SC__NEAR_PRICE_MAX = 3 };

typedef struct sc__near_prices {
    uint64_t seen;
    double mean_us; /* of the last loads, some thousands */
} sc__near_prices;

/* The price of a value whose load took so long; <= 0: not known. `share`: of the bytes that a value takes on average,
 * how many times this one does. What takes more room has to be worth it. */
unsigned sc__near_price(sc__near_prices *prices, int64_t load_us, double share);

#endif
