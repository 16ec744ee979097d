/* The way of a value that may have to be loaded:
 *
 *     look into Redis -> hit, or an error that is kept
 *                     -> old: given, while it is loaded anew behind
 *                     -> join a load under way -> its value, or its error
 *                     -> lead: lease -> loader -> fill, if the lease still stands
 *
 * Where Redis is far (budget.h), or most values of the definition had to be loaded (miss_guess.h), the first step is left out: who asks for
 * the lease is told what the key holds. */
#include "get_or_set.h"

#include "base/clock.h"
#include "handle.h"
#include "lead.h"
#include "tags.h"

enum { LOOKS_MAX = 8 };

struct call {
    sc_cache *cache;
    const sc_cache_def *def;
    sc_slice asked; /* the caller's key */
    sc_slice key;   /* in Redis */
    void *user;
    sc__look look;
    sc__patience patience;
    sc__budget budget; /* for Redis */
    sc_cache_value *ret_value;
};

static sc__lead lead_of(const struct call *c, sc__flight *flight)
{
    return (sc__lead){.cache = c->cache,
                      .def = c->def,
                      .asked = c->asked,
                      .key = c->key,
                      .user = c->user,
                      .look = c->look,
                      .budget = c->budget,
                      .flight = flight};
}

static sc_err give_look(struct call *c)
{
    sc__look *look = &c->look;

    if (look->kept_err)
        return look->kept_err;
    sc__cache_give_look(c->cache, look, c->ret_value);
    return SC_OK;
}

/* For those who can't take part in a flight. */
static sc_err load_alone(struct call *c)
{
    sc__tag_keys tags;
    sc_cache_load load;
    sc_err err = sc__cache_tags_of(c->cache, c->def, &tags);

    if (!err)
        err = sc__load_run(c->cache, c->def, c->asked, c->user, NULL, &tags, &load);
    sc__cache_count(&c->cache->count.misses);
    if (!err)
        sc__blob_give(load.value, SC_CACHE_MISS, 0, c->ret_value);
    return err;
}

/* Whether what a flight gave is as new as the call: a flight that began before it may have a tag that was deleted between. */
static bool is_new_enough(struct call *c, const sc__flight_gift *gift)
{
    sc__tag_version versions[SC__TAGS_MAX];

    if (!gift->tags)
        return true;
    if (!gift->birth) /* Redis was away, and so were other processes' deletes */
        return !sc__cache_tags_wait(c->cache, gift->tags);
    return sc__cache_tags_say(c->cache, gift->tags, versions, 0, gift->birth, &c->budget) ==
           SC__TAG_KEEPS;
}

/* False: what the call joined came to nothing; look again. */
static bool join(struct call *c, sc__flight *flight, const sc__flight_call *call, bool leads,
                 sc_err *ret_err)
{
    sc__flight_outcome outcome;
    sc__flight_gift gift;

    outcome = sc__flight_wait(&c->cache->flights, flight, call, c->patience.hard_ms, &gift);
    c->budget = sc__budget_begin(c->cache); /* that was a load; Redis may be asked anew */
    switch (outcome) {
    case SC__FLIGHT_NOTHING:
        return false;
    case SC__FLIGHT_LATE:
        *ret_err = SC_ETIMEDOUT;
        return true;
    case SC__FLIGHT_LOCKED:
        *ret_err = SC_EDEADLK;
        return true;
    case SC__FLIGHT_GAVE:
        break;
    }
    if (!is_new_enough(c, &gift)) {
        sc__flight_leave(&c->cache->flights, flight); /* nor is it for whoever comes later */
        sc__blob_unref(gift.value);
        return false;
    }
    if (!leads)
        sc__cache_count(&c->cache->count.shared);
    *ret_err = gift.err;
    if (!gift.err)
        sc__blob_give(gift.value, leads ? SC_CACHE_MISS : SC_CACHE_SHARED, gift.age_ms,
                      c->ret_value);
    return true;
}

/* Waits a little for a newer value than the stale one at hand, which takes its place then. */
static void wait_for_newer(struct call *c, sc__flight *flight, const sc__flight_call *call)
{
    sc__flight_gift gift;

    if (sc__flight_wait(&c->cache->flights, flight, call, c->patience.soft_ms, &gift) !=
        SC__FLIGHT_GAVE)
        return;
    if (!gift.err && is_new_enough(c, &gift)) {
        sc__blob_unref(c->look.value);
        c->look = (sc__look){.value = gift.value, .is_none = !gift.value, .age_ms = gift.age_ms};
    } else {
        sc__blob_unref(gift.value);
    }
}

/* Sees to it that the value at hand is loaded anew behind. */
static void renew(struct call *c, const sc__flight_call *call)
{
    sc__flights *flights = &c->cache->flights;
    sc__flight *flight;
    bool leads;

    if (sc__is_resting(&c->cache->rests, c->key))
        return;
    if (sc__flight_enter(flights, call, &flight, &leads))
        return;
    if (leads) {
        const sc__lead l = lead_of(c, flight);

        leads = sc__lead_behind(&l);
    }
    if (c->look.is_stale && c->def->soft_timeout_ms)
        wait_for_newer(c, flight, call);
    sc__flight_unref(flight);
}

static void give_found(struct call *c, const sc__flight_call *call, sc_err *ret_err)
{
    sc__flight_call renewal = {.key = call->key, .began_ns = call->began_ns, .renews = true};

    if (c->look.value && sc__look_wants_renewal(&c->look, c->def, sc__cache_now_ms(c->cache)))
        renew(c, &renewal);
    *ret_err = give_look(c);
}

/* False: look again. */
static bool lead(struct call *c, sc__flight *flight, const sc__flight_call *call, sc_err *ret_err)
{
    sc__lead l = lead_of(c, flight);
    sc__blob *value;

    l.is_early = call->is_early;
    if (c->def->hard_timeout_ms)
        return sc__lead_behind(&l) && join(c, flight, call, true, ret_err);
    switch (sc__lead_run(&l, &value, ret_err)) {
    case SC__LED_LOADED:
        if (!*ret_err)
            sc__blob_give(value, SC_CACHE_MISS, 0, c->ret_value);
        break;
    case SC__LED_FOUND:
        c->look = l.look;
        if (!*ret_err)
            give_found(c, call, ret_err);
        break;
    case SC__LED_NOTHING:
        return false;
    case SC__LED_FAILED:
        break;
    }
    return true;
}

/* Takes part in a flight. False: look again, or at all. */
static bool fly(struct call *c, sc__flight_call *call, sc_err *ret_err)
{
    sc__flight *flight;
    bool leads, settled = true;

    call->has_asked = c->look.has_asked;
    call->seen = c->look.lease;
    *ret_err = sc__flight_enter(&c->cache->flights, call, &flight, &leads);
    if (*ret_err == SC_EBUSY)
        return false;
    if (*ret_err == SC_ENOMEM)
        *ret_err = load_alone(c);
    else if (!*ret_err) {
        settled = leads ? lead(c, flight, call, ret_err) : join(c, flight, call, false, ret_err);
        sc__flight_unref(flight);
    }
    return settled;
}

/* Whether the lease is to be asked for without a look. */
static bool wants_early(struct call *c)
{
    sc_cache *cache = c->cache;

    return (sc__cache_is_far(cache) || sc__miss_guesses_expect(&cache->miss_guesses, c->def)) &&
           !c->def->plain && !c->def->hard_timeout_ms && c->asked.len <= cache->opts.max_key_size &&
           sc__health_is_well(&cache->health) && !sc__repair_has(&cache->repair, c->key);
}

static bool try_early(struct call *c, sc_err *ret_err)
{
    sc__flight_call call = {.key = c->key, .began_ns = sc__mono_ns(), .is_early = true};

    c->look = (sc__look){.has_asked = true};
    return fly(c, &call, ret_err);
}

/* Gives what was found; if there's nothing, takes part in a flight. False: look again. */
static bool go_on(struct call *c, sc__flight_call *call, sc_err *ret_err)
{
    if (!sc__look_has_found(&c->look))
        return fly(c, call, ret_err);
    give_found(c, call, ret_err);
    return true;
}

static bool try_once(struct call *c, sc_err *ret_err)
{
    sc__flight_call call = {.key = c->key, .began_ns = sc__mono_ns()};

    c->look = (sc__look){0};
    *ret_err = SC_OK;
    if (c->asked.len <= c->cache->opts.max_key_size)
        *ret_err = sc__cache_look(c->cache, c->def, c->key, &c->budget, &c->look);
    if (c->look.has_asked)
        sc__miss_guesses_note(&c->cache->miss_guesses, c->def, !sc__look_has_found(&c->look));
    return *ret_err || go_on(c, &call, ret_err);
}

static sc_err try_on(struct call *c)
{
    sc_err err;

    for (int looks = 0; looks < LOOKS_MAX; looks++)
        if (try_once(c, &err))
            return err;
    return load_alone(c);
}

static int64_t moment_after(int64_t ms)
{
    const int64_t now_ms = sc__mono_ms();

    return ms > INT64_MAX - now_ms ? INT64_MAX : now_ms + ms;
}

sc__patience sc__patience_of(const sc_cache_def *def)
{
    return (sc__patience){.soft_ms = def->soft_timeout_ms ? moment_after(def->soft_timeout_ms) : 0,
                          .hard_ms = def->hard_timeout_ms ? moment_after(def->hard_timeout_ms)
                                                          : INT64_MAX};
}

static sc_err fetch(struct call *c)
{
    sc_err err;

    if (wants_early(c) && try_early(c, &err))
        return err;
    return try_on(c);
}

sc_err sc__cache_fetch_within(sc_cache *cache, const sc_cache_def *def, sc_slice key, void *user,
                              const sc__patience *patience, sc_cache_value *ret_value)
{
    sc__budget budget = sc__budget_begin(cache);
    char room[SC__STORED_KEY_LEN];
    sc_slice stored_key;
    sc_err err;

    err = sc__cache_check(cache, key);
    if (err && err != SC_ETOOBIG)
        return err;
    if (sc__def_check(def) || (!def->load && !def->load_many))
        return SC_EINVAL;
    stored_key = sc__cache_key(cache, key, room);
    if (sc__tier_give(cache, def, stored_key, &budget, ret_value))
        return SC_OK;
    return fetch(&(struct call){.cache = cache,
                                .def = def,
                                .asked = key,
                                .key = stored_key,
                                .user = user,
                                .patience = patience ? *patience : sc__patience_of(def),
                                .budget = budget,
                                .ret_value = ret_value});
}

sc_err sc__cache_fetch_on(sc_cache *cache, const sc_cache_def *def, sc_slice key, void *user,
                          const sc__looked *looked, sc_cache_value *ret_value)
{
    struct call c = {.cache = cache,
                     .def = def,
                     .asked = key,
                     .user = user,
                     .look = looked->look,
                     .budget = looked->budget,
                     .patience = looked->patience,
                     .ret_value = ret_value};
    char room[SC__STORED_KEY_LEN];
    sc__flight_call call = {.began_ns = looked->began_ns};
    sc_err err = SC_OK;

    call.key = c.key = sc__cache_key(cache, key, room);
    return go_on(&c, &call, &err) ? err : try_on(&c);
}

sc_err sc_cache_fetch(sc_cache *cache, const sc_cache_def *def, sc_slice key, void *user,
                      sc_cache_value *ret_value)
{
    return sc__cache_fetch_within(cache, def, key, user, NULL, ret_value);
}

sc_err sc_cache_get_or_set(sc_cache *cache, sc_slice key, int64_t ttl_ms, sc_cache_loader loader,
                           void *user, sc_cache_value *ret_value)
{
    const sc_cache_def def = {.ttl_ms = ttl_ms, .load = loader};

    return sc_cache_fetch(cache, &def, key, user, ret_value);
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
