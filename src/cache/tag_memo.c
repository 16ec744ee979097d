#include "tag_memo.h"

#include <xxhash.h>

#include "base/mem.h"
#include "base/rand.h"

/* Read without the mutex: what was read counts if `turns` is even and the same before and after. */
struct sc__tag_memo_place {
    atomic_uint_fast64_t turns;
    atomic_uint_fast64_t low, high;       /* the key's hash: two keys do not have the same */
    atomic_int_fast64_t deleted, expired; /* deleted 0: not known */
};

void sc__tag_memo_init(sc__tag_memo *memo)
{
    memo->seed = sc__rand_u64();
    pthread_mutex_init(&memo->mutex, NULL);
    atomic_init(&memo->changes, 1);
    atomic_init(&memo->places, NULL);
}

void sc__tag_memo_release(sc__tag_memo *memo)
{
    sc_free(atomic_load(&memo->places));
    pthread_mutex_destroy(&memo->mutex);
}

static XXH128_hash_t hash_of(const sc__tag_memo *memo, sc_slice key)
{
    return XXH3_128bits_withSeed(key.ptr, key.len, memo->seed);
}

/* The first or the second of its two places. */
static sc__tag_memo_place *place_of(sc__tag_memo_place *places, XXH128_hash_t hash, int which)
{
    return &places[(which ? hash.high64 : hash.low64) % SC__TAG_MEMO_PLACES];
}

static bool is_of(const sc__tag_memo_place *place, XXH128_hash_t hash)
{
    return atomic_load_explicit(&place->low, memory_order_acquire) == hash.low64 &&
           atomic_load_explicit(&place->high, memory_order_acquire) == hash.high64;
}

static bool get(const sc__tag_memo_place *place, XXH128_hash_t hash, sc__tag_version *ret_version)
{
    const uint64_t turns = atomic_load_explicit(&place->turns, memory_order_acquire);

    if (turns & 1 || !is_of(place, hash))
        return false;
    ret_version->deleted = atomic_load_explicit(&place->deleted, memory_order_acquire);
    ret_version->expired = atomic_load_explicit(&place->expired, memory_order_acquire);
    return ret_version->deleted &&
           atomic_load_explicit(&place->turns, memory_order_relaxed) == turns;
}

size_t sc__tag_memo_get(const sc__tag_memo *memo, const sc_slice *keys, size_t count,
                        sc__tag_version *ret_versions)
{
    sc__tag_memo_place *places = atomic_load(&memo->places);
    size_t known = 0;

    while (places && known < count) {
        const XXH128_hash_t hash = hash_of(memo, keys[known]);

        if (!get(place_of(places, hash, 0), hash, &ret_versions[known]) &&
            !get(place_of(places, hash, 1), hash, &ret_versions[known]))
            break;
        known++;
    }
    return known;
}

uint64_t sc__tag_memo_ticket(const sc__tag_memo *memo)
{
    return atomic_load(&memo->changes);
}

/* Under the mutex: from here on. */

static void put(sc__tag_memo_place *place, XXH128_hash_t hash, sc__tag_version version)
{
    const uint64_t turns = atomic_load_explicit(&place->turns, memory_order_relaxed);

    atomic_store_explicit(&place->turns, turns + 1, memory_order_relaxed);
    atomic_store_explicit(&place->low, hash.low64, memory_order_release);
    atomic_store_explicit(&place->high, hash.high64, memory_order_release);
    atomic_store_explicit(&place->deleted, version.deleted, memory_order_release);
    atomic_store_explicit(&place->expired, version.expired, memory_order_release);
    atomic_store_explicit(&place->turns, turns + 2, memory_order_release);
}

/* NULL without memory. */
static sc__tag_memo_place *need_places(sc__tag_memo *memo)
{
    sc__tag_memo_place *places = atomic_load(&memo->places);

    if (!places) {
        places = sc__calloc(SC__TAG_MEMO_PLACES, sizeof(*places));
        atomic_store(&memo->places, places);
    }
    return places;
}

static bool is_empty(const sc__tag_memo_place *place)
{
    return !atomic_load_explicit(&place->deleted, memory_order_relaxed);
}

/* Its own, or the emptier one. */
static sc__tag_memo_place *choose_place(sc__tag_memo_place *places, XXH128_hash_t hash)
{
    sc__tag_memo_place *first = place_of(places, hash, 0), *second = place_of(places, hash, 1);

    if (is_of(second, hash) || (is_empty(second) && !is_empty(first) && !is_of(first, hash)))
        return second;
    return first;
}

static void note(sc__tag_memo *memo, const sc_slice *keys, size_t count,
                 const sc__tag_version *versions)
{
    sc__tag_memo_place *places = need_places(memo);

    for (size_t i = 0; places && i < count; i++) {
        const XXH128_hash_t hash = hash_of(memo, keys[i]);

        put(choose_place(places, hash), hash, versions[i]);
    }
}

static void forget(sc__tag_memo_place *place)
{
    put(place, (XXH128_hash_t){0, 0}, (sc__tag_version){0, 0});
}

/* The rest takes the mutex. */

void sc__tag_memo_note(sc__tag_memo *memo, uint64_t ticket, const sc_slice *keys, size_t count,
                       const sc__tag_version *versions)
{
    pthread_mutex_lock(&memo->mutex);
    if (atomic_load(&memo->changes) == ticket)
        note(memo, keys, count, versions);
    pthread_mutex_unlock(&memo->mutex);
}

void sc__tag_memo_changed(sc__tag_memo *memo, sc_slice key)
{
    const XXH128_hash_t hash = hash_of(memo, key);
    sc__tag_memo_place *places;

    pthread_mutex_lock(&memo->mutex);
    atomic_fetch_add(&memo->changes, 1);
    places = atomic_load(&memo->places);
    for (int i = 0; places && i < 2; i++)
        if (is_of(place_of(places, hash, i), hash))
            forget(place_of(places, hash, i));
    pthread_mutex_unlock(&memo->mutex);
}

void sc__tag_memo_all_changed(sc__tag_memo *memo)
{
    sc__tag_memo_place *places;

    pthread_mutex_lock(&memo->mutex);
    atomic_fetch_add(&memo->changes, 1);
    places = atomic_load(&memo->places);
    for (size_t i = 0; places && i < SC__TAG_MEMO_PLACES; i++)
        forget(&places[i]);
    pthread_mutex_unlock(&memo->mutex);
}
