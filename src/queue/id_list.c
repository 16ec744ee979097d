#include "id_list.h"

#include "base/mem.h"

sc_id_list *sc__id_list_new(const sc_slice *texts, size_t count)
{
    size_t size = sizeof(sc_id_list) + count * sizeof(sc_slice);
    sc_id_list *list;
    sc_slice *slices;
    char *at;

    for (size_t i = 0; i < count; i++)
        size += texts[i].len + 1;
    list = sc__malloc(size);
    if (!list)
        return NULL;
    slices = (sc_slice *)(list + 1);
    at = (char *)(slices + count);
    for (size_t i = 0; i < count; i++)
        slices[i] = sc__put_text(&at, texts[i]);
    *list = (sc_id_list){count, slices};
    return list;
}

void sc_id_list_free(sc_id_list *list)
{
    sc_free(list);
}
