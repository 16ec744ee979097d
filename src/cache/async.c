/* Calls that don't wait: the plain call on a thread of the cache's own, then the callback on its I/O thread. */
#include "base/mem.h"
#include "handle.h"
#include "load.h"

struct async {
    sc__work work; /* first: work of the pool is turned into its call */
    sc__task task;
    sc_cache *cache;
    const sc_cache_def *def; /* NULL: a get */
    void *loader_user;
    sc_cache_cb cb;
    void *user;
    sc_err err;
    sc_cache_value value;
    size_t key_len;
    char key[];
};

static void call_back(sc__task *task)
{
    struct async *a = (struct async *)((char *)task - offsetof(struct async, task));

    a->cb(a->user, a->err, &a->value);
    sc_cache_value_release(&a->value);
    sc_free(a);
}

static void run(sc__work *work)
{
    struct async *a = (struct async *)work;
    const sc_slice key = {a->key, a->key_len};

    a->err = a->def ? sc_cache_fetch(a->cache, a->def, key, a->loader_user, &a->value)
                    : sc_cache_get(a->cache, key, &a->value);
    if (a->def && a->def->keep && a->def->drop && a->loader_user)
        a->def->drop(a->loader_user);
    a->task.run = call_back;
    sc__loop_post(sc__cache_loop(a->cache), &a->task);
}

/* NULL without memory. */
static struct async *new_call(sc_cache *cache, const sc_cache_def *def, sc_slice key,
                              void *loader_user)
{
    struct async *a = sc__calloc(1, sizeof(*a) + key.len);

    if (!a)
        return NULL;
    a->loader_user = loader_user;
    if (def && def->keep && loader_user) {
        a->loader_user = def->keep(loader_user);
        if (!a->loader_user) {
            sc_free(a);
            return NULL;
        }
    }
    a->cache = cache;
    a->def = def;
    a->work.run = run;
    a->key_len = key.len;
    memcpy(a->key, key.ptr, key.len);
    return a;
}

static sc_err submit(sc_cache *cache, const sc_cache_def *def, sc_slice key, void *loader_user,
                     sc_cache_cb cb, void *user)
{
    struct async *a = new_call(cache, def, key, loader_user);

    if (!a)
        return SC_ENOMEM;
    a->cb = cb;
    a->user = user;
    sc__pool_submit(cache->callers, &a->work);
    return SC_OK;
}

sc_err sc_cache_get_async(sc_cache *cache, sc_slice key, sc_cache_cb cb, void *user)
{
    if (!key.len)
        return SC_EINVAL;
    return key.len > cache->opts.max_key_size ? SC_ETOOBIG
                                              : submit(cache, NULL, key, NULL, cb, user);
}

sc_err sc_cache_fetch_async(sc_cache *cache, const sc_cache_def *def, sc_slice key,
                            void *loader_user, sc_cache_cb cb, void *user)
{
    if (!key.len || sc__def_check(def) || (!def->load && !def->load_many))
        return SC_EINVAL;
    return submit(cache, def, key, loader_user, cb, user);
}
