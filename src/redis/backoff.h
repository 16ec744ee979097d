/* How long to wait before the next attempt: 50 ms doubling to 2 s, half as much to half more at random. */
#ifndef SC_REDIS_BACKOFF_H
#define SC_REDIS_BACKOFF_H

#include <stdint.h>

typedef struct sc__backoff {
    unsigned failures;
    int64_t up_ms; /* mono; when the connection came up. 0: it is not */
} sc__backoff;

void sc__backoff_up(sc__backoff *b); /* it works */

/* It failed, or broke: how many ms to wait. Starts at 50 again if it had worked for a second. */
int64_t sc__backoff_next(sc__backoff *b);

#endif
