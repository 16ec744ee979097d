#include "payload.h"

#include <stdio.h>

#include "base/error.h"
#include "base/iso8601.h"

#include "app/mail/address.h"
#include "app/text_rules.h"

static const char *const templates[] = {"welcome", "password-reset", "collaboration-invite",
                                        "notification-digest", NULL};
static const char *const cleanup_types[] = {"autosave", "sessions", "notifications", "logs", NULL};
static const char *const formats[] = {"pdf", "epub", "markdown", NULL};

const struct payload_field payload_email[] = {
    {"to", FIELD_ADDRESS, 512, false, NULL},
    {"subject", FIELD_LINE, 512, false, NULL},
    {"template", FIELD_LINE, 64, false, templates},
    {"context", FIELD_OBJECT, 0, false, NULL},
    {NULL, FIELD_TEXT, 0, false, NULL},
};

const struct payload_field payload_notification[] = {
    {"userId", FIELD_LINE, 256, false, NULL},    {"type", FIELD_LINE, 128, false, NULL},
    {"title", FIELD_LINE, 512, false, NULL},     {"message", FIELD_TEXT, 16 * 1024, false, NULL},
    {"actionUrl", FIELD_LINK, 2048, true, NULL}, {"metadata", FIELD_OBJECT, 0, true, NULL},
    {"key", FIELD_LINE, 512, true, NULL},        {NULL, FIELD_TEXT, 0, false, NULL},
};

const struct payload_field payload_analytics[] = {
    {"event", FIELD_LINE, 128, false, NULL},      {"userId", FIELD_LINE, 256, true, NULL},
    {"properties", FIELD_OBJECT, 0, false, NULL}, {"timestamp", FIELD_DATE, 0, false, NULL},
    {NULL, FIELD_TEXT, 0, false, NULL},
};

const struct payload_field payload_cleanup[] = {
    {"type", FIELD_LINE, 64, false, cleanup_types},
    {"olderThan", FIELD_DATE, 0, false, NULL},
    {"dryRun", FIELD_BOOLEAN, 0, true, NULL},
    {NULL, FIELD_TEXT, 0, false, NULL},
};

const struct payload_field payload_export[] = {
    {"userId", FIELD_LINE, 256, false, NULL},
    {"storyId", FIELD_LINE, 256, false, NULL},
    {"format", FIELD_LINE, 64, false, formats},
    {NULL, FIELD_TEXT, 0, false, NULL},
};

const struct payload_field payload_scheduled[] = {
    {"type", FIELD_LINE, 64, true, NULL},
    {NULL, FIELD_TEXT, 0, false, NULL},
};

static sc_slice text_of(const json_t *value)
{
    return (sc_slice){json_string_value(value), json_string_length(value)};
}

static bool has_control(sc_slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] < ' ' || s.ptr[i] == 0x7f)
            return true;
    return false;
}

static sc_err check_choice(const struct payload_field *field, sc_slice text, sc_reason *ret_reason)
{
    char all[128] = "";
    size_t len = 0;

    for (size_t i = 0; field->choices[i]; i++) {
        if (sc_slice_eq(text, sc_slice_of(field->choices[i])))
            return SC_OK;
        len += (size_t)snprintf(all + len, sizeof(all) - len, "%s%s", i ? ", " : "",
                                field->choices[i]);
    }
    return sc__because(ret_reason, SC_EPAYLOAD, "field \"%s\" is \"%.*s\"; it must be one of: %s",
                       field->name, (int)(text.len < 64 ? text.len : 64), text.ptr, all);
}

static sc_err check_address(const struct payload_field *field, sc_slice text, sc_reason *ret_reason)
{
    struct address address;
    sc_reason why;

    if (!address_parse(text, &address, &why))
        return SC_OK;
    return sc__because(ret_reason, SC_EPAYLOAD, "field \"%s\" is not a mail address: it %s",
                       field->name, why.text);
}

static sc_err check_text(const struct payload_field *field, const json_t *value,
                         sc_reason *ret_reason)
{
    sc_slice text = text_of(value);

    if (!json_is_string(value) || text.len == 0)
        return sc__because(ret_reason, SC_EPAYLOAD, "field \"%s\" must be a text that isn't empty",
                           field->name);
    if (text.len > field->max)
        return sc__because(ret_reason, SC_EPAYLOAD, "field \"%s\" has %zu bytes; %zu are allowed",
                           field->name, text.len, field->max);
    if (memchr(text.ptr, '\0', text.len) || (field->kind != FIELD_TEXT && has_control(text)))
        return sc__because(ret_reason, SC_EPAYLOAD,
                           "field \"%s\" holds a line break or another control character",
                           field->name);
    if (field->kind == FIELD_ADDRESS)
        return check_address(field, text, ret_reason);
    if (field->kind == FIELD_LINK && !link_is_valid(text))
        return sc__because(ret_reason, SC_EPAYLOAD, "field \"%s\" " LINK_NEEDED, field->name);
    return field->choices ? check_choice(field, text, ret_reason) : SC_OK;
}

/* A day alone ("2026-11-23") means its beginning in UTC. */
static bool read_date(sc_slice text, int64_t *ret_ms)
{
    char whole[] = "YYYY-MM-DDT00:00:00Z";

    if (text.len == 10) {
        memcpy(whole, text.ptr, 10);
        text = sc_slice_of(whole);
    }
    return sc__iso8601_parse(text, ret_ms, NULL) == SC_OK;
}

static sc_err check_date(const struct payload_field *field, const json_t *value,
                         sc_reason *ret_reason)
{
    int64_t ms = 0;

    if (json_is_integer(value) && json_integer_value(value) >= 0)
        return SC_OK;
    if (json_is_string(value) && read_date(text_of(value), &ms))
        return SC_OK;
    return sc__because(ret_reason, SC_EPAYLOAD,
                       "field \"%s\" must be a date like \"2026-11-23T20:31:06.000Z\", or "
                       "milliseconds since 1970",
                       field->name);
}

static sc_err check_field(const struct payload_field *field, const json_t *value,
                          sc_reason *ret_reason)
{
    switch (field->kind) {
    case FIELD_DATE:
        return check_date(field, value, ret_reason);
    case FIELD_BOOLEAN:
        if (json_is_boolean(value))
            return SC_OK;
        return sc__because(ret_reason, SC_EPAYLOAD, "field \"%s\" must be true or false",
                           field->name);
    case FIELD_OBJECT:
        if (json_is_object(value))
            return SC_OK;
        return sc__because(ret_reason, SC_EPAYLOAD, "field \"%s\" must be an object", field->name);
    case FIELD_TEXT:
    case FIELD_LINE:
    case FIELD_ADDRESS:
    case FIELD_LINK:
        break;
    }
    return check_text(field, value, ret_reason);
}

/* An optional field may also be null, as many programs write an absent one. */
sc_err payload_check(const struct payload_field *fields, const json_t *payload,
                     sc_reason *ret_reason)
{
    if (!json_is_object(payload))
        return sc__because(ret_reason, SC_EPAYLOAD, "the payload must be a JSON object");
    for (const struct payload_field *field = fields; field->name; field++) {
        const json_t *value = json_object_get(payload, field->name);
        sc_err err;

        if (field->optional && (!value || json_is_null(value)))
            continue;
        if (!value)
            return sc__because(ret_reason, SC_EPAYLOAD, "field \"%s\" is missing", field->name);
        err = check_field(field, value, ret_reason);
        if (err)
            return err;
    }
    return SC_OK;
}

int64_t payload_date(const json_t *payload, const char *field)
{
    const json_t *value = json_object_get(payload, field);
    int64_t ms = 0;

    if (json_is_integer(value))
        return json_integer_value(value);
    return read_date(text_of(value), &ms) ? ms : 0;
}
