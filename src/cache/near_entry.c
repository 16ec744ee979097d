#include "near_inside.h"

#include "base/mem.h"

static size_t entry_size(size_t tags, size_t key_len, size_t value_len)
{
    const size_t size = sc__near_tags_at(key_len, value_len) + tags * sizeof(sc__near_tag *);

    return size > sizeof(sc__near_entry) ? size : sizeof(sc__near_entry);
}

size_t sc__near_size_held(size_t tag_count, size_t key_len, size_t value_len)
{
    return sc__mem_held(entry_size(tag_count, key_len, value_len));
}

size_t sc__near_entry_held(const sc__near_entry *entry)
{
    return sc__near_size_held(entry->tag_count, entry->key_len, entry->value_len);
}

static uint16_t load_ms_of(const sc__near_item *item)
{
    const int64_t ms = (item->load_us + 999) / 1000;

    return (uint16_t)(ms < UINT16_MAX ? ms : UINT16_MAX);
}

static void copy_in(sc__near_entry *entry, const sc__near_item *item)
{
    char *at = entry->bytes;

    memcpy(at, item->key.ptr, item->key.len);
    at += item->key.len;
    *at++ = '\0';
    if (item->value.len)
        memcpy(at, item->value.ptr, item->value.len);
    at[item->value.len] = '\0';
}

sc__near_entry *sc__near_entry_new(const sc__near_item *item, uint64_t hash)
{
    sc__near_entry *entry = sc__malloc(entry_size(item->tag_count, item->key.len, item->value.len));

    if (!entry)
        return NULL;
    *entry = (sc__near_entry){
        .hash = hash,
        .key_len = (uint32_t)item->key.len,
        .value_len = (uint32_t)item->value.len,
        .kind = item->kind,
        .flags = item->flags,
        .tag_count = (uint8_t)item->tag_count,
        .load_ms = load_ms_of(item),
        .stale_ms = item->stale_ms,
        .expires_ms = item->expires_ms,
        .soft_ms = item->soft_ms,
        .stored_ms = item->stored_ms,
        .birth = item->birth,
    };
    atomic_init(&entry->refs, 1);
    copy_in(entry, item);
    return entry;
}

void sc__near_entry_ref(const sc__near_entry *entry)
{
    atomic_fetch_add_explicit(&((sc__near_entry *)entry)->refs, 1, memory_order_relaxed);
}

void sc__near_entry_unref(const sc__near_entry *entry)
{
    sc__near_entry *mine = (sc__near_entry *)entry;

    if (mine && atomic_fetch_sub_explicit(&mine->refs, 1, memory_order_acq_rel) == 1)
        sc_free(mine);
}
