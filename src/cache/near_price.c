#include "near_price.h"

/* Shorter loads count as this long: what they take is chance. */
enum { LEAST_US = 100, REMEMBERED = 4096 };

static void add(sc__near_prices *prices, double us)
{
    if (prices->seen < REMEMBERED)
        prices->seen++;
    prices->mean_us += (us - prices->mean_us) / (double)prices->seen;
}

unsigned sc__near_price(sc__near_prices *prices, int64_t load_us, double share)
{
    const double us = load_us > LEAST_US ? (double)load_us : LEAST_US;
    double times;
    unsigned price = 0;

    if (load_us <= 0)
        return 0;
    add(prices, us);
    times = us / prices->mean_us / (share > 1 ? share : 1);
    while (price < SC__NEAR_PRICE_MAX && times >= (double)(2u << price))
        price++;
    return price;
}
