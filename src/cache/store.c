/* Storing values, and making them stale. */
#include "handle.h"

#include "load.h"
#include "ops/op_cache_load.h"
#include "tags.h"

enum { EXPIRE_TRIES = 3 };

/* A lease that replaces whatever is there says when the value was born; a tag that changes meanwhile, or a delete, voids it. */
static sc_err store_tagged(sc_cache *cache, sc_slice key, const sc_cache_load *load,
                           sc__sealed *sealed, sc_reason *ret_reason)
{
    sc__lease_order order = {.lease_ms = SC__LEASE_MS,
                             .replaces = SC_S("*"),
                             .tags = load->tags,
                             .life_ms = load->def->ttl_ms};
    sc__fill fill = {.tags = load->tags};
    char lease[SC__LEASE_LEN];
    sc_reply *held = NULL;
    bool stored;
    sc_err err;

    sc__envelope_lease(lease, sc__cache_now_ms(cache));
    order.lease = fill.over = (sc_slice){lease, SC__LEASE_LEN};
    err = sc__op_cache_lease(cache->client, key, &order, cache->opts.timeout_ms, &fill.birth, &held,
                             ret_reason);
    sc_reply_free(held);
    if (!err)
        err = sc__load_seal(cache, load, key, fill.birth, sealed);
    if (err)
        return err;
    fill.stored = sealed->bytes;
    fill.ttl_ms = sealed->life_ms;
    return sc__op_cache_fill(cache->client, key, &fill, cache->opts.timeout_ms, &stored,
                             ret_reason);
}

static sc_err store_untagged(sc_cache *cache, sc_slice key, const sc_cache_load *load,
                             sc__sealed *sealed, sc_reason *ret_reason)
{
    sc_err err = sc__load_seal(cache, load, key, 0, sealed);

    return err ? err
               : sc__op_cache_set(cache->client, key, sealed->bytes, sealed->life_ms,
                                  cache->opts.timeout_ms, ret_reason);
}

static sc_err store(sc_cache *cache, sc_slice key, const sc_cache_load *load)
{
    sc__sealed sealed;
    sc_reason reason = {""};
    sc_err err;

    if (sc__is_alone(&cache->alone))
        return sc__alone_store(cache, key, load);
    err = sc__health_ask(&cache->health);
    if (err)
        return err;
    err = load->tags->count ? store_tagged(cache, key, load, &sealed, &reason)
                            : store_untagged(cache, key, load, &sealed, &reason);
    sc__cache_after_store(cache, err, &reason);
    return err;
}

sc_err sc_cache_store(sc_cache *cache, const sc_cache_def *def, sc_slice key, sc_slice bytes)
{
    sc_cache_load load = {.def = def, .ttl_ms = -1};
    char room[SC__STORED_KEY_LEN];
    sc__tag_keys tags;
    sc_err err;

    err = sc__cache_check(cache, key);
    if (!err)
        err = sc__def_check(def);
    if (!err)
        err = sc__cache_tags_of(cache, def, &tags);
    if (err)
        return err;
    if (bytes.len > sc__def_max_size(cache, def))
        return SC_ETOOBIG;
    if (def->ttl_ms == 0)
        return sc_cache_del(cache, key, NULL);
    load.tags = &tags;
    err = sc_cache_load_set(&load, bytes);
    if (err)
        return err;
    key = sc__cache_key(cache, key, room);
    sc__flights_void(&cache->flights, key);
    err = store(cache, key, &load);
    sc__blob_unref(load.value);
    if (err && !sc__is_alone(&cache->alone))
        sc__repair_add(&cache->repair, &key, 1); /* an older value may still be there */
    else if (!err)
        sc__cache_count(&cache->count.sets);
    sc__tier_changed(&cache->tier, key);
    return err;
}

sc_err sc_cache_set(sc_cache *cache, sc_slice key, sc_slice bytes, int64_t ttl_ms)
{
    const sc_cache_def def = {.ttl_ms = ttl_ms};

    return sc_cache_store(cache, &def, key, bytes);
}

/* making stale */

/* The value as it is, but past its time; in the place of the old one. SC_ESTATE: it must go instead. SC_EBUSY: it has changed
 * meanwhile. */
static sc_err put_stale(sc_cache *cache, sc_slice key, sc_slice old, sc__envelope *e,
                        sc__blob *value)
{
    int64_t now_ms = sc__cache_now_ms(cache);
    sc__fill fill = {.over = {old.ptr, old.len < SC__HEAD_MAX ? old.len : SC__HEAD_MAX}};
    sc__tag_keys tags;
    bool stored = false;
    sc_err err;

    if (e->kind != SC__ENVELOPE_VALUE || e->grace_ms <= now_ms)
        return SC_ESTATE;
    err = sc__cache_tags_of(cache, NULL, &tags);
    for (size_t i = 0; !err && i < e->tag_count; i++)
        err = sc__tag_keys_add(&tags, e->tags[i]);
    e->expires_ms =
        e->stored_ms; /* over for whatever process, however it takes the server's time */
    e->flags = 0;
    if (!err)
        err = sc__codec_seal(&cache->codec, key, e, value, &fill.stored);
    if (err)
        return err;
    fill.tags = &tags;
    fill.birth = e->birth;
    fill.ttl_ms = e->grace_ms == INT64_MAX ? SC_TTL_FOREVER : e->grace_ms - now_ms;
    err = sc__op_cache_fill(cache->client, key, &fill, cache->opts.timeout_ms, &stored, NULL);
    return err ? err : stored ? SC_OK : SC_EBUSY;
}

/* The value that lies in the key, as a copy. */
static sc_err copy_stored(sc_cache *cache, sc_slice key, sc_slice stored, const sc__envelope *e,
                          sc_slice content, sc__blob **ret_value)
{
    sc_err err = sc__codec_open(&cache->codec, key, stored, e, content, ret_value, NULL);

    if (!err && !*ret_value) {
        *ret_value = sc__blob_copy(content);
        err = *ret_value ? SC_OK : SC_ENOMEM;
    }
    return err;
}

static sc_err expire_once(sc_cache *cache, sc_slice key)
{
    sc__envelope envelope;
    const sc_reply *stored;
    sc_slice content, bytes;
    sc__blob *value = NULL;
    sc_reply *reply;
    sc_err err;

    err = sc__op_cache_get(cache->client, key, NULL, cache->opts.timeout_ms, &reply, &stored, NULL,
                           NULL);
    if (err)
        return err;
    bytes = stored->type == SC_REPLY_STRING ? stored->str : SC_S("");
    err = sc__envelope_read(bytes, &envelope, &content) == SC__ENVELOPE_VALUE
              ? copy_stored(cache, key, bytes, &envelope, content, &value)
              : SC_ESTATE;
    if (!err)
        err = put_stale(cache, key, bytes, &envelope, value);
    sc__blob_unref(value);
    sc_reply_free(reply);
    return err;
}

sc_err sc_cache_expire(sc_cache *cache, sc_slice key)
{
    char room[SC__STORED_KEY_LEN];
    sc_slice stored_key;
    sc_err err;

    err = sc__cache_check(cache, key);
    if (err)
        return err;
    stored_key = sc__cache_key(cache, key, room);
    sc__flights_void(&cache->flights, stored_key);
    if (sc__is_alone(&cache->alone)) {
        sc__alone_expire(cache, stored_key);
        return SC_OK;
    }
    err = sc__health_ask(&cache->health);
    if (!err) {
        err = SC_EBUSY;
        for (int i = 0; i < EXPIRE_TRIES && err == SC_EBUSY; i++)
            err = expire_once(cache, stored_key);
        sc__cache_after(cache, err == SC_ESTATE || err == SC_EBUSY ? SC_OK : err);
    }
    sc__tier_changed(&cache->tier, stored_key);
    return err ? sc_cache_del(cache, key, NULL) : SC_OK;
}
