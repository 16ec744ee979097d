/* Reading schedulers. */
#include <storychain/scheduler.h>

#include "base/mem.h"
#include "guarded.h"
#include "ops/op_scheduler.h"
#include "ops/queue_handle.h"

enum { LIST_MAX = 1000 };

/* The list as it is handed out, and what holds its texts. */
struct list {
    sc_scheduler_list list;
    sc__arena arena;
    sc_scheduler_info items[];
};

/* Positions may count from the end (-1: the last); the list has at most LIST_MAX. */
static void clip(int64_t *start, int64_t *end)
{
    if (*start < 0)
        *start = 0;
    if (*end < 0 || *end - *start >= LIST_MAX)
        *end = *start + LIST_MAX - 1;
}

sc_err sc_scheduler_list_get(sc_queue *queue, int64_t start, int64_t end,
                             sc_scheduler_list **ret_list)
{
    struct list *l;
    sc_err err;

    if (sc__scheduler_may_not_wait(queue))
        return SC_EDEADLK;
    if (start > INT64_MAX - LIST_MAX)
        return SC_EINVAL;
    clip(&start, &end);
    if (end < start)
        end = start - 1;
    l = sc__calloc(1, sizeof(*l) + (size_t)(end - start + 1) * sizeof(*l->items));
    if (!l)
        return SC_ENOMEM;
    sc__arena_init(&l->arena, SIZE_MAX / 4);
    l->list.items = l->items;
    err = sc__op_scheduler_list(sc__queue_client(queue), sc__queue_names(queue), start, end,
                                &l->arena, l->items, &l->list.count, NULL);
    if (err) {
        sc_scheduler_list_free(&l->list);
        return err;
    }
    *ret_list = &l->list;
    return SC_OK;
}

void sc_scheduler_list_free(sc_scheduler_list *list)
{
    struct list *l = (struct list *)list;

    if (!l)
        return;
    sc__arena_release(&l->arena);
    sc_free(l);
}

sc_err sc_scheduler_get(sc_queue *queue, sc_slice scheduler_id, sc_scheduler_list **ret_list)
{
    sc__scheduler_state state;
    struct list *l;
    sc_err err;

    if (sc__scheduler_may_not_wait(queue))
        return SC_EDEADLK;
    l = sc__calloc(1, sizeof(*l) + sizeof(*l->items));
    if (!l)
        return SC_ENOMEM;
    sc__arena_init(&l->arena, SIZE_MAX / 4);
    l->list.items = l->items;
    err = sc__op_scheduler_get(sc__queue_client(queue), sc__queue_names(queue), scheduler_id,
                               &l->arena, &state, NULL);
    if (!err && !state.exists)
        err = SC_ENOTFOUND;
    if (err) {
        sc_scheduler_list_free(&l->list);
        return err;
    }
    l->items[0] = state.info;
    l->list.count = 1;
    *ret_list = &l->list;
    return SC_OK;
}
