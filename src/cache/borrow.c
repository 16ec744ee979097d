/* Reading what is held in this process, without a lock and without memory. */
#include "handle.h"

/* False: not held, or not to be given as it is. Leaves the section then. */
static bool find(sc_cache *cache, sc_slice key, sc__near_section *section,
                 const sc__near_entry **ret_entry, int64_t *ret_age_ms)
{
    char room[SC__STORED_KEY_LEN];
    const sc__near_entry *entry;
    sc__near *near;
    int64_t now_ms;

    if (!key.len || key.len > cache->opts.max_key_size || cache->tier.confirms)
        return false;
    key = sc__cache_key(cache, key, room);
    near = sc__tier_readable(cache, key, &now_ms);
    if (!near)
        return false;
    *section = sc__near_enter(near);
    if (sc__near_find(near, key, now_ms, &entry) == SC__NEAR_FRESH &&
        entry->kind == SC__ENVELOPE_VALUE) {
        *ret_entry = entry;
        *ret_age_ms = entry->stored_ms < 0        ? -1
                      : now_ms > entry->stored_ms ? now_ms - entry->stored_ms
                                                  : 0;
        return true;
    }
    sc__near_leave(section, false);
    return false;
}

bool sc_cache_try_borrow(sc_cache *cache, sc_slice key, sc_cache_borrowed *ret_borrowed)
{
    const sc__near_entry *entry;
    sc__near_section section;
    int64_t age_ms;

    if (!find(cache, key, &section, &entry, &age_ms))
        return false;
    *ret_borrowed = (sc_cache_borrowed){sc__near_value(entry), age_ms, section.slot, section.side};
    return true;
}

void sc_cache_give_back(sc_cache_borrowed *borrowed)
{
    sc__near_section section = {borrowed->place, borrowed->side};

    sc__near_leave(&section, true);
    *borrowed = (sc_cache_borrowed){0};
}

bool sc_cache_try_copy(sc_cache *cache, sc_slice key, void *buffer, size_t size, size_t *ret_len)
{
    const sc__near_entry *entry;
    sc__near_section section;
    sc_slice value;
    int64_t age_ms;

    if (!find(cache, key, &section, &entry, &age_ms))
        return false;
    value = sc__near_value(entry);
    if (size)
        memcpy(buffer, value.ptr, value.len < size ? value.len : size);
    *ret_len = value.len;
    sc__near_leave(&section, true);
    return true;
}
