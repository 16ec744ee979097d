#include "near_tags.h"

#include "base/mem.h"

sc_err sc__near_tags_init(sc__near_tags *tags, size_t buckets, bool keeps)
{
    *tags = (sc__near_tags){.bucket_count = buckets, .keeps = keeps, .floor = 1};
    atomic_init(&tags->clock, 1);
    tags->buckets = sc__calloc(buckets, sizeof(sc__near_tag *));
    return tags->buckets ? SC_OK : SC_ENOMEM;
}

void sc__near_tags_release(sc__near_tags *tags)
{
    for (uint64_t i = 0; tags->buckets && i < tags->bucket_count; i++)
        while (tags->buckets[i]) {
            sc__near_tag *tag = tags->buckets[i];

            tags->buckets[i] = tag->next;
            sc_free(tag);
        }
    sc_free(tags->buckets);
}

size_t sc__near_tags_held(const sc__near_tags *tags)
{
    return sc__mem_held(tags->bucket_count * sizeof(sc__near_tag *));
}

static size_t tag_held(const sc__near_tag *tag)
{
    return sc__mem_held(sizeof(*tag) + tag->name_len);
}

static sc__near_tag **place_of(sc__near_tags *tags, sc_slice name, uint64_t hash)
{
    sc__near_tag **at = &tags->buckets[(hash >> 32) * tags->bucket_count >> 32];

    while (*at &&
           ((*at)->hash != hash || !sc_slice_eq(name, (sc_slice){(*at)->name, (*at)->name_len})))
        at = &(*at)->next;
    return at;
}

sc__near_tag *sc__near_tags_find(sc__near_tags *tags, sc_slice name, uint64_t hash)
{
    return *place_of(tags, name, hash);
}

static void forget_versions(const sc__near_tags *tags, sc__near_tag *tag, uint32_t era)
{
    if (tags->keeps)
        return;
    tag->era = era;
    atomic_store(&tag->deleted, SC__NEAR_UNKNOWN_VERSION);
}

static sc__near_tag *new_tag(sc__near_tags *tags, sc_slice name, uint64_t hash)
{
    sc__near_tag *tag = name.len < UINT32_MAX ? sc__malloc(sizeof(*tag) + name.len) : NULL;

    if (!tag)
        return NULL;
    *tag = (sc__near_tag){.hash = hash, .name_len = (uint32_t)name.len};
    atomic_init(&tag->deleted, tags->floor);
    atomic_init(&tag->expired, tags->floor);
    if (name.len)
        memcpy(tag->name, name.ptr, name.len);
    tags->bytes += tag_held(tag);
    return tag;
}

sc__near_tag *sc__near_tags_ref(sc__near_tags *tags, sc_slice name, uint64_t hash, uint32_t era)
{
    sc__near_tag **at = place_of(tags, name, hash), *tag = *at;

    if (!tag) {
        tag = new_tag(tags, name, hash);
        if (!tag)
            return NULL;
        *at = tag;
        forget_versions(tags, tag, era);
    } else if (tag->era != era) {
        forget_versions(tags, tag, era);
    }
    tag->refs++;
    return tag;
}

static void raise_floor(sc__near_tags *tags, uint64_t version)
{
    if (tags->keeps && version > tags->floor)
        tags->floor = version;
}

void sc__near_tags_unref(sc__near_tags *tags, sc__near_tag *tag)
{
    if (--tag->refs)
        return;
    raise_floor(tags, atomic_load_explicit(&tag->deleted, memory_order_relaxed));
    raise_floor(tags, atomic_load_explicit(&tag->expired, memory_order_relaxed));
    *place_of(tags, (sc_slice){tag->name, tag->name_len}, tag->hash) = tag->next;
    tags->bytes -= tag_held(tag);
    sc_free(tag);
}
