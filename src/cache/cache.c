#include "handle.h"

#include <stdio.h>

#include "base/error.h"
#include "base/mem.h"
#include "ops/op_cache.h"

enum {
    TIMEOUT_MS = 250,
    WAIT_MS = 10000,
    KEY_MAX = 1024 * 1024,
    HASH_KEYS_ABOVE = 1024,
    VALUE_MAX = 8 * 1024 * 1024,
    LOADER_THREADS = 8,
    LOADER_THREADS_MAX = 1000,
    LOADER_STACK = 1024 * 1024
};

/* what the functions share */

bool sc__cache_is_on_loop(const sc_cache *cache)
{
    return !sc__is_alone(&cache->alone) && (sc__loop_is_current(sc__client_loop(cache->client)) ||
                                            sc__loop_is_current(sc__client_loop(cache->owner)));
}

sc_err sc__cache_check(const sc_cache *cache, sc_slice key)
{
    if (sc__cache_is_on_loop(cache))
        return SC_EDEADLK;
    if (!key.len)
        return SC_EINVAL;
    return key.len > cache->opts.max_key_size ? SC_ETOOBIG : SC_OK;
}

void sc__cache_after(sc_cache *cache, sc_err err)
{
    sc__health_after(&cache->health, err);
    if (err)
        sc__cache_count(&cache->count.errors);
}

void sc__cache_after_store(sc_cache *cache, sc_err err, const sc_reason *reason)
{
    sc__cache_after(cache, err);
    if (!err)
        sc__health_stored(&cache->health);
    else if (err == SC_EREPLY || err == SC_EREADONLY)
        sc__health_refused(&cache->health, reason->text);
}

void sc__cache_give_look(sc_cache *cache, sc__look *look, sc_cache_value *ret_value)
{
    const bool is_near = sc__is_alone(&cache->alone);
    bool hit = look->value || look->is_none;

    if (!hit)
        sc__cache_count(&cache->count.misses);
    else if (!is_near)
        sc__cache_count(&cache->count.hits);
    if (look->is_none)
        sc__cache_count(&cache->count.none);
    if (look->is_stale)
        sc__cache_count(&cache->count.stale);
    if (hit)
        sc__blob_give(look->value, is_near ? SC_CACHE_NEAR : SC_CACHE_HIT, look->age_ms, ret_value);
    else
        *ret_value = (sc_cache_value){.source = SC_CACHE_MISS};
    ret_value->stale = look->is_stale;
    look->value = NULL;
}

void sc__cache_give_fresh(sc_cache *cache, sc__look *look, sc_cache_value *ret_value)
{
    if (look->is_stale) {
        sc__blob_unref(look->value);
        *look = (sc__look){0};
    }
    sc__cache_give_look(cache, look, ret_value);
}

/* the plain functions */

static void free_pools(sc_cache *cache)
{
    sc__pool_free(cache->callers); /* first: they may wait for loads behind */
    sc__pool_free(cache->pool);
}

/* Their threads start with the first work. */
static sc_err start_pools(sc_cache *cache, sc_reason *ret_reason)
{
    const size_t threads = (size_t)cache->opts.loader_threads;
    sc_err err = sc__pool_new("sc-cache", threads, LOADER_STACK, &cache->pool);

    if (!err)
        err = sc__pool_new("sc-cache-call", threads, LOADER_STACK, &cache->callers);
    if (!err)
        return SC_OK;
    sc__pool_free(cache->pool);
    return sc__because(ret_reason, err, "no memory for a cache's threads");
}

static sc_err start(sc_cache *cache, sc_reason *ret_reason)
{
    const sc_slice prefix = sc_slice_of(cache->prefix);
    sc_err err;

    sc__flights_init(&cache->flights);
    sc__turns_init(&cache->turns, cache->opts.max_loads);
    sc__async_init(&cache->async);
    sc__tag_guesses_init(&cache->tag_guesses);
    err = start_pools(cache, ret_reason);
    if (err)
        return err;
    if (!cache->owner) {
        err = sc__alone_start(&cache->alone, &cache->opts);
        if (err)
            free_pools(cache);
        return err ? sc__because(ret_reason, err, "no memory for a cache") : SC_OK;
    }
    err = sc__link_start(&cache->link, cache->owner, ret_reason);
    if (err) {
        free_pools(cache);
        return err;
    }
    cache->client = cache->link.client;
    err = sc__tier_start(&cache->tier, &cache->opts, cache->prefix, &cache->link, &cache->health);
    if (err) {
        sc__link_stop(&cache->link);
        free_pools(cache);
        return sc__because(ret_reason, err, "no memory for what a cache holds");
    }
    sc__health_init(&cache->health, cache->client, "cache", "values come from their loaders");
    sc__repair_start(&cache->repair, cache->client, cache->no_tags.clock, &cache->health,
                     cache->opts.timeout_ms);
    sc__lease_keeper_start(&cache->keeper, cache->client, prefix, &cache->flights);
    return SC_OK;
}

static sc_err check_opts(const sc_cache_opts *opts, sc_reason *ret_reason)
{
    if (opts->timeout_ms < 0 || opts->wait_ms < 0)
        return sc__because(ret_reason, SC_EINVAL, "a timeout of the cache is negative");
    if (opts->max_loads < 0)
        return sc__because(ret_reason, SC_EINVAL, "a cache's limit of loads is negative");
    if (opts->loader_threads < 0 || opts->loader_threads > LOADER_THREADS_MAX)
        return sc__because(ret_reason, SC_EINVAL, "a cache has at most %d threads for loads",
                           LOADER_THREADS_MAX);
    if (opts->prefix && strlen(opts->prefix) > SC__CACHE_PREFIX_MAX)
        return sc__because(ret_reason, SC_EINVAL, "the cache's prefix is longer than %d bytes",
                           SC__CACHE_PREFIX_MAX);
    return SC_OK;
}

static void fill_in(sc_cache_opts *opts)
{
    if (!opts->wait_ms)
        opts->wait_ms = WAIT_MS;
    if (!opts->timeout_ms)
        opts->timeout_ms = TIMEOUT_MS;
    if (!opts->max_key_size)
        opts->max_key_size = KEY_MAX;
    if (!opts->max_value_size)
        opts->max_value_size = VALUE_MAX;
    if (!opts->hash_keys_above)
        opts->hash_keys_above = HASH_KEYS_ABOVE;
    if (!opts->loader_threads)
        opts->loader_threads = LOADER_THREADS;
}

sc_err sc_cache_new(sc_client *client, const sc_cache_opts *opts, sc_cache **ret_cache,
                    sc_reason *ret_reason)
{
    sc_cache *cache;
    sc_err err;

    err = opts ? check_opts(opts, ret_reason) : SC_OK;
    if (err)
        return err;
    cache = sc__calloc(1, sizeof(*cache));
    if (!cache)
        return sc__because(ret_reason, SC_ENOMEM, "no memory for a cache");
    cache->owner = client;
    if (opts)
        cache->opts = *opts;
    fill_in(&cache->opts);
    snprintf(cache->prefix, sizeof(cache->prefix), "%s",
             cache->opts.prefix ? cache->opts.prefix : "sc-cache:");
    sc__tag_keys_init(&cache->no_tags, sc_slice_of(cache->prefix));
    err = sc__codec_init(&cache->codec, &cache->opts, ret_reason);
    cache->opts.prefix = NULL; /* the caller's, and so are these */
    cache->opts.secrets = NULL;
    if (!err)
        err = start(cache, ret_reason);
    if (err) {
        sc__codec_release(&cache->codec);
        sc_free(cache);
        return err;
    }
    *ret_cache = cache;
    return SC_OK;
}

void sc_cache_free(sc_cache *cache)
{
    if (!cache)
        return;
    sc__async_end(&cache->async);
    free_pools(cache);
    if (sc__is_alone(&cache->alone)) {
        sc__alone_stop(&cache->alone);
    } else {
        sc__lease_keeper_stop(&cache->keeper);
        sc__repair_stop(&cache->repair);
        sc__tier_stop(&cache->tier);
        sc__link_stop(&cache->link);
        sc__tier_release(&cache->tier);
        sc__health_release(&cache->health);
    }
    sc__flights_release(&cache->flights);
    sc__turns_release(&cache->turns);
    sc__tag_guesses_release(&cache->tag_guesses);
    sc__codec_release(&cache->codec);
    sc_free(cache);
}

sc_err sc_cache_get(sc_cache *cache, sc_slice key, sc_cache_value *ret_value)
{
    sc__budget budget = sc__budget_begin(cache);
    char room[SC__STORED_KEY_LEN];
    sc__look look;
    sc_err err;

    err = sc__cache_check(cache, key);
    if (err)
        return err;
    key = sc__cache_key(cache, key, room);
    if (sc__tier_give(cache, NULL, key, &budget, ret_value))
        return SC_OK;
    err = sc__cache_look(cache, NULL, key, &budget, &look);
    if (err)
        return err;
    sc__cache_give_fresh(cache, &look, ret_value);
    return SC_OK;
}

sc_err sc_cache_exists(sc_cache *cache, sc_slice key, bool *ret_exists)
{
    char room[SC__STORED_KEY_LEN];
    sc_err err;

    err = sc__cache_check(cache, key);
    if (err)
        return err;
    key = sc__cache_key(cache, key, room);
    if (sc__is_alone(&cache->alone)) {
        *ret_exists = sc__alone_has(cache, key);
        return SC_OK;
    }
    if (sc__repair_has(&cache->repair, key)) {
        *ret_exists = false;
        return SC_OK;
    }
    err = sc__health_ask(&cache->health);
    if (err)
        return err;
    err = sc__op_cache_exists(cache->client, key, cache->opts.timeout_ms, ret_exists, NULL);
    sc__cache_after(cache, err);
    return err;
}

void sc_cache_stats_get(const sc_cache *cache, sc_cache_stats *ret_stats)
{
    *ret_stats = (sc_cache_stats){
        .hits = atomic_load(&cache->count.hits),
        .misses = atomic_load(&cache->count.misses),
        .shared = atomic_load(&cache->count.shared),
        .loads = atomic_load(&cache->count.loads),
        .load_errors = atomic_load(&cache->count.load_errors),
        .sets = atomic_load(&cache->count.sets),
        .deletes = atomic_load(&cache->count.deletes),
        .errors = atomic_load(&cache->count.errors),
        .stale = atomic_load(&cache->count.stale),
        .none = atomic_load(&cache->count.none),
        .renewals = atomic_load(&cache->count.renewals),
        .lease_waits = atomic_load(&cache->count.lease_waits),
    };
    sc__load_times_read(&cache->load_times, ret_stats);
    sc__tier_stats(cache, ret_stats);
}
