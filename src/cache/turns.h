/* How many loaders run at a time, so that what is behind a cache isn't overrun when Redis is away or empty. */
#ifndef SC_CACHE_TURNS_H
#define SC_CACHE_TURNS_H

#include <pthread.h>

#include <storychain/base.h>

typedef struct sc__turns {
    int max; /* 0: no limit */
    pthread_mutex_t mutex;
    pthread_cond_t given_back;
    int taken; /* under the mutex */
} sc__turns;

void sc__turns_init(sc__turns *turns, int max);
void sc__turns_release(sc__turns *turns);

/* SC_EOVERLOAD when all are taken, and none was given back within `wait_ms`. */
SC_MUST_USE sc_err sc__turn_take(sc__turns *turns, int64_t wait_ms);
void sc__turn_give(sc__turns *turns);

#endif
