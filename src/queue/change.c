/* Changing jobs that are in the queue: checks what the caller gives, and does it. */
#include <storychain/control.h>

#include "base/error.h"
#include "base/json_scan.h"
#include "base/utf8.h"
#include "ops/job_opts.h"
#include "ops/op_cancel.h"
#include "ops/op_change.h"
#include "ops/op_control.h"
#include "ops/op_job_note.h"
#include "queue.h"

enum { JSON_MAX = 64 * 1024 * 1024 };

static sc_err no_id(sc_reason *ret_reason)
{
    return sc__because(ret_reason, SC_EINVAL, "the job id is empty");
}

/* Clients in other languages parse it, so it must be JSON. */
static sc_err check_json(const char *what, sc_slice json, sc_reason *ret_reason)
{
    sc_reason why;

    if (json.len > JSON_MAX)
        return sc__because(ret_reason, SC_ETOOBIG, "the %s has %zu bytes; the limit is %d", what,
                           json.len, JSON_MAX);
    if (sc__json_check(json, &why))
        return sc__because(ret_reason, SC_EINVAL, "the %s is %s", what, why.text);
    return SC_OK;
}

sc_err sc_queue_update_data(sc_queue *queue, sc_slice id, sc_slice json, sc_reason *ret_reason)
{
    sc_err err = id.len ? check_json("data", json, ret_reason) : no_id(ret_reason);

    return err ? err : sc__op_update_data(queue->client, &queue->keys, id, json, ret_reason);
}

sc_err sc_queue_update_progress(sc_queue *queue, sc_slice id, sc_slice json, sc_reason *ret_reason)
{
    sc_err err = id.len ? check_json("progress", json, ret_reason) : no_id(ret_reason);

    return err ? err : sc__op_job_progress(queue->client, &queue->keys, id, json, ret_reason);
}

static sc_err check_keep(sc_slice id, int64_t keep, sc_reason *ret_reason)
{
    if (!id.len)
        return no_id(ret_reason);
    if (keep < 0)
        return sc__because(ret_reason, SC_EINVAL, "the number of rows to keep is %lld; 0 or more",
                           (long long)keep);
    return SC_OK;
}

sc_err sc_queue_add_log(sc_queue *queue, sc_slice id, sc_slice row, int64_t keep,
                        sc_reason *ret_reason)
{
    sc_err err = check_keep(id, keep, ret_reason);

    return err ? err : sc__op_job_log(queue->client, &queue->keys, id, row, keep, ret_reason);
}

sc_err sc_queue_clear_logs(sc_queue *queue, sc_slice id, int64_t keep, sc_reason *ret_reason)
{
    sc_err err = check_keep(id, keep, ret_reason);

    return err ? err : sc__op_clear_logs(queue->client, &queue->keys, id, keep, ret_reason);
}

sc_err sc_queue_change_delay(sc_queue *queue, sc_slice id, int64_t delay_ms, sc_reason *ret_reason)
{
    if (!id.len)
        return no_id(ret_reason);
    if (delay_ms < 0)
        return sc__because(ret_reason, SC_EINVAL, "the delay is %lld ms; 0 or more",
                           (long long)delay_ms);
    return sc__op_change_delay(queue->client, &queue->keys, id, delay_ms, ret_reason);
}

sc_err sc_queue_change_priority(sc_queue *queue, sc_slice id, int64_t priority, bool lifo,
                                sc_reason *ret_reason)
{
    if (!id.len)
        return no_id(ret_reason);
    if (priority < 0 || priority > SC__PRIORITY_MAX)
        return sc__because(ret_reason, SC_EINVAL, "the priority is %lld; it is 0 to %d",
                           (long long)priority, SC__PRIORITY_MAX);
    return sc__op_change_priority(queue->client, &queue->keys, id, priority, lifo, ret_reason);
}

sc_err sc_queue_retry_with(sc_queue *queue, sc_slice id, const sc_retry_opts *opts,
                           sc_reason *ret_reason)
{
    if (!id.len)
        return no_id(ret_reason);
    return sc__op_retry(queue->client, &queue->keys, id, opts->reset_attempts_made,
                        opts->reset_attempts_started, ret_reason);
}

sc_err sc_queue_remove_with(sc_queue *queue, sc_slice id, const sc_remove_opts *opts,
                            sc_reason *ret_reason)
{
    if (!id.len)
        return no_id(ret_reason);
    return sc__op_remove(queue->client, &queue->keys, id, opts->keep_children, ret_reason);
}

sc_err sc_queue_get_dependency_counts(sc_queue *queue, sc_slice id,
                                      sc_dependency_counts *ret_counts, sc_reason *ret_reason)
{
    if (!id.len)
        return no_id(ret_reason);
    return sc__op_dependency_counts(queue->client, &queue->keys, id, ret_counts, ret_reason);
}

const char *sc_cancel_result_name(sc_cancel_result result)
{
    static const char *const names[] = {"cancelled", "told", "noted", "postponed"};

    return result >= SC_CANCELLED && result <= SC_CANCEL_POSTPONED ? names[result] : "?";
}

sc_err sc_queue_cancel(sc_queue *queue, sc_slice id, sc_slice reason, sc_cancel_result *ret_result,
                       sc_reason *ret_reason)
{
    sc_cancel_result result;
    sc_err err;

    if (!id.len)
        return no_id(ret_reason);
    if (!sc__utf8_valid(reason, NULL))
        return sc__because(ret_reason, SC_EINVAL, "the reason is not UTF-8");
    err = sc__op_cancel(queue->client, &queue->keys, id, reason, &result, ret_reason);
    if (!err && ret_result)
        *ret_result = result;
    return err;
}
