#include "loads.h"

static size_t find(const sc__loads *l, const sc_slice *text)
{
    size_t i = 0;

    while (i < l->count && l->items[i].text != text)
        i++;
    return i;
}

void sc__loads_planned(sc__loads *l, const sc_slice *text)
{
    size_t i = find(l, text);

    if (i == SC__LOADS_MAX)
        return;
    if (i == l->count)
        l->count++;
    l->items[i].text = text;
    l->items[i].order = UINT64_MAX; /* later than all that is written */
}

void sc__loads_written(sc__loads *l, const sc_slice *text, uint64_t order)
{
    size_t i = find(l, text);

    if (i < l->count)
        l->items[i].order = order;
}

void sc__loads_dropped(sc__loads *l, const sc_slice *text)
{
    size_t i = find(l, text);

    if (i < l->count)
        l->items[i] = l->items[--l->count];
}

bool sc__loads_cover(const sc__loads *l, const sc_slice *text, uint64_t order)
{
    size_t i = find(l, text);

    return i < l->count && l->items[i].order > order;
}
