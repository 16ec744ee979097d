#include "queues.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/iso8601.h"

/* An absent text leaves the field out. */
static sc_err set_text(json_t *payload, const char *field, sc_slice text, sc_reason *ret_reason)
{
    if (!text.ptr || json_object_set_new(payload, field, json_stringn(text.ptr, text.len)) == 0)
        return SC_OK;
    return sc__because(ret_reason, SC_EPAYLOAD, "field \"%s\" is not UTF-8", field);
}

/* The same for an object that comes as JSON text. */
static sc_err set_object(json_t *payload, const char *field, sc_slice text, sc_reason *ret_reason)
{
    json_t *value = NULL;
    sc_reason why;

    if (!text.ptr)
        return SC_OK;
    if (sc__json_parse(text, &value, &why))
        return sc__because(ret_reason, SC_EPAYLOAD, "field \"%s\" is not JSON: %s", field,
                           why.text);
    json_object_set_new(payload, field, value);
    return SC_OK;
}

static sc_err add_one(struct queues *queues, enum queue_id id, const char *name,
                      const json_t *payload, sc_slice job_id, char **ret_id, sc_reason *ret_reason)
{
    const sc_job_opts opts = queue_opts_with_id(job_id);
    const struct queue_job job = {sc_slice_of(name), payload, job_id.len ? &opts : NULL};

    return queues_add(queues, id, &job, ret_id, ret_reason);
}

sc_err queues_send_email(struct queues *queues, const struct email *email, sc_slice job_id,
                         char **ret_id, sc_reason *ret_reason)
{
    AUTO_JSON *payload = json_object();
    sc_err err = set_text(payload, "to", email->to, ret_reason);

    if (!err)
        err = set_text(payload, "subject", email->subject, ret_reason);
    if (!err)
        err = set_text(payload, "template", email->template_name, ret_reason);
    if (err)
        return err;
    json_object_set(payload, "context", email->context);
    return add_one(queues, QUEUE_EMAIL, "send-email", payload, job_id, ret_id, ret_reason);
}

sc_err notice_write(const struct notice *notice, json_t **ret_payload, sc_reason *ret_reason)
{
    AUTO_JSON *payload = json_object();
    sc_err err = set_text(payload, "userId", notice->user_id, ret_reason);

    if (!err)
        err = set_text(payload, "type", notice->type, ret_reason);
    if (!err)
        err = set_text(payload, "title", notice->title, ret_reason);
    if (!err)
        err = set_text(payload, "message", notice->message, ret_reason);
    if (!err)
        err = set_text(payload, "actionUrl", notice->action_url, ret_reason);
    if (!err)
        err = set_object(payload, "metadata", notice->metadata, ret_reason);
    if (!err)
        err = set_text(payload, "key", notice->key, ret_reason);
    if (!err)
        err = payload_check(payload_notification, payload, ret_reason);
    if (!err)
        *ret_payload = json_incref(payload);
    return err;
}

sc_err queues_send_notification(struct queues *queues, const struct notice *notice, sc_slice job_id,
                                char **ret_id, sc_reason *ret_reason)
{
    AUTO_JSON *payload = NULL;
    sc_err err = notice_write(notice, &payload, ret_reason);

    if (err)
        return err;
    return add_one(queues, QUEUE_NOTIFICATION, SEND_NOTIFICATION, payload, job_id, ret_id,
                   ret_reason);
}

sc_err queues_track_analytics(struct queues *queues, const struct track *track, char **ret_id,
                              sc_reason *ret_reason)
{
    AUTO_JSON *payload = json_object();
    char date[SC__ISO8601_LEN + 1];
    sc_err err = set_text(payload, "event", track->event, ret_reason);

    if (!err)
        err = set_text(payload, "userId", track->user_id, ret_reason);
    if (!err)
        err = set_object(payload, "properties",
                         track->properties.ptr ? track->properties : SC_S("{}"), ret_reason);
    if (err)
        return err;
    sc__iso8601_text(track->at_ms ? track->at_ms : sc__wall_ms(), true, date);
    json_object_set_new(payload, "timestamp", json_string(date));
    return add_one(queues, QUEUE_ANALYTICS, "track-event", payload, SC_S(""), ret_id, ret_reason);
}
