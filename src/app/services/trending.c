#include "trending.h"

#include "base/clock.h"
#include "base/error.h"

#include "app/cache_keys.h"
#include "app/shapes.h"

enum {
    WINDOW_DAYS = 7,
    LIST_MAX = 100,
    TTL_MS = 65 * 60 * 1000, /* two refreshes, and a little for a late one */
    MEMORY_MAX = 8 * 1024 * 1024
};

static sc_err write_list(struct store *store, sc__str *out, int64_t *ret_count,
                         sc_reason *ret_reason)
{
    struct stories stories = {NULL, 0};
    sc__arena arena;
    sc_err err;

    sc__arena_init(&arena, MEMORY_MAX);
    err = store_story_trending(store, sc__wall_ms(), (int64_t)WINDOW_DAYS * 24 * 3600 * 1000,
                               LIST_MAX, &arena, &stories, ret_reason);
    if (!err)
        stories_shape(out, &stories);
    sc__arena_release(&arena);
    if (!err && out->err)
        err = sc__because(ret_reason, out->err, "the trending list: %s", sc_err_text(out->err));
    if (!err && ret_count)
        *ret_count = (int64_t)stories.count;
    return err;
}

static sc_err make_key(sc__str *key)
{
    return cache_key_build(key, CACHE_STORY, CACHE_LIST, NULL, 0, SC_S("trending"));
}

struct trending_load {
    struct store *store;
    sc_reason *reason;
};

static sc_err load_list(sc_cache_load *load, sc_slice key, void *user)
{
    const struct trending_load *request = user;
    AUTO_STR list = STR_MAX(MEMORY_MAX);
    sc_err err = write_list(request->store, &list, NULL, request->reason);

    (void)key;
    return err ? err : sc_cache_load_set(load, sc__str_slice(&list));
}

/* A change of a story does not remove it: it is a ranking of the last half hour. */
static const char *const tags[] = {"sc", "sc:story", "sc:story:list", NULL};
static const sc_cache_def trending = {
    .name = "sc:story:list:trending", .ttl_ms = TTL_MS, .tags = tags, .load = load_list};

sc_err trending_refresh(const struct catalog *catalog, int64_t *ret_count, sc_reason *ret_reason)
{
    AUTO_STR key = CACHE_KEY;
    AUTO_STR list = STR_MAX(MEMORY_MAX);
    int64_t count;
    sc_err err = make_key(&key);

    if (!err)
        err = write_list(catalog->store, &list, &count, ret_reason);
    if (err)
        return err;
    err = sc_cache_store(catalog->cache, &trending, sc__str_slice(&key), sc__str_slice(&list));
    if (err)
        return sc__because(ret_reason, err, "the trending list could not be cached: %s",
                           sc_err_text(err));
    *ret_count = count;
    return SC_OK;
}

sc_err trending_list_json(const struct catalog *catalog, sc_cache_value *ret_json,
                          sc_reason *ret_reason)
{
    struct trending_load request = {catalog->store, ret_reason};
    AUTO_STR key = CACHE_KEY;
    sc_err err = make_key(&key);

    if (err)
        return err;
    return sc_cache_fetch(catalog->cache, &trending, sc__str_slice(&key), &request, ret_json);
}
