#include "lead.h"

#include "base/mem.h"
#include "handle.h"
#include "ops/op_cache_load.h"
#include "settle.h"
#include "tags.h"

enum { RETRY_MIN_MS = 1000, LOST_REST_MS = 250 };

/* a missing value */

static sc__led load_missing(sc__lead *l, sc__right *r, sc__blob **ret_value, sc_err *ret_err)
{
    sc__flights *flights = &l->cache->flights;
    sc_cache_load load;

    if (sc__is_alone(&l->cache->alone))
        r->birth = sc__alone_birth(l->cache);
    sc__flight_loading(flights, l->flight, &r->lease, r->is_ours, r->birth);
    if (r->is_ours)
        sc__lease_keeper_wake(&l->cache->keeper);
    sc__cache_count(&l->cache->count.misses);
    *ret_err = sc__load_run(l->cache, l->def, l->asked, l->user, NULL, &r->tags, &load);
    sc__flight_end(flights, l->flight, *ret_err, load.value, &r->tags);
    if (r->is_ours)
        sc__settle_lease(l, r, *ret_err, &load);
    else if (sc__is_alone(&l->cache->alone) && sc__alone_settle(l, *ret_err, &load, r->birth))
        sc__cache_count(&l->cache->count.sets);
    else if (l->def->plain && l->look.has_asked)
        sc__settle_plain(l, *ret_err, &load);
    sc__flight_leave(flights, l->flight);
    *ret_value = load.value;
    return SC__LED_LOADED;
}

/* For those who joined. */
static sc__led share_found(sc__lead *l, sc_err *ret_err)
{
    sc__flights *flights = &l->cache->flights;
    const sc__look *look = &l->look;

    *ret_err = look->kept_err ? look->kept_err : SC_OK;
    if (!sc__look_has_found(look))
        *ret_err = look->failure.err;
    if (look->is_stale) {
        sc__flight_moot(flights, l->flight); /* the others see for themselves how old it is */
    } else if (*ret_err) {
        sc__flight_end(flights, l->flight, *ret_err, NULL, NULL);
        sc__flight_leave(flights, l->flight);
    } else {
        sc__flight_give(flights, l->flight, l->asked_ns, look->value, look->age_ms);
    }
    return SC__LED_FOUND;
}

/* Without a server there's no lease to win; but a load may have ended between the look and the flight. */
static sc_err look_alone(sc__lead *l)
{
    l->asked_ns = sc__mono_ns();
    return sc__alone_look(l->cache, l->key, &l->look);
}

static sc__led lead_missing(sc__lead *l, sc__right *r, sc__blob **ret_value, sc_err *ret_err)
{
    *ret_err = SC_OK;
    if (sc__is_alone(&l->cache->alone))
        *ret_err = look_alone(l);
    else if (!l->def->plain)
        *ret_err = sc__right_win(l, r);
    if (*ret_err) {
        sc__flight_moot(&l->cache->flights, l->flight);
        return SC__LED_FAILED;
    }
    if (sc__look_has_found(&l->look) || l->look.failure.is_there)
        return share_found(l, ret_err);
    return load_missing(l, r, ret_value, ret_err);
}

/* an old value */

/* For `ms` nobody tries again; 0: whoever wants to may. */
static void end_renewal(sc__lead *l, const sc__right *r, int64_t ms)
{
    if (ms)
        sc__rest_begin(&l->cache->rests, l->key, ms);
    if (r->is_ours)
        sc__op_cache_hold(l->cache->client, sc__str_slice(&r->key), sc__lease_slice(&r->lease), ms,
                          l->cache->opts.timeout_ms);
}

static sc__led load_anew(sc__lead *l, sc__right *r, sc__blob **ret_value, sc_err *ret_err)
{
    const int64_t error_ms =
        l->def->error_ttl_ms > RETRY_MIN_MS ? l->def->error_ttl_ms : RETRY_MIN_MS;
    sc__flights *flights = &l->cache->flights;
    sc_cache_load load;
    sc_err err;

    sc__flight_loading(flights, l->flight, &r->lease, r->is_ours, r->birth);
    if (r->is_ours)
        sc__lease_keeper_wake(&l->cache->keeper);
    err = sc__load_run(l->cache, l->def, l->asked, l->user, l->look.value, &r->tags, &load);
    sc__flight_end(flights, l->flight, err, load.value, &r->tags);
    if (!err && r->is_ours)
        sc__settle_renewal(l, r, &load);
    else if (!err && sc__alone_settle(l, err, &load, r->birth))
        sc__cache_count(&l->cache->count.renewals);
    end_renewal(l, r, err ? error_ms : 0);
    sc__flight_leave(flights, l->flight);
    *ret_value = load.value;
    *ret_err = err;
    return SC__LED_LOADED;
}

static sc_err win_renewal(sc__lead *l, sc__right *r)
{
    if (!sc__is_alone(&l->cache->alone))
        return sc__right_win_renewal(l, r);
    r->birth = sc__alone_birth(l->cache);
    return SC_OK;
}

static sc__led lead_renewal(sc__lead *l, sc__right *r, sc__blob **ret_value, sc_err *ret_err)
{
    *ret_err = SC_OK;
    if (win_renewal(l, r) == SC_OK)
        return load_anew(l, r, ret_value, ret_err);
    end_renewal(l, r, r->is_ours ? 0 : LOST_REST_MS);
    sc__flight_moot(&l->cache->flights, l->flight);
    return SC__LED_NOTHING;
}

/* both */

static void drop_look(sc__lead *l)
{
    sc__blob_unref(l->look.value);
    l->look.value = NULL;
}

sc__led sc__lead_run(sc__lead *l, sc__blob **ret_value, sc_err *ret_err)
{
    sc__right r = {.key = STR_MAX(SIZE_MAX / 2)};
    sc__led led = SC__LED_FAILED;

    *ret_value = NULL;
    *ret_err = sc__cache_tags_of(l->cache, l->def, &r.tags);
    if (*ret_err)
        sc__flight_moot(&l->cache->flights, l->flight);
    else if (l->flight->renews)
        led = lead_renewal(l, &r, ret_value, ret_err);
    else
        led = lead_missing(l, &r, ret_value, ret_err);
    if (led != SC__LED_FOUND)
        drop_look(l);
    sc__str_release(&r.key);
    return led;
}

static void free_behind(sc__lead *l)
{
    sc__def_drop(l->def, l->user);
    sc_free(l);
}

static void run_behind(sc__work *work)
{
    sc__lead *l = (sc__lead *)work;
    sc__blob *value;
    sc_err err; /* for those who wait, not for us */

    if (sc__lead_run(l, &value, &err) == SC__LED_FOUND)
        drop_look(l);
    sc__blob_unref(value);
    sc__flight_unref(l->flight);
    free_behind(l);
}

/* NULL without memory. */
static sc__lead *copy_of(const sc__lead *l)
{
    sc__lead *copy = sc__malloc(sizeof(*copy) + l->asked.len + l->key.len);
    char *text;

    if (!copy)
        return NULL;
    *copy = *l;
    copy->budget = sc__budget_begin(l->cache);
    text = (char *)(copy + 1);
    memcpy(text, l->asked.ptr, l->asked.len);
    memcpy(text + l->asked.len, l->key.ptr, l->key.len);
    copy->asked = (sc_slice){text, l->asked.len};
    copy->key = (sc_slice){text + l->asked.len, l->key.len};
    if (sc__def_keep(l->def, l->user, &copy->user)) {
        sc_free(copy);
        return NULL;
    }
    return copy;
}

bool sc__lead_behind(const sc__lead *l)
{
    sc__lead *copy = copy_of(l);

    if (!copy) {
        sc__flight_moot(&l->cache->flights, l->flight);
        return false;
    }
    if (copy->look.value)
        sc__blob_ref(copy->look.value);
    sc__flight_ref(l->flight);
    copy->work.run = run_behind;
    sc__pool_submit(l->cache->pool, &copy->work);
    return true;
}
