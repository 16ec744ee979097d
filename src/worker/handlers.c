#include "handlers.h"

#include "base/mem.h"

struct sc__handler {
    struct sc__handler *next;
    sc__handler_def def;
    size_t name_len;
    char name[];
};

void sc__handlers_init(sc__handlers *handlers)
{
    pthread_rwlock_init(&handlers->lock, NULL);
    handlers->first = NULL;
    atomic_init(&handlers->has_batches, false);
}

void sc__handlers_release(sc__handlers *handlers)
{
    struct sc__handler *h = handlers->first;

    while (h) {
        struct sc__handler *next = h->next;

        sc_free(h);
        h = next;
    }
    handlers->first = NULL;
    pthread_rwlock_destroy(&handlers->lock);
}

static struct sc__handler *find(const sc__handlers *handlers, sc_slice name)
{
    for (struct sc__handler *h = handlers->first; h; h = h->next)
        if (sc_slice_eq((sc_slice){h->name, h->name_len}, name))
            return h;
    return NULL;
}

sc_err sc__handlers_set(sc__handlers *handlers, sc_slice name, const sc__handler_def *def)
{
    struct sc__handler *added = sc__malloc(sizeof(*added) + name.len), *h;

    if (!added)
        return SC_ENOMEM;
    *added = (struct sc__handler){.def = *def, .name_len = name.len};
    if (name.len)
        memcpy(added->name, name.ptr, name.len);
    if (def->batch)
        atomic_store(&handlers->has_batches, true);
    pthread_rwlock_wrlock(&handlers->lock);
    h = find(handlers, name);
    if (h) {
        h->def = *def;
    } else {
        added->next = handlers->first;
        handlers->first = added;
        added = NULL;
    }
    pthread_rwlock_unlock(&handlers->lock);
    sc_free(added);
    return SC_OK;
}

bool sc__handlers_find(sc__handlers *handlers, sc_slice name, sc__handler_def *ret_def)
{
    struct sc__handler *h;

    pthread_rwlock_rdlock(&handlers->lock);
    h = find(handlers, name);
    if (!h && name.len)
        h = find(handlers, SC_S(""));
    if (h) {
        *ret_def = h->def;
        ret_def->key = h;
    }
    pthread_rwlock_unlock(&handlers->lock);
    return h;
}
