#include "reply.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/str.h"
#include "resp.h"

static const char *type_name(sc_reply_type type)
{
    static const char *const names[] = {
        [SC_REPLY_NIL] = "nil",         [SC_REPLY_STRING] = "a string",
        [SC_REPLY_ERROR] = "an error",  [SC_REPLY_INT] = "an integer",
        [SC_REPLY_DOUBLE] = "a double", [SC_REPLY_BOOL] = "a boolean",
        [SC_REPLY_ARRAY] = "an array",  [SC_REPLY_BIGNUMBER] = "a big number",
        [SC_REPLY_MAP] = "a map",
    };

    return names[type];
}

static sc_err wrong_shape(const sc_reply *r, const char *wanted, sc_reason *ret_reason)
{
    sc_err err = sc__reply_check(r, ret_reason);

    if (err)
        return err;
    return sc__because(ret_reason, SC_EPROTO, "the server sent %s instead of %s",
                       type_name(r->type), wanted);
}

sc_err sc__reply_check(const sc_reply *r, sc_reason *ret_reason)
{
    if (r->type != SC_REPLY_ERROR)
        return SC_OK;
    return sc__because(ret_reason, SC_EREPLY, "the server answered: %.*s",
                       (int)(r->str.len < 256 ? r->str.len : 256), r->str.ptr);
}

sc_err sc__reply_int(const sc_reply *r, int64_t *ret_value, sc_reason *ret_reason)
{
    if (r->type == SC_REPLY_INT || r->type == SC_REPLY_BOOL) {
        *ret_value = r->integer;
        return SC_OK;
    }
    if (r->type == SC_REPLY_STRING && sc__int_parse(r->str, ret_value))
        return SC_OK;
    return wrong_shape(r, "an integer", ret_reason);
}

sc_err sc__reply_str(const sc_reply *r, sc_slice *ret_value, sc_reason *ret_reason)
{
    if (r->type != SC_REPLY_STRING && r->type != SC_REPLY_NIL && r->type != SC_REPLY_BIGNUMBER)
        return wrong_shape(r, "a string", ret_reason);
    *ret_value = r->type == SC_REPLY_NIL ? (sc_slice){NULL, 0} : r->str;
    return SC_OK;
}

sc_err sc__reply_array(const sc_reply *r, const sc_reply **ret_items, size_t *ret_count,
                       sc_reason *ret_reason)
{
    if (r->type != SC_REPLY_ARRAY && r->type != SC_REPLY_MAP)
        return wrong_shape(r, "an array", ret_reason);
    *ret_items = r->items;
    *ret_count = r->count;
    return SC_OK;
}

sc_err sc__reply_server_ahead(const sc_reply *r, int64_t asked_ns, int64_t *ret_ahead_ms)
{
    const int64_t halfway_ns = asked_ns + (sc__mono_ns() - asked_ns) / 2;
    const int64_t seconds_max = INT64_MAX / 1000000;
    int64_t seconds = 0, us = 0;
    const sc_reply *items = NULL;
    size_t count = 0;
    sc_err err = sc__reply_array(r, &items, &count, NULL);

    if (err || count != 2)
        return err ? err : SC_EPROTO;
    err = sc__reply_int(&items[0], &seconds, NULL);
    if (!err)
        err = sc__reply_int(&items[1], &us, NULL);
    if (err || seconds < 0 || seconds >= seconds_max || us < 0 || us >= 1000000)
        return err ? err : SC_EPROTO;
    *ret_ahead_ms = (seconds * 1000000 + us) / 1000 - halfway_ns / 1000000;
    return SC_OK;
}

sc_err sc__reply_double(const sc_reply *r, double *ret_value, sc_reason *ret_reason)
{
    if (r->type == SC_REPLY_DOUBLE)
        *ret_value = r->number;
    else if (r->type == SC_REPLY_INT)
        *ret_value = (double)r->integer;
    else if (r->type != SC_REPLY_STRING || !sc__double_parse(r->str, ret_value))
        return wrong_shape(r, "a number", ret_reason);
    return SC_OK;
}

bool sc__reply_is_error(const sc_reply *r, const char *code)
{
    size_t len = strlen(code);

    return r->type == SC_REPLY_ERROR && r->str.len >= len && memcmp(r->str.ptr, code, len) == 0 &&
           (r->str.len == len || r->str.ptr[len] == ' ');
}

/* a deep copy: all nodes first, then all bytes, each string with a NUL */

static void measure(const sc_reply *r, size_t *nodes, size_t *bytes)
{
    *nodes += r->count;
    if (r->str.ptr)
        *bytes += r->str.len + 1;
    for (size_t i = 0; i < r->count; i++)
        measure(&r->items[i], nodes, bytes);
}

struct copier {
    sc_reply *nodes;
    char *bytes;
};

static void copy(struct copier *c, const sc_reply *from, sc_reply *to)
{
    sc_reply *items = c->nodes;

    *to = *from;
    if (from->str.ptr) {
        memcpy(c->bytes, from->str.ptr, from->str.len);
        c->bytes[from->str.len] = '\0';
        to->str.ptr = c->bytes;
        c->bytes += from->str.len + 1;
    }
    if (from->count == 0)
        return;
    to->items = items;
    c->nodes += from->count;
    for (size_t i = 0; i < from->count; i++)
        copy(c, &from->items[i], &items[i]);
}

sc_reply *sc__reply_dup(const sc_reply *r)
{
    size_t nodes = 1, bytes = 0;
    struct copier c;
    sc_reply *to;

    measure(r, &nodes, &bytes);
    to = sc__malloc(nodes * sizeof(*to) + bytes);
    if (!to)
        return NULL;
    c = (struct copier){to + 1, (char *)(to + nodes)};
    copy(&c, r, to);
    return to;
}

void sc_reply_free(sc_reply *reply)
{
    sc_free(reply);
}
