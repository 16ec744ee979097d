#include "alone.h"

#include <sched.h>

#include "base/clock.h"
#include "handle.h"

enum { NEAR_BYTES = 32 * 1024 * 1024, SWEEP_MS = 250, READERS_MS = 250 };

static bool sweep(void *arg)
{
    sc__alone *alone = arg;

    return sc__near_sweep(alone->near, sc__mono_coarse_ms());
}

sc_err sc__alone_start(sc__alone *alone, const sc_cache_opts *opts)
{
    sc__near_opts near = {.max_bytes = opts->near_bytes,
                          .max_entries = opts->near_entries,
                          .keeps_tags = true,
                          .now_ms = sc__mono_coarse_ms()};
    sc_err err;

    if (!near.max_bytes && !near.max_entries)
        near.max_bytes = NEAR_BYTES;
    err = sc__loop_start("sc-cache-sweep", &alone->loop);
    if (err)
        return err;
    err = sc__near_new(&near, &alone->near);
    if (err) {
        sc__loop_stop(alone->loop);
        return err;
    }
    pthread_mutex_init(&alone->mutex, NULL);
    sc__pulse_init(&alone->sweep, alone->loop, SWEEP_MS, sweep, alone);
    return SC_OK;
}

void sc__alone_stop(sc__alone *alone)
{
    if (!sc__is_alone(alone))
        return;
    sc__pulse_release(&alone->sweep);
    sc__loop_stop(alone->loop);
    sc__near_free(alone->near);
    pthread_mutex_destroy(&alone->mutex);
}

/* looking */

static bool has_grace(const sc__near_entry *entry)
{
    return entry->expires_ms > entry->stale_ms;
}

static sc_err open_entry(const sc__near_entry *entry, int64_t now_ms, sc__look *look)
{
    bool is_soft = entry->soft_ms < entry->stale_ms;

    if (entry->kind == SC__ENVELOPE_ERROR) {
        memcpy(&look->kept_err, sc__near_value(entry).ptr, sizeof(look->kept_err));
        return SC_OK;
    }
    look->is_stale = entry->stale_ms <= now_ms || sc__near_is_tag_expired(entry);
    look->stored_ms = entry->stored_ms;
    look->age_ms = now_ms > entry->stored_ms ? now_ms - entry->stored_ms : 0;
    look->soft_ms = is_soft ? entry->soft_ms : 0;
    look->ends_ms = entry->soft_ms == INT64_MAX ? 0 : entry->soft_ms;
    look->load_us = (int64_t)entry->load_ms * 1000;
    if (look->is_stale && !has_grace(entry))
        return SC_OK;
    look->is_none = entry->kind == SC__ENVELOPE_NEGATIVE;
    if (!look->is_none)
        look->value = sc__blob_copy(sc__near_value(entry));
    return look->is_none || look->value ? SC_OK : SC_ENOMEM;
}

sc_err sc__alone_look(sc_cache *cache, sc_slice key, sc__look *ret_look)
{
    sc__near *near = cache->alone.near;
    const int64_t now_ms = sc__cache_now_ms(cache);
    sc__near_section section = sc__near_enter(near);
    const sc__near_entry *entry;
    bool found = sc__near_find(near, key, now_ms, &entry) != SC__NEAR_MISS;
    sc_err err;

    *ret_look = (sc__look){0};
    err = found ? open_entry(entry, now_ms, ret_look) : SC_OK;
    sc__near_leave(&section, found);
    return err;
}

bool sc__alone_has(sc_cache *cache, sc_slice key)
{
    sc__look look;
    sc_err err = sc__alone_look(cache, key, &look);

    sc__blob_unref(look.value);
    return !err && (look.value || look.is_none) && !look.is_stale;
}

/* storing; under the mutex */

static int64_t never_if_0(int64_t ms)
{
    return ms ? ms : INT64_MAX;
}

/* The times of an envelope: `expires_ms` is there the end of being fresh, here of everything. */
static void set_times(const sc__envelope *e, sc__near_item *item)
{
    item->stale_ms = never_if_0(e->expires_ms);
    item->soft_ms = never_if_0(e->soft_ms);
    if (item->soft_ms > item->stale_ms)
        item->soft_ms = item->stale_ms;
    item->expires_ms = item->stale_ms;
    if (!e->grace_ms)
        return;
    item->expires_ms = e->grace_ms;
    if (item->stale_ms == INT64_MAX)
        item->stale_ms--; /* there is a grace, should it be expired */
}

static sc_err put(sc_cache *cache, sc__near_item *item)
{
    sc_err err = sc__near_put(cache->alone.near, item);

    sc__pulse_wake(&cache->alone.sweep);
    return err;
}

static sc_err put_load(sc_cache *cache, sc_slice key, const sc_cache_load *load, int64_t birth)
{
    sc__near_item item = {.key = key, .birth = (uint64_t)birth};
    sc__envelope e;
    int64_t life_ms;
    sc_err err = sc__load_envelope(cache, load, birth, &e, &life_ms);

    if (err) {
        sc__near_del(cache->alone.near, key);
        return err;
    }
    set_times(&e, &item);
    item.kind = (uint8_t)e.kind;
    item.value = load->value ? load->value->bytes : SC_S("");
    item.stored_ms = e.stored_ms;
    item.load_us = e.load_us;
    item.tags = e.tags;
    item.tag_count = e.tag_count;
    return put(cache, &item);
}

static void put_error(const sc__lead *lead, sc_err load_err, const sc__tag_keys *tags,
                      int64_t birth)
{
    const int64_t now_ms = sc__cache_now_ms(lead->cache);
    sc__near_item item = {.key = lead->key,
                          .value = {(const char *)&load_err, sizeof(load_err)},
                          .kind = SC__ENVELOPE_ERROR,
                          .stored_ms = now_ms,
                          .expires_ms = now_ms + lead->def->error_ttl_ms,
                          .birth = (uint64_t)birth,
                          .tags = tags->tags,
                          .tag_count = tags->count};

    item.soft_ms = item.stale_ms = item.expires_ms;
    if (put(lead->cache, &item))
        return; /* it isn't kept then */
}

/* A reader who has lost the processor has it back soon. Without the mutex: who deletes need not wait. False: he
 * stays. */
static bool await_readers(const sc__alone *alone, int64_t until_ms)
{
    do {
        if (sc__mono_coarse_ms() >= until_ms)
            return false;
        sched_yield();
    } while (sc__near_is_busy(alone->near));
    return true;
}

/* SC_OK: a value is held. */
static sc_err settle(const sc__lead *lead, sc_err load_err, const sc_cache_load *load,
                     int64_t birth)
{
    sc_cache *cache = lead->cache;
    sc_err err = SC_ESTATE;

    pthread_mutex_lock(&cache->alone.mutex);
    if (!sc__flight_is_current(&cache->flights, lead->flight))
        ;
    else if (!load_err)
        err = put_load(cache, lead->key, load, birth);
    else if (lead->def->error_ttl_ms && !lead->flight->renews && !load->was_refused)
        put_error(lead, load_err, load->tags, birth);
    pthread_mutex_unlock(&cache->alone.mutex);
    return err;
}

bool sc__alone_settle(const sc__lead *lead, sc_err load_err, const sc_cache_load *load,
                      int64_t birth)
{
    const int64_t until_ms = sc__mono_coarse_ms() + READERS_MS;
    sc_err err;

    do {
        err = settle(lead, load_err, load, birth);
    } while (err == SC_EBUSY && await_readers(&lead->cache->alone, until_ms));
    return !err;
}

sc_err sc__alone_store(sc_cache *cache, sc_slice key, const sc_cache_load *load)
{
    const int64_t until_ms = sc__mono_coarse_ms() + READERS_MS;
    sc_err err;

    do {
        pthread_mutex_lock(&cache->alone.mutex);
        err = put_load(cache, key, load, sc__alone_birth(cache));
        pthread_mutex_unlock(&cache->alone.mutex);
    } while (err == SC_EBUSY && await_readers(&cache->alone, until_ms));
    return err;
}

bool sc__alone_del(sc_cache *cache, sc_slice key)
{
    bool was_there;

    pthread_mutex_lock(&cache->alone.mutex);
    was_there = sc__near_del(cache->alone.near, key);
    pthread_mutex_unlock(&cache->alone.mutex);
    return was_there;
}

/* The entry again, but past its time. False: it must go instead. */
static bool put_stale(sc_cache *cache, const sc__near_entry *entry)
{
    const int64_t now_ms = sc__cache_now_ms(cache);
    sc_slice tags[SC__NEAR_TAGS_MAX];
    sc__near_item item = {.key = sc__near_key(entry),
                          .value = sc__near_value(entry),
                          .kind = entry->kind,
                          .stored_ms = entry->stored_ms,
                          .load_us = (int64_t)entry->load_ms * 1000,
                          .expires_ms = entry->expires_ms,
                          .soft_ms = now_ms,
                          .stale_ms = now_ms,
                          .birth = entry->birth,
                          .tags = tags};

    item.tag_count = sc__near_tag_names(entry, tags);
    return entry->kind == SC__ENVELOPE_VALUE && has_grace(entry) && put(cache, &item) == SC_OK;
}

void sc__alone_expire(sc_cache *cache, sc_slice key)
{
    sc__near *near = cache->alone.near;
    const sc__near_entry *entry;
    sc__near_section section;
    bool found, is_kept;

    pthread_mutex_lock(&cache->alone.mutex);
    section = sc__near_enter(near);
    found = sc__near_find(near, key, sc__cache_now_ms(cache), &entry) != SC__NEAR_MISS;
    is_kept = found && put_stale(cache, entry);
    sc__near_leave(&section, found);
    if (!is_kept)
        sc__near_del(near, key);
    pthread_mutex_unlock(&cache->alone.mutex);
}

/* tags */

int64_t sc__alone_birth(const sc_cache *cache)
{
    return (int64_t)sc__near_clock(cache->alone.near);
}

sc__tag_word sc__alone_tags_say(sc_cache *cache, const sc__tag_keys *keys, int64_t birth)
{
    sc__tag_word word = SC__TAG_KEEPS;

    for (size_t i = 0; i < keys->count; i++) {
        uint64_t deleted, expired;
        sc__tag_word says;

        sc__near_tag_get(cache->alone.near, keys->tags[i], &deleted, &expired);
        says = sc__tag_says((sc__tag_version){(int64_t)deleted, (int64_t)expired}, birth);
        word = says > word ? says : word;
    }
    return word;
}

void sc__alone_bump(sc_cache *cache, const sc__tag_keys *keys, sc__tag_word word)
{
    for (size_t i = 0; i < keys->count; i++)
        sc__near_tag_bump(cache->alone.near, keys->tags[i],
                          word == SC__TAG_DELETES ? SC__NEAR_DELETED : SC__NEAR_EXPIRED);
}
