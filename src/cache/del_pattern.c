/* Removing keys by a pattern, for those whose names nobody knows: SCAN and UNLINK, slice by slice; without a server the same over
 * what is held here. */
#include "handle.h"

#include "base/glob.h"
#include "near_walk.h"
#include "ops/op_cache.h"

/* A call under way. */
struct walk {
    sc_cache *cache;
    sc_slice pattern;
    const sc_sweep *told;
    sc__str cursor; /* where to go on */
    int64_t removed;
};

/* The keys of a reply of SCAN. */
static sc_err del_found(struct walk *w, const sc_reply *keys, size_t count)
{
    sc_slice slice[SC__CACHE_DEL_MAX];
    sc_err err;

    while (count) {
        size_t n = count < SC__CACHE_DEL_MAX ? count : SC__CACHE_DEL_MAX;
        int64_t gone = 0;

        for (size_t i = 0; i < n; i++) {
            slice[i] = keys[i].str;
            sc__flights_void(&w->cache->flights, slice[i]);
        }
        err = sc__op_cache_del(w->cache->client, slice, n, 0, &gone, NULL);
        for (size_t i = 0; i < n; i++)
            sc__tier_changed(&w->cache->tier, slice[i]);
        if (err)
            return err;
        w->removed += gone;
        keys += n;
        count -= n;
    }
    return SC_OK;
}

static sc_err tell(const struct walk *w)
{
    const sc_sweep *told = w->told;

    if (told && told->on_progress && !told->on_progress(told->user, w->removed))
        return SC_ECANCELED;
    return SC_OK;
}

/* One turn of SCAN. */
static sc_err del_next(struct walk *w)
{
    sc_reply *reply = NULL;
    const sc_reply *keys;
    sc_slice next;
    size_t count;
    sc_err err;

    err = sc__op_cache_scan(w->cache->client, sc__str_slice(&w->cursor), w->pattern, &next, &keys,
                            &count, &reply, NULL);
    if (!err)
        err = del_found(w, keys, count);
    sc__cache_after(w->cache, err);
    if (!err) {
        sc__str_reset(&w->cursor);
        sc__str_append(&w->cursor, next);
        err = w->cursor.err;
    }
    sc_reply_free(reply);
    return err ? err : tell(w);
}

static sc_err del_in_redis(struct walk *w)
{
    sc_err err = sc__health_ask(&w->cache->health);

    sc__str_text(&w->cursor, "0");
    while (!err) {
        err = del_next(w);
        if (!err && sc_slice_eq(sc__str_slice(&w->cursor), SC_S("0")))
            break;
    }
    sc__str_release(&w->cursor);
    return err;
}

/* without a server */

static void del_if_it_matches(void *user, sc_slice key)
{
    struct walk *w = user;

    if (!sc__glob_matches(w->pattern, key))
        return;
    sc__flights_void(&w->cache->flights, key);
    w->removed += sc__alone_del(w->cache, key);
}

/* Loads that are under way come first: what they had stored before is found then. */
static sc_err del_here(struct walk *w)
{
    bool more = true;
    size_t at = 0;
    sc_err err = SC_OK;

    sc__flights_void_pattern(&w->cache->flights, w->pattern);
    while (more && !err) {
        more = sc__near_walk(w->cache->alone.near, &at, del_if_it_matches, w);
        err = tell(w);
    }
    return err;
}

/* both */

sc_err sc_cache_del_pattern(sc_cache *cache, sc_slice pattern, const sc_sweep *sweep,
                            int64_t *ret_removed)
{
    struct walk w = {cache, pattern, sweep, STR_MAX(64), 0};
    sc_err err;

    err = sc__cache_check(cache, pattern);
    if (err)
        return err;
    err = sc__is_alone(&cache->alone) ? del_here(&w) : del_in_redis(&w);
    atomic_fetch_add_explicit(&cache->count.deletes, (uint64_t)w.removed, memory_order_relaxed);
    if (!err && ret_removed)
        *ret_removed = w.removed;
    return err;
}
