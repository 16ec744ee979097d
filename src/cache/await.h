/* Threads that wait for a key to change in Redis: for the value that another process loads.
 *
 * The server tells when a key that was read here changes (redis/tracking.h). So begin, read the key, and wait: no
 * change can fall in between. */
#ifndef SC_CACHE_AWAIT_H
#define SC_CACHE_AWAIT_H

#include <stdatomic.h>

#include <pthread.h>

#include "loop/waiter.h"

enum { SC__AWAIT_BUCKETS = 64 };

/* One waiting thread; on its stack. */
typedef struct sc__await {
    struct sc__await *next; /* in its bucket */
    sc_slice key;           /* borrowed */
    sc__waiter waiter;
    bool is_woken;
} sc__await;

typedef struct sc__awaits {
    atomic_size_t count;   /* read without the mutex: usually 0 */
    pthread_mutex_t mutex; /* of the rest */
    sc__await *buckets[SC__AWAIT_BUCKETS];
} sc__awaits;

void sc__awaits_init(sc__awaits *awaits);
void sc__awaits_release(sc__awaits *awaits); /* none may wait */

/* From here on changes of the key count. Each `begin` has its `end`. */
void sc__await_begin(sc__awaits *awaits, sc__await *await, sc_slice key);
void sc__await_end(sc__awaits *awaits, sc__await *await);

/* Until the key has changed since `begin`, or for `timeout_ms`. Once per `begin`. */
void sc__await_change(sc__await *await, int64_t timeout_ms);

/* The key has changed; perhaps every key has. Any thread. */
void sc__awaits_wake(sc__awaits *awaits, sc_slice key);
void sc__awaits_wake_all(sc__awaits *awaits);

#endif
