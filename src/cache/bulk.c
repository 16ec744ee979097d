#include "bulk.h"

#include "base/clock.h"
#include "base/mem.h"
#include "handle.h"
#include "lead.h"
#include "settle.h"

void sc__bulk_init(sc__bulk *bulk, sc_cache *cache, const sc_cache_def *def, void *user)
{
    bulk->cache = cache;
    bulk->def = def;
    bulk->user = user;
    bulk->lease.is_there = false;
    bulk->birth = 0;
    bulk->count = 0;
    bulk->text = NULL;
}

void sc__bulk_add(sc__bulk *bulk, sc_slice asked, sc_slice key, bool is_leased,
                  const sc__tag_keys *tags, sc__flight *flight)
{
    size_t i = bulk->count++;

    bulk->asked[i] = asked;
    bulk->keys[i] = key;
    bulk->are_leased[i] = is_leased;
    bulk->flights[i] = flight;
    sc__tag_keys_copy(&bulk->tags[i], tags);
    bulk->all[i] = (sc_cache_load){.def = bulk->def, .ttl_ms = -1, .tags = &bulk->tags[i]};
    bulk->loads[i] = &bulk->all[i];
    sc__flight_loading(&bulk->cache->flights, flight, &bulk->lease,
                       is_leased && bulk->lease.is_there, bulk->birth);
    sc__cache_count(&bulk->cache->count.misses);
}

/* loading */

static void call_loader(sc__bulk *bulk)
{
    sc_cache *cache = bulk->cache;
    sc_err err = sc__turn_take(&cache->turns, cache->opts.timeout_ms);
    bool was_refused = err != SC_OK;
    int64_t load_us = 0;

    if (!was_refused) {
        int64_t began_ns = sc__mono_ns();

        err = bulk->def->load_many(bulk->loads, bulk->asked, bulk->count, bulk->user);
        sc__turn_give(&cache->turns);
        load_us = (sc__mono_ns() - began_ns) / 1000 + 1;
        sc__load_times_add(&cache->load_times, load_us);
        atomic_fetch_add_explicit(&cache->count.loads, bulk->count, memory_order_relaxed);
    }
    for (size_t i = 0; i < bulk->count; i++) {
        bulk->loads[i]->was_refused = was_refused;
        sc__load_end(cache, bulk->loads[i], err, load_us);
    }
}

/* storing */

static void give_lease_up(const sc__bulk *bulk, size_t i)
{
    if (bulk->are_leased[i] && bulk->lease.is_there)
        sc__op_cache_hold(bulk->cache->client, bulk->keys[i], sc__lease_slice(&bulk->lease), 0,
                          bulk->cache->opts.timeout_ms);
}

/* Those that are not stored leave word of their failure, or give their lease up. */
static bool make_fill(const sc__bulk *bulk, size_t i, sc__sealed *sealed, sc__fill_item *ret_fill)
{
    const sc_cache_load *load = bulk->loads[i];

    if (!bulk->are_leased[i] || (!bulk->lease.is_there && !bulk->def->plain))
        return false;
    if (load->err && load->was_refused)
        give_lease_up(bulk, i);
    else if (load->err && bulk->lease.is_there)
        sc__failure_leave(bulk->cache, bulk->keys[i], &bulk->lease, load->err,
                          bulk->def->error_ttl_ms);
    if (load->err)
        return false;
    *ret_fill = (sc__fill_item){.key = bulk->keys[i], .stored = SC_S(""), .tags = load->tags};
    if (sc__flight_is_current(&bulk->cache->flights, bulk->flights[i]) &&
        sc__load_seal(bulk->cache, load, bulk->keys[i], bulk->birth, sealed) == SC_OK) {
        ret_fill->stored = sealed->bytes;
        ret_fill->ttl_ms = sealed->life_ms;
    }
    return true;
}

static void store_alone(sc__bulk *bulk)
{
    for (size_t i = 0; i < bulk->count; i++) {
        const sc__lead lead = {.cache = bulk->cache,
                               .def = bulk->def,
                               .key = bulk->keys[i],
                               .flight = bulk->flights[i]};

        if (sc__alone_settle(&lead, bulk->loads[i]->err, bulk->loads[i], bulk->birth))
            sc__cache_count(&bulk->cache->count.sets);
    }
}

/* `rooms` has one place for each load. */
static void store(sc__bulk *bulk, sc__sealed *rooms)
{
    sc_slice lease = bulk->lease.is_there ? sc__lease_slice(&bulk->lease) : SC_S("");
    sc__fill_item fills[SC__CACHE_MANY_MAX];
    sc_cache *cache = bulk->cache;
    size_t count = 0;
    int64_t stored = 0;
    sc_reason reason;
    sc_err err;

    for (size_t i = 0; i < bulk->count; i++)
        count += make_fill(bulk, i, &rooms[i], &fills[count]);
    if (!count || sc__health_ask(&cache->health) || !sc__health_may_store(&cache->health))
        return;
    if (sc__budget_has_time(cache, &bulk->budget)) {
        err = sc__op_cache_fill_many(cache->client, fills, count, lease, bulk->birth,
                                     bulk->budget.left_ms, &stored, &reason);
        sc__budget_after_store(cache, &bulk->budget, err, &reason);
        atomic_fetch_add_explicit(&cache->count.sets, (uint64_t)stored, memory_order_relaxed);
    } else {
        err = sc__op_cache_fill_many_async(cache->client, fills, count, lease, bulk->birth,
                                           cache->opts.timeout_ms, sc__on_stored, cache);
        (void)err; /* the leases end by themselves then */
    }
    for (size_t i = 0; i < count; i++)
        sc__tier_changed(&cache->tier, fills[i].key);
}

/* all */

void sc__bulk_run(sc__bulk *bulk)
{
    sc__flights *flights = &bulk->cache->flights;
    sc__sealed *rooms = sc__malloc(bulk->count * sizeof(*rooms));

    if (bulk->lease.is_there)
        sc__lease_keeper_wake(&bulk->cache->keeper);
    call_loader(bulk);
    for (size_t i = 0; i < bulk->count; i++)
        sc__flight_end(flights, bulk->flights[i], bulk->loads[i]->err, bulk->loads[i]->value,
                       bulk->loads[i]->tags);
    if (sc__is_alone(&bulk->cache->alone))
        store_alone(bulk);
    else if (rooms)
        store(bulk, rooms);
    for (size_t i = 0; i < bulk->count; i++) {
        sc__flight_leave(flights, bulk->flights[i]);
        sc__flight_unref(bulk->flights[i]);
    }
    sc_free(rooms);
}

void sc__bulk_drop(sc__bulk *bulk)
{
    for (size_t i = 0; i < bulk->count; i++) {
        give_lease_up(bulk, i);
        sc__flight_moot(&bulk->cache->flights, bulk->flights[i]);
        sc__flight_unref(bulk->flights[i]);
    }
}

/* behind */

static void run_behind(sc__work *work)
{
    sc__bulk *bulk = (sc__bulk *)work;

    for (size_t i = 0; i < bulk->count; i++)
        sc__flight_take_over(&bulk->cache->flights, bulk->flights[i]);
    sc__bulk_run(bulk);
    for (size_t i = 0; i < bulk->count; i++)
        sc__blob_unref(bulk->loads[i]->value);
    sc__def_drop(bulk->def, bulk->user);
    sc_free(bulk->text);
    sc_free(bulk);
}

static void move(sc_slice *bytes, char **to)
{
    memcpy(*to, bytes->ptr, bytes->len);
    bytes->ptr = *to;
    *to += bytes->len;
}

/* The keys are the bulk's own then. False: no memory. */
static bool copy_keys(sc__bulk *bulk)
{
    size_t size = 0;
    char *to;

    for (size_t i = 0; i < bulk->count; i++)
        size += bulk->asked[i].len + bulk->keys[i].len;
    bulk->text = to = sc__malloc(size);
    for (size_t i = 0; to && i < bulk->count; i++) {
        move(&bulk->asked[i], &to);
        move(&bulk->keys[i], &to);
    }
    return bulk->text != NULL;
}

bool sc__bulk_go_behind(sc__bulk *bulk)
{
    void *user;

    if (sc__def_keep(bulk->def, bulk->user, &user))
        return false;
    if (!copy_keys(bulk)) {
        sc__def_drop(bulk->def, user);
        return false;
    }
    bulk->user = user;
    bulk->budget = sc__budget_begin(bulk->cache);
    for (size_t i = 0; i < bulk->count; i++)
        sc__flight_hand_over(&bulk->cache->flights, bulk->flights[i]);
    bulk->work.run = run_behind;
    sc__pool_submit(bulk->cache->pool, &bulk->work);
    return true;
}
