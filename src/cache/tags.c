#include "tags.h"

#include "handle.h"
#include "ops/op_cache.h"

sc_err sc__cache_tags_of(const sc_cache *cache, const sc_cache_def *def, sc__tag_keys *ret_keys)
{
    sc_err err = SC_OK;

    sc__tag_keys_init(ret_keys, sc_slice_of(cache->prefix));
    for (size_t i = 0; !err && def && def->tags && def->tags[i]; i++)
        err = sc__tag_keys_add(ret_keys, sc_slice_of(def->tags[i]));
    return err;
}

sc_err sc__cache_tag_versions(sc_cache *cache, const sc_slice *keys, size_t count,
                              sc__budget *budget, sc__tag_version *ret_versions)
{
    const uint64_t ticket = sc__tag_memo_ticket(&cache->tier.tag_memo);
    sc_err err = SC_OK;

    for (size_t i = 0, n; i < count && !err; i += n) {
        n = count - i < SC__CACHE_MANY_MAX ? count - i : SC__CACHE_MANY_MAX;
        if (!sc__budget_ask(budget))
            return SC_ETIMEDOUT;
        err =
            sc__op_cache_tags(cache->client, keys + i, n, budget->left_ms, ret_versions + i, NULL);
        sc__budget_after(cache, budget, err);
        if (!err)
            sc__tier_note_tags(&cache->tier, ticket, keys + i, n, ret_versions + i);
    }
    return err;
}

sc__tag_word sc__cache_tags_say(sc_cache *cache, const sc__tag_keys *keys,
                                sc__tag_version versions[SC__TAGS_MAX], size_t known, int64_t birth,
                                sc__budget *budget)
{
    sc__tag_word word = SC__TAG_KEEPS;

    if (sc__is_alone(&cache->alone))
        return sc__alone_tags_say(cache, keys, birth);
    if (sc__cache_tag_versions(cache, keys->keys + known, keys->count - known, budget,
                               versions + known))
        return SC__TAG_DELETES;
    for (size_t i = 0; i < keys->count && word != SC__TAG_DELETES; i++) {
        sc__tag_word says = sc__repair_has(&cache->repair, keys->keys[i])
                                ? SC__TAG_DELETES
                                : sc__tag_says(versions[i], birth);

        word = says > word ? says : word;
    }
    return word;
}

bool sc__cache_tags_wait(sc_cache *cache, const sc__tag_keys *keys)
{
    for (size_t i = 0; i < keys->count; i++)
        if (sc__repair_has(&cache->repair, keys->keys[i]))
            return true;
    return false;
}

/* deleting and expiring */

/* Tags that Redis does not change are deleted when it's back: their keys then, and so their values. */
static sc_err bump(sc_cache *cache, const sc__tag_keys *keys, sc__tag_word word)
{
    sc_err err;

    if (sc__is_alone(&cache->alone)) {
        sc__alone_bump(cache, keys, word);
        return SC_OK;
    }
    err = sc__health_ask(&cache->health);
    if (!err) {
        err = sc__op_cache_bump(cache->client, keys, word, cache->opts.timeout_ms, NULL);
        sc__cache_after(cache, err);
    }
    if (err)
        sc__repair_add(&cache->repair, keys->keys, keys->count);
    for (size_t i = 0; i < keys->count; i++)
        sc__tier_changed(&cache->tier, keys->keys[i]);
    return err;
}

static sc_err bump_all(sc_cache *cache, const sc_slice *tags, size_t count, sc__tag_word word)
{
    sc__tag_keys keys;
    sc_err err = SC_OK, last = SC_OK;

    if (sc__cache_is_on_loop(cache))
        return SC_EDEADLK;
    for (size_t i = 0; i < count; i++)
        if (!tags[i].len || tags[i].len > SC__TAG_LEN_MAX)
            return SC_EINVAL;
    for (size_t i = 0; i < count;) {
        sc__tag_keys_init(&keys, sc_slice_of(cache->prefix));
        for (; i < count && keys.count < SC__TAGS_MAX; i++)
            err = sc__tag_keys_add(&keys, tags[i]);
        err = bump(cache, &keys, word);
        last = err ? err : last;
    }
    return last;
}

sc_err sc_cache_del_tags(sc_cache *cache, const sc_slice *tags, size_t count)
{
    return bump_all(cache, tags, count, SC__TAG_DELETES);
}

sc_err sc_cache_expire_tags(sc_cache *cache, const sc_slice *tags, size_t count)
{
    return bump_all(cache, tags, count, SC__TAG_EXPIRES);
}
