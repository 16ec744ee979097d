#include "lead.h"

#include "base/clock.h"
#include "base/mem.h"
#include "handle.h"
#include "ops/op_cache.h"
#include "tags.h"

enum { RETRY_MIN_MS = 1000, LOST_REST_MS = 250 };

/* What a load begins with, and what must still stand when its value is stored. */
struct right {
    sc__lease lease;
    bool is_ours;
    int64_t birth;           /* the tag clock; 0: not known */
    char head[SC__HEAD_MAX]; /* of the old value, when it is renewed */
    size_t head_len;
    sc__str key; /* where the lease is, then */
    sc__tag_keys tags;
    bool was_answered; /* by what the key holds, when the lease was asked for last */
};

static void new_lease(sc_cache *cache, sc__lease *ret_lease)
{
    sc__envelope_lease(ret_lease->bytes, sc__cache_now_ms(cache));
    ret_lease->is_there = true;
}

/* a missing value */

static sc_err open_held(sc__lead *l, sc_reply *held, struct right *r)
{
    sc__found found = {.reply = held, .stored = held, .known = 0};
    sc_err err = sc__cache_tags_of(l->cache, l->def, &found.keys);

    if (err) {
        sc_reply_free(held);
        return err;
    }
    err = sc__cache_open(l->cache, l->key, &found, &l->look);
    r->lease = l->look.lease;
    return err;
}

/* Gets the lease that the load begins with: ours, another's, or none. Or finds something in the key: see l->look. */
static sc_err take_lease(sc__lead *l, struct right *r)
{
    sc_cache *cache = l->cache;
    sc__lease ours;
    sc__lease_order order = {.lease_ms = SC__LEASE_MS,
                             .replaces = {l->look.unusable, l->look.unusable_len},
                             .tags = &r->tags,
                             .life_ms = l->def->ttl_ms};
    sc_reply *held = NULL;
    sc_reason reason;
    sc_err err;

    r->lease.is_there = r->is_ours = r->was_answered = l->look.failure.is_there = false;
    l->look.kept_err = SC_OK;
    if (!l->look.has_asked || !sc__health_may_store(&cache->health))
        return SC_OK;
    new_lease(cache, &ours);
    order.lease = sc__lease_slice(&ours);
    err = sc__op_cache_lease(cache->client, l->key, &order, cache->opts.timeout_ms, &r->birth,
                             &held, &reason);
    if (err || !held)
        sc__cache_after_store(cache, err, &reason);
    else
        sc__cache_after(cache, err);
    if (err) {
        r->birth = 0;
        return SC_OK;
    }
    if (held) {
        r->was_answered = true;
        r->birth = 0;
        return open_held(l, held, r);
    }
    r->lease = ours;
    r->is_ours = true;
    return SC_OK;
}

static bool has_found(const sc__look *look)
{
    return look->value || look->is_none || look->kept_err;
}

/* Whether more than what is there may come. What is of no use makes way for a lease, but not a failure of the load that was awaited. */
static bool may_wait(const sc__lead *l, const struct right *r, const sc__lease *awaited)
{
    sc__link *link = &l->cache->link;

    if (!r->was_answered || has_found(&l->look))
        return false;
    if (l->look.failure.is_there)
        return !sc__failure_is_of(&l->look.failure, awaited);
    if (!r->lease.is_there)
        return l->look.unusable_len > 0;
    sc__link_heard(link, l->asked_ns / 1000000);
    return sc__link_is_heard(link);
}

/* The same, but while another process has the lease waits for what comes of that: a value, a failure (l->look.failure), or
 * the lease's end. Only who is told of changes can wait. */
static sc_err win_lease(sc__lead *l, struct right *r)
{
    int64_t left_ms, until_ms = sc__mono_ms() + l->cache->opts.wait_ms;
    sc__link *link = &l->cache->link;
    sc__lease awaited = {0};
    sc__await await;
    bool again = true;
    sc_err err = SC_OK;

    /* Without a server there's no lease to win; but a load may have ended between the look and the flight. */
    if (sc__is_alone(&l->cache->alone)) {
        l->asked_ns = sc__mono_ns();
        return sc__alone_look(l->cache, l->key, &l->look);
    }
    while (again && !err) {
        sc__await_begin(&link->awaits, &await, l->key);
        l->asked_ns = sc__mono_ns();
        err = take_lease(l, r);
        left_ms = until_ms - sc__mono_ms();
        again = left_ms > 0 && may_wait(l, r, &awaited);
        if (again && r->lease.is_there) {
            if (!awaited.is_there)
                sc__cache_count(&l->cache->count.lease_waits);
            awaited = r->lease;
            sc__await_change(&await, left_ms < SC__LEASE_MS ? left_ms : SC__LEASE_MS);
        }
        sc__await_end(&link->awaits, &await);
    }
    return err;
}

/* The end of a lease of ours: the value or word of the failure takes its place, or it is given up. */
static void settle_lease(sc__lead *l, const struct right *r, sc_err load_err,
                         const sc_cache_load *load)
{
    sc__fill fill = {.over = sc__lease_slice(&r->lease), .birth = r->birth, .tags = &r->tags};
    sc_cache *cache = l->cache;
    bool stored = false;
    sc__sealed sealed;
    sc_reason reason;
    sc_err err;

    if (load_err && !load->was_refused) {
        sc__failure_leave(cache, l->key, &r->lease, load_err, l->def->error_ttl_ms);
        return;
    }
    if (!load_err && sc__flight_is_current(&cache->flights, l->flight) &&
        sc__load_seal(cache, load, l->key, r->birth, &sealed) == SC_OK) {
        if (sc__health_ask(&cache->health))
            return;
        fill.stored = sealed.bytes;
        fill.ttl_ms = sealed.life_ms;
        err = sc__op_cache_fill(cache->client, l->key, &fill, cache->opts.timeout_ms, &stored,
                                &reason);
        sc__tier_changed(&cache->tier, l->key);
        sc__cache_after_store(cache, err, &reason);
    }
    if (stored)
        sc__cache_count(&cache->count.sets);
    else
        sc__op_cache_hold(cache->client, l->key, fill.over, 0, cache->opts.timeout_ms);
}

/* A value without an envelope has no lease: it is stored if nothing else was meanwhile. */
static void settle_plain(sc__lead *l, sc_err load_err, const sc_cache_load *load)
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
    err = sc__op_cache_add(cache->client, l->key, sealed.bytes, sealed.life_ms,
                           cache->opts.timeout_ms, &stored, &reason);
    sc__cache_after_store(cache, err, &reason);
    if (stored)
        sc__cache_count(&cache->count.sets);
}

/* loading */

static void led_by_load(sc_err err, const sc_cache_load *load, sc__led *ret_led)
{
    *ret_led = (sc__led){.err = err, .value = load->value, .source = SC_CACHE_MISS};
}

static void load_missing(sc__lead *l, struct right *r, sc__led *ret_led)
{
    sc__flights *flights = &l->cache->flights;
    sc_cache_load load;
    sc_err err;

    if (sc__is_alone(&l->cache->alone))
        r->birth = sc__alone_birth(l->cache);
    sc__flight_loading(flights, l->flight, &r->lease, r->is_ours, r->birth);
    if (r->is_ours)
        sc__lease_keeper_wake(&l->cache->keeper);
    sc__cache_count(&l->cache->count.misses);
    err = sc__load_run(l->cache, l->def, l->asked, l->user, NULL, &r->tags, &load);
    sc__flight_end(flights, l->flight, err, load.value, &r->tags);
    if (r->is_ours)
        settle_lease(l, r, err, &load);
    else if (sc__is_alone(&l->cache->alone) && sc__alone_settle(l, err, &load, r->birth))
        sc__cache_count(&l->cache->count.sets);
    else if (l->def->plain && l->look.has_asked)
        settle_plain(l, err, &load);
    sc__flight_leave(flights, l->flight);
    led_by_load(err, &load, ret_led);
}

/* Another process had loaded it meanwhile, or had failed to. */
static void share_found(sc__lead *l, sc__led *ret_led)
{
    const sc__look *look = &l->look;
    sc_err err = look->kept_err ? look->kept_err : look->failure.err;

    *ret_led = (sc__led){.err = look->value || look->is_none ? SC_OK : err,
                         .value = look->value,
                         .source = sc__is_alone(&l->cache->alone) ? SC_CACHE_NEAR : SC_CACHE_HIT,
                         .is_stale = look->is_stale,
                         .age_ms = look->age_ms};
    if (look->is_stale) {
        sc__flight_moot(&l->cache->flights,
                        l->flight); /* the others see for themselves how old it is */
    } else if (ret_led->err) {
        sc__flight_end(&l->cache->flights, l->flight, ret_led->err, NULL, NULL);
        sc__flight_leave(&l->cache->flights, l->flight);
    } else {
        sc__flight_give(&l->cache->flights, l->flight, l->asked_ns, look->value, look->age_ms);
    }
    l->look.value = NULL;
}

static void lead_missing(sc__lead *l, struct right *r, sc__led *ret_led)
{
    const bool looks_again = !l->def->plain || sc__is_alone(&l->cache->alone);
    sc_err err = looks_again ? win_lease(l, r) : SC_OK;

    if (err) {
        sc__flight_moot(&l->cache->flights, l->flight);
        *ret_led = (sc__led){.err = err};
    } else if (has_found(&l->look) || l->look.failure.is_there) {
        share_found(l, ret_led);
    } else {
        load_missing(l, r, ret_led);
    }
}

/* an old value */

static sc_err win_renewal(sc__lead *l, struct right *r)
{
    sc_cache *cache = l->cache;
    sc__lease_order order = {.lease_ms = SC__LEASE_MS, .tags = &r->tags};
    sc__envelope envelope;
    sc_slice content;
    sc_reason reason;
    sc_err err;

    if (sc__is_alone(&cache->alone)) {
        r->birth = sc__alone_birth(cache);
        return SC_OK;
    }
    new_lease(cache, &r->lease);
    order.lease = sc__lease_slice(&r->lease);
    sc__renewal_key(&r->key, sc_slice_of(cache->prefix), l->key);
    err = r->key.err ? r->key.err : sc__health_ask(&cache->health);
    if (err || !sc__health_may_store(&cache->health))
        return err ? err : SC_EBUSY;
    err = sc__op_cache_refresh(cache->client, l->key, sc__str_slice(&r->key), &order,
                               cache->opts.timeout_ms, r->head, SC__HEAD_MAX, &r->birth,
                               &r->head_len, &reason);
    sc__cache_after_store(cache, err, &reason);
    if (err || r->birth < 0)
        return err ? err : SC_EBUSY;
    r->is_ours = true;
    /* Someone else had renewed it before us. */
    sc__envelope_read((sc_slice){r->head, r->head_len}, &envelope, &content);
    return envelope.stored_ms == l->look.stored_ms ? SC_OK : SC_EEXIST;
}

/* For `ms` nobody tries again; 0: whoever wants to may. */
static void end_renewal(sc__lead *l, const struct right *r, int64_t ms)
{
    if (ms)
        sc__rest_begin(&l->cache->rests, l->key, ms);
    if (r->is_ours)
        sc__op_cache_hold(l->cache->client, sc__str_slice(&r->key), sc__lease_slice(&r->lease), ms,
                          l->cache->opts.timeout_ms);
}

/* The new value takes the old one's place; without one that may be stored the old one goes. */
static void settle_renewal(sc__lead *l, const struct right *r, const sc_cache_load *load)
{
    sc__fill fill = {.over = {r->head, r->head_len}, .birth = r->birth, .tags = &r->tags};
    sc_cache *cache = l->cache;
    bool stored = false;
    sc__sealed sealed;
    sc_reason reason;
    sc_err err = sc__load_seal(cache, load, l->key, r->birth, &sealed);

    if (!sc__flight_is_current(&cache->flights, l->flight))
        return;
    if (err == SC_ESTATE)
        sc__op_cache_hold(cache->client, l->key, fill.over, 0, cache->opts.timeout_ms);
    if (err || sc__health_ask(&cache->health))
        return;
    fill.stored = sealed.bytes;
    fill.ttl_ms = sealed.life_ms;
    err = sc__op_cache_fill(cache->client, l->key, &fill, cache->opts.timeout_ms, &stored, &reason);
    sc__tier_changed(&cache->tier, l->key);
    sc__cache_after_store(cache, err, &reason);
    if (stored)
        sc__cache_count(&cache->count.renewals);
}

static void load_anew(sc__lead *l, struct right *r, sc__led *ret_led)
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
        settle_renewal(l, r, &load);
    else if (!err && sc__alone_settle(l, err, &load, r->birth))
        sc__cache_count(&l->cache->count.renewals);
    end_renewal(l, r, err ? error_ms : 0);
    sc__flight_leave(flights, l->flight);
    led_by_load(err, &load, ret_led);
}

static void lead_renewal(sc__lead *l, struct right *r, sc__led *ret_led)
{
    if (win_renewal(l, r) == SC_OK) {
        load_anew(l, r, ret_led);
        return;
    }
    end_renewal(l, r, r->is_ours ? 0 : LOST_REST_MS);
    sc__flight_moot(&l->cache->flights, l->flight);
    *ret_led = (sc__led){.is_moot = true};
}

/* both */

void sc__lead_run(sc__lead *l, sc__led *ret_led)
{
    struct right r = {.key = STR_MAX(SIZE_MAX / 2)};
    sc_err err = sc__cache_tags_of(l->cache, l->def, &r.tags);

    if (err) {
        sc__flight_moot(&l->cache->flights, l->flight);
        *ret_led = (sc__led){.err = err};
    } else if (l->flight->renews) {
        lead_renewal(l, &r, ret_led);
    } else {
        lead_missing(l, &r, ret_led);
    }
    sc__blob_unref(l->look.value);
    l->look.value = NULL;
    sc__str_release(&r.key);
}

static void free_behind(sc__lead *l)
{
    if (l->def->keep && l->def->drop && l->user)
        l->def->drop(l->user);
    sc_free(l);
}

static void run_behind(sc__work *work)
{
    sc__lead *l = (sc__lead *)work;
    sc__led led;

    sc__lead_run(l, &led);
    sc__blob_unref(led.value);
    sc__flight_unref(&l->cache->flights, l->flight);
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
    text = (char *)(copy + 1);
    memcpy(text, l->asked.ptr, l->asked.len);
    memcpy(text + l->asked.len, l->key.ptr, l->key.len);
    copy->asked = (sc_slice){text, l->asked.len};
    copy->key = (sc_slice){text + l->asked.len, l->key.len};
    if (l->def->keep && l->user) {
        copy->user = l->def->keep(l->user);
        if (!copy->user) {
            sc_free(copy);
            return NULL;
        }
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
    sc__flight_ref(&l->cache->flights, l->flight);
    copy->work.run = run_behind;
    sc__pool_submit(l->cache->pool, &copy->work);
    return true;
}
