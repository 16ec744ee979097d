/* The way of a value that may have to be loaded:
 *
 *     look into Redis -> hit
 *                     -> join a load under way -> its value, or its error
 *                     -> lead: lease -> loader -> fill, if the lease still stands */
#include "handle.h"

#include "base/clock.h"
#include "ops/op_cache.h"

enum { LOOKS_MAX = 8, LOAD_MAX = 512 * 1024 * 1024 };

struct call {
    sc_cache *cache;
    sc_slice asked; /* the caller's key */
    sc_slice key;   /* in Redis */
    int64_t ttl_ms;
    sc_cache_loader loader;
    void *user;
    sc__look look;
    int64_t asked_ns; /* mono; before the lease was last asked for */
    sc_cache_value *ret_value;
};

/* the loader's side */

sc_err sc_cache_load_set(sc_cache_load *load, sc_slice bytes)
{
    sc__blob *value;

    if (bytes.len > LOAD_MAX)
        return SC_ETOOBIG;
    value = sc__blob_copy(bytes);
    if (!value)
        return SC_ENOMEM;
    sc__blob_unref(load->value);
    load->value = value;
    return SC_OK;
}

void sc_cache_load_ttl(sc_cache_load *load, int64_t ttl_ms)
{
    load->ttl_ms = ttl_ms > 0 ? ttl_ms : 0;
}

/* `load->value` is set on SC_OK only. */
static sc_err run_loader(struct call *c, sc_cache_load *load)
{
    sc_err err;

    *load = (sc_cache_load){.ttl_ms = c->ttl_ms};
    sc__cache_count(&c->cache->count.loads);
    err = c->loader(load, c->asked, c->user);
    if (!err && !load->value)
        err = sc_cache_load_set(load, SC_S(""));
    if (!err)
        return SC_OK;
    sc__cache_count(&c->cache->count.load_errors);
    sc__blob_unref(load->value);
    load->value = NULL;
    return err;
}

static sc_err give_hit(struct call *c)
{
    sc__cache_count(&c->cache->count.hits);
    sc__blob_give(c->look.value, SC_CACHE_HIT, c->look.age_ms, c->ret_value);
    return SC_OK;
}

/* For those who can't take part in a flight. */
static sc_err load_alone(struct call *c)
{
    sc_cache_load load;
    sc_err err = run_loader(c, &load);

    sc__cache_count(&c->cache->count.misses);
    if (!err)
        sc__blob_give(load.value, SC_CACHE_MISS, 0, c->ret_value);
    return err;
}

/* the leader */

/* Gets the lease that the load begins with: ours (`*ret_is_ours`), another's, or none. Or finds a value
 * (c->look.value) that was stored since we looked. */
static sc_err take_lease(struct call *c, sc__lease *ret_lease, bool *ret_is_ours)
{
    const sc_slice unreadable = {c->look.unreadable, c->look.unreadable_len};
    sc_cache *cache = c->cache;
    sc_reply *reply = NULL;
    sc_reason reason;
    sc__lease ours;
    sc_err err;

    ret_lease->is_there = *ret_is_ours = c->look.failure.is_there = false;
    if (!c->look.has_asked || !sc__health_may_store(&cache->health))
        return SC_OK;
    sc__envelope_lease(ours.bytes, sc__wall_ms());
    ours.is_there = true;
    err = sc__op_cache_lease(cache->client, c->key, sc__lease_slice(&ours), SC__LEASE_MS,
                             unreadable, cache->opts.timeout_ms, &reply, &reason);
    if (err || reply->type == SC_REPLY_NIL)
        sc__cache_after_store(cache, err, &reason);
    else
        sc__cache_after(cache, err);
    if (err)
        return SC_OK;
    *ret_is_ours = reply->type == SC_REPLY_NIL;
    err = sc__cache_open(cache, c->key, reply, &c->look);
    *ret_lease = *ret_is_ours ? ours : c->look.lease;
    /* A lease that was asked for twice, for the connection broke between, is ours all the same. */
    if (sc__lease_is(ret_lease, &ours))
        *ret_is_ours = true;
    return err;
}

/* Whether more than what is there may come. A failure of another load than the one that was awaited makes way for a lease. */
static bool may_wait(const struct call *c, bool is_ours, const sc__lease *lease,
                     const sc__lease *awaited)
{
    sc__link *link = &c->cache->link;

    if (c->look.failure.is_there)
        return !sc__failure_is_of(&c->look.failure, awaited);
    if (is_ours || !lease->is_there)
        return false;
    sc__link_heard(link, c->asked_ns / 1000000);
    return sc__link_is_heard(link);
}

/* The same, but while another process has the lease waits for what comes of that: a value, a failure (c->look.failure), or
 * the lease's end. Only who is told of changes can wait. */
static sc_err win_lease(struct call *c, sc__lease *ret_lease, bool *ret_is_ours)
{
    int64_t left_ms, until_ms = sc__mono_ms() + c->cache->opts.wait_ms;
    sc__link *link = &c->cache->link;
    sc__lease awaited = {0};
    sc__await await;
    bool again = true;
    sc_err err = SC_OK;

    while (again && !err) {
        sc__await_begin(&link->awaits, &await, c->key);
        c->asked_ns = sc__mono_ns();
        err = take_lease(c, ret_lease, ret_is_ours);
        left_ms = until_ms - sc__mono_ms();
        again = left_ms > 0 && may_wait(c, *ret_is_ours, ret_lease, &awaited);
        if (again && ret_lease->is_there) {
            awaited = *ret_lease;
            sc__await_change(&await, left_ms < SC__LEASE_MS ? left_ms : SC__LEASE_MS);
        }
        sc__await_end(&link->awaits, &await);
    }
    return err;
}

static bool is_worth_storing(const struct call *c, const sc_cache_load *load)
{
    return load->value && load->ttl_ms > 0 &&
           load->value->bytes.len <= c->cache->opts.max_value_size;
}

/* The end of a lease of ours: the value or word of the failure takes its place, or it is given up. */
static void settle_lease(struct call *c, sc__flight *flight, sc_err load_err,
                         const sc_cache_load *load)
{
    const sc_slice lease = sc__lease_slice(&flight->lease);
    sc__envelope envelope = {.stored_ms = sc__wall_ms()};
    sc_cache *cache = c->cache;
    bool stored = false;
    sc_slice sealed;
    sc_reason reason;
    sc_err err;

    if (load_err) {
        sc__failure_leave(cache->client, c->key, &flight->lease, load_err, cache->opts.timeout_ms);
        return;
    }
    if (!is_worth_storing(c, load) || !sc__flight_is_current(&cache->flights, flight) ||
        sc__codec_seal(&cache->codec, c->key, &envelope, load->value, &sealed)) {
        sc__op_cache_hold(cache->client, c->key, lease, 0, cache->opts.timeout_ms);
        return;
    }
    if (sc__health_ask(&cache->health))
        return;
    err = sc__op_cache_fill(cache->client, c->key, lease, sealed, load->ttl_ms,
                            cache->opts.timeout_ms, &stored, &reason);
    sc__cache_after_store(cache, err, &reason);
    if (stored)
        sc__cache_count(&cache->count.sets);
}

static sc_err load_in_flight(struct call *c, sc__flight *flight, const sc__lease *lease,
                             bool is_ours)
{
    sc__flights *flights = &c->cache->flights;
    sc_cache_load load;
    sc_err err;

    sc__flight_loading(flights, flight, lease, is_ours);
    if (is_ours)
        sc__lease_keeper_wake(&c->cache->keeper);
    sc__cache_count(&c->cache->count.misses);
    err = run_loader(c, &load);
    sc__flight_end(flights, flight, err, load.value);
    if (is_ours)
        settle_lease(c, flight, err, &load);
    sc__flight_leave(flights, flight);
    if (!err)
        sc__blob_give(load.value, SC_CACHE_MISS, 0, c->ret_value);
    return err;
}

/* Another process had loaded it meanwhile, … */
static sc_err share_hit(struct call *c, sc__flight *flight)
{
    sc__flight_give(&c->cache->flights, flight, c->asked_ns, c->look.value, c->look.age_ms);
    return give_hit(c);
}

/* … or had failed to. */
static sc_err share_failure(struct call *c, sc__flight *flight)
{
    sc__flight_end(&c->cache->flights, flight, c->look.failure.err, NULL);
    sc__flight_leave(&c->cache->flights, flight);
    sc__cache_count(&c->cache->count.shared);
    return c->look.failure.err;
}

static sc_err lead(struct call *c, sc__flight *flight)
{
    sc__flights *flights = &c->cache->flights;
    sc__lease lease;
    bool is_ours;
    sc_err err;

    err = win_lease(c, &lease, &is_ours);
    if (err)
        sc__flight_moot(flights, flight);
    else if (c->look.failure.is_there)
        err = share_failure(c, flight);
    else if (c->look.value)
        err = share_hit(c, flight);
    else
        err = load_in_flight(c, flight, &lease, is_ours);
    return err;
}

/* everyone */

/* False: what the call joined came to nothing; look again. */
static bool join(struct call *c, sc__flight *flight, const sc__flight_call *call, sc_err *ret_err)
{
    sc__blob *value = NULL;
    int64_t age_ms;

    if (!sc__flight_wait(&c->cache->flights, flight, call, ret_err, &value, &age_ms))
        return false;
    sc__cache_count(&c->cache->count.shared);
    if (!*ret_err)
        sc__blob_give(value, SC_CACHE_SHARED, age_ms, c->ret_value);
    return true;
}

/* Looks, and if there's nothing, takes part in a flight. False: look again. */
static bool try_once(struct call *c, sc_err *ret_err)
{
    sc__flight_call call = {.key = c->key, .began_ns = sc__mono_ns()};
    sc__flight *flight;
    bool leads, settled = true;

    c->look = (sc__look){0};
    if (c->asked.len <= c->cache->opts.max_key_size)
        *ret_err = sc__cache_look(c->cache, c->key, &c->look);
    if (*ret_err)
        return true;
    if (c->look.value) {
        *ret_err = give_hit(c);
        return true;
    }
    call.has_asked = c->look.has_asked;
    call.seen = c->look.lease;
    *ret_err = sc__flight_enter(&c->cache->flights, &call, &flight, &leads);
    if (*ret_err == SC_ENOMEM)
        *ret_err = load_alone(c);
    else if (!*ret_err) {
        if (leads)
            *ret_err = lead(c, flight);
        else
            settled = join(c, flight, &call, ret_err);
        sc__flight_unref(&c->cache->flights, flight);
    }
    return settled;
}

sc_err sc_cache_get_or_set(sc_cache *cache, sc_slice key, int64_t ttl_ms, sc_cache_loader loader,
                           void *user, sc_cache_value *ret_value)
{
    struct call c = {cache, key, key, ttl_ms, loader, user, {0}, 0, ret_value};
    char room[SC__STORED_KEY_LEN];
    sc_err err;

    err = sc__cache_check(cache, key);
    if (err && err != SC_ETOOBIG)
        return err;
    if (ttl_ms < 0 || !loader)
        return SC_EINVAL;
    c.key = sc__cache_key(cache, key, room);
    for (int looks = 0; looks < LOOKS_MAX; looks++) {
        err = SC_OK;
        if (try_once(&c, &err))
            return err;
    }
    return load_alone(&c);
}

/* the cached twin of a loader */

struct wrapped_call {
    const sc_cache_wrapped *wrapped;
    const void *arg;
};

static sc_err load_wrapped(sc_cache_load *load, sc_slice key, void *user)
{
    const struct wrapped_call *call = user;

    (void)key;
    return call->wrapped->load(load, call->arg, call->wrapped->user);
}

sc_err sc_cache_wrapped_get(const sc_cache_wrapped *wrapped, const void *arg,
                            sc_cache_value *ret_value)
{
    struct wrapped_call call = {wrapped, arg};
    sc_cache_load key = {0};
    sc_err err;

    err = wrapped->make_key(&key, arg, wrapped->user);
    if (!err)
        err = sc_cache_get_or_set(wrapped->cache, key.value ? key.value->bytes : SC_S(""),
                                  wrapped->ttl_ms, load_wrapped, &call, ret_value);
    sc__blob_unref(key.value);
    return err;
}
