/* Event commands of tests_peer: each event that the reader hands out is told as {"event":"read","reader":n,"what":{…}}. */
#include "peer.h"

#include <stdlib.h>

#include "base/error.h"

enum { READERS_MAX = sizeof(((struct peer *)0)->readers) / sizeof(sc_events *) };

static void set_text(json_t *out, const char *name, sc_slice value)
{
    if (value.len)
        json_object_set_new(out, name, json_stringn(value.ptr, value.len));
}

static void set_json(json_t *out, const char *name, sc_slice value)
{
    json_t *parsed;

    if (value.len && !sc__json_parse(value, &parsed, NULL))
        json_object_set_new(out, name, parsed);
}

static void set_number(json_t *out, const char *name, int64_t value)
{
    if (value)
        json_object_set_new(out, name, json_integer(value));
}

/* As BullMQ's QueueEvents gives it to a listener, with `event` beside. */
static json_t *as_bullmq(const sc_event *event)
{
    json_t *out = json_object();

    set_text(out, "event", event->name);
    for (size_t i = 0; event->kind == SC_EVENT_CUSTOM && i < event->field_count; i++) {
        AUTO_STR name = STR_MAX(1024);

        sc__str_append(&name, event->fields[i].name);
        set_text(out, name.ptr, event->fields[i].value);
    }
    set_text(out, "jobId", event->job_id);
    set_text(out, "name", event->job_name);
    set_text(out, "prev", event->prev);
    set_json(out, "data", event->data);
    set_json(out, "returnvalue", event->return_value);
    set_text(out, "failedReason", event->failed_reason);
    set_text(out, "deduplicationId", event->dedup_id);
    set_text(out, "deduplicatedJobId", event->dedup_job_id);
    set_number(out, "delay", event->due_ms);
    set_number(out, "attemptsMade", event->attempts_made);
    set_number(out, "count", event->count);
    return out;
}

static void on_event(void *user, const sc_event *event)
{
    peer_emit(json_pack("{s:s, s:I, s:s%, s:o}", "event", "read", "reader",
                        (json_int_t)(intptr_t)user, "id", event->id.ptr, event->id.len, "what",
                        as_bullmq(event)));
}

/* Gives the reader's number; of `lastEventId` on. With "autorun" false it is not started. */
static sc_err do_read_events(struct peer *peer, const json_t *args, json_t **ret_result,
                             sc_reason *ret_reason)
{
    const sc_events_opts opts = {.last_id = sc__json_text(args, "lastEventId"),
                                 .block_ms = sc__json_int(args, "blockMs", 0)};
    intptr_t i = 0;
    sc_queue *queue;
    sc_err err;

    while (i < READERS_MAX && peer->readers[i])
        i++;
    if (i == READERS_MAX)
        return sc__because(ret_reason, SC_EOVERLOAD, "too many readers");
    err = peer_queue(peer, args, &queue, ret_reason);
    if (!err)
        err = sc_events_new(queue, &opts, &peer->readers[i], ret_reason);
    if (!err && sc__json_bool(args, "autorun", true))
        err = sc_events_start(peer->readers[i], on_event, (void *)i);
    if (!err)
        *ret_result = json_integer(i);
    return err;
}

static sc_err do_start_events(struct peer *peer, const json_t *args, json_t **ret_result,
                              sc_reason *ret_reason)
{
    int64_t i = sc__json_int(args, "reader", -1);

    if (i < 0 || i >= READERS_MAX || !peer->readers[i])
        return sc__because(ret_reason, SC_EINVAL, "no such reader");
    *ret_result = json_null();
    return sc_events_start(peer->readers[i], on_event, (void *)(intptr_t)i);
}

static sc_err do_publish_event(struct peer *peer, const json_t *args, json_t **ret_result,
                               sc_reason *ret_reason)
{
    sc_event_field fields[16];
    const char *name;
    json_t *value;
    size_t count = 0;
    sc_queue *queue;
    sc_err err = peer_queue(peer, args, &queue, ret_reason);

    if (err)
        return err;
    json_object_foreach(json_object_get(args, "fields"), name, value) if (count < 16)
        fields[count++] =
            (sc_event_field){sc_slice_of(name), sc_slice_of(json_string_value(value))};
    *ret_result = json_null();
    return sc_events_publish(queue, sc__json_text(args, "eventName"), fields, count,
                             sc__json_int(args, "maxEvents", 0), ret_reason);
}

/* Gives {"state","returnvalue"} or {"state","failedReason"}. */
static sc_err do_wait_until_finished(struct peer *peer, const json_t *args, json_t **ret_result,
                                     sc_reason *ret_reason)
{
    int64_t i = sc__json_int(args, "reader", -1);
    sc_job_result *result;
    sc_queue *queue;
    sc_err err = peer_queue(peer, args, &queue, ret_reason);

    if (!err && (i < 0 || i >= READERS_MAX || !peer->readers[i]))
        err = sc__because(ret_reason, SC_EINVAL, "no such reader");
    if (!err)
        err = sc_queue_wait_until_finished(queue, peer->readers[i], sc__json_text(args, "jobId"),
                                           sc__json_int(args, "timeoutMs", 60000), &result);
    if (err)
        return err;
    *ret_result = json_pack("{s:s}", "state", sc_job_state_name(result->state));
    set_json(*ret_result, "returnvalue", result->return_value);
    set_text(*ret_result, "failedReason", result->failed_reason);
    sc_free(result);
    return SC_OK;
}

const struct peer_command peer_event_commands[] = {
    {"readEvents", do_read_events},
    {"startEvents", do_start_events},
    {"publishEvent", do_publish_event},
    {"waitUntilFinished", do_wait_until_finished},
    {NULL, NULL},
};
