/* Queue commands of tests_peer. Jobs are given as {"name","data","opts"} with BullMQ's long option names. */
#include <storychain/control.h>

#include <stdlib.h>

#include "peer.h"

#include "base/error.h"
#include "base/mem.h"

sc_err peer_queue(struct peer *peer, const json_t *args, sc_queue **ret_queue,
                  sc_reason *ret_reason)
{
    const json_t *defaults = json_object_get(args, "defaultJobOptions");
    sc_job_opts default_opts = peer_job_opts(defaults);
    sc_queue_opts opts = {.repeat_strategy = &peer_strategy,
                          .prefix = sc__json_text(args, "prefix"),
                          .max_events = sc__json_int(args, "maxEvents", 0),
                          .skip_meta = sc__json_bool(args, "skipMetasUpdate", false),
                          .default_opts = defaults ? &default_opts : NULL};
    sc_slice prefix = opts.prefix.len ? opts.prefix : SC_S("bull");
    sc_slice name = sc__json_text(args, "queue");
    sc_err err;

    for (size_t i = 0; i < peer->queue_count; i++)
        if (sc_slice_eq(sc_queue_name(peer->queues[i]), name) &&
            sc_slice_eq(sc_queue_prefix(peer->queues[i]), prefix)) {
            *ret_queue = peer->queues[i];
            return SC_OK;
        }
    if (peer->queue_count == sizeof(peer->queues) / sizeof(*peer->queues))
        return sc__because(ret_reason, SC_EOVERLOAD, "too many queues");
    err = sc_queue_new(peer->client, name, &opts, ret_queue, ret_reason);
    if (!err)
        peer->queues[peer->queue_count++] = *ret_queue;
    return err;
}

static sc_backoff read_backoff(const json_t *value)
{
    sc_backoff b = {.delay_ms = sc__json_int(value, "delay", 0),
                    .jitter = json_number_value(json_object_get(value, "jitter"))};
    sc_slice type = sc__json_text(value, "type");

    if (sc_slice_eq(type, SC_S("fixed")))
        b.kind = SC_BACKOFF_FIXED;
    else if (sc_slice_eq(type, SC_S("exponential")))
        b.kind = SC_BACKOFF_EXPONENTIAL;
    else if (type.len)
        b.kind = SC_BACKOFF_CUSTOM;
    b.custom = type;
    return b;
}

static sc_keep read_keep(const json_t *value)
{
    if (json_is_boolean(value))
        return (sc_keep){.kind = json_is_true(value) ? SC_KEEP_NONE : SC_KEEP_ALL};
    if (!json_is_object(value))
        return (sc_keep){.kind = SC_KEEP_DEFAULT};
    return (sc_keep){.kind = SC_KEEP_SOME,
                     .count = sc__json_int(value, "count", -1),
                     .age_s = sc__json_int(value, "age", -1),
                     .limit = sc__json_int(value, "limit", 0)};
}

static sc_on_failure read_on_failure(const json_t *object)
{
    if (sc__json_bool(object, "failParentOnFailure", false))
        return SC_ON_FAILURE_FAIL;
    if (sc__json_bool(object, "continueParentOnFailure", false))
        return SC_ON_FAILURE_CONTINUE;
    if (sc__json_bool(object, "ignoreDependencyOnFailure", false))
        return SC_ON_FAILURE_IGNORE;
    return sc__json_bool(object, "removeDependencyOnFailure", false) ? SC_ON_FAILURE_REMOVE
                                                                     : SC_ON_FAILURE_NONE;
}

sc_job_opts peer_job_opts(const json_t *object)
{
    const json_t *parent = json_object_get(object, "parent");
    const json_t *traces = json_object_get(object, "stackTraceLimit");
    const json_t *dedup = json_object_get(object, "deduplication");
    sc_job_opts opts = {
        .id = sc__json_text(object, "jobId"),
        .delay_ms = sc__json_int(object, "delay", 0),
        .priority = sc__json_int(object, "priority", 0),
        .attempts = sc__json_int(object, "attempts", 0),
        .backoff = read_backoff(json_object_get(object, "backoff")),
        .lifo = sc__json_bool(object, "lifo", false),
        .timestamp_ms = sc__json_int(object, "timestamp", 0),
        .keep_completed = read_keep(json_object_get(object, "removeOnComplete")),
        .keep_failed = read_keep(json_object_get(object, "removeOnFail")),
        .keep_logs = sc__json_int(object, "keepLogs", 0),
        .size_limit = sc__json_int(object, "sizeLimit", 0),
        .parent = {sc__json_text(parent, "id"), sc__json_text(parent, "queue")},
        .on_failure = read_on_failure(object),
        .extra = sc__json_text(object, "extra"),
        .expires_at_ms = sc__json_int(object, "expiresAt", 0),
        .start_within_ms = sc__json_int(object, "startWithin", 0),
        .soft_timeout_ms = sc__json_int(object, "softTimeout", 0),
        .hard_timeout_ms = sc__json_int(object, "hardTimeout", 0),
    };

    if (dedup)
        opts.dedup =
            (sc_dedup){.id = sc__json_text(dedup, "id"),
                       .ttl_ms = sc__json_int(dedup, "ttl", 0),
                       .extend = sc__json_bool(dedup, "extend", false),
                       .replace = sc__json_bool(dedup, "replace", false),
                       .reschedule = sc__json_bool(dedup, "reschedule", false),
                       .keep_last_if_active = sc__json_bool(dedup, "keepLastIfActive", false)};
    if (json_is_integer(traces))
        opts.stack_trace_limit = json_integer_value(traces) ? json_integer_value(traces) : -1;
    return opts;
}

static json_t *text(sc_slice s)
{
    json_t *value = s.ptr ? json_stringn(s.ptr, s.len) : NULL;

    return value ? value : json_null();
}

/* JSON text as a value; a plain text when it is none. */
static json_t *parsed(sc_slice s)
{
    json_t *value;

    if (!s.len)
        return json_null();
    return sc__json_parse(s, &value, NULL) ? text(s) : value;
}

json_t *peer_job(const sc_job *job)
{
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, "
        "s:I}",
        "id", text(job->id), "name", text(job->name), "data", parsed(job->data), "opts",
        parsed(job->opts), "progress", parsed(job->progress), "returnvalue",
        parsed(job->return_value), "failedReason", text(job->failed_reason), "stacktrace",
        parsed(job->stacktrace), "processedBy", text(job->processed_by), "timestamp",
        (json_int_t)job->timestamp_ms, "processedOn", (json_int_t)job->processed_ms, "finishedOn",
        (json_int_t)job->finished_ms, "delay", (json_int_t)job->delay_ms, "priority",
        (json_int_t)job->priority, "attempts", (json_int_t)job->attempts, "attemptsMade",
        (json_int_t)job->attempts_made, "attemptsStarted", (json_int_t)job->attempts_started,
        "stalledCounter", (json_int_t)job->stalled_count);
}

/* Specs of an array of jobs; free with specs_free. */
struct specs {
    sc_job_spec *spec;
    sc_job_opts *opts;
    char **data;
    size_t count;
};

static void specs_free(struct specs *s)
{
    for (size_t i = 0; i < s->count; i++)
        free(s->data[i]);
    free(s->spec);
    free(s->opts);
    free(s->data);
}

static void specs_read(struct specs *s, const json_t *jobs)
{
    s->count = json_array_size(jobs);
    s->spec = calloc(s->count + 1, sizeof(*s->spec));
    s->opts = calloc(s->count + 1, sizeof(*s->opts));
    s->data = calloc(s->count + 1, sizeof(*s->data));
    for (size_t i = 0; i < s->count; i++) {
        const json_t *job = json_array_get(jobs, i);
        const json_t *opts = json_object_get(job, "opts");

        s->data[i] = json_dumps(json_object_get(job, "data"), JSON_COMPACT | JSON_ENCODE_ANY);
        s->opts[i] = peer_job_opts(opts);
        s->spec[i] = (sc_job_spec){.name = sc__json_text(job, "name"),
                                   .data = sc_slice_of(s->data[i]),
                                   .opts = opts ? &s->opts[i] : NULL};
    }
}

static json_t *texts_and_free(sc_id_list *list)
{
    json_t *array = json_array();

    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(array, text(list->ids[i]));
    sc_id_list_free(list);
    return array;
}

static sc_err do_add_bulk(struct peer *peer, const json_t *args, json_t **ret_result,
                          sc_reason *ret_reason)
{
    struct specs s = {0};
    sc_id_list *ids = NULL;
    sc_queue *queue;
    sc_err err = peer_queue(peer, args, &queue, ret_reason);

    if (err)
        return err;
    specs_read(&s, json_object_get(args, "jobs"));
    err = sc_queue_add_bulk(queue, s.spec, s.count, &ids, NULL, ret_reason);
    if (!err)
        *ret_result = texts_and_free(ids);
    specs_free(&s);
    return err;
}

static sc_err do_add(struct peer *peer, const json_t *args, json_t **ret_result,
                     sc_reason *ret_reason)
{
    json_t *one = json_pack("[O]", (json_t *)args); /* the job's members stand beside the queue's */
    struct specs s = {0};
    char *id = NULL;
    sc_queue *queue;
    sc_err err = peer_queue(peer, args, &queue, ret_reason);

    if (!err) {
        specs_read(&s, one);
        err = sc_queue_add(queue, s.spec, &id, ret_reason);
        specs_free(&s);
    }
    if (!err)
        *ret_result = json_string(id);
    sc_free(id);
    json_decref(one);
    return err;
}

static sc_err do_get_job(struct peer *peer, const json_t *args, json_t **ret_result,
                         sc_reason *ret_reason)
{
    sc_job *job;
    sc_queue *queue;
    sc_err err = peer_queue(peer, args, &queue, ret_reason);

    if (!err)
        err = sc_queue_get_job(queue, sc__json_text(args, "jobId"), &job);
    if (err)
        return err;
    *ret_result = peer_job(job);
    sc_job_free(job);
    return SC_OK;
}

static sc_err do_get_state(struct peer *peer, const json_t *args, json_t **ret_result,
                           sc_reason *ret_reason)
{
    sc_job_state state;
    sc_queue *queue;
    sc_err err = peer_queue(peer, args, &queue, ret_reason);

    if (!err)
        err = sc_queue_get_state(queue, sc__json_text(args, "jobId"), &state);
    if (!err)
        *ret_result = json_string(sc_job_state_name(state));
    return err;
}

static sc_err do_get_jobs(struct peer *peer, const json_t *args, json_t **ret_result,
                          sc_reason *ret_reason)
{
    sc_job_list *list;
    sc_queue *queue;
    sc_err err = peer_queue(peer, args, &queue, ret_reason);

    if (!err)
        err = sc_queue_get_jobs(queue, sc_job_state_of(sc__json_text(args, "state")),
                                sc__json_int(args, "start", 0), sc__json_int(args, "end", -1),
                                sc__json_bool(args, "asc", false), &list);
    if (err)
        return err;
    *ret_result = json_array();
    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(*ret_result, peer_job(list->jobs[i]));
    sc_job_list_free(list);
    return SC_OK;
}

static sc_err do_get_counts(struct peer *peer, const json_t *args, json_t **ret_result,
                            sc_reason *ret_reason)
{
    sc_queue_counts counts;
    sc_queue *queue;
    sc_err err = peer_queue(peer, args, &queue, ret_reason);

    if (!err)
        err = sc_queue_get_counts(queue, &counts);
    if (err)
        return err;
    *ret_result = json_object();
    for (int i = 0; i < SC_JOB_UNKNOWN; i++)
        json_object_set_new(*ret_result, sc_job_state_name((sc_job_state)i),
                            json_integer(counts.by_state[i]));
    json_object_set_new(*ret_result, "isPaused", json_boolean(counts.paused));
    return SC_OK;
}

static sc_err do_get_logs(struct peer *peer, const json_t *args, json_t **ret_result,
                          sc_reason *ret_reason)
{
    sc_id_list *rows;
    sc_queue *queue;
    sc_err err = peer_queue(peer, args, &queue, ret_reason);

    if (!err)
        err = sc_queue_get_logs(queue, sc__json_text(args, "jobId"), sc__json_int(args, "start", 0),
                                sc__json_int(args, "end", -1), &rows);
    if (!err)
        *ret_result = texts_and_free(rows);
    return err;
}

static sc_err do_is_paused(struct peer *peer, const json_t *args, json_t **ret_result,
                           sc_reason *ret_reason)
{
    bool paused;
    sc_queue *queue;
    sc_err err = peer_queue(peer, args, &queue, ret_reason);

    if (!err)
        err = sc_queue_is_paused(queue, &paused);
    if (!err)
        *ret_result = json_boolean(paused);
    return err;
}

static sc_err do_discover(struct peer *peer, const json_t *args, json_t **ret_result,
                          sc_reason *ret_reason)
{
    sc_id_list *names;
    sc_err err = sc_queue_discover(peer->client, sc__json_text(args, "prefix"), &names);

    (void)ret_reason;
    if (!err)
        *ret_result = texts_and_free(names);
    return err;
}

static sc_err do_get_dedup_job(struct peer *peer, const json_t *args, json_t **ret_result,
                               sc_reason *ret_reason)
{
    char *owner = NULL;
    sc_queue *queue;
    sc_err err = peer_queue(peer, args, &queue, ret_reason);

    if (!err)
        err = sc_queue_get_dedup_job(queue, sc__json_text(args, "dedupId"), &owner);
    if (!err)
        *ret_result = json_string(owner);
    sc_free(owner);
    return err;
}

static sc_err do_remove_dedup(struct peer *peer, const json_t *args, json_t **ret_result,
                              sc_reason *ret_reason)
{
    bool freed = false;
    sc_queue *queue;
    sc_err err = peer_queue(peer, args, &queue, ret_reason);

    if (!err)
        err = sc_queue_remove_dedup(queue, sc__json_text(args, "dedupId"),
                                    sc__json_text(args, "jobId"), &freed);
    if (!err)
        *ret_result = json_boolean(freed);
    return err;
}

/* Calls that take a queue, or a queue and a job, and give nothing. */
#define STEER(name, call)                                                                          \
    static sc_err name(struct peer *peer, const json_t *args, json_t **ret_result,                 \
                       sc_reason *ret_reason)                                                      \
    {                                                                                              \
        sc_queue *queue;                                                                           \
        sc_err err = peer_queue(peer, args, &queue, ret_reason);                                   \
                                                                                                   \
        if (!err)                                                                                  \
            err = call;                                                                            \
        if (!err)                                                                                  \
            *ret_result = json_null();                                                             \
        return err;                                                                                \
    }

STEER(do_open, SC_OK)
STEER(do_pause, sc_queue_pause(queue))
STEER(do_resume, sc_queue_resume(queue))
STEER(do_remove, sc_queue_remove(queue, sc__json_text(args, "jobId")))
STEER(do_remove_alone, sc_queue_remove_with(queue, sc__json_text(args, "jobId"),
                                            &(sc_remove_opts){.keep_children = true}, ret_reason))
STEER(do_retry, sc_queue_retry(queue, sc__json_text(args, "jobId")))
STEER(do_promote, sc_queue_promote(queue, sc__json_text(args, "jobId")))

const struct peer_command peer_queue_commands[] = {
    {"open", do_open},
    {"add", do_add},
    {"addBulk", do_add_bulk},
    {"getJob", do_get_job},
    {"getState", do_get_state},
    {"getJobs", do_get_jobs},
    {"counts", do_get_counts},
    {"getLogs", do_get_logs},
    {"isPaused", do_is_paused},
    {"pause", do_pause},
    {"resume", do_resume},
    {"remove", do_remove},
    {"removeAlone", do_remove_alone},
    {"retry", do_retry},
    {"promote", do_promote},
    {"discover", do_discover},
    {"getDedupJob", do_get_dedup_job},
    {"removeDedup", do_remove_dedup},
    {NULL, NULL},
};
