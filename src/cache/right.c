#include "right.h"

#include "base/clock.h"
#include "handle.h"
#include "ops/op_cache_load.h"
#include "tags.h"

static void new_lease(sc_cache *cache, sc__lease *ret_lease)
{
    sc__envelope_lease(ret_lease->bytes, sc__cache_now_ms(cache));
    ret_lease->is_there = true;
}

/* a missing value */

/* The key holds something: what it is, is seen in l->look. */
static sc_err open_held(sc__lead *l, sc_reply *held, const sc__ticket *ticket, sc__right *r)
{
    sc__found found = {.reply = held,
                       .stored = held,
                       .def = l->def,
                       .ticket = l->cache->tier.near ? ticket : NULL,
                       .budget = &l->budget};
    sc_err err = sc__cache_tags_of(l->cache, l->def, &found.keys);

    /* What was deleted here, but not in Redis, is not the value any more. */
    if (err || sc__repair_has(&l->cache->repair, l->key)) {
        sc_reply_free(held);
        return err;
    }
    r->was_answered = true;
    err = sc__cache_open(l->cache, l->key, &found, &l->look);
    r->lease = l->look.lease;
    return err;
}

static void note_answer(sc__lead *l, sc_err err, bool is_held, const sc_reason *reason)
{
    sc_cache *cache = l->cache;

    if (err == SC_EREPLY && sc__op_cache_is_other_type(reason)) {
        sc__budget_after(cache, &l->budget, err);
        sc__health_complain(&cache->health, l->key, reason->text);
    } else if (is_held) {
        sc__budget_after(cache, &l->budget, err);
    } else {
        sc__budget_after_store(cache, &l->budget, err, reason);
    }
    if (!err)
        sc__link_heard(&cache->link, l->budget.asked_ms);
}

/* What lies at a key that was not looked at is known now. */
static void note_early(sc__lead *l)
{
    sc__miss_guesses_note(&l->cache->miss_guesses, l->def, !sc__look_has_found(&l->look));
    l->is_early = false;
}

/* Gets the lease that the load begins with: ours, another's, or none. Or finds something in the key: see l->look. */
static sc_err take_lease(sc__lead *l, sc__right *r)
{
    sc_cache *cache = l->cache;
    sc__lease ours;
    sc__lease_order order = {.lease_ms = SC__LEASE_MS,
                             .replaces = {l->look.unusable, l->look.unusable_len},
                             .tags = &r->tags,
                             .life_ms = l->def->ttl_ms};
    sc__ticket ticket;
    sc_reply *held = NULL;
    sc_reason reason;
    sc_err err;

    r->lease.is_there = r->is_ours = r->was_answered = l->look.failure.is_there = false;
    r->birth = 0;
    l->look.kept_err = SC_OK;
    if (!l->look.has_asked || !sc__health_may_store(&cache->health) || !sc__budget_ask(&l->budget))
        return SC_OK;
    new_lease(cache, &ours);
    order.lease = sc__lease_slice(&ours);
    sc__tier_ticket(&cache->tier, &ticket);
    err = sc__op_cache_lease(cache->client, l->key, &order, l->budget.left_ms, &r->birth, &held,
                             &reason);
    note_answer(l, err, held, &reason);
    if (err || held)
        r->birth = 0;
    if (err)
        return SC_OK;
    if (held) {
        err = open_held(l, held, &ticket, r);
    } else {
        r->lease = ours;
        r->is_ours = true;
    }
    if (l->is_early)
        note_early(l);
    return err;
}

/* Whether more than what is there may come. What is of no use makes way for a lease, but not a failure of the load that was awaited. */
static bool may_wait(const sc__lead *l, const sc__right *r, const sc__lease *awaited)
{
    if (!r->was_answered || sc__look_has_found(&l->look))
        return false;
    if (l->look.failure.is_there)
        return !sc__failure_is_of(&l->look.failure, awaited);
    if (!r->lease.is_there)
        return l->look.unusable_len > 0;
    return sc__link_is_heard(&l->cache->link);
}

/* Until the key changes. What comes then may be asked for as long as if the call began. */
static void wait_for_change(sc__lead *l, sc__await *await, int64_t left_ms)
{
    sc__await_change(await, left_ms < SC__LEASE_MS ? left_ms : SC__LEASE_MS);
    l->budget = sc__budget_begin(l->cache);
}

sc_err sc__right_win(sc__lead *l, sc__right *r)
{
    int64_t left_ms, until_ms = sc__mono_ms() + l->cache->opts.wait_ms;
    sc__link *link = &l->cache->link;
    sc__lease awaited = {0};
    sc__await await;
    bool again = true;
    sc_err err = SC_OK;

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
            wait_for_change(l, &await, left_ms);
        }
        sc__await_end(&link->awaits, &await);
    }
    return err;
}

/* an old value */

sc_err sc__right_win_renewal(sc__lead *l, sc__right *r)
{
    sc_cache *cache = l->cache;
    sc__lease_order order = {.lease_ms = SC__LEASE_MS, .tags = &r->tags};
    sc__envelope envelope;
    sc_slice content;
    sc_reason reason;
    sc_err err;

    new_lease(cache, &r->lease);
    order.lease = sc__lease_slice(&r->lease);
    sc__renewal_key(&r->key, sc_slice_of(cache->prefix), l->key);
    err = r->key.err ? r->key.err : sc__health_ask(&cache->health);
    if (err || !sc__health_may_store(&cache->health) || !sc__budget_ask(&l->budget))
        return err ? err : SC_EBUSY;
    err = sc__op_cache_refresh(cache->client, l->key, sc__str_slice(&r->key), &order,
                               l->budget.left_ms, r->head, SC__HEAD_MAX, &r->birth, &r->head_len,
                               &reason);
    sc__budget_after_store(cache, &l->budget, err, &reason);
    if (err || r->birth < 0)
        return err ? err : SC_EBUSY;
    r->is_ours = true;
    /* Someone else had renewed it before us. */
    sc__envelope_read((sc_slice){r->head, r->head_len}, &envelope, &content);
    return envelope.stored_ms == l->look.stored_ms ? SC_OK : SC_EEXIST;
}
