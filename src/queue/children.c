/* The children of a queue's jobs: checks what the caller gives, and does it. */
#include <storychain/flow.h>

#include "base/error.h"
#include "ops/op_children.h"
#include "ops/op_detach.h"
#include "queue.h"

static sc_err check_id(sc_slice id, sc_reason *ret_reason)
{
    return id.len ? SC_OK : sc__because(ret_reason, SC_EINVAL, "the job id is empty");
}

sc_err sc_queue_get_dependencies(sc_queue *queue, sc_slice id, sc_child_kind kind, uint64_t from,
                                 int64_t count, sc_child_list **ret_children, sc_reason *ret_reason)
{
    sc_err err = check_id(id, ret_reason);

    return err ? err
               : sc__op_get_children(queue->client, &queue->keys, id, kind, from, count,
                                     ret_children, ret_reason);
}

static sc_err get_all(sc_queue *queue, sc_slice id, sc_child_kind kind,
                      sc_child_list **ret_children, sc_reason *ret_reason)
{
    sc_err err = check_id(id, ret_reason);

    return err ? err
               : sc__op_get_all_children(queue->client, &queue->keys, id, kind, ret_children,
                                         ret_reason);
}

sc_err sc_queue_get_children_values(sc_queue *queue, sc_slice id, sc_child_list **ret_children,
                                    sc_reason *ret_reason)
{
    return get_all(queue, id, SC_CHILD_PROCESSED, ret_children, ret_reason);
}

sc_err sc_queue_get_ignored_children_failures(sc_queue *queue, sc_slice id,
                                              sc_child_list **ret_children, sc_reason *ret_reason)
{
    return get_all(queue, id, SC_CHILD_IGNORED, ret_children, ret_reason);
}

sc_err sc_queue_remove_child_dependency(sc_queue *queue, sc_slice id, bool *ret_removed,
                                        sc_reason *ret_reason)
{
    bool removed = false;
    sc_err err = check_id(id, ret_reason);

    if (!err)
        err = sc__op_remove_child_dependency(queue->client, &queue->keys, id, &removed, ret_reason);
    if (!err && ret_removed)
        *ret_removed = removed;
    return err;
}

sc_err sc_queue_remove_unprocessed_children(sc_queue *queue, sc_slice id, sc_reason *ret_reason)
{
    sc_err err = check_id(id, ret_reason);

    return err ? err
               : sc__op_remove_unprocessed_children(queue->client, &queue->keys, id, ret_reason);
}
