#include "settle.h"

#include "handle.h"
#include "ops/op_cache_load.h"
#include "redis/reply.h"

void sc__on_stored(void *user, sc_err err, const sc_reply *reply)
{
    sc_cache *cache = user;
    sc_reason reason = {""};

    if (!err)
        err = sc__reply_check(reply, &reason);
    sc__cache_after_store(cache, err, &reason);
    if (!err)
        atomic_fetch_add_explicit(&cache->count.sets, (uint64_t)sc__op_cache_stored(reply),
                                  memory_order_relaxed);
}

static void note_stored(sc__lead *l, sc_err err, bool stored, const sc_reason *reason)
{
    sc__budget_after_store(l->cache, &l->budget, err, reason);
    if (stored)
        sc__cache_count(&l->cache->count.sets);
}

/* True when the lease has found its end: the value is in its place, or on its way there. */
static bool fill(sc__lead *l, const sc__fill *fill)
{
    sc_cache *cache = l->cache;
    bool stored = false;
    sc_reason reason;
    sc_err err;

    if (!sc__budget_has_time(cache, &l->budget))
        return sc__op_cache_fill_async(cache->client, l->key, fill, cache->opts.timeout_ms,
                                       sc__on_stored, cache) == SC_OK;
    err = sc__op_cache_fill(cache->client, l->key, fill, l->budget.left_ms, &stored, &reason);
    note_stored(l, err, stored, &reason);
    return stored;
}

static void give_up_lease(const sc__lead *l, const sc__right *r)
{
    sc__op_cache_hold(l->cache->client, l->key, sc__lease_slice(&r->lease), 0,
                      l->cache->opts.timeout_ms);
}

void sc__settle_lease(sc__lead *l, const sc__right *r, sc_err load_err, const sc_cache_load *load)
{
    sc__fill order = {.over = sc__lease_slice(&r->lease), .birth = r->birth, .tags = &r->tags};
    sc_cache *cache = l->cache;
    bool ended = false;
    sc__sealed sealed;

    if (load_err && !load->was_refused) {
        sc__failure_leave(cache, l->key, &r->lease, load_err, l->def->error_ttl_ms);
        return;
    }
    if (!load_err && sc__flight_is_current(&cache->flights, l->flight) &&
        sc__load_seal(cache, load, l->key, r->birth, &sealed) == SC_OK) {
        if (sc__health_ask(&cache->health))
            return;
        order.stored = sealed.bytes;
        order.ttl_ms = sealed.life_ms;
        ended = fill(l, &order);
        sc__tier_changed(&cache->tier, l->key);
    }
    if (!ended)
        give_up_lease(l, r);
}

void sc__settle_plain(sc__lead *l, sc_err load_err, const sc_cache_load *load)
{
    sc_cache *cache = l->cache;
    bool stored = false;
    sc__sealed sealed;
    sc_reason reason;
    sc_err err;

    if (load_err || !sc__flight_is_current(&cache->flights, l->flight) ||
        sc__load_seal(cache, load, l->key, 0, &sealed) || sc__health_ask(&cache->health) ||
        !sc__health_may_store(&cache->health))
        return;
    if (sc__budget_has_time(cache, &l->budget)) {
        err = sc__op_cache_add(cache->client, l->key, sealed.bytes, sealed.life_ms,
                               l->budget.left_ms, &stored, &reason);
        note_stored(l, err, stored, &reason);
    } else {
        err = sc__op_cache_add_async(cache->client, l->key, sealed.bytes, sealed.life_ms,
                                     cache->opts.timeout_ms, sc__on_stored, cache);
        (void)err; /* it is not stored then */
    }
}

void sc__settle_renewal(sc__lead *l, const sc__right *r, const sc_cache_load *load)
{
    sc__fill order = {.over = {r->head, r->head_len}, .birth = r->birth, .tags = &r->tags};
    sc_cache *cache = l->cache;
    bool stored = false;
    sc__sealed sealed;
    sc_reason reason;
    sc_err err = sc__load_seal(cache, load, l->key, r->birth, &sealed);

    if (!sc__flight_is_current(&cache->flights, l->flight))
        return;
    if (err == SC_ESTATE)
        sc__op_cache_hold(cache->client, l->key, order.over, 0, cache->opts.timeout_ms);
    if (err || sc__health_ask(&cache->health))
        return;
    order.stored = sealed.bytes;
    order.ttl_ms = sealed.life_ms;
    err =
        sc__op_cache_fill(cache->client, l->key, &order, cache->opts.timeout_ms, &stored, &reason);
    sc__tier_changed(&cache->tier, l->key);
    sc__cache_after_store(cache, err, &reason);
    if (stored)
        sc__cache_count(&cache->count.renewals);
}
