/* Fetching many keys at once: one script gives what is there and leases what is missing, one call of the bulk loader makes
 * that, one script stores it. What others are loading comes last, key by key. */
#include "base/clock.h"
#include "base/mem.h"
#include "bulk.h"
#include "get_or_set.h"
#include "handle.h"
#include "many.h"
#include "tags.h"

enum fate {
    OPEN,   /* to be asked for */
    LEASED, /* missing, and ours to load and to store */
    ALONE,  /* to be loaded, and not stored: Redis can't be asked */
    APART,  /* by sc_cache_fetch(): another loads it, or it is old */
    DONE
};

struct batch {
    sc_cache *cache;
    const sc_cache_def *def;
    void *user;
    sc__patience patience;
    sc__budget budget;     /* of this slice of keys */
    const sc_slice *asked; /* the caller's keys */
    size_t count;
    sc_cache_value *values;
    sc_err *errs;

    enum fate fates[SC__CACHE_MANY_MAX];
    sc_slice keys[SC__CACHE_MANY_MAX]; /* in Redis */
    char rooms[SC__CACHE_MANY_MAX][SC__STORED_KEY_LEN];
    int64_t began_ns, birth;
    sc__lease lease; /* one for all */
    sc__tag_keys tags;

    size_t at[SC__CACHE_MANY_MAX]; /* whose what is loaded by the bulk loader is */
};

/* looking */

static void look_near(struct batch *b)
{
    sc__tier_call call = SC__TIER_BEGINS;

    for (size_t i = 0; i < b->count; i++) {
        sc_err err = sc__cache_check(b->cache, b->asked[i]);

        b->values[i] = (sc_cache_value){.source = SC_CACHE_MISS};
        b->errs[i] = err == SC_ETOOBIG ? SC_OK : err;
        b->keys[i] = sc__cache_key(b->cache, b->asked[i], b->rooms[i]);
        if (b->errs[i])
            b->fates[i] = DONE;
        else if (err || sc__repair_has(&b->cache->repair, b->keys[i]))
            b->fates[i] = ALONE;
        else
            b->fates[i] =
                sc__tier_give_next(b->cache, b->def, b->keys[i], &call, &b->budget, &b->values[i])
                    ? DONE
                    : OPEN;
    }
}

static bool is_repeated(const struct batch *b, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (sc_slice_eq(b->keys[j], b->keys[i]))
            return true;
    return false;
}

static enum fate fate_of(struct batch *b, const sc_reply *item, sc__look *look, size_t i)
{
    if (item->type == SC_REPLY_INT)
        return item->integer == 1 ? LEASED : ALONE;
    if (sc__lease_is(&look->lease, &b->lease)) /* else asked for twice, as the connection broke */
        return is_repeated(b, i) ? APART : LEASED;
    if (look->kept_err) {
        b->errs[i] = look->kept_err;
        return DONE;
    }
    if (!look->value && !look->is_none)
        return APART;
    if (look->value && sc__look_wants_renewal(look, b->def, sc__cache_now_ms(b->cache))) {
        sc__blob_unref(look->value);
        return APART;
    }
    sc__cache_give_look(b->cache, look, &b->values[i]);
    return DONE;
}

/* `at` says whose keys were asked for. */
static sc_err open_answer(struct batch *b, const size_t *at, sc__found_many *found)
{
    sc__tag_version versions[SC__TAGS_MAX];
    sc__look looks[SC__CACHE_MANY_MAX];
    sc_err err;

    for (size_t i = 0; i < b->tags.count; i++) {
        const sc_reply *item = &found->items[found->count + i];

        versions[i] = sc__tag_version_read(item->type == SC_REPLY_STRING ? item->str : SC_S(""));
    }
    found->tags = &b->tags;
    found->versions = versions;
    err = sc__cache_open_many(b->cache, found, looks);
    for (size_t i = 0; i < found->count && !err; i++)
        b->fates[at[i]] = fate_of(b, &found->items[i], &looks[i], at[i]);
    return err;
}

/* Without Redis: what is still open is missing, or old. */
static sc_err look_alone(struct batch *b)
{
    sc_err err = SC_OK;

    for (size_t i = 0; i < b->count && !err; i++) {
        sc__look look;

        if (b->fates[i] != OPEN)
            continue;
        err = sc__alone_look(b->cache, b->keys[i], &look);
        b->fates[i] = look.value || look.is_none || look.kept_err ? APART : ALONE;
        if (!err)
            sc__blob_unref(look.value);
    }
    b->birth = sc__alone_birth(b->cache);
    return err;
}

/* Those that are open when it fails can't be asked for. */
static sc_err ask(struct batch *b)
{
    sc_cache *cache = b->cache;
    sc_slice keys[SC__CACHE_MANY_MAX];
    size_t at[SC__CACHE_MANY_MAX];
    sc__found_many found = {.def = b->def, .keys = keys, .budget = &b->budget};
    sc__lease_order order = {.lease_ms = SC__LEASE_MS, .tags = &b->tags, .life_ms = b->def->ttl_ms};
    sc__ticket ticket;
    sc_reply *reply;
    sc_reason reason;
    sc_err err;

    if (sc__is_alone(&cache->alone))
        return look_alone(b);
    for (size_t i = 0; i < b->count; i++) {
        if (b->fates[i] != OPEN)
            continue;
        at[found.count] = i;
        keys[found.count++] = b->keys[i];
    }
    if (!found.count || sc__health_ask(&cache->health))
        return SC_OK;
    sc__envelope_lease(b->lease.bytes, sc__cache_now_ms(cache));
    b->lease.is_there = !b->def->plain && sc__health_may_store(&cache->health);
    order.lease = b->lease.is_there ? sc__lease_slice(&b->lease) : SC_S("");
    sc__tier_ticket(&cache->tier, &ticket);
    found.ticket = cache->tier.near ? &ticket : NULL;
    if (!sc__budget_ask(&b->budget))
        return SC_OK;
    err = sc__op_cache_lease_many(cache->client, keys, found.count, &order, b->budget.left_ms,
                                  &b->birth, &reply, &found.items, &reason);
    sc__budget_after_store(cache, &b->budget, err, &reason);
    if (err)
        return SC_OK;
    err = open_answer(b, at, &found);
    sc_reply_free(reply);
    return err;
}

/* loading */

static void give_up(struct batch *b, size_t i)
{
    if (b->fates[i] == LEASED && b->lease.is_there)
        sc__op_cache_hold(b->cache->client, b->keys[i], sc__lease_slice(&b->lease), 0,
                          b->cache->opts.timeout_ms);
    b->fates[i] = APART;
}

/* Leads a flight for each that is missing; where another thread is ahead it has the value soon. */
static void take_off(struct batch *b, sc__bulk *bulk)
{
    bulk->budget = b->budget;
    bulk->lease = b->lease;
    bulk->birth = b->birth;
    for (size_t i = 0; i < b->count; i++) {
        sc__flight_call call = {
            .key = b->keys[i], .began_ns = b->began_ns, .has_asked = b->fates[i] == LEASED};
        sc__flight *flight;
        bool leads;

        if (b->fates[i] == OPEN)
            b->fates[i] = ALONE;
        if (b->fates[i] != LEASED && b->fates[i] != ALONE)
            continue;
        if (sc__flight_enter(&b->cache->flights, &call, &flight, &leads)) {
            give_up(b, i);
        } else if (leads) {
            b->at[bulk->count] = i;
            sc__bulk_add(bulk, b->asked[i], b->keys[i], b->fates[i] == LEASED, &b->tags, flight);
        } else {
            sc__flight_unref(flight);
            give_up(b, i);
        }
    }
}

static void load_here(struct batch *b, sc__bulk *bulk)
{
    sc__bulk_run(bulk);
    for (size_t n = 0; n < bulk->count; n++) {
        size_t i = b->at[n];

        b->errs[i] = bulk->loads[n]->err;
        if (!b->errs[i])
            sc__blob_give(bulk->loads[n]->value, SC_CACHE_MISS, 0, &b->values[i]);
        b->fates[i] = DONE;
    }
    sc_free(bulk);
}

/* What a load behind makes of a key, if that comes in time. */
static void await(struct batch *b, size_t i, sc__flight *flight)
{
    const sc__flight_call call = {.key = b->keys[i], .began_ns = b->began_ns};
    sc__flight_gift gift;

    b->fates[i] = DONE;
    switch (sc__flight_wait(&b->cache->flights, flight, &call, b->patience.hard_ms, &gift)) {
    case SC__FLIGHT_NOTHING:
        b->fates[i] = APART;
        break;
    case SC__FLIGHT_LATE:
        b->errs[i] = SC_ETIMEDOUT;
        break;
    case SC__FLIGHT_LOCKED:
        b->errs[i] = SC_EDEADLK;
        break;
    case SC__FLIGHT_GAVE:
        b->errs[i] = gift.err;
        if (!gift.err)
            sc__blob_give(gift.value, SC_CACHE_MISS, gift.age_ms, &b->values[i]);
    }
}

static void load_behind(struct batch *b, sc__bulk *bulk)
{
    sc__flight *flights[SC__CACHE_MANY_MAX];
    const size_t count = bulk->count;

    for (size_t n = 0; n < count; n++) {
        flights[n] = bulk->flights[n];
        sc__flight_ref(flights[n]);
    }
    if (!sc__bulk_go_behind(bulk)) {
        sc__bulk_drop(bulk);
        sc_free(bulk);
    }
    for (size_t n = 0; n < count; n++) {
        await(b, b->at[n], flights[n]);
        sc__flight_unref(flights[n]);
    }
}

static bool lacks_any(const struct batch *b)
{
    for (size_t i = 0; i < b->count; i++)
        if (b->fates[i] < APART)
            return true;
    return false;
}

/* Without memory for it each key is fetched for itself. */
static void load_missing(struct batch *b)
{
    sc__bulk *bulk = lacks_any(b) ? sc__malloc(sizeof(*bulk)) : NULL;

    if (!bulk)
        return;
    sc__bulk_init(bulk, b->cache, b->def, b->user);
    take_off(b, bulk);
    if (!bulk->count)
        sc_free(bulk);
    else if (b->def->hard_timeout_ms)
        load_behind(b, bulk);
    else
        load_here(b, bulk);
}

/* all */

static sc_err run(struct batch *b)
{
    sc_err err = sc__cache_tags_of(b->cache, b->def, &b->tags);

    b->began_ns = sc__mono_ns();
    b->budget = sc__budget_begin(b->cache);
    b->birth = 0;
    b->lease.is_there = false;
    if (err)
        return err;
    look_near(b);
    err = ask(b);
    if (!err && b->def->load_many)
        load_missing(b);
    for (size_t i = 0; i < b->count && !err; i++) {
        if (b->fates[i] == DONE)
            continue;
        give_up(b, i);
        b->errs[i] = sc__cache_fetch_within(b->cache, b->def, b->asked[i], b->user, &b->patience,
                                            &b->values[i]);
    }
    return err;
}

sc_err sc_cache_fetch_many(sc_cache *cache, const sc_cache_def *def, const sc_slice *keys,
                           size_t count, void *user, sc_cache_value *ret_values, sc_err *ret_errs)
{
    struct batch *b;
    sc_err err = sc__def_check(def);

    if (sc__cache_is_on_loop(cache))
        return SC_EDEADLK;
    if (err || (!def->load && !def->load_many))
        return SC_EINVAL;
    b = sc__malloc(sizeof(*b));
    if (!b)
        return SC_ENOMEM;
    b->cache = cache;
    b->def = def;
    b->user = user;
    b->patience = sc__patience_of(def);
    for (size_t done = 0; done < count && !err; done += b->count) {
        b->asked = keys + done;
        b->count = count - done < SC__CACHE_MANY_MAX ? count - done : SC__CACHE_MANY_MAX;
        b->values = ret_values + done;
        b->errs = ret_errs + done;
        err = run(b);
        for (size_t i = 0; i < done + b->count && err; i++)
            sc_cache_value_release(&ret_values[i]);
    }
    sc_free(b);
    return err;
}
