/* Reading and storing many keys at once: a slice of up to SC__CACHE_MANY_MAX takes as many commands as one key. */
#include "many.h"

#include "handle.h"
#include "load.h"
#include "redis/reply.h"
#include "tag_book.h"
#include "tags.h"

/* opening */

static sc_err open_one(sc_cache *cache, const sc__found_many *many, const sc__tag_book *book,
                       size_t i, sc__look *look)
{
    sc__found found = {.def = many->def, .ticket = many->ticket, .budget = many->budget};

    sc__tag_keys_copy(&found.keys, many->tags);
    found.known = many->tags->count;
    memcpy(found.versions, many->versions, found.known * sizeof(*found.versions));
    found.stored = found.reply = sc__reply_dup(&many->items[i]);
    if (!found.reply)
        return SC_ENOMEM;
    sc__tag_book_tell(book, found.stored->str, &found);
    return sc__cache_open(cache, many->keys[i], &found, look);
}

static void drop_looks(sc__look *looks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        sc__blob_unref(looks[i].value);
        looks[i].value = NULL;
    }
}

sc_err sc__cache_open_many(sc_cache *cache, const sc__found_many *found, sc__look *ret_looks)
{
    sc__tag_book book;
    sc_err err = SC_OK;

    sc__tag_book_init(&book, found->tags, found->versions);
    for (size_t i = 0; i < found->count; i++) {
        ret_looks[i] = (sc__look){.has_asked = true};
        if (found->items[i].type == SC_REPLY_STRING)
            sc__tag_book_note(&book, found->items[i].str);
    }
    sc__tag_book_ask(&book, cache, found->budget);
    for (size_t i = 0; i < found->count && !err; i++)
        if (found->items[i].type == SC_REPLY_STRING)
            err = open_one(cache, found, &book, i, &ret_looks[i]);
    if (err)
        drop_looks(ret_looks, found->count);
    return err;
}

/* get */

/* The keys of a slice that the near cache didn't have. */
struct slice {
    size_t count;
    size_t at[SC__CACHE_MANY_MAX]; /* whose they are */
    sc_slice keys[SC__CACHE_MANY_MAX];
    char rooms[SC__CACHE_MANY_MAX][SC__STORED_KEY_LEN];
    sc__budget budget;
};

static sc_err ask_slice(sc_cache *cache, struct slice *slice, sc__look *ret_looks)
{
    sc__tag_version no_versions[1];
    sc__found_many found = {.keys = slice->keys,
                            .count = slice->count,
                            .tags = &cache->no_tags,
                            .versions = no_versions,
                            .budget = &slice->budget};
    sc__ticket ticket;
    sc_reply *reply;
    sc_reason reason;
    sc_err err;

    for (size_t i = 0; i < slice->count; i++)
        ret_looks[i] = (sc__look){0};
    if (sc__is_alone(&cache->alone) || sc__health_ask(&cache->health) ||
        !sc__budget_ask(&slice->budget))
        return SC_OK;
    sc__tier_ticket(&cache->tier, &ticket);
    found.ticket = cache->tier.near ? &ticket : NULL;
    err = sc__op_cache_get_many(cache->client, slice->keys, slice->count, slice->budget.left_ms,
                                &reply, &found.items, &reason);
    sc__budget_after(cache, &slice->budget, err);
    if (err)
        return SC_OK;
    err = sc__cache_open_many(cache, &found, ret_looks);
    sc_reply_free(reply);
    return err;
}

static sc_err get_slice(sc_cache *cache, struct slice *slice, sc_cache_value *values)
{
    sc__look looks[SC__CACHE_MANY_MAX];
    sc_err err = slice->count ? ask_slice(cache, slice, looks) : SC_OK;

    for (size_t i = 0; i < slice->count && !err; i++) {
        /* Still to be deleted in Redis: then it is not the value any more. */
        if (looks[i].value && sc__repair_has(&cache->repair, slice->keys[i])) {
            sc__blob_unref(looks[i].value);
            looks[i] = (sc__look){0};
        }
        sc__cache_give_fresh(cache, &looks[i], &values[slice->at[i]]);
    }
    slice->count = 0;
    slice->budget = sc__budget_begin(cache);
    return err;
}

sc_err sc_cache_get_many(sc_cache *cache, const sc_slice *keys, size_t count,
                         sc_cache_value *ret_values)
{
    struct slice slice = {.count = 0, .budget = sc__budget_begin(cache)};
    sc__tier_call call = SC__TIER_BEGINS;
    sc_err err = SC_OK;

    for (size_t i = 0; i < count && !err; i++)
        err = sc__cache_check(cache, keys[i]);
    if (err)
        return err;
    for (size_t i = 0; i < count; i++)
        ret_values[i] = (sc_cache_value){.source = SC_CACHE_MISS};
    for (size_t i = 0; i < count && !err; i++) {
        size_t n = slice.count;

        slice.at[n] = i;
        slice.keys[n] = sc__cache_key(cache, keys[i], slice.rooms[n]);
        if (!sc__tier_give_next(cache, NULL, slice.keys[n], &call, &slice.budget, &ret_values[i]) &&
            ++slice.count == SC__CACHE_MANY_MAX)
            err = get_slice(cache, &slice, ret_values);
    }
    if (!err)
        err = get_slice(cache, &slice, ret_values);
    for (size_t i = 0; i < count && err; i++)
        sc_cache_value_release(&ret_values[i]);
    return err;
}

/* store */

static sc_err seal_slice(sc_cache *cache, const sc_cache_def *def, const sc_slice *keys,
                         const sc_cache_item *items, size_t count, int64_t birth,
                         sc__tag_keys *tags, sc__fill_item *fills, sc__blob **values)
{
    sc__sealed sealed;
    sc_err err = SC_OK;

    for (size_t i = 0; i < count && !err; i++) {
        sc_cache_load load = {.def = def, .ttl_ms = -1, .tags = tags};

        err = sc_cache_load_set(&load, items[i].bytes);
        if (!err)
            err = sc__load_seal(cache, &load, keys[i], birth, &sealed);
        values[i] = load.value;
        fills[i] = (sc__fill_item){keys[i], sealed.bytes, sealed.life_ms, tags};
    }
    return err;
}

/* A lease that replaces whatever is there, then the values in its place: as sc_cache_store() of a tagged value. */
static sc_err put_slice(sc_cache *cache, const sc_cache_def *def, const sc_slice *keys,
                        const sc_cache_item *items, size_t count, sc_reason *ret_reason)
{
    sc__blob *values[SC__CACHE_MANY_MAX] = {NULL};
    sc__fill_item fills[SC__CACHE_MANY_MAX];
    char lease[SC__LEASE_LEN];
    sc__tag_keys tags;
    sc__lease_order order = {.lease = {lease, SC__LEASE_LEN},
                             .lease_ms = SC__LEASE_MS,
                             .replaces = SC_S("*"),
                             .tags = &tags,
                             .life_ms = def->ttl_ms};
    const sc_reply *held;
    int64_t birth, stored;
    sc_reply *reply;
    sc_err err = sc__cache_tags_of(cache, def, &tags);

    sc__envelope_lease(lease, sc__cache_now_ms(cache));
    if (!err)
        err = sc__op_cache_lease_many(cache->client, keys, count, &order, cache->opts.timeout_ms,
                                      &birth, &reply, &held, ret_reason);
    if (err)
        return err;
    sc_reply_free(reply);
    err = seal_slice(cache, def, keys, items, count, birth, &tags, fills, values);
    if (!err)
        err = sc__op_cache_fill_many(cache->client, fills, count, order.lease, birth,
                                     cache->opts.timeout_ms, &stored, ret_reason);
    for (size_t i = 0; i < count; i++)
        sc__blob_unref(values[i]);
    return err;
}

static sc_err store_slice(sc_cache *cache, const sc_cache_def *def, const sc_cache_item *items,
                          size_t count)
{
    char rooms[SC__CACHE_MANY_MAX][SC__STORED_KEY_LEN];
    sc_slice keys[SC__CACHE_MANY_MAX];
    sc_reason reason = {""};
    sc_err err;

    for (size_t i = 0; i < count; i++) {
        keys[i] = sc__cache_key(cache, items[i].key, rooms[i]);
        sc__flights_void(&cache->flights, keys[i]);
    }
    err = sc__health_ask(&cache->health);
    if (!err) {
        err = put_slice(cache, def, keys, items, count, &reason);
        sc__cache_after_store(cache, err, &reason);
    }
    if (err)
        sc__repair_add(&cache->repair, keys, count);
    for (size_t i = 0; i < count; i++) {
        sc__tier_changed(&cache->tier, keys[i]);
        if (!err)
            sc__cache_count(&cache->count.sets);
    }
    return err;
}

static sc_err check_items(sc_cache *cache, const sc_cache_def *def, const sc_cache_item *items,
                          size_t count)
{
    sc__tag_keys tags;
    sc_err err = sc__def_check(def);

    if (!err)
        err = sc__cache_tags_of(cache, def, &tags);
    for (size_t i = 0; i < count && !err; i++) {
        err = sc__cache_check(cache, items[i].key);
        if (!err && items[i].bytes.len > sc__def_max_size(cache, def))
            err = SC_ETOOBIG;
    }
    return err;
}

sc_err sc_cache_store_many(sc_cache *cache, const sc_cache_def *def, const sc_cache_item *items,
                           size_t count)
{
    sc_err err = check_items(cache, def, items, count), first = SC_OK;

    if (err)
        return err;
    for (size_t i = 0, n; i < count; i += n) {
        n = count - i < SC__CACHE_MANY_MAX ? count - i : SC__CACHE_MANY_MAX;
        /* Other programs must see no lease; without Redis there is nothing to save. */
        if (def->plain || !def->ttl_ms || sc__is_alone(&cache->alone))
            n = 1;
        err = n == 1 ? sc_cache_store(cache, def, items[i].key, items[i].bytes)
                     : store_slice(cache, def, items + i, n);
        first = first ? first : err;
    }
    return first;
}
