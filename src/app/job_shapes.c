#include "job_shapes.h"

#include "base/iso8601.h"
#include "base/utf8.h"

enum { TEXT_MAX = 64 * 1024 * 1024 };

json_t *text_shape(sc_slice bytes)
{
    AUTO_STR quoted = STR_MAX(TEXT_MAX);
    json_t *value = NULL;

    if (sc__utf8_valid(bytes, NULL))
        return json_stringn(bytes.len ? bytes.ptr : "", bytes.len);
    sc__str_json(&quoted, bytes);
    if (quoted.err || sc__json_parse(sc__str_slice(&quoted), &value, NULL))
        return NULL;
    return value;
}

json_t *value_shape(sc_slice json)
{
    json_t *value;

    if (!json.len)
        return json_null();
    return sc__json_parse(json, &value, NULL) ? text_shape(json) : value;
}

static json_t *date_shape(int64_t wall_ms)
{
    char text[SC__ISO8601_LEN + 1];

    if (wall_ms <= 0)
        return json_null();
    return json_stringn(text, sc__iso8601_text(wall_ms, true, text));
}

static json_t *optional_text(sc_slice text)
{
    return text.len ? text_shape(text) : json_null();
}

json_t *queue_shape(sc_slice name, const sc_queue_counts *counts)
{
    json_t *by_state = json_object(), *queue;

    for (int state = 0; state < SC_JOB_UNKNOWN; state++)
        json_object_set_new(by_state, sc_job_state_name((sc_job_state)state),
                            json_integer(counts->by_state[state]));
    queue = json_object();
    json_object_set_new(queue, "name", text_shape(name));
    json_object_set_new(queue, "paused", json_boolean(counts->paused));
    json_object_set_new(queue, "counts", by_state);
    return queue;
}

json_t *job_shape(const sc_job *job, sc_job_state state)
{
    const struct {
        const char *key;
        json_t *value;
    } members[] = {
        {"id", text_shape(job->id)},
        {"name", text_shape(job->name)},
        {"state", json_string(sc_job_state_name(state))},
        {"data", value_shape(job->data)},
        {"opts", value_shape(job->opts)},
        {"progress", value_shape(job->progress)},
        {"returnValue", value_shape(job->return_value)},
        {"failedReason", optional_text(job->failed_reason)},
        {"stacktrace", value_shape(job->stacktrace)},
        {"attempts", json_integer(job->attempts)},
        {"attemptsMade", json_integer(job->attempts_made)},
        {"attemptsStarted", json_integer(job->attempts_started)},
        {"stalledCount", json_integer(job->stalled_count)},
        {"priority", json_integer(job->priority)},
        {"delay", json_integer(job->delay_ms)},
        {"timestamp", date_shape(job->timestamp_ms)},
        {"processedOn", date_shape(job->processed_ms)},
        {"finishedOn", date_shape(job->finished_ms)},
        {"processedBy", optional_text(job->processed_by)},
        {"schedulerId", optional_text(job->scheduler_id)},
        {"parentKey", optional_text(job->parent_key)},
    };
    json_t *object = json_object();

    for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++)
        json_object_set_new(object, members[i].key, members[i].value);
    return object;
}

json_t *schedule_shape(const sc_scheduler_info *info)
{
    json_t *object = json_object();

    json_object_set_new(object, "id", text_shape(info->id));
    json_object_set_new(object, "name", text_shape(info->name));
    json_object_set_new(object, "pattern", optional_text(info->pattern));
    json_object_set_new(object, "every",
                        info->every_ms ? json_integer(info->every_ms) : json_null());
    json_object_set_new(object, "tz", optional_text(info->tz));
    json_object_set_new(object, "next", date_shape(info->next_ms));
    json_object_set_new(object, "iterations", json_integer(info->iterations));
    json_object_set_new(object, "data", value_shape(info->data));
    return object;
}
