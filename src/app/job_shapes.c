#include "job_shapes.h"

#include "base/iso8601.h"
#include "base/utf8.h"

#include "schedule_words.h"

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

static json_t *optional_int(int64_t number)
{
    return number ? json_integer(number) : json_null();
}

json_t *schedule_shape(const sc_scheduler_info *info)
{
    const struct {
        const char *key;
        json_t *value;
    } members[] = {
        {"id", text_shape(info->id)},
        {"name", text_shape(info->name)},
        {"pattern", optional_text(info->pattern)},
        {"every", optional_int(info->every_ms)},
        {"tz", optional_text(info->tz)},
        {"next", info->is_over ? json_null() : date_shape(info->next_ms)},
        {"nominal", info->is_over ? json_null() : date_shape(info->nominal_ms)},
        {"start", date_shape(info->start_ms)},
        {"end", date_shape(info->end_ms)},
        {"limit", optional_int(info->limit)},
        {"iterations", json_integer(info->iterations)},
        {"guarded", json_boolean(info->is_guarded)},
        {"paused", json_boolean(info->is_paused)},
        {"over", json_boolean(info->is_over)},
        {"overlap", json_string(overlap_words[info->overlap])},
        {"catchup", json_string(catchup_words[info->catchup])},
        {"catchupWindow", optional_int(info->catchup_window_ms)},
        {"jitter", optional_int(info->jitter_ms)},
        {"exclude", optional_text(info->exclude)},
        {"dst", json_string(dst_words[info->dst])},
        {"missed", json_integer(info->missed)},
        {"skipped", json_integer(info->skipped)},
        {"data", value_shape(info->data)},
        {"opts", value_shape(info->opts)},
    };
    json_t *object = json_object();

    for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++)
        json_object_set_new(object, members[i].key, members[i].value);
    return object;
}

json_t *schedule_run_shape(const sc_scheduler_run *run)
{
    return json_pack("{s:o, s:s, s:o, s:o, s:o}", "run", date_shape(run->run_ms), "state",
                     run_state_words[run->state], "started", date_shape(run->started_ms),
                     "finished", date_shape(run->finished_ms), "result",
                     run->state == SC_SCHEDULER_RUN_FAILED ? optional_text(run->text)
                                                           : value_shape(run->text));
}
