/* Removing keys by name. */
#include "handle.h"

#include "ops/op_cache.h"

/* The keys in Redis of up to SC__CACHE_DEL_MAX keys. */
struct slice {
    sc_slice keys[SC__CACHE_DEL_MAX];
    size_t count;
    char rooms[SC__CACHE_DEL_MAX][SC__STORED_KEY_LEN];
};

static void take_slice(const sc_cache *cache, const sc_slice *keys, size_t count,
                       struct slice *slice)
{
    slice->count = count < SC__CACHE_DEL_MAX ? count : SC__CACHE_DEL_MAX;
    for (size_t i = 0; i < slice->count; i++)
        slice->keys[i] = sc__cache_key(cache, keys[i], slice->rooms[i]);
}

static sc_err del_slice(sc_cache *cache, const struct slice *slice, int64_t *ret_removed)
{
    sc_err err;

    if (sc__is_alone(&cache->alone)) {
        for (size_t i = 0; i < slice->count; i++)
            *ret_removed += sc__alone_del(cache, slice->keys[i]);
        return SC_OK;
    }
    err = sc__health_ask(&cache->health);
    if (err)
        return err;
    err = sc__op_cache_del(cache->client, slice->keys, slice->count, cache->opts.timeout_ms,
                           ret_removed, NULL);
    sc__cache_after(cache, err);
    return err;
}

/* A slice that Redis does not remove is remembered, and so is what comes after it. */
static sc_err del_all(sc_cache *cache, const sc_slice *keys, size_t count, int64_t *removed)
{
    struct slice slice;
    sc_err err = SC_OK;

    for (; count; keys += slice.count, count -= slice.count) {
        int64_t n = 0;

        take_slice(cache, keys, count, &slice);
        if (!err)
            err = del_slice(cache, &slice, &n);
        if (err)
            sc__repair_add(&cache->repair, slice.keys, slice.count);
        for (size_t i = 0; i < slice.count; i++)
            sc__tier_changed(&cache->tier, slice.keys[i]);
        *removed += n;
    }
    return err;
}

static void void_flight(sc_cache *cache, sc_slice key)
{
    char room[SC__STORED_KEY_LEN];

    sc__flights_void(&cache->flights, sc__cache_key(cache, key, room));
}

sc_err sc_cache_del_many(sc_cache *cache, const sc_slice *keys, size_t count, int64_t *ret_removed)
{
    int64_t removed = 0;
    sc_err err = SC_OK;

    for (size_t i = 0; i < count && !err; i++)
        err = sc__cache_check(cache, keys[i]);
    if (err)
        return err;
    /* First here: who comes after our return must find no load that began before it. */
    for (size_t i = 0; i < count; i++)
        void_flight(cache, keys[i]);
    err = del_all(cache, keys, count, &removed);
    atomic_fetch_add_explicit(&cache->count.deletes, count, memory_order_relaxed);
    if (!err && ret_removed)
        *ret_removed = removed;
    return err;
}

sc_err sc_cache_del(sc_cache *cache, sc_slice key, bool *ret_removed)
{
    int64_t removed = 0;
    sc_err err = sc_cache_del_many(cache, &key, 1, &removed);

    if (!err && ret_removed)
        *ret_removed = removed > 0;
    return err;
}
