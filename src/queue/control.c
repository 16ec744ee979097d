/* Steering a queue and single jobs. */
#include <storychain/control.h>

#include "ops/op_control.h"
#include "queue.h"

sc_err sc_queue_pause(sc_queue *queue)
{
    return sc__op_pause(queue->client, &queue->keys, NULL);
}

sc_err sc_queue_resume(sc_queue *queue)
{
    return sc__op_resume(queue->client, &queue->keys, NULL);
}

sc_err sc_queue_is_paused(sc_queue *queue, bool *ret_paused)
{
    return sc__op_is_paused(queue->client, &queue->keys, ret_paused, NULL);
}

sc_err sc_queue_remove(sc_queue *queue, sc_slice id)
{
    return id.len ? sc__op_remove(queue->client, &queue->keys, id, NULL) : SC_EINVAL;
}

sc_err sc_queue_retry(sc_queue *queue, sc_slice id)
{
    return sc_queue_retry_with(queue, id, &(sc_retry_opts){0}, NULL);
}

sc_err sc_queue_promote(sc_queue *queue, sc_slice id)
{
    return id.len ? sc__op_promote(queue->client, &queue->keys, id, NULL) : SC_EINVAL;
}
