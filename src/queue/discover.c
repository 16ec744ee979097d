/* Which queues there are under a prefix. */
#include <stdlib.h>

#include "base/arena.h"
#include "base/mem.h"
#include "id_list.h"
#include "ops/op_get.h"

enum { QUEUES_MAX = 100 * 1000, NAMES_BYTES_MAX = 64 * 1024 * 1024 };

/* Names as they are found. */
struct names {
    sc_slice *items;
    size_t count, cap;
    sc__arena arena;
};

static sc_err add_name(void *user, sc_slice name)
{
    struct names *n = user;
    char *copy;

    if (n->count == n->cap) {
        size_t cap = n->cap ? n->cap * 2 : 64;
        sc_slice *items = sc__realloc(n->items, cap * sizeof(*items));

        if (!items)
            return SC_ENOMEM;
        n->items = items;
        n->cap = cap;
    }
    if (n->count == QUEUES_MAX)
        return SC_ETOOBIG;
    copy = sc__arena_dup(&n->arena, name);
    if (!copy)
        return SC_ETOOBIG;
    n->items[n->count++] = (sc_slice){copy, name.len};
    return SC_OK;
}

static int compare(const void *a, const void *b)
{
    const sc_slice *x = a, *y = b;
    int order = memcmp(x->ptr, y->ptr, x->len < y->len ? x->len : y->len);

    return order ? order : (x->len > y->len) - (x->len < y->len);
}

/* SCAN may give a key twice. */
static void sort_unique(struct names *n)
{
    size_t kept = 0;

    if (n->count)
        qsort(n->items, n->count, sizeof(*n->items), compare);
    for (size_t i = 0; i < n->count; i++)
        if (!kept || !sc_slice_eq(n->items[i], n->items[kept - 1]))
            n->items[kept++] = n->items[i];
    n->count = kept;
}

sc_err sc_queue_discover(sc_client *client, sc_slice prefix, sc_id_list **ret_names)
{
    struct names n = {0};
    sc_err err;

    sc__arena_init(&n.arena, NAMES_BYTES_MAX);
    err = sc__op_discover(client, prefix.len ? prefix : SC_S("bull"), add_name, &n, NULL);
    if (!err) {
        sort_unique(&n);
        *ret_names = sc__id_list_new(n.items, n.count);
        err = *ret_names ? SC_OK : SC_ENOMEM;
    }
    sc_free(n.items);
    sc__arena_release(&n.arena);
    return err;
}
