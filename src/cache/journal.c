#include "journal.h"

#include <xxhash.h>

#include "base/mem.h"

struct sc__journal_entry {
    struct sc__journal_entry *next; /* in its bucket */
    struct sc__journal_entry *older, *newer;
    bool taken, again; /* added again since it was taken */
    size_t len;
    char key[];
};

typedef struct sc__journal_entry entry;

void sc__journal_init(sc__journal *journal)
{
    *journal = (sc__journal){0};
    atomic_init(&journal->count, 0);
    pthread_mutex_init(&journal->mutex, NULL);
}

static entry **place_of(sc__journal *journal, sc_slice key)
{
    entry **at = &journal->buckets[XXH3_64bits(key.ptr, key.len) % SC__JOURNAL_BUCKETS];

    while (*at && !sc_slice_eq(key, (sc_slice){(*at)->key, (*at)->len}))
        at = &(*at)->next;
    return at;
}

static void drop(sc__journal *journal, entry *e)
{
    *place_of(journal, (sc_slice){e->key, e->len}) = e->next;
    *(e->older ? &e->older->newer : &journal->oldest) = e->newer;
    *(e->newer ? &e->newer->older : &journal->newest) = e->older;
    journal->bytes -= e->len;
    atomic_fetch_sub_explicit(&journal->count, 1, memory_order_release);
    sc_free(e);
}

void sc__journal_release(sc__journal *journal)
{
    while (journal->oldest)
        drop(journal, journal->oldest);
    pthread_mutex_destroy(&journal->mutex);
}

static bool is_full(const sc__journal *journal, size_t more)
{
    return sc__journal_count(journal) >= SC__JOURNAL_KEYS_MAX ||
           journal->bytes + more > SC__JOURNAL_BYTES_MAX;
}

/* Those taken are at the old end. False when nothing else is left. */
static bool drop_oldest(sc__journal *journal)
{
    entry *e = journal->oldest;

    while (e && e->taken)
        e = e->newer;
    if (!e)
        return false;
    drop(journal, e);
    return true;
}

static bool append(sc__journal *journal, sc_slice key)
{
    entry *e = sc__malloc(sizeof(*e) + key.len), **at;

    if (!e)
        return false;
    *e = (entry){.older = journal->newest, .len = key.len};
    memcpy(e->key, key.ptr, key.len);
    at = place_of(journal, key);
    *at = e;
    *(journal->newest ? &journal->newest->newer : &journal->oldest) = e;
    journal->newest = e;
    journal->bytes += key.len;
    atomic_fetch_add_explicit(&journal->count, 1, memory_order_release);
    return true;
}

bool sc__journal_add(sc__journal *journal, sc_slice key)
{
    bool kept = true;
    entry *e;

    pthread_mutex_lock(&journal->mutex);
    e = *place_of(journal, key);
    if (e) {
        e->again = e->taken;
    } else {
        while (is_full(journal, key.len) && drop_oldest(journal))
            kept = false;
        kept = append(journal, key) && kept;
    }
    pthread_mutex_unlock(&journal->mutex);
    return kept;
}

bool sc__journal_has(sc__journal *journal, sc_slice key)
{
    bool has;

    if (!sc__journal_count(journal))
        return false;
    pthread_mutex_lock(&journal->mutex);
    has = *place_of(journal, key) != NULL;
    pthread_mutex_unlock(&journal->mutex);
    return has;
}

size_t sc__journal_take(sc__journal *journal, sc_slice *ret_keys, size_t max)
{
    size_t count = 0;

    pthread_mutex_lock(&journal->mutex);
    for (entry *e = journal->oldest; e && count < max; e = e->newer) {
        e->taken = true;
        e->again = false;
        ret_keys[count++] = (sc_slice){e->key, e->len};
    }
    pthread_mutex_unlock(&journal->mutex);
    return count;
}

void sc__journal_settle(sc__journal *journal, bool deleted)
{
    entry *e, *newer;

    pthread_mutex_lock(&journal->mutex);
    for (e = journal->oldest; e && e->taken; e = newer) {
        newer = e->newer;
        e->taken = false;
        if (deleted && !e->again)
            drop(journal, e);
    }
    pthread_mutex_unlock(&journal->mutex);
}
