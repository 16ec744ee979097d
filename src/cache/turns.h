/* How many loaders run at a time, so that what is behind a cache isn't overrun when Redis is away or empty. Who waits first is
 * first: a turn that is given back goes to him, so nobody waits in vain while others come and go. */
#ifndef SC_CACHE_TURNS_H
#define SC_CACHE_TURNS_H

#include <pthread.h>

#include <storychain/base.h>

typedef struct sc__turns {
    int max; /* 0: no limit */
    pthread_mutex_t mutex;
    int taken; /* under the mutex, as what follows; while somebody waits, all are */
    struct sc__turn_waiter *first;
} sc__turns;

void sc__turns_init(sc__turns *turns, int max);
void sc__turns_release(sc__turns *turns);

/* SC_EOVERLOAD when none was given back to us within `wait_ms`. */
SC_MUST_USE sc_err sc__turn_take(sc__turns *turns, int64_t wait_ms);
void sc__turn_give(sc__turns *turns);

#endif
