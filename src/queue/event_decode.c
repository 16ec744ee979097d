#include "event_decode.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/str.h"
#include "redis/reply.h"

static const char *const kind_names[SC_EVENT_KIND_COUNT] = {
#define X(name, text) [SC_EVENT_##name] = (text),
    SC_EVENTS(X)
#undef X
};

/* Where the fields of BullMQ's events go. */
static const struct {
    const char *name;
    size_t place;
    bool is_number;
} known_fields[] = {
    {"jobId", offsetof(sc_event, job_id), false},
    {"name", offsetof(sc_event, job_name), false},
    {"prev", offsetof(sc_event, prev), false},
    {"data", offsetof(sc_event, data), false},
    {"returnvalue", offsetof(sc_event, return_value), false},
    {"failedReason", offsetof(sc_event, failed_reason), false},
    {"deduplicationId", offsetof(sc_event, dedup_id), false},
    {"deduplicatedJobId", offsetof(sc_event, dedup_job_id), false},
    {"delay", offsetof(sc_event, due_ms), true},
    {"attemptsMade", offsetof(sc_event, attempts_made), true},
    {"count", offsetof(sc_event, count), true},
};

static sc_event_kind kind_of(sc_slice name)
{
    for (int kind = SC_EVENT_CUSTOM + 1; kind < SC_EVENT_KIND_COUNT; kind++)
        if (sc_slice_eq(name, sc_slice_of(kind_names[kind])))
            return (sc_event_kind)kind;
    return SC_EVENT_CUSTOM;
}

static void set_known(sc_event *event, const sc_event_field *field)
{
    for (size_t i = 0; i < sizeof(known_fields) / sizeof(*known_fields); i++) {
        char *place = (char *)event + known_fields[i].place;

        if (!sc_slice_eq(field->name, sc_slice_of(known_fields[i].name)))
            continue;
        if (!known_fields[i].is_number)
            *(sc_slice *)place = field->value;
        else if (!sc__int_parse(field->value, (int64_t *)place))
            *(int64_t *)place = 0; /* another client's slip: as for a job's fields */
        return;
    }
}

static sc_err reserve(sc__event_decoder *decoder, size_t count)
{
    sc_event_field *fields;

    if (count <= decoder->cap)
        return SC_OK;
    fields = sc__realloc(decoder->fields, count * sizeof(*fields));
    if (!fields)
        return SC_ENOMEM;
    decoder->fields = fields;
    decoder->cap = count;
    return SC_OK;
}

static sc_err read_fields(sc__event_decoder *decoder, const sc_reply *texts, size_t count,
                          sc_event *event, sc_reason *ret_reason)
{
    sc_event_field field;
    sc_err err = SC_OK;
    bool named = false;

    for (size_t i = 0; i + 1 < count && !err; i += 2) {
        err = sc__reply_str(&texts[i], &field.name, ret_reason);
        if (!err)
            err = sc__reply_str(&texts[i + 1], &field.value, ret_reason);
        if (err)
            return err;
        if (!named && sc_slice_eq(field.name, SC_S("event"))) {
            event->name = field.value;
            named = true;
        } else {
            decoder->fields[event->field_count++] = field;
        }
    }
    return SC_OK;
}

sc_err sc__event_decode(sc__event_decoder *decoder, const sc_reply *entry, sc_event *ret_event,
                        sc_reason *ret_reason)
{
    const sc_reply *parts, *texts;
    sc_event event = {.kind = SC_EVENT_CUSTOM};
    size_t count;
    sc_err err = sc__reply_array(entry, &parts, &count, ret_reason);

    if (!err && count != 2)
        err = sc__because(ret_reason, SC_EPROTO, "the server sent an entry of %zu parts", count);
    if (!err)
        err = sc__reply_str(&parts[0], &event.id, ret_reason);
    if (!err)
        err = sc__reply_array(&parts[1], &texts, &count, ret_reason);
    if (!err)
        err = reserve(decoder, count / 2);
    if (!err)
        err = read_fields(decoder, texts, count, &event, ret_reason);
    if (err)
        return err;
    event.fields = decoder->fields;
    event.kind = kind_of(event.name);
    for (size_t i = 0; event.kind != SC_EVENT_CUSTOM && i < event.field_count; i++)
        set_known(&event, &event.fields[i]);
    *ret_event = event;
    return SC_OK;
}

void sc__event_decoder_release(sc__event_decoder *decoder)
{
    sc_free(decoder->fields);
    *decoder = (sc__event_decoder){0};
}

sc_err sc__event_entries(const sc_reply *reply, const sc_reply **ret_entries, size_t *ret_count,
                         sc_reason *ret_reason)
{
    const sc_reply *stream = reply;
    sc_err err = sc__reply_check(reply, ret_reason);

    if (err)
        return err;
    if (reply->type == SC_REPLY_NIL) {
        *ret_entries = NULL;
        *ret_count = 0;
        return SC_OK;
    }
    /* RESP2 has an array of pairs where RESP3 has a map. */
    if (reply->type == SC_REPLY_ARRAY && reply->count == 1)
        stream = &reply->items[0];
    if (stream->count != 2)
        return sc__because(ret_reason, SC_EPROTO, "the server sent something that is no stream");
    return sc__reply_array(&stream->items[1], ret_entries, ret_count, ret_reason);
}
