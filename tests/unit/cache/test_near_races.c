/* A cache without a server, whose keys many threads write at the same time: who reads after a write has ended never gets what was written
 * before that write began. */
#include <pthread.h>
#include <stdatomic.h>

#include <storychain/cache.h>

#include "support/test.h"

enum { KEYS = 8, THREADS = 4, OPS = 250000 };

/* A write; its number is the value. Times are those of the stage's clock. */
struct write {
    unsigned key;
    _Atomic uint64_t ended; /* 0: not yet */
};

static struct stage {
    sc_cache *cache;
    _Atomic uint64_t clock;
    _Atomic uint64_t latest[KEYS]; /* of the writes that have ended: when the last began that did */
    struct write writes[THREADS * OPS];
    atomic_size_t hits;
    atomic_bool is_wrong;
} stage;

static uint64_t tick(void)
{
    return atomic_fetch_add(&stage.clock, 1) + 1;
}

static sc_slice key_of(unsigned number, char room[16])
{
    return (sc_slice){room, (size_t)snprintf(room, 16, "key:%u", number)};
}

static void note_end(unsigned key, size_t number, uint64_t began)
{
    uint64_t latest = atomic_load(&stage.latest[key]);

    atomic_store(&stage.writes[number].ended, tick());
    while (latest < began && !atomic_compare_exchange_weak(&stage.latest[key], &latest, began))
        ;
}

/* Sets it or deletes it. */
static void write_one(unsigned key, size_t number, bool sets)
{
    char room[16];
    const uint64_t began = tick();
    sc_err err = SC_OK;

    stage.writes[number].key = key;
    if (sets)
        err = sc_cache_set(stage.cache, key_of(key, room),
                           (sc_slice){(const char *)&number, sizeof(number)}, SC_TTL_FOREVER);
    else
        err = sc_cache_del(stage.cache, key_of(key, room), NULL);
    if (err && err != SC_EBUSY) /* a reader has lost the processor: then nothing is held */
        atomic_store(&stage.is_wrong, true);
    note_end(key, number, began);
}

static bool get(sc_slice key, size_t *ret_number)
{
    sc_cache_value value;
    bool is_hit;

    if (sc_cache_get(stage.cache, key, &value))
        return false;
    is_hit = value.source != SC_CACHE_MISS;
    if (is_hit)
        memcpy(ret_number, value.bytes.ptr, sizeof(*ret_number));
    sc_cache_value_release(&value);
    return is_hit;
}

static bool borrow(sc_slice key, size_t *ret_number)
{
    sc_cache_borrowed borrowed;

    if (!sc_cache_try_borrow(stage.cache, key, &borrowed))
        return false;
    memcpy(ret_number, borrowed.bytes.ptr, sizeof(*ret_number));
    sc_cache_give_back(&borrowed);
    return true;
}

static bool copy(sc_slice key, size_t *ret_number)
{
    size_t len;

    return sc_cache_try_copy(stage.cache, key, ret_number, sizeof(*ret_number), &len);
}

static void read_one(unsigned key, unsigned way)
{
    const uint64_t latest = atomic_load(&stage.latest[key]);
    char room[16];
    sc_slice name = key_of(key, room);
    size_t number = 0;
    uint64_t ended;

    if (!(way == 0 ? get(name, &number) : way == 1 ? borrow(name, &number) : copy(name, &number)))
        return;
    atomic_fetch_add(&stage.hits, 1);
    ended = number < THREADS * OPS ? atomic_load(&stage.writes[number].ended) : 1;
    if (number >= THREADS * OPS || stage.writes[number].key != key || (ended && ended < latest))
        atomic_store(&stage.is_wrong, true);
}

static void *work(void *arg)
{
    const size_t part = (size_t)(uintptr_t)arg;
    unsigned random = (unsigned)part + 1;

    for (size_t i = 0; i < OPS; i++) {
        random = random * 1664525u + 1013904223u;
        if ((random >> 8) % 4 == 0)
            write_one((random >> 16) % KEYS, part * OPS + i, (random >> 12) % 4 != 0);
        else
            read_one((random >> 16) % KEYS, (random >> 10) % 3);
    }
    return NULL;
}

static void race(size_t entries)
{
    pthread_t threads[THREADS];

    assert_ok(sc_cache_new(NULL, &(sc_cache_opts){.near_entries = entries}, &stage.cache, NULL));
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, (void *)(uintptr_t)i), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);

    assert_false(atomic_load(&stage.is_wrong));
    assert_true(atomic_load(&stage.hits) > OPS / 100);
    sc_cache_free(stage.cache);
}

TEST_LIMIT(nobody_reads_what_was_overwritten_before_he_came, 60)
{
    race(KEYS);
}

TEST_LIMIT(nor_where_values_are_evicted_all_the_time, 60)
{
    race(KEYS / 2);
}

TEST_LIMIT(nor_in_a_cache_of_one_value, 60)
{
    race(1);
}
