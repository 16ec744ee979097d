/* How long loads took: a count for each of some lengths. */
#ifndef SC_CACHE_LOAD_TIMES_H
#define SC_CACHE_LOAD_TIMES_H

#include <stdatomic.h>

#include <storychain/cache.h>

typedef struct sc__load_times {
    atomic_uint_fast64_t buckets[SC_CACHE_LOAD_BUCKETS], us;
} sc__load_times;

/* Any thread. */
void sc__load_times_add(sc__load_times *times, int64_t us);
void sc__load_times_read(const sc__load_times *times, sc_cache_stats *stats);

#endif
