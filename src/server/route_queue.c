/* Queues: what the dashboard shows and steers. */
#include <storychain/queue.h>

#include "app/app.h"
#include "app/job_shapes.h"
#include "app/queues.h"
#include "base/error.h"
#include "handlers.h"
#include "queue_index.h"
#include "request.h"

sc_err redis_needed(const struct request *request, sc_reason *ret_reason)
{
    if (sc_client_is_connected(request->shared->app->client))
        return SC_OK;
    return sc__because(ret_reason, SC_ECONNECT,
                       "Redis can't be reached now; the server keeps trying to connect");
}

/* The queue that the path names. */
sc_err request_queue(struct request *request, sc_queue **ret_queue, sc_reason *ret_reason)
{
    sc_err err = redis_needed(request, ret_reason);

    if (err)
        return err;
    return queue_index_get(request->shared->queues, request_param(request, "queue"), ret_queue,
                           ret_reason);
}

static json_t *worker_shape(struct app *app, sc_slice name)
{
    sc_worker_stats stats;
    enum queue_id id;

    if (!queue_id_of(name, &id) || !queues_worker_stats(app->queues, id, &stats))
        return json_null();
    return json_pack("{s:i, s:i, s:I, s:I, s:I, s:I}", "running", stats.running, "concurrency",
                     queue_rule_of(id)->concurrency, "completed", (json_int_t)stats.completed,
                     "failed", (json_int_t)stats.failed, "retried", (json_int_t)stats.retried,
                     "stalled", (json_int_t)stats.stalled);
}

static sc_err queue_row(struct app *app, sc_queue *queue, json_t **ret_row)
{
    sc_queue_counts counts;
    sc_err err = sc_queue_get_counts(queue, &counts);
    json_t *row;

    if (err)
        return err;
    row = queue_shape(sc_queue_name(queue), &counts);
    if (!row)
        return SC_ENOMEM;
    json_object_set_new(row, "worker", worker_shape(app, sc_queue_name(queue)));
    *ret_row = row;
    return SC_OK;
}

sc_err route_queues(struct request *request, sc_reason *ret_reason)
{
    AUTO_JSON *rows = json_array();
    struct queue_list list;
    sc_err err = redis_needed(request, ret_reason);

    if (!err)
        err = queue_index_list(request->shared->queues, &request->arena, &list);
    for (size_t i = 0; !err && i < list.count; i++) {
        json_t *row;

        err = queue_row(request->shared->app, list.items[i], &row);
        if (!err)
            json_array_append_new(rows, row);
    }
    return err ? err : answer_value(request, 200, json_pack("{s:O}", "queues", rows));
}

static sc_err answer_queue(struct request *request, sc_queue *queue)
{
    json_t *row;
    sc_err err = queue_row(request->shared->app, queue, &row);

    return err ? err : answer_value(request, 200, row);
}

sc_err route_queue(struct request *request, sc_reason *ret_reason)
{
    sc_queue *queue;
    sc_err err = request_queue(request, &queue, ret_reason);

    return err ? err : answer_queue(request, queue);
}

static sc_err steer_queue(struct request *request, sc_err (*act)(sc_queue *), sc_reason *ret_reason)
{
    sc_queue *queue;
    sc_err err = request_queue(request, &queue, ret_reason);

    if (!err)
        err = act(queue);
    return err ? err : answer_queue(request, queue);
}

sc_err route_queue_pause(struct request *request, sc_reason *ret_reason)
{
    return steer_queue(request, sc_queue_pause, ret_reason);
}

sc_err route_queue_resume(struct request *request, sc_reason *ret_reason)
{
    return steer_queue(request, sc_queue_resume, ret_reason);
}
