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
    return sc_queue_remove_with(queue, id, &(sc_remove_opts){0}, NULL);
}

sc_err sc_queue_retry(sc_queue *queue, sc_slice id)
{
    return sc_queue_retry_with(queue, id, &(sc_retry_opts){0}, NULL);
}

sc_err sc_queue_promote(sc_queue *queue, sc_slice id)
{
    return id.len ? sc__op_promote(queue->client, &queue->keys, id, NULL) : SC_EINVAL;
}

sc_err sc_queue_get_dedup_job(sc_queue *queue, sc_slice dedup_id, char **ret_job_id)
{
    if (!dedup_id.len)
        return SC_EINVAL;
    return sc__op_get_dedup_job(queue->client, &queue->keys, dedup_id, ret_job_id, NULL);
}

sc_err sc_queue_remove_dedup(sc_queue *queue, sc_slice dedup_id, sc_slice owner, bool *ret_freed)
{
    bool freed = false;
    sc_err err;

    if (!dedup_id.len)
        return SC_EINVAL;
    err = sc__op_remove_dedup(queue->client, &queue->keys, dedup_id, owner, &freed, NULL);
    if (!err && ret_freed)
        *ret_freed = freed;
    return err;
}
