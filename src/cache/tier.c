#include "tier.h"

#include <xxhash.h>

#include "base/clock.h"
#include "handle.h"

enum { SWEEP_MS = 250 };

static bool sweep(void *arg)
{
    sc__tier *tier = arg;

    return sc__near_sweep(tier->near, sc__client_server_ms(tier->link->client));
}

void sc__tier_release(sc__tier *tier)
{
    sc__tag_memo_release(&tier->tag_memo);
    if (!tier->near)
        return;
    sc__confirm_release(&tier->confirm);
    sc__near_free(tier->near);
    tier->near = NULL;
    for (size_t i = 0; i < SC__TIER_STRIPES; i++)
        pthread_mutex_destroy(&tier->stripes[i].mutex);
}

/* changes */

static sc__tier_stripe *stripe_of(sc__tier *tier, sc_slice key, size_t *ret_number)
{
    *ret_number = XXH3_64bits(key.ptr, key.len) % SC__TIER_STRIPES;
    return &tier->stripes[*ret_number];
}

/* The name of the tag whose key this is. */
static bool is_tag(const sc__tier *tier, sc_slice key, sc_slice *ret_name)
{
    const size_t len = tier->tag_prefix.len;

    *ret_name = (sc_slice){NULL, 0};
    if (key.len <= len + SC__TAG_WORD_LEN || memcmp(key.ptr, tier->tag_prefix.ptr, len) != 0 ||
        memcmp(key.ptr + len, SC__TAG_WORD, SC__TAG_WORD_LEN) != 0)
        return false;
    *ret_name = (sc_slice){key.ptr + len + SC__TAG_WORD_LEN, key.len - len - SC__TAG_WORD_LEN};
    return true;
}

void sc__tier_changed(sc__tier *tier, sc_slice key)
{
    sc__tier_stripe *stripe;
    size_t number;
    sc_slice tag;
    bool tags_change;

    if (!tier->link) /* without a server */
        return;
    tags_change = is_tag(tier, key, &tag);
    if (tags_change)
        sc__tag_memo_changed(&tier->tag_memo, key);
    if (!tier->near)
        return;
    /* First the count, then the removal: who fills in between sees that he is late. */
    stripe = stripe_of(tier, key, &number);
    pthread_mutex_lock(&stripe->mutex);
    atomic_fetch_add_explicit(&stripe->changes, 1, memory_order_relaxed);
    pthread_mutex_unlock(&stripe->mutex);
    if (tags_change)
        sc__near_tag_unknown(tier->near, tag);
    sc__near_del(tier->near, key);
}

void sc__tier_all_changed(sc__tier *tier)
{
    sc__tag_memo_all_changed(&tier->tag_memo);
    if (!tier->near)
        return;
    for (size_t i = 0; i < SC__TIER_STRIPES; i++) {
        pthread_mutex_lock(&tier->stripes[i].mutex);
        atomic_fetch_add_explicit(&tier->stripes[i].changes, 1, memory_order_relaxed);
        pthread_mutex_unlock(&tier->stripes[i].mutex);
    }
    sc__near_clear(tier->near);
}

static void on_changed(void *user, sc_slice key)
{
    sc__tier *tier = user;

    atomic_fetch_add_explicit(&tier->invalidations, 1, memory_order_relaxed);
    sc__tier_changed(tier, key);
}

static void on_all_changed(void *user)
{
    sc__tier_all_changed(user);
}

static sc_err init_near(sc__tier *tier, const sc_cache_opts *opts)
{
    const sc__near_opts near = {.max_bytes = opts->near_bytes,
                                .max_entries = opts->near_entries,
                                .now_ms = sc__client_server_ms(tier->link->client)};

    for (size_t i = 0; i < SC__TIER_STRIPES; i++)
        pthread_mutex_init(&tier->stripes[i].mutex, NULL);
    return sc__near_new(&near, &tier->near);
}

sc_err sc__tier_start(sc__tier *tier, const sc_cache_opts *opts, const char *prefix, sc__link *link,
                      sc__health *health)
{
    sc_err err;

    *tier = (sc__tier){.link = link, .tag_prefix = sc_slice_of(prefix)};
    if (opts->near_bytes || opts->near_entries) {
        err = init_near(tier, opts);
        if (err)
            return err;
        tier->confirms = opts->near_confirms;
        sc__confirm_init(&tier->confirm, link->client, health, opts->timeout_ms);
        sc__pulse_init(&tier->sweep, sc__client_loop(link->client), SWEEP_MS, sweep, tier);
    }
    sc__tag_memo_init(&tier->tag_memo);
    sc__link_listen(link, &(sc__tracking){on_changed, on_all_changed, tier, NULL});
    return SC_OK;
}

void sc__tier_stop(sc__tier *tier)
{
    if (tier->near)
        sc__pulse_release(&tier->sweep);
}

void sc__tier_stats(const sc_cache *cache, sc_cache_stats *stats)
{
    const sc__tier *tier = &cache->tier;
    sc__near *held = sc__is_alone(&cache->alone) ? cache->alone.near : tier->near;
    sc__near_stats near = {0};

    if (held)
        sc__near_stats_get(held, &near);
    stats->near_hits = near.hits;
    stats->near_entries = near.entries;
    stats->near_bytes = near.bytes;
    stats->near_evicted = near.evicted;
    stats->near_expired = near.expired;
    stats->invalidations = atomic_load(&tier->invalidations);
}

/* filling */

void sc__tier_ticket(sc__tier *tier, sc__ticket *ret_ticket)
{
    if (!tier->near)
        return;
    for (size_t i = 0; i < SC__TIER_STRIPES; i++)
        ret_ticket->changes[i] =
            atomic_load_explicit(&tier->stripes[i].changes, memory_order_acquire);
}

/* Takes the stripe's mutex when nothing of it has changed. */
static sc__tier_stripe *lock_unchanged(sc__tier *tier, const sc__ticket *ticket, sc_slice key)
{
    size_t number;
    sc__tier_stripe *stripe = stripe_of(tier, key, &number);

    pthread_mutex_lock(&stripe->mutex);
    if (atomic_load_explicit(&stripe->changes, memory_order_relaxed) == ticket->changes[number])
        return stripe;
    pthread_mutex_unlock(&stripe->mutex);
    return NULL;
}

static void fill_tag(sc__tier *tier, const sc__ticket *ticket, const sc__tier_item *item, size_t i)
{
    const sc__tag_version *version = &item->versions[i];
    sc__tier_stripe *stripe = lock_unchanged(tier, ticket, item->keys->keys[i]);

    if (!stripe)
        return;
    sc__near_tag_set(tier->near, item->keys->tags[i], (uint64_t)version->deleted,
                     (uint64_t)version->expired);
    pthread_mutex_unlock(&stripe->mutex);
}

void sc__tier_fill(sc__tier *tier, const sc__ticket *ticket, sc__tier_item *item)
{
    sc__tier_stripe *stripe;
    sc_err err;

    if (!tier->near || !sc__client_is_tracked(tier->link->client))
        return;
    item->near.tags = item->keys->tags;
    item->near.tag_count = item->keys->count;
    stripe = lock_unchanged(tier, ticket, item->near.key);
    if (!stripe)
        return;
    err = sc__near_put(tier->near, &item->near);
    pthread_mutex_unlock(&stripe->mutex);
    for (size_t i = 0; !err && i < item->keys->count; i++)
        fill_tag(tier, ticket, item, i);
    sc__pulse_wake(&tier->sweep);
}

/* tags */

size_t sc__tier_know_tags(const sc__tier *tier, const sc_slice *keys, size_t count,
                          sc__tag_version *ret_versions)
{
    return sc__tag_memo_get(&tier->tag_memo, keys, count, ret_versions);
}

void sc__tier_note_tags(sc__tier *tier, uint64_t ticket, const sc_slice *keys, size_t count,
                        const sc__tag_version *versions)
{
    if (sc__client_is_tracked(tier->link->client))
        sc__tag_memo_note(&tier->tag_memo, ticket, keys, count, versions);
}

/* giving */

uint8_t sc__tier_flags(const sc_cache_def *def)
{
    const uint64_t judged_by[] = {def ? (uint64_t)(uintptr_t)def->tags : 0,
                                  def ? (uint64_t)def->schema : 0};
    const uint8_t hash = (uint8_t)XXH3_64bits(judged_by, sizeof(judged_by));

    return judged_by[1] ? hash | 1 : hash & 0xfe; /* without a schema it never counts as one with */
}

/* Values' owners are blobs, or pins, which have their lowest bit set. */
bool sc__tier_owns(const void *owner)
{
    return (uintptr_t)owner & 1;
}

void sc__tier_value_release(const void *owner)
{
    sc__near_unpin(owner);
}

static void give(sc_cache *cache, void *pin, const sc__near_entry *entry, int64_t now_ms,
                 sc_cache_value *ret_value)
{
    bool none = entry->kind == SC__ENVELOPE_NEGATIVE;

    *ret_value = (sc_cache_value){.bytes = none ? (sc_slice){NULL, 0} : sc__near_value(entry),
                                  .source = SC_CACHE_NEAR,
                                  .none = none,
                                  .age_ms = -1,
                                  .owner = pin};
    if (entry->stored_ms >= 0)
        ret_value->age_ms = now_ms > entry->stored_ms ? now_ms - entry->stored_ms : 0;
    if (none)
        sc__cache_count(&cache->count.none);
}

sc__near *sc__tier_readable(sc_cache *cache, sc_slice key, int64_t *ret_now_ms)
{
    const int64_t mono_ms = sc__mono_coarse_ms();
    sc__tier *tier = &cache->tier;

    *ret_now_ms = mono_ms;
    if (sc__is_alone(&cache->alone))
        return cache->alone.near;
    if (!tier->near || !sc__link_is_heard_at(tier->link, mono_ms) ||
        sc__repair_has(&cache->repair, key))
        return NULL;
    *ret_now_ms = sc__client_server_at(tier->link->client, mono_ms);
    return tier->near;
}

/* A value was judged by the tags and the schema of the definition that it was read by, too; who has none asks for no more than that.
 * Without a server a value is its own, whichever definition it is read by; but there every read by an eager one is
 * to be considered. */
static bool may_give(const sc_cache *cache, const sc_cache_def *def, const sc__near_entry *entry)
{
    if (sc__is_alone(&cache->alone))
        return entry->kind != SC__ENVELOPE_ERROR && !(def && def->eager > 0);
    return !def || (!def->tags && !def->schema) || entry->flags == sc__tier_flags(def);
}

static bool give_held(sc_cache *cache, const sc_cache_def *def, sc_slice key,
                      sc_cache_value *ret_value)
{
    int64_t now_ms;
    sc__near *near = sc__tier_readable(cache, key, &now_ms);
    const sc__near_entry *entry;
    sc__near_section section;
    bool found;

    if (!near)
        return false;
    section = sc__near_enter(near);
    found =
        sc__near_find(near, key, now_ms, &entry) == SC__NEAR_FRESH && may_give(cache, def, entry);
    if (found)
        give(cache, sc__near_pin(near, &section, entry), entry, now_ms, ret_value);
    sc__near_leave(&section, found);
    return found;
}

static bool is_held(sc_cache *cache, sc_slice key)
{
    int64_t now_ms;
    sc__near *near = sc__tier_readable(cache, key, &now_ms);
    sc__near_section section;
    bool found;

    if (!near)
        return false;
    section = sc__near_enter(near);
    found = sc__near_has(near, key);
    sc__near_readers_quit(&section);
    return found;
}

/* Where Redis is far, the value itself comes as soon as an answer to this. */
static bool confirm(sc_cache *cache, sc__budget *budget)
{
    bool is_confirmed;

    if (sc__cache_is_far(cache) || !sc__budget_ask(budget))
        return false;
    is_confirmed = sc__confirm_wait(&cache->tier.confirm, budget->left_ms);
    sc__budget_spend(budget);
    return is_confirmed;
}

bool sc__tier_give_next(sc_cache *cache, const sc_cache_def *def, sc_slice key, sc__tier_call *call,
                        sc__budget *budget, sc_cache_value *ret_value)
{
    if (!cache->tier.confirms || *call == SC__TIER_CONFIRMED)
        return give_held(cache, def, key, ret_value);
    if (*call == SC__TIER_UNCONFIRMED || !is_held(cache, key))
        return false;
    *call = confirm(cache, budget) ? SC__TIER_CONFIRMED : SC__TIER_UNCONFIRMED;
    return *call == SC__TIER_CONFIRMED && give_held(cache, def, key, ret_value);
}

bool sc__tier_give(sc_cache *cache, const sc_cache_def *def, sc_slice key, sc__budget *budget,
                   sc_cache_value *ret_value)
{
    sc__tier_call call = SC__TIER_BEGINS;

    return sc__tier_give_next(cache, def, key, &call, budget, ret_value);
}

bool sc__tier_give_at_once(sc_cache *cache, const sc_cache_def *def, sc_slice key,
                           sc_cache_value *ret_value)
{
    return !cache->tier.confirms && give_held(cache, def, key, ret_value);
}
