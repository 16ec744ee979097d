#include "id_set.h"

#include <stdlib.h>

#include "base/mem.h"

enum { BYTES_MAX = 64 * 1024 * 1024 };

void sc__id_set_init(sc__id_set *set, size_t max)
{
    *set = (sc__id_set){.max = max};
    sc__arena_init(&set->arena, BYTES_MAX);
}

void sc__id_set_release(sc__id_set *set)
{
    sc_free(set->items);
    sc__arena_release(&set->arena);
}

void sc__id_set_clear(sc__id_set *set)
{
    set->count = 0;
    sc__arena_reset(&set->arena);
}

sc_err sc__id_set_add(sc__id_set *set, sc_slice text)
{
    char *copy;

    if (set->count == set->cap) {
        size_t cap = set->cap ? set->cap * 2 : 64;
        sc_slice *items = sc__realloc(set->items, cap * sizeof(*items));

        if (!items)
            return SC_ENOMEM;
        set->items = items;
        set->cap = cap;
    }
    if (set->count == set->max)
        return SC_ETOOBIG;
    copy = sc__arena_dup(&set->arena, text);
    if (!copy)
        return SC_ETOOBIG;
    set->items[set->count++] = (sc_slice){copy, text.len};
    return SC_OK;
}

static int compare(const void *a, const void *b)
{
    const sc_slice *x = a, *y = b;
    int order = memcmp(x->ptr, y->ptr, x->len < y->len ? x->len : y->len);

    return order ? order : (x->len > y->len) - (x->len < y->len);
}

void sc__id_set_sort(sc__id_set *set)
{
    size_t kept = 0;

    if (set->count)
        qsort(set->items, set->count, sizeof(*set->items), compare);
    for (size_t i = 0; i < set->count; i++)
        if (!kept || !sc_slice_eq(set->items[i], set->items[kept - 1]))
            set->items[kept++] = set->items[i];
    set->count = kept;
}

bool sc__id_set_has(const sc__id_set *set, sc_slice text)
{
    return set->count && bsearch(&text, set->items, set->count, sizeof(text), compare);
}
