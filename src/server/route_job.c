/* Jobs: the newest of a queue or of all, and one with all it has. */
#include <storychain/control.h>

#include "app/job_shapes.h"
#include "base/error.h"
#include "handlers.h"
#include "queue_index.h"
#include "request.h"

enum { LIST_DEFAULT = 20, LIST_MAX = 200, LOGS_MAX = 1000, REASON_MAX = 300, RECENT_QUEUES = 32 };

/* A job's head: what a list shows. Payloads stay out, whatever their size. */
static json_t *job_row(const sc_job *job, sc_job_state state, sc_slice queue)
{
    sc_job head = *job;
    json_t *row;

    head.data = head.opts = head.return_value = head.stacktrace = (sc_slice){NULL, 0};
    if (head.failed_reason.len > REASON_MAX)
        head.failed_reason.len = REASON_MAX;
    row = job_shape(&head, state);
    if (!row)
        return NULL;
    json_object_del(row, "data");
    json_object_del(row, "opts");
    json_object_del(row, "returnValue");
    json_object_del(row, "stacktrace");
    json_object_set_new(row, "queue", text_shape(queue));
    return row;
}

static int64_t date_of(const sc_job *job)
{
    if (job->finished_ms)
        return job->finished_ms;
    return job->processed_ms ? job->processed_ms : job->timestamp_ms;
}

/* Rows by date, newest first, at most `max`. */
struct rows {
    json_t *array;
    int64_t dates[LIST_MAX];
    size_t max;
};

static void rows_insert(struct rows *rows, json_t *row, int64_t date)
{
    size_t at = json_array_size(rows->array), last = at;

    while (at > 0 && rows->dates[at - 1] < date)
        at--;
    if (at == rows->max || json_array_insert_new(rows->array, at, json_incref(row)))
        return;
    if (last == rows->max)
        json_array_remove(rows->array, last--);
    memmove(&rows->dates[at + 1], &rows->dates[at], (last - at) * sizeof(rows->dates[0]));
    rows->dates[at] = date;
}

/* Adds a queue's newest jobs of a state. */
static sc_err collect(struct rows *rows, sc_queue *queue, sc_job_state state)
{
    sc_job_list *list;
    sc_err err = sc_queue_get_jobs(queue, state, 0, (int64_t)rows->max - 1, false, &list);

    if (err)
        return err;
    for (size_t i = 0; i < list->count; i++) {
        AUTO_JSON *row = job_row(list->jobs[i], state, sc_queue_name(queue));

        if (row)
            rows_insert(rows, row, date_of(list->jobs[i]));
    }
    sc_job_list_free(list);
    return SC_OK;
}

/* `states`: a bit for each. */
static sc_err collect_states(struct rows *rows, sc_queue *queue, unsigned states)
{
    sc_err err = SC_OK;

    for (int s = 0; !err && s < SC_JOB_UNKNOWN; s++)
        if (states & (1u << s))
            err = collect(rows, queue, (sc_job_state)s);
    return err;
}

/* "waiting,prioritized"; all when absent. */
static sc_err read_states(sc_slice names, unsigned *ret_states, sc_reason *ret_reason)
{
    unsigned states = names.len ? 0 : (1u << SC_JOB_UNKNOWN) - 1;

    while (names.len) {
        const char *comma = memchr(names.ptr, ',', names.len);
        size_t len = comma ? (size_t)(comma - names.ptr) : names.len;
        sc_job_state state = sc_job_state_of((sc_slice){names.ptr, len});

        if (state == SC_JOB_UNKNOWN)
            return sc__because(ret_reason, SC_EINVAL,
                               "\"%.*s\" is not a state of jobs: waiting, active, delayed, "
                               "prioritized, waiting-children, completed, failed",
                               (int)(len < 40 ? len : 40), names.ptr);
        states |= 1u << state;
        names.ptr += len + (comma != NULL);
        names.len -= len + (comma != NULL);
    }
    *ret_states = states;
    return SC_OK;
}

static sc_err read_list_query(struct request *request, struct rows *rows, unsigned *ret_states,
                              sc_reason *ret_reason)
{
    int64_t limit;
    sc_slice names;
    sc_err err = request_query(request, "state", &names, ret_reason);

    if (!err)
        err = read_states(names, ret_states, ret_reason);
    if (!err)
        err = request_query_int(request, "limit", LIST_DEFAULT, 1, LIST_MAX, &limit, ret_reason);
    if (err)
        return err;
    rows->max = (size_t)limit;
    rows->array = json_array();
    return rows->array ? SC_OK : SC_ENOMEM;
}

sc_err route_queue_jobs(struct request *request, sc_reason *ret_reason)
{
    struct rows rows = {0};
    unsigned states = 0;
    sc_queue *queue;
    sc_err err = request_queue(request, &queue, ret_reason);

    if (!err)
        err = read_list_query(request, &rows, &states, ret_reason);
    if (!err)
        err = collect_states(&rows, queue, states);
    if (!err)
        return answer_value(request, 200, json_pack("{s:o}", "jobs", rows.array));
    json_decref(rows.array);
    return err;
}

sc_err route_jobs(struct request *request, sc_reason *ret_reason)
{
    struct queue_list list = {NULL, 0};
    struct rows rows = {0};
    unsigned states = 0;
    sc_err err = redis_needed(request, ret_reason);

    if (!err)
        err = read_list_query(request, &rows, &states, ret_reason);
    if (!err)
        err = queue_index_list(request->shared->queues, &request->arena, &list);
    for (size_t i = 0; !err && i < list.count && i < RECENT_QUEUES; i++)
        err = collect_states(&rows, list.items[i], states);
    if (!err)
        return answer_value(request, 200, json_pack("{s:o}", "jobs", rows.array));
    json_decref(rows.array);
    return err;
}

/* ---- One job ---- */

/* The first LOGS_MAX rows of its log. */
static sc_err set_logs(json_t *shape, sc_queue *queue, sc_slice id)
{
    json_t *rows = json_array();
    sc_id_list *list;
    sc_err err = sc_queue_get_logs(queue, id, 0, LOGS_MAX - 1, &list);

    for (size_t i = 0; !err && i < list->count; i++)
        json_array_append_new(rows, text_shape(list->ids[i]));
    if (!err)
        sc_id_list_free(list);
    json_object_set_new(shape, "logs", rows);
    return err;
}

sc_err route_job(struct request *request, sc_reason *ret_reason)
{
    sc_slice id = request_param(request, "id");
    sc_job_state state = SC_JOB_UNKNOWN;
    sc_queue *queue;
    json_t *shape;
    sc_job *job;
    sc_err err = request_queue(request, &queue, ret_reason);

    if (!err)
        err = sc_queue_get_job(queue, id, &job);
    if (err)
        return err;
    err = sc_queue_get_state(queue, id, &state);
    shape = err ? NULL : job_shape(job, state);
    sc_job_free(job);
    if (!shape)
        return err ? err : SC_ENOMEM;
    json_object_set_new(shape, "queue", text_shape(sc_queue_name(queue)));
    err = set_logs(shape, queue, id);
    if (!err)
        return answer_value(request, 200, shape);
    json_decref(shape);
    return err;
}

static sc_err blame_state(sc_err err, const char *done, sc_reason *ret_reason)
{
    switch (err) {
    case SC_EJOBSTATE:
        return sc__because(ret_reason, err, "the job is not in a state in which it can be %s",
                           done);
    case SC_ELOCKLOST:
        return sc__because(ret_reason, err, "a worker runs this job now, so it can't be %s", done);
    case SC_ESCHEDULED:
        return sc__because(ret_reason, err,
                           "this is the next run of a schedule: it can't be %s by itself", done);
    default:
        return err;
    }
}

static sc_err steer_job(struct request *request, sc_err (*act)(sc_queue *, sc_slice),
                        const char *done, sc_reason *ret_reason)
{
    sc_queue *queue;
    sc_err err = request_queue(request, &queue, ret_reason);

    if (!err)
        err = blame_state(act(queue, request_param(request, "id")), done, ret_reason);
    return err ? err : answer_json_copy(request, 200, SC_S("{\"ok\":true}\n"));
}

sc_err route_job_retry(struct request *request, sc_reason *ret_reason)
{
    return steer_job(request, sc_queue_retry, "retried", ret_reason);
}

sc_err route_job_promote(struct request *request, sc_reason *ret_reason)
{
    return steer_job(request, sc_queue_promote, "promoted", ret_reason);
}

sc_err route_job_remove(struct request *request, sc_reason *ret_reason)
{
    return steer_job(request, sc_queue_remove, "removed", ret_reason);
}

static sc_err cancel_job(struct request *request, sc_queue *queue, sc_slice reason,
                         sc_reason *ret_reason)
{
    sc_cancel_result result;
    sc_err err = sc_queue_cancel(queue, request_param(request, "id"), reason, &result, ret_reason);

    if (err)
        return blame_state(err, "cancelled", ret_reason);
    return answer_value(request, 200,
                        json_pack("{s:b, s:s}", "ok", 1, "result", sc_cancel_result_name(result)));
}

sc_err route_job_cancel(struct request *request, sc_reason *ret_reason)
{
    sc_slice reason = {NULL, 0};
    AUTO_JSON *body = NULL;
    sc_queue *queue;
    sc_err err = request_queue(request, &queue, ret_reason);

    if (!err && request->body.len)
        err = request_json(request, &body, ret_reason);
    if (!err && body)
        err = request_text(body, "reason", &reason, ret_reason);
    if (err)
        return err;
    return request_blame_body(request, cancel_job(request, queue, reason, ret_reason));
}
