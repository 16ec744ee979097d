#include "json.h"

#include "error.h"

enum {
    JSON_BYTES_MAX = 64 * 1024 * 1024,
    DEPTH_MAX =
        256 /* jansson calls itself for each level, up to 2,048: too much for a small stack */
};

static bool is_too_deep(sc_slice text)
{
    bool in_string = false;
    size_t depth = 0;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];

        if (in_string && c == '\\')
            i++;
        else if (c == '"')
            in_string = !in_string;
        else if (in_string)
            continue;
        else if (c == '[' || c == '{')
            depth++;
        else if (depth && (c == ']' || c == '}'))
            depth--;
        if (depth > DEPTH_MAX)
            return true;
    }
    return false;
}

sc_err sc__json_parse(sc_slice text, json_t **ret_value, sc_reason *ret_reason)
{
    json_error_t error;
    json_t *value;

    if (text.len > JSON_BYTES_MAX)
        return sc__because(ret_reason, SC_ETOOBIG, "the JSON text has %zu bytes; the limit is %d",
                           text.len, JSON_BYTES_MAX);
    if (is_too_deep(text))
        return sc__because(ret_reason, SC_ESYNTAX, "the JSON text is over %d levels deep",
                           DEPTH_MAX);
    value =
        json_loadb(text.len ? text.ptr : "", text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    if (!value)
        return sc__because(ret_reason, SC_ESYNTAX, "not JSON: %s (line %d, column %d)", error.text,
                           error.line, error.column);
    *ret_value = value;
    return SC_OK;
}

static int write_chunk(const char *bytes, size_t len, void *out)
{
    sc__str_append(out, (sc_slice){bytes, len});
    return 0;
}

void sc__json_write(sc__str *out, const json_t *value)
{
    if (json_dump_callback(value, write_chunk, out, JSON_COMPACT | JSON_ENCODE_ANY) && !out->err)
        out->err = SC_ENOMEM;
}

sc_slice sc__json_text(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    return json_is_string(value) ? (sc_slice){json_string_value(value), json_string_length(value)}
                                 : (sc_slice){NULL, 0};
}

int64_t sc__json_int(const json_t *object, const char *key, int64_t otherwise)
{
    const json_t *value = json_object_get(object, key);

    if (json_is_integer(value))
        return json_integer_value(value);
    if (json_is_real(value) && json_real_value(value) > -0x1p62 && json_real_value(value) < 0x1p62)
        return (int64_t)json_real_value(value);
    return otherwise;
}

bool sc__json_bool(const json_t *object, const char *key, bool otherwise)
{
    const json_t *value = json_object_get(object, key);

    return json_is_boolean(value) ? json_is_true(value) : otherwise;
}
