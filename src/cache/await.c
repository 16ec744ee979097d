#include "await.h"

#include <xxhash.h>

void sc__awaits_init(sc__awaits *awaits)
{
    *awaits = (sc__awaits){0};
    pthread_mutex_init(&awaits->mutex, NULL);
}

void sc__awaits_release(sc__awaits *awaits)
{
    pthread_mutex_destroy(&awaits->mutex);
}

static sc__await **bucket_of(sc__awaits *awaits, sc_slice key)
{
    return &awaits->buckets[XXH3_64bits(key.ptr, key.len) % SC__AWAIT_BUCKETS];
}

void sc__await_begin(sc__awaits *awaits, sc__await *await, sc_slice key)
{
    sc__await **at = bucket_of(awaits, key);

    *await = (sc__await){.key = key};
    sc__waiter_init(&await->waiter);
    pthread_mutex_lock(&awaits->mutex);
    await->next = *at;
    *at = await;
    atomic_fetch_add(&awaits->count, 1);
    pthread_mutex_unlock(&awaits->mutex);
}

void sc__await_end(sc__awaits *awaits, sc__await *await)
{
    sc__await **at = bucket_of(awaits, await->key);

    pthread_mutex_lock(&awaits->mutex);
    while (*at != await)
        at = &(*at)->next;
    *at = await->next;
    atomic_fetch_sub(&awaits->count, 1);
    pthread_mutex_unlock(&awaits->mutex);
    sc__waiter_release(&await->waiter);
}

void sc__await_change(sc__await *await, int64_t timeout_ms)
{
    bool changed = sc__waiter_wait_for(&await->waiter, timeout_ms);

    (void)changed; /* whoever waits looks again in either case */
}

/* Under the mutex. */
static void wake(sc__await *await)
{
    if (!await->is_woken)
        sc__waiter_wake(&await->waiter);
    await->is_woken = true;
}

void sc__awaits_wake(sc__awaits *awaits, sc_slice key)
{
    if (!atomic_load(&awaits->count))
        return;
    pthread_mutex_lock(&awaits->mutex);
    for (sc__await *a = *bucket_of(awaits, key); a; a = a->next)
        if (sc_slice_eq(a->key, key))
            wake(a);
    pthread_mutex_unlock(&awaits->mutex);
}

void sc__awaits_wake_all(sc__awaits *awaits)
{
    if (!atomic_load(&awaits->count))
        return;
    pthread_mutex_lock(&awaits->mutex);
    for (size_t i = 0; i < SC__AWAIT_BUCKETS; i++)
        for (sc__await *a = awaits->buckets[i]; a; a = a->next)
            wake(a);
    pthread_mutex_unlock(&awaits->mutex);
}
