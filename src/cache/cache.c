#include "handle.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "ops/op_cache.h"
#include "redis/reply.h"

enum {
    TIMEOUT_MS = 250,
    WAIT_MS = 10000,
    KEY_MAX = 1024 * 1024,
    HASH_KEYS_ABOVE = 1024,
    VALUE_MAX = 8 * 1024 * 1024
};

/* what the functions share */

sc_err sc__cache_check(const sc_cache *cache, sc_slice key)
{
    if (sc__loop_is_current(sc__client_loop(cache->client)) ||
        sc__loop_is_current(sc__client_loop(cache->owner)))
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

/* A value that is of no use, and may be replaced. */
static void open_replaceable(sc_slice stored, sc__look *look)
{
    look->unreadable_len = stored.len < SC__ENVELOPE_LEN ? stored.len : SC__ENVELOPE_LEN;
    memcpy(look->unreadable, stored.ptr, look->unreadable_len);
}

/* A hit, if it can be decoded. Frees the reply, or hands it to the blob. SC_ENOMEM. */
static sc_err open_value(sc_cache *cache, sc_slice key, sc_reply *reply, sc_slice stored,
                         const sc__envelope *envelope, sc_slice content, sc__look *look)
{
    sc__blob *value = NULL;
    sc_reason why;
    sc_err err = sc__codec_open(&cache->codec, key, stored, envelope, content, &value, &why);

    if (!err && !value) {
        look->value = sc__blob_of_reply(reply, content);
        return look->value ? SC_OK : SC_ENOMEM;
    }
    if (err == SC_ELAYOUT) {
        sc__health_complain(&cache->health, key, why.text);
        open_replaceable(stored, look);
        err = SC_OK;
    }
    look->value = value;
    sc_reply_free(reply);
    return err;
}

static int64_t age_of(int64_t stored_ms)
{
    int64_t now = sc__wall_ms();

    if (stored_ms < 0)
        return -1;
    return now > stored_ms ? now - stored_ms : 0;
}

sc_err sc__cache_open(sc_cache *cache, sc_slice key, sc_reply *reply, sc__look *look)
{
    sc_slice stored, value;
    sc__envelope envelope;

    look->lease.is_there = false;
    look->unreadable_len = 0;
    look->failure.is_there = false;
    if (reply->type == SC_REPLY_NIL || sc__reply_str(reply, &stored, NULL)) {
        sc_reply_free(reply);
        return SC_OK;
    }
    switch (sc__envelope_read(stored, &envelope, &value)) {
    case SC__ENVELOPE_VALUE:
        look->age_ms = age_of(envelope.stored_ms);
        return open_value(cache, key, reply, stored, &envelope, value, look);
    case SC__ENVELOPE_LEASE:
        look->lease.is_there = true;
        memcpy(look->lease.bytes, stored.ptr, SC__LEASE_LEN);
        break;
    case SC__ENVELOPE_UNREADABLE:
        sc__health_complain(&cache->health, key,
                            "its envelope is damaged, or of a newer version of StoryChain");
        open_replaceable(stored, look);
        break;
    case SC__ENVELOPE_ERROR:
        sc__failure_read(value, &look->failure);
        open_replaceable(stored, look);
        break;
    case SC__ENVELOPE_NEGATIVE:
        open_replaceable(stored, look);
        break;
    }
    sc_reply_free(reply);
    return SC_OK;
}

sc_err sc__cache_look(sc_cache *cache, sc_slice key, sc__look *ret_look)
{
    sc_reason reason;
    sc_reply *reply = NULL;
    sc_err err;

    *ret_look = (sc__look){0};
    if (sc__repair_has(&cache->repair, key) || sc__health_ask(&cache->health))
        return SC_OK;
    err = sc__op_cache_get(cache->client, key, cache->opts.timeout_ms, &reply, &reason);
    sc__cache_after(cache, err);
    if (err == SC_EREPLY)
        sc__health_complain(&cache->health, key, reason.text);
    if (err)
        return SC_OK;
    /* Deleted here while we asked, but not in Redis: then it is not the value any more. */
    if (sc__repair_has(&cache->repair, key)) {
        sc_reply_free(reply);
        return SC_OK;
    }
    ret_look->has_asked = true;
    return sc__cache_open(cache, key, reply, ret_look);
}

/* the plain functions */

static sc_err start(sc_cache *cache, sc_reason *ret_reason)
{
    sc_err err;

    err = sc__link_start(&cache->link, cache->owner, ret_reason);
    if (err)
        return err;
    cache->client = cache->link.client;
    sc__health_init(&cache->health, cache->client, "cache", "values come from their loaders");
    sc__flights_init(&cache->flights);
    sc__repair_start(&cache->repair, cache->client, &cache->health, cache->opts.timeout_ms);
    sc__lease_keeper_start(&cache->keeper, cache->client, &cache->flights);
    return SC_OK;
}

sc_err sc_cache_new(sc_client *client, const sc_cache_opts *opts, sc_cache **ret_cache,
                    sc_reason *ret_reason)
{
    sc_cache *cache;
    sc_err err;

    if (!client)
        return sc__because(ret_reason, SC_EINVAL, "a cache needs a client");
    if (opts && (opts->timeout_ms < 0 || opts->wait_ms < 0))
        return sc__because(ret_reason, SC_EINVAL, "a timeout of the cache is negative");
    cache = sc__calloc(1, sizeof(*cache));
    if (!cache)
        return sc__because(ret_reason, SC_ENOMEM, "no memory for a cache");
    cache->owner = client;
    if (opts)
        cache->opts = *opts;
    if (!cache->opts.wait_ms)
        cache->opts.wait_ms = WAIT_MS;
    if (!cache->opts.timeout_ms)
        cache->opts.timeout_ms = TIMEOUT_MS;
    if (!cache->opts.max_key_size)
        cache->opts.max_key_size = KEY_MAX;
    if (!cache->opts.max_value_size)
        cache->opts.max_value_size = VALUE_MAX;
    if (!cache->opts.hash_keys_above)
        cache->opts.hash_keys_above = HASH_KEYS_ABOVE;
    err = sc__codec_init(&cache->codec, &cache->opts, ret_reason);
    cache->opts.secrets = NULL; /* the caller's */
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
    sc__lease_keeper_stop(&cache->keeper);
    sc__repair_stop(&cache->repair);
    sc__link_stop(&cache->link);
    sc__flights_release(&cache->flights);
    sc__health_release(&cache->health);
    sc__codec_release(&cache->codec);
    sc_free(cache);
}

sc_err sc_cache_get(sc_cache *cache, sc_slice key, sc_cache_value *ret_value)
{
    char room[SC__STORED_KEY_LEN];
    sc__look look;
    sc_err err;

    err = sc__cache_check(cache, key);
    if (!err)
        err = sc__cache_look(cache, sc__cache_key(cache, key, room), &look);
    if (err)
        return err;
    sc__cache_count(look.value ? &cache->count.hits : &cache->count.misses);
    if (look.value)
        sc__blob_give(look.value, SC_CACHE_HIT, look.age_ms, ret_value);
    else
        *ret_value = (sc_cache_value){.source = SC_CACHE_MISS};
    return SC_OK;
}

static sc_err store(sc_cache *cache, sc_slice key, sc_slice bytes, int64_t ttl_ms)
{
    sc__envelope envelope = {.stored_ms = sc__wall_ms()};
    sc__blob *blob = sc__blob_copy(bytes);
    sc_slice stored;
    sc_reason reason;
    sc_err err;

    if (!blob)
        return SC_ENOMEM;
    err = sc__codec_seal(&cache->codec, key, &envelope, blob, &stored);
    if (!err)
        err = sc__health_ask(&cache->health);
    if (!err) {
        err = sc__op_cache_set(cache->client, key, stored, ttl_ms, cache->opts.timeout_ms, &reason);
        sc__cache_after_store(cache, err, &reason);
    }
    sc__blob_unref(blob);
    return err;
}

sc_err sc_cache_set(sc_cache *cache, sc_slice key, sc_slice bytes, int64_t ttl_ms)
{
    char room[SC__STORED_KEY_LEN];
    sc_err err;

    err = sc__cache_check(cache, key);
    if (err)
        return err;
    if (ttl_ms < 0)
        return SC_EINVAL;
    if (bytes.len > cache->opts.max_value_size)
        return SC_ETOOBIG;
    if (ttl_ms == 0)
        return sc_cache_del(cache, key, NULL);
    key = sc__cache_key(cache, key, room);
    sc__flights_void(&cache->flights, key);
    err = store(cache, key, bytes, ttl_ms);
    if (err)
        sc__repair_add(&cache->repair, &key, 1); /* an older value may still be there */
    else
        sc__cache_count(&cache->count.sets);
    return err;
}

sc_err sc_cache_exists(sc_cache *cache, sc_slice key, bool *ret_exists)
{
    char room[SC__STORED_KEY_LEN];
    sc_err err;

    err = sc__cache_check(cache, key);
    if (err)
        return err;
    key = sc__cache_key(cache, key, room);
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
    };
}
