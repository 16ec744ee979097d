#include "request.h"

#include <microhttpd.h>
#include <strings.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "routes.h"

enum { MEMBER_MAX = 64 * 1024 };

struct request *request_new(struct http_shared *shared, const char *target)
{
    struct request *request = sc__calloc(1, sizeof(*request));
    const char *copy, *mark;

    if (!request)
        return NULL;
    sc__arena_init(&request->arena, REQUEST_ARENA_MAX);
    copy = sc__arena_dup(&request->arena, sc_slice_of(target));
    if (!copy) {
        request_free(request);
        return NULL;
    }
    mark = strchr(copy, '?');
    request->path = (sc_slice){copy, mark ? (size_t)(mark - copy) : strlen(copy)};
    request->query = sc_slice_of(mark ? mark + 1 : "");
    request->shared = shared;
    request->body = STR_MAX(shared->max_body);
    request->began_ns = sc__mono_ns();
    return request;
}

void request_free(struct request *request)
{
    if (!request)
        return;
    answer_release(&request->answer);
    sc__str_release(&request->body);
    sc__arena_release(&request->arena);
    sc_free(request);
}

sc_slice request_param(const struct request *request, const char *name)
{
    size_t at = 0, len = strlen(name);

    for (const char *p = request->route->path; (p = strchr(p, ':')); at++) {
        size_t width = strcspn(++p, "/");

        if (width == len && memcmp(p, name, len) == 0)
            return request->params[at];
    }
    return (sc_slice){NULL, 0};
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte of "%41" at the start of `raw`; -1 if it is not one. */
static int escaped_byte(sc_slice raw)
{
    int high = raw.len > 2 ? hex_digit(raw.ptr[1]) : -1;
    int low = raw.len > 2 ? hex_digit(raw.ptr[2]) : -1;

    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

sc_err request_decode(struct request *request, sc_slice raw, sc_slice *ret_text,
                      sc_reason *ret_reason)
{
    char *out = sc__arena_alloc(&request->arena, raw.len + 1);
    size_t n = 0;

    if (!out)
        return SC_ENOMEM;
    for (size_t i = 0; i < raw.len; i++) {
        int c = (unsigned char)raw.ptr[i];

        if (c == '%') {
            c = escaped_byte((sc_slice){raw.ptr + i, raw.len - i});
            i += 2;
        }
        if (c < 0x20 || c == 0x7f)
            return sc__because(ret_reason, SC_EINVAL,
                               c < 0 ? "the address has a '%%' without two hexadecimal digits"
                                     : "the address has a control character");
        out[n++] = (char)c;
    }
    out[n] = '\0';
    if (!sc__utf8_valid((sc_slice){out, n}, NULL))
        return sc__because(ret_reason, SC_EINVAL, "the address is not UTF-8");
    *ret_text = (sc_slice){out, n};
    return SC_OK;
}

/* The next member of the query, which is cut from `rest`. */
static bool next_member(sc_slice *rest, sc_slice *ret_name, sc_slice *ret_value)
{
    const char *end = rest->len ? memchr(rest->ptr, '&', rest->len) : NULL;
    size_t len = end ? (size_t)(end - rest->ptr) : rest->len;
    const char *equals = len ? memchr(rest->ptr, '=', len) : NULL;
    size_t name_len = equals ? (size_t)(equals - rest->ptr) : len;

    if (!rest->len)
        return false;
    *ret_name = (sc_slice){rest->ptr, name_len};
    *ret_value = equals ? (sc_slice){equals + 1, len - name_len - 1} : SC_S("");
    rest->ptr += len + (end != NULL);
    rest->len -= len + (end != NULL);
    return true;
}

/* In a query, and only there, '+' is a space. */
static sc_err decode_value(struct request *request, sc_slice raw, sc_slice *ret_value,
                           sc_reason *ret_reason)
{
    char *copy = sc__arena_dup(&request->arena, raw);

    if (!copy)
        return SC_ENOMEM;
    for (size_t i = 0; i < raw.len; i++)
        if (copy[i] == '+')
            copy[i] = ' ';
    return request_decode(request, (sc_slice){copy, raw.len}, ret_value, ret_reason);
}

sc_err request_query(struct request *request, const char *name, sc_slice *ret_value,
                     sc_reason *ret_reason)
{
    sc_slice rest = request->query, got, value;

    while (next_member(&rest, &got, &value))
        if (sc_slice_eq(got, sc_slice_of(name)))
            return decode_value(request, value, ret_value, ret_reason);
    *ret_value = (sc_slice){NULL, 0};
    return SC_OK;
}

sc_err request_query_int(struct request *request, const char *name, int64_t otherwise, int64_t min,
                         int64_t max, int64_t *ret_value, sc_reason *ret_reason)
{
    sc_slice text;
    int64_t value = otherwise;
    sc_err err = request_query(request, name, &text, ret_reason);

    if (err)
        return err;
    if (text.ptr && !sc__int_parse(text, &value))
        return sc__because(ret_reason, SC_EINVAL, "%s=%.40s is not a whole number", name, text.ptr);
    *ret_value = value < min ? min : value > max ? max : value;
    return SC_OK;
}

const char *request_header(const struct request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

static bool is_json_type(const char *type)
{
    static const char json[] = "application/json";
    size_t len = sizeof(json) - 1;

    return type && strncasecmp(type, json, len) == 0 &&
           (type[len] == '\0' || type[len] == ';' || type[len] == ' ');
}

sc_err request_json(struct request *request, json_t **ret_object, sc_reason *ret_reason)
{
    sc_slice body = sc__str_slice(&request->body);
    AUTO_JSON *value = NULL;
    size_t bad;
    sc_err err;

    request->answer.status = 415;
    if (!is_json_type(request_header(request, "Content-Type")))
        return sc__because(ret_reason, SC_EINVAL,
                           "send the body as JSON, with Content-Type: application/json");
    request->answer.status = 400;
    if (!sc__utf8_valid(body, &bad))
        return sc__because(ret_reason, SC_ESYNTAX, "the body is not UTF-8: see its byte %zu", bad);
    err = sc__json_parse(body, &value, ret_reason);
    if (err)
        return err;
    if (!json_is_object(value))
        return sc__because(ret_reason, SC_ESYNTAX, "the body must be a JSON object");
    request->answer.status = 0;
    *ret_object = json_incref(value);
    return SC_OK;
}

sc_err request_text(const json_t *body, const char *name, sc_slice *ret_text, sc_reason *ret_reason)
{
    const json_t *value = json_object_get(body, name);

    *ret_text = (sc_slice){NULL, 0};
    if (!value || json_is_null(value))
        return SC_OK;
    if (!json_is_string(value))
        return sc__because(ret_reason, SC_EPAYLOAD, "%s must be a text", name);
    *ret_text = (sc_slice){json_string_value(value), json_string_length(value)};
    return SC_OK;
}

sc_err request_member(struct request *request, const json_t *body, const char *name,
                      sc_slice *ret_text, sc_reason *ret_reason)
{
    const json_t *value = json_object_get(body, name);
    AUTO_STR text = STR_MAX(MEMBER_MAX);
    char *copy;

    *ret_text = (sc_slice){NULL, 0};
    if (!value || json_is_null(value))
        return SC_OK;
    sc__json_write(&text, value);
    if (text.err)
        return sc__because(ret_reason, text.err, "%s is larger than %d bytes", name, MEMBER_MAX);
    copy = sc__arena_dup(&request->arena, sc__str_slice(&text));
    *ret_text = (sc_slice){copy, text.len};
    return copy ? SC_OK : SC_ENOMEM;
}

sc_err request_blame_body(struct request *request, sc_err err)
{
    if (err == SC_EINVAL)
        request->answer.status = 422;
    return err;
}
