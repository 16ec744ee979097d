/* Calls that don't wait, and their number, so that a cache is not freed under them. */
#ifndef SC_CACHE_ASYNC_H
#define SC_CACHE_ASYNC_H

#include <stdatomic.h>

#include "loop/waiter.h"

typedef struct sc__async {
    atomic_size_t count; /* asked of Redis and not answered yet; and one until the end */
    sc__waiter none_left;
} sc__async;

void sc__async_init(sc__async *async);

/* Waits until all are answered, or have gone on to a pool. */
void sc__async_end(sc__async *async);

#endif
