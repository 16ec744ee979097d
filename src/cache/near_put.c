/* Putting values in and taking them out; under the mutex up to put(). */
#include "near_inside.h"

#include "base/mem.h"

enum { STUCK_LEAST = 8 * 1024 * 1024 };

/* The link that points at a listed entry. */
static _Atomic(sc__near_entry *) *link_of(const sc__near *near, const sc__near_entry *entry)
{
    _Atomic(sc__near_entry *) *at = sc__near_bucket(near, entry->hash);

    while (atomic_load(at) != entry)
        at = &atomic_load(at)->next;
    return at;
}

void sc__near_unlink(sc__near *near, sc__near_entry *entry)
{
    atomic_store(link_of(near, entry), atomic_load(&entry->next));
    sc__near_queues_remove(near, entry);
    sc__near_wheel_remove(&near->wheel, entry);
    sc__near_to_limbo(near, entry);
}

static sc_err hold_tag(sc__near *near, sc__near_entry *entry, sc_slice name, sc__near_tag **ret_tag)
{
    uint64_t deleted;

    *ret_tag =
        sc__near_tags_ref(&near->tags, name, sc__near_hash(near, name), atomic_load(&near->era));
    if (!*ret_tag)
        return SC_ENOMEM;
    deleted = atomic_load(&(*ret_tag)->deleted);
    if (deleted <= entry->birth || deleted == SC__NEAR_UNKNOWN_VERSION)
        return SC_OK;
    sc__near_tags_unref(&near->tags, *ret_tag);
    return SC_ESTATE;
}

/* All of them, or none. SC_ESTATE when one was deleted after the entry's birth. */
static sc_err hold_tags(sc__near *near, sc__near_entry *entry, const sc__near_item *item)
{
    sc__near_tag **tags = sc__near_entry_tags(entry);
    sc_err err = SC_OK;
    size_t held = 0;

    while (held < item->tag_count && !err) {
        err = hold_tag(near, entry, item->tags[held], &tags[held]);
        held += !err;
    }
    while (err && held)
        sc__near_tags_unref(&near->tags, tags[--held]);
    return err;
}

static bool readers_are_stuck(const sc__near *near)
{
    return near->limbo.fresh.bytes + near->limbo.waiting.bytes > STUCK_LEAST + near->bytes / 4;
}

bool sc__near_is_busy(sc__near *near)
{
    bool is_busy;

    pthread_mutex_lock(&near->mutex);
    is_busy = readers_are_stuck(near);
    sc__near_unlock(near);
    return is_busy;
}

static void list(sc__near *near, sc__near_entry *entry, sc__near_entry *old)
{
    _Atomic(sc__near_entry *) *at = old ? link_of(near, old) : sc__near_bucket(near, entry->hash);

    entry->era = atomic_load(&near->era);
    atomic_init(&entry->next, old ? atomic_load(&old->next) : atomic_load(at));
    near->bytes += sc__near_entry_held(entry);
    sc__near_wheel_add(&near->wheel, entry);
    if (!old) {
        sc__near_queues_add(near, entry);
        atomic_store(at, entry);
        return;
    }
    sc__near_queues_replace(near, old, entry);
    atomic_store(at, entry);
    sc__near_wheel_remove(&near->wheel, old);
    sc__near_to_limbo(near, old);
}

static sc_err check(const sc__near *near, const sc__near_item *item)
{
    const size_t room = near->max_bytes - near->fixed_bytes;

    if (item->tag_count > SC__NEAR_TAGS_MAX || item->key.len >= UINT32_MAX ||
        item->value.len >= UINT32_MAX || near->fixed_bytes > near->max_bytes)
        return SC_ETOOBIG;
    return sc__near_size_held(item->tag_count, item->key.len, item->value.len) > room ? SC_ETOOBIG
                                                                                      : SC_OK;
}

/* What is set, not loaded, is as dear as what was there: it would have to be loaded as well. */
static void set_price(sc__near *near, const sc__near_item *item, const sc__near_entry *old,
                      sc__near_entry *entry)
{
    const size_t held = sc__near_entry_held(entry);
    const double mean =
        (double)(near->bytes + held) / (double)(sc__near_queues_count(&near->queues) + 1);

    entry->price = sc__near_price(&near->prices, item->load_us, (double)held / mean) & 3u;
    if (old && item->load_us <= 0)
        entry->price = old->price;
    entry->rounds = entry->price;
}

/* Under the mutex. The entry is listed on SC_OK only. */
static sc_err put(sc__near *near, const sc__near_item *item, sc__near_entry *entry)
{
    sc__near_entry *old = sc__near_look(near, item->key, entry->hash);
    sc_err err = readers_are_stuck(near) ? SC_EBUSY : hold_tags(near, entry, item);

    if (old && (err || sc__near_is_cleared(near, old))) {
        sc__near_unlink(near, old);
        old = NULL;
    }
    if (err)
        return err;
    set_price(near, item, old, entry);
    if (!old)
        sc__near_queues_make_room(near, sc__near_entry_held(entry), 1);
    list(near, entry, old);
    if (old)
        sc__near_queues_make_room(near, 0, 0);
    return SC_OK;
}

sc_err sc__near_put(sc__near *near, const sc__near_item *item)
{
    sc_err err = check(near, item);
    sc__near_entry *entry = err ? NULL : sc__near_entry_new(item, sc__near_hash(near, item->key));

    if (!entry) {
        sc__near_del(near, item->key);
        return err ? err : SC_ENOMEM;
    }
    pthread_mutex_lock(&near->mutex);
    err = put(near, item, entry);
    sc__near_unlock(near);
    if (err)
        sc_free(entry);
    return err;
}

void sc__near_remove(sc__near *near, sc__near_entry *entry)
{
    if (sc__near_queues_is_used(entry))
        sc__near_ghosts_add(&near->ghosts, entry->hash);
    sc__near_unlink(near, entry);
}

bool sc__near_del(sc__near *near, sc_slice key)
{
    const uint64_t hash = sc__near_hash(near, key);
    sc__near_entry *entry;
    bool was_there;

    pthread_mutex_lock(&near->mutex);
    entry = sc__near_look(near, key, hash);
    was_there = entry && !sc__near_is_cleared(near, entry);
    if (entry)
        sc__near_remove(near, entry);
    sc__near_unlock(near);
    return was_there;
}

void sc__near_clear(sc__near *near)
{
    pthread_mutex_lock(&near->mutex);
    atomic_fetch_add(&near->era, 1);
    sc__near_queues_drop_cleared(near, SC__NEAR_SLICE);
    sc__near_unlock(near);
}
