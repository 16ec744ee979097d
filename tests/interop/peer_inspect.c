/* Commands of tests_peer that look closer at a queue. */
#include <storychain/inspect.h>

#include <stdlib.h>

#include "peer.h"

static json_t *text(sc_slice s)
{
    return json_stringn(s.ptr, s.len);
}

/* Ids of jobs of several states. */
static sc_err do_job_ids_of(struct peer *peer, const json_t *args, json_t **ret_result,
                            sc_reason *ret_reason)
{
    const json_t *names = json_object_get(args, "states");
    sc_job_state states[16];
    size_t count = json_array_size(names) < 16 ? json_array_size(names) : 16;
    sc_job_list *jobs;
    sc_queue *queue;
    sc_err err = peer_queue(peer, args, &queue, ret_reason);

    for (size_t i = 0; i < count; i++)
        states[i] = sc_job_state_of(sc_slice_of(json_string_value(json_array_get(names, i))));
    if (!err)
        err = sc_queue_get_jobs_of(queue, states, count, sc__json_int(args, "start", 0),
                                   sc__json_int(args, "end", -1), sc__json_bool(args, "asc", false),
                                   &jobs, ret_reason);
    if (err)
        return err;
    *ret_result = json_array();
    for (size_t i = 0; i < jobs->count; i++)
        json_array_append_new(*ret_result, text(jobs->jobs[i]->id));
    sc_job_list_free(jobs);
    return SC_OK;
}

static sc_err do_meta(struct peer *peer, const json_t *args, json_t **ret_result,
                      sc_reason *ret_reason)
{
    sc_queue_meta *m;
    sc_queue *queue;
    sc_err err = peer_queue(peer, args, &queue, ret_reason);

    if (!err)
        err = sc_queue_get_meta(queue, &m, ret_reason);
    if (err)
        return err;
    *ret_result = json_pack("{s:b, s:I, s:I, s:I, s:I, s:o}", "paused", m->paused, "concurrency",
                            (json_int_t)m->concurrency, "max", (json_int_t)m->max, "duration",
                            (json_int_t)m->duration_ms, "maxLenEvents", (json_int_t)m->max_events,
                            "version", text(m->version));
    for (size_t i = 0; i < m->other_count; i++)
        json_object_set_new(*ret_result, m->other_names[i].ptr, text(m->other_values[i]));
    sc_free(m);
    return SC_OK;
}

static sc_err do_metrics(struct peer *peer, const json_t *args, json_t **ret_result,
                         sc_reason *ret_reason)
{
    sc_metrics *m;
    json_t *points;
    sc_queue *queue;
    sc_err err = peer_queue(peer, args, &queue, ret_reason);

    if (!err)
        err = sc_queue_get_metrics(queue, sc_job_state_of(sc__json_text(args, "kind")),
                                   sc__json_int(args, "start", 0), sc__json_int(args, "end", -1),
                                   &m, ret_reason);
    if (err)
        return err;
    points = json_array();
    for (size_t i = 0; i < m->point_count; i++)
        json_array_append_new(points, json_integer(m->points[i]));
    *ret_result =
        json_pack("{s:{s:I, s:I, s:I}, s:o, s:I}", "meta", "count", (json_int_t)m->count, "prevTS",
                  (json_int_t)m->prev_ms, "prevCount", (json_int_t)m->prev_count, "data", points,
                  "count", (json_int_t)m->minutes);
    sc_free(m);
    return SC_OK;
}

static sc_err do_workers(struct peer *peer, const json_t *args, json_t **ret_result,
                         sc_reason *ret_reason)
{
    sc_worker_list *list;
    sc_queue *queue;
    sc_err err = peer_queue(peer, args, &queue, ret_reason);

    if (!err)
        err = sc_queue_get_workers(queue, &list, ret_reason);
    if (err)
        return err;
    *ret_result = json_array();
    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(*ret_result,
                              json_pack("{s:o, s:I}", "name", text(list->workers[i].name), "id",
                                        (json_int_t)list->workers[i].client_id));
    sc_free(list);
    return SC_OK;
}

/* With the labels of an object. */
static sc_err do_export_prometheus(struct peer *peer, const json_t *args, json_t **ret_result,
                                   sc_reason *ret_reason)
{
    sc_label labels[8];
    size_t count = 0;
    const char *name;
    json_t *value;
    char *out;
    sc_queue *queue;
    sc_err err = peer_queue(peer, args, &queue, ret_reason);

    json_object_foreach(json_object_get(args, "labels"), name, value) if (count < 8)
        labels[count++] = (sc_label){sc_slice_of(name), sc_slice_of(json_string_value(value))};
    if (!err)
        err = sc_queue_export_prometheus(queue, labels, count, &out, ret_reason);
    if (err)
        return err;
    *ret_result = json_string(out);
    sc_free(out);
    return SC_OK;
}

static sc_err do_count(struct peer *peer, const json_t *args, json_t **ret_result,
                       sc_reason *ret_reason)
{
    int64_t n, before = sc__json_int(args, "delayedBefore", -1);
    sc_queue *queue;
    sc_err err = peer_queue(peer, args, &queue, ret_reason);

    if (!err)
        err = before < 0 ? sc_queue_count(queue, &n, ret_reason)
                         : sc_queue_count_delayed(queue, before, &n, ret_reason);
    if (!err)
        *ret_result = json_integer(n);
    return err;
}

const struct peer_command peer_inspect_commands[] = {
    {"jobIdsOf", do_job_ids_of},
    {"meta", do_meta},
    {"metrics", do_metrics},
    {"workers", do_workers},
    {"exportPrometheus", do_export_prometheus},
    {"count", do_count},
    {NULL, NULL},
};
