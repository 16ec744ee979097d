#include "resp.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"

enum { READ_MIN = 16 * 1024, BUFFER_FIRST = 64 * 1024, BUFFER_KEPT = 1024 * 1024 };
enum { NODES_FIRST = 64, NODES_KEPT = 16 * 1024, DOUBLE_TEXT_MAX = 350 };

/* the read buffer */

void sc__resp_init(sc__resp *p, size_t max_reply_bytes)
{
    *p = (sc__resp){.max_bytes = max_reply_bytes};
}

void sc__resp_release(sc__resp *p)
{
    sc_free(p->buf);
    sc_free(p->nodes);
    sc__resp_init(p, p->max_bytes);
}

static void move_to_front(sc__resp *p)
{
    if (p->start == 0)
        return;
    memmove(p->buf, p->buf + p->start, p->end - p->start);
    p->at -= p->start;
    p->seen = p->seen > p->start ? p->seen - p->start : 0;
    p->end -= p->start;
    p->start = 0;
}

/* After one large reply the memory goes back. */
static void shrink(sc__resp *p)
{
    if (p->start == p->end && p->cap > BUFFER_KEPT) {
        sc_free(p->buf);
        p->buf = NULL;
        p->cap = p->start = p->end = p->at = p->seen = 0;
    }
    if (p->node_cap > NODES_KEPT) {
        sc_free(p->nodes);
        p->nodes = NULL;
        p->node_cap = 0;
    }
}

static sc_err grow(sc__resp *p)
{
    size_t cap = p->cap ? p->cap * 2 : BUFFER_FIRST;
    char *buf;

    buf = sc__realloc(p->buf, cap);
    if (!buf)
        return SC_ENOMEM;
    p->buf = buf;
    p->cap = cap;
    return SC_OK;
}

sc_err sc__resp_space(sc__resp *p, char **ret_space, size_t *ret_len)
{
    sc_err err;

    shrink(p);
    if (p->cap - p->end < READ_MIN)
        move_to_front(p);
    if (p->cap - p->end < READ_MIN) {
        err = grow(p);
        if (err)
            return err;
    }
    *ret_space = p->buf + p->end;
    *ret_len = p->cap - p->end;
    return SC_OK;
}

void sc__resp_fed(sc__resp *p, size_t len)
{
    p->end += len;
}

/* the first pass */

static sc_err stop(sc__resp *p, sc_err err, const char *what)
{
    p->err = err;
    p->what = what;
    return err;
}

/* The line at `p->at` without its type byte; false when its end has not come. */
static bool read_line(sc__resp *p, sc_slice *ret_line)
{
    const char *from, *cr;

    if (p->at == p->end)
        return false;
    if (p->seen < p->at)
        p->seen = p->at;
    from = p->buf + p->seen;
    cr = memchr(from, '\r', p->end - p->seen);
    if (!cr || cr + 1 == p->buf + p->end) {
        p->seen = cr ? (size_t)(cr - p->buf) : p->end;
        if (p->seen - p->at > SC__RESP_LINE_MAX)
            stop(p, SC_EPROTO, "a line is too long");
        return false;
    }
    if (cr[1] != '\n' || cr == p->buf + p->at) {
        stop(p, SC_EPROTO, "a line does not end as it must");
        return false;
    }
    from = p->buf + p->at + 1;
    *ret_line = (sc_slice){from, (size_t)(cr - from)};
    return true;
}

static size_t after_line(const sc__resp *p, sc_slice line)
{
    return (size_t)(line.ptr - p->buf) + line.len + 2;
}

/* A bulk's or an aggregate's number: -1 is nil where RESP2 has it. */
static bool read_count(sc_slice line, bool may_be_nil, int64_t max, int64_t *ret_count)
{
    if (line.len > 20 || !sc__int_parse(line, ret_count))
        return false;
    return (*ret_count >= 0 && *ret_count <= max) || (may_be_nil && *ret_count == -1);
}

static bool walk_bulk(sc__resp *p, char type, sc_slice line)
{
    size_t body = after_line(p, line), used = body - p->start;
    const char *bytes;
    int64_t len;

    if (!read_count(line, type == '$', INT64_MAX - 2, &len)) {
        stop(p, SC_EPROTO, "a string has no valid length");
        return false;
    }
    if (len == -1) {
        p->at = body;
        return true;
    }
    if (used > p->max_bytes || (size_t)len > p->max_bytes - used) {
        stop(p, SC_ETOOBIG, "a reply is larger than max_reply_bytes");
        return false;
    }
    if (p->end - body < (size_t)len + 2)
        return false;
    bytes = p->buf + body;
    if (bytes[len] != '\r' || bytes[len + 1] != '\n' ||
        (type == '=' && (len < 4 || bytes[3] != ':'))) {
        stop(p, SC_EPROTO, "a string is not as long as announced");
        return false;
    }
    p->at = body + (size_t)len + 2;
    return true;
}

/* Opens an aggregate. `*ret_open` is false if it is empty or nil, and so complete. */
static bool walk_aggregate(sc__resp *p, char type, sc_slice line, bool *ret_open)
{
    bool pairs = type == '%' || type == '|';
    int64_t count, max = SC__RESP_NODES_MAX / (pairs ? 2 : 1);
    struct sc__resp_frame *frame;

    if (line.len && line.ptr[0] == '?') {
        stop(p, SC_EPROTO, "streamed replies are not supported");
        return false;
    }
    if (!read_count(line, type == '*', INT64_MAX, &count)) {
        stop(p, SC_EPROTO, "an array has no valid count");
        return false;
    }
    p->at = after_line(p, line);
    *ret_open = count > 0;
    if (count <= 0)
        return true;
    if (count > max || (size_t)count * (pairs ? 2 : 1) > SC__RESP_NODES_MAX - p->node_count) {
        stop(p, SC_ETOOBIG, "a reply has too many values");
        return false;
    }
    if (p->depth == SC__RESP_DEPTH_MAX) {
        stop(p, SC_EPROTO, "a reply is nested too deep");
        return false;
    }
    frame = &p->frames[p->depth++];
    frame->left = (size_t)count * (pairs ? 2 : 1);
    frame->attribute = type == '|';
    return true;
}

static bool walk_scalar(sc__resp *p, char type, sc_slice line)
{
    int64_t integer;
    double number;
    bool ok = true;

    if (type == ':')
        ok = sc__int_parse(line, &integer);
    else if (type == ',')
        ok = sc__double_parse(line, &number);
    else if (type == '#')
        ok = line.len == 1 && (line.ptr[0] == 't' || line.ptr[0] == 'f');
    else if (type == '_')
        ok = line.len == 0;
    else
        ok = type == '+' || type == '-' || type == '(';
    if (!ok) {
        stop(p, SC_EPROTO, "a value is not what its type says");
        return false;
    }
    p->at = after_line(p, line);
    return true;
}

/* A value is complete, and so may be the aggregates around it. True when the whole reply is. */
static bool close_frames(sc__resp *p)
{
    while (p->depth > 0) {
        struct sc__resp_frame *frame = &p->frames[p->depth - 1];

        if (--frame->left > 0)
            return false;
        p->depth--;
        if (frame->attribute)
            return false;
    }
    return true;
}

/* One header and its body. False when there are not enough bytes, or on an error. */
static bool walk_value(sc__resp *p, bool *ret_complete)
{
    bool open = false;
    sc_slice line;
    char type;

    if (!read_line(p, &line))
        return false;
    if (p->node_count == SC__RESP_NODES_MAX) {
        stop(p, SC_ETOOBIG, "a reply has too many values");
        return false;
    }
    type = line.ptr[-1];
    p->node_count++;
    if (p->depth == 0)
        p->is_push = type == '>'; /* an attribute before it is not the last that comes here */
    switch (type) {
    case '$':
    case '!':
    case '=':
        if (!walk_bulk(p, type, line)) {
            p->node_count--;
            return false;
        }
        break;
    case '*':
    case '~':
    case '>':
    case '%':
    case '|':
        if ((type == '>' && p->depth > 0) || !walk_aggregate(p, type, line, &open)) {
            if (!p->err)
                stop(p, SC_EPROTO, "a push is inside of a reply");
            return false;
        }
        break;
    default:
        if (!walk_scalar(p, type, line))
            return false;
    }
    if (p->at - p->start > p->max_bytes) {
        stop(p, SC_ETOOBIG, "a reply is larger than max_reply_bytes");
        return false;
    }
    *ret_complete = !open && type != '|' && close_frames(p);
    return true;
}

/* the second pass: the bytes are complete and valid */

static const char *line_end(const char *at)
{
    while (*at != '\r')
        at++;
    return at;
}

static const char *build(sc__resp *p, const char *at, sc_reply *out);

static const char *build_items(sc__resp *p, const char *at, size_t count, sc_reply *out)
{
    sc_reply *items = p->nodes + p->node_at;

    p->node_at += count;
    out->count = count;
    out->items = count ? items : NULL;
    for (size_t i = 0; i < count; i++)
        at = build(p, at, &items[i]);
    return at;
}

/* Nodes of an attribute were counted in the first pass, so they are made here and forgotten. A loop:
 * any number of attributes may stand before a value. */
static const char *skip_attributes(sc__resp *p, const char *at)
{
    sc_reply forgotten;

    while (*at == '|') {
        const char *end = line_end(at);
        int64_t pairs = 0;

        (void)!sc__int_parse((sc_slice){at + 1, (size_t)(end - at) - 1}, &pairs);
        at = build_items(p, end + 2, (size_t)pairs * 2, &forgotten);
    }
    return at;
}

static const char *build_bulk(const char *body, char type, int64_t len, sc_reply *out)
{
    if (len < 0) {
        out->type = SC_REPLY_NIL;
        return body;
    }
    out->type = type == '!' ? SC_REPLY_ERROR : SC_REPLY_STRING;
    out->str = (sc_slice){body, (size_t)len};
    if (type == '=')
        out->str = (sc_slice){body + 4, (size_t)len - 4};
    return body + len + 2;
}

static void build_scalar(char type, sc_slice line, sc_reply *out)
{
    out->str = line;
    if (type == '+') {
        out->type = SC_REPLY_STRING;
    } else if (type == '-') {
        out->type = SC_REPLY_ERROR;
    } else if (type == '(') {
        out->type = SC_REPLY_BIGNUMBER;
    } else if (type == '#') {
        out->type = SC_REPLY_BOOL;
        out->integer = line.ptr[0] == 't';
    } else if (type == ',') {
        out->type = SC_REPLY_DOUBLE;
        (void)!sc__double_parse(line, &out->number);
    } else {
        out->type = SC_REPLY_NIL;
    }
}

static const char *build(sc__resp *p, const char *at, sc_reply *out)
{
    const char *start = *at == '|' ? skip_attributes(p, at) : at;
    const char *end = line_end(start), *next = end + 2;
    sc_slice line = {start + 1, (size_t)(end - start) - 1};
    char type = *start;
    int64_t n = 0;

    *out = (sc_reply){0};
    switch (type) {
    case ':':
        out->type = SC_REPLY_INT;
        (void)!sc__int_parse(line, &out->integer);
        return next;
    case '$':
    case '!':
    case '=':
        (void)!sc__int_parse(line, &n);
        return build_bulk(next, type, n, out);
    case '*':
    case '~':
    case '>':
    case '%':
        (void)!sc__int_parse(line, &n);
        out->type = n < 0 ? SC_REPLY_NIL : type == '%' ? SC_REPLY_MAP : SC_REPLY_ARRAY;
        return n < 0 ? next : build_items(p, next, (size_t)n * (type == '%' ? 2 : 1), out);
    default:
        build_scalar(type, line, out);
        return next;
    }
}

static sc_err reserve_nodes(sc__resp *p)
{
    size_t cap = p->node_cap ? p->node_cap : NODES_FIRST;
    sc_reply *nodes;

    if (p->node_count <= p->node_cap)
        return SC_OK;
    while (cap < p->node_count)
        cap *= 2;
    nodes = sc__realloc(p->nodes, cap * sizeof(*nodes));
    if (!nodes)
        return stop(p, SC_ENOMEM, "out of memory");
    p->nodes = nodes;
    p->node_cap = cap;
    return SC_OK;
}

sc_err sc__resp_next(sc__resp *p, const sc_reply **ret_reply, bool *ret_is_push)
{
    bool complete = false;
    sc_err err;

    *ret_reply = NULL;
    if (p->err)
        return p->err;
    while (!complete)
        if (!walk_value(p, &complete))
            return p->err;
    err = reserve_nodes(p);
    if (err)
        return err;
    p->node_at = 1;
    *ret_is_push = p->is_push;
    build(p, p->buf + p->start, &p->nodes[0]);
    p->node_count = 0;
    p->start = p->at;
    if (p->start == p->end)
        p->start = p->end = p->at = p->seen = 0;
    *ret_reply = &p->nodes[0];
    return SC_OK;
}

/* numbers */

static bool is_word(sc_slice text, const char *word)
{
    return sc_slice_eq(text, sc_slice_of(word));
}

static bool has_double_form(sc_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!memchr("0123456789+-.eE", text.ptr[i], 15))
            return false;
    return text.len > 0 && text.len < DOUBLE_TEXT_MAX;
}

bool sc__double_parse(sc_slice text, double *ret_value)
{
    char copy[DOUBLE_TEXT_MAX + 1], *end, *dot;
    double value;

    if (is_word(text, "inf") || is_word(text, "-inf")) {
        *ret_value = text.ptr[0] == '-' ? -INFINITY : INFINITY;
        return true;
    }
    if (is_word(text, "nan") || is_word(text, "-nan")) {
        *ret_value = NAN;
        return true;
    }
    if (!has_double_form(text))
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    dot = strchr(copy, '.');
    if (dot) /* strtod wants the locale's own */
        *dot = *localeconv()->decimal_point;
    value = strtod(copy, &end);
    if (end != copy + text.len)
        return false;
    *ret_value = value;
    return true;
}
