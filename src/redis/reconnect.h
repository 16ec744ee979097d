/* How long to wait before the next attempt: 50 ms doubling to 500 ms, half as much to half more at random: whoever
 * has something to make up for when the server is back (the deletes of a cache) does so within a second. */
#ifndef SC_REDIS_RECONNECT_H
#define SC_REDIS_RECONNECT_H

#include <stdint.h>

typedef struct sc__reconnect {
    unsigned failures;
    int64_t up_ms; /* mono; when the connection came up. 0: it is not */
} sc__reconnect;

void sc__reconnect_up(sc__reconnect *r); /* it works */

/* It failed, or broke: how many ms to wait. Starts at 50 again if it had worked for a second. */
int64_t sc__reconnect_next(sc__reconnect *r);

#endif
