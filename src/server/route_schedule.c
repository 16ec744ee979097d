/* Schedules: what runs when, and how it went last time. */
#include <storychain/scheduler.h>

#include "app/app.h"
#include "app/job_shapes.h"
#include "app/store/store.h"
#include "handlers.h"
#include "queue_index.h"
#include "request.h"

enum { SCHEDULES_MAX = 200 };

static json_t *last_run(struct request *request, sc_slice job)
{
    struct job_runs runs = {NULL, 0};
    const struct job_run *run;

    if (store_job_run_list(request->shared->app->store, job, 1, &request->arena, &runs, NULL) ||
        !runs.count)
        return json_null();
    run = &runs.items[0];
    return json_pack("{s:b, s:o, s:I, s:I}", "ok", run->ok, "result", value_shape(run->result),
                     "finishedMs", (json_int_t)run->finished_ms, "tookMs",
                     (json_int_t)(run->finished_ms - run->started_ms));
}

static sc_err append(struct request *request, sc_queue *queue, json_t *rows)
{
    sc_scheduler_list *list;
    sc_err err = sc_scheduler_list_get(queue, 0, SCHEDULES_MAX - 1, &list);

    if (err)
        return err;
    for (size_t i = 0; i < list->count; i++) {
        json_t *row = schedule_shape(&list->items[i]);

        json_object_set_new(row, "queue", text_shape(sc_queue_name(queue)));
        json_object_set_new(row, "lastRun", last_run(request, list->items[i].id));
        json_array_append_new(rows, row);
    }
    sc_scheduler_list_free(list);
    return SC_OK;
}

sc_err route_schedules(struct request *request, sc_reason *ret_reason)
{
    AUTO_JSON *rows = json_array();
    struct queue_list list = {NULL, 0};
    sc_err err = redis_needed(request, ret_reason);

    if (!err)
        err = queue_index_list(request->shared->queues, &request->arena, &list);
    for (size_t i = 0; !err && i < list.count && json_array_size(rows) < SCHEDULES_MAX; i++)
        err = append(request, list.items[i], rows);
    return err ? err : answer_value(request, 200, json_pack("{s:O}", "schedules", rows));
}
