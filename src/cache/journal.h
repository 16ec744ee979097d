/* Keys that are still to be deleted in Redis: each once, the oldest first, up to a ceiling. */
#ifndef SC_CACHE_JOURNAL_H
#define SC_CACHE_JOURNAL_H

#include <stdatomic.h>

#include <pthread.h>

#include <storychain/base.h>

enum {
    SC__JOURNAL_KEYS_MAX = 10000,
    SC__JOURNAL_BYTES_MAX = 8 * 1024 * 1024,
    SC__JOURNAL_BUCKETS = 1024
};

struct sc__journal_entry;

typedef struct sc__journal {
    atomic_size_t count;   /* read without the mutex: usually 0 */
    pthread_mutex_t mutex; /* of the rest */
    size_t bytes;
    struct sc__journal_entry *oldest, *newest;
    struct sc__journal_entry *buckets[SC__JOURNAL_BUCKETS];
} sc__journal;

void sc__journal_init(sc__journal *journal);
void sc__journal_release(sc__journal *journal);

/* Over the ceiling the oldest make room. False when that, or want of memory, lost a key. */
SC_MUST_USE bool sc__journal_add(sc__journal *journal, sc_slice key);
bool sc__journal_has(sc__journal *journal, sc_slice key);

static inline size_t sc__journal_count(const sc__journal *journal)
{
    return atomic_load_explicit(&journal->count, memory_order_acquire);
}

/* The oldest keys, up to `max`; they stay in, and the slices valid, until `settle`. One user at a time. */
size_t sc__journal_take(sc__journal *journal, sc_slice *ret_keys, size_t max);

/* Those taken are deleted (and leave, unless they were added again meanwhile), or not. */
void sc__journal_settle(sc__journal *journal, bool deleted);

#endif
