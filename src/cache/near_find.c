/* The readers' side: no lock, no memory taken. */
#include "near_inside.h"

enum { USES_MAX = 3 };

sc__near_section sc__near_enter(sc__near *near)
{
    return sc__near_readers_enter(&near->readers);
}

void sc__near_leave(sc__near_section *section, bool was_hit)
{
    sc__near_readers_leave(section, was_hit);
}

void *sc__near_pin(sc__near *near, const sc__near_section *section, const sc__near_entry *entry)
{
    return sc__near_pins_take(near->pins, (unsigned)(section->slot - near->readers.slots), entry);
}

void sc__near_unpin(const void *pin)
{
    sc__near_pins_drop(pin);
}

static sc__near_state look_at_tags(const sc__near_entry *entry)
{
    sc__near_tag **tags = sc__near_entry_tags(entry);
    sc__near_state state = SC__NEAR_FRESH;
    bool is_unknown = false;

    for (unsigned i = 0; i < entry->tag_count; i++) {
        uint64_t deleted = atomic_load(&tags[i]->deleted);

        if (deleted > entry->birth) {
            if (deleted != SC__NEAR_UNKNOWN_VERSION)
                return SC__NEAR_MISS;
            is_unknown = true;
        }
        if (atomic_load(&tags[i]->expired) > entry->birth)
            state = SC__NEAR_STALE;
    }
    return is_unknown ? SC__NEAR_UNKNOWN : state;
}

/* Tags that were found well need no look before some tag changes: a hit with tags costs one comparison more than one
 * without. */
static sc__near_state judge_tags(const sc__near *near, sc__near_entry *entry)
{
    const uint64_t changes = atomic_load(&near->tag_changes);
    sc__near_state state;

    if (atomic_load_explicit(&entry->tags_seen, memory_order_relaxed) == changes)
        return SC__NEAR_FRESH;
    state = look_at_tags(entry);
    if (state == SC__NEAR_FRESH)
        atomic_store_explicit(&entry->tags_seen, changes, memory_order_relaxed);
    return state;
}

static sc__near_state judge(const sc__near *near, sc__near_entry *entry, int64_t now_ms)
{
    sc__near_state state = SC__NEAR_FRESH;

    if (entry->expires_ms <= now_ms || entry->era != atomic_load(&near->era))
        return SC__NEAR_MISS;
    if (entry->tag_count)
        state = judge_tags(near, entry);
    return state == SC__NEAR_FRESH && entry->soft_ms <= now_ms ? SC__NEAR_STALE : state;
}

/* A lost count does no harm; not writing when it's full keeps the line in all processors' caches. */
static void count_use(sc__near_entry *entry)
{
    unsigned char uses = atomic_load_explicit(&entry->uses, memory_order_relaxed);

    if (uses < USES_MAX)
        atomic_store_explicit(&entry->uses, uses + 1, memory_order_relaxed);
}

sc__near_state sc__near_find(sc__near *near, sc_slice key, int64_t now_ms,
                             const sc__near_entry **ret_entry)
{
    sc__near_entry *entry = sc__near_look(near, key, sc__near_hash(near, key));
    sc__near_state state;

    if (!entry)
        return SC__NEAR_MISS;
    state = judge(near, entry, now_ms);
    if (state != SC__NEAR_MISS) {
        count_use(entry);
        *ret_entry = entry;
    }
    return state;
}

bool sc__near_has(const sc__near *near, sc_slice key)
{
    const sc__near_entry *entry = sc__near_look(near, key, sc__near_hash(near, key));

    return entry && !sc__near_is_cleared(near, entry);
}

bool sc__near_is_tag_expired(const sc__near_entry *entry)
{
    return look_at_tags(entry) == SC__NEAR_STALE;
}

static sc_slice name_of(const sc__near_tag *tag)
{
    return (sc_slice){tag->name, tag->name_len};
}

size_t sc__near_tag_names(const sc__near_entry *entry, sc_slice ret_names[SC__NEAR_TAGS_MAX])
{
    for (unsigned i = 0; i < entry->tag_count; i++)
        ret_names[i] = name_of(sc__near_entry_tags(entry)[i]);
    return entry->tag_count;
}

size_t sc__near_unknown_tags(const sc__near_entry *entry, sc_slice ret_names[SC__NEAR_TAGS_MAX])
{
    size_t count = 0;

    for (unsigned i = 0; i < entry->tag_count; i++) {
        const sc__near_tag *tag = sc__near_entry_tags(entry)[i];

        if (atomic_load(&tag->deleted) == SC__NEAR_UNKNOWN_VERSION)
            ret_names[count++] = name_of(tag);
    }
    return count;
}
