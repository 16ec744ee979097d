#include "str.h"

#include "mem.h"
#include "utf8.h"

#include <stdio.h>

void sc__str_release(sc__str *s)
{
    sc_free(s->ptr);
    s->ptr = NULL;
    s->len = s->cap = 0;
}

void sc__str_reset(sc__str *s)
{
    s->len = 0;
    s->err = SC_OK;
    if (s->ptr)
        s->ptr[0] = '\0';
}

static sc_err fail(sc__str *s, sc_err err)
{
    if (!s->err)
        s->err = err;
    return s->err;
}

sc_err sc__str_reserve(sc__str *s, size_t more)
{
    size_t cap;
    char *ptr;

    if (s->err)
        return s->err;
    if (more > s->max - s->len)
        return fail(s, SC_ETOOBIG);
    if (s->len + more < s->cap)
        return SC_OK;
    cap = s->cap ? s->cap : 64;
    while (cap <= s->len + more)
        cap = cap > SIZE_MAX / 2 ? s->len + more + 1 : cap * 2;
    ptr = sc__realloc(s->ptr, cap);
    if (!ptr)
        return fail(s, SC_ENOMEM);
    s->ptr = ptr;
    s->cap = cap;
    return SC_OK;
}

void sc__str_append(sc__str *s, sc_slice bytes)
{
    if (sc__str_reserve(s, bytes.len))
        return;
    if (bytes.len)
        memcpy(s->ptr + s->len, bytes.ptr, bytes.len);
    s->len += bytes.len;
    s->ptr[s->len] = '\0';
}

void sc__str_text(sc__str *s, const char *text)
{
    sc__str_append(s, sc_slice_of(text));
}

void sc__str_char(sc__str *s, char c)
{
    sc__str_append(s, (sc_slice){&c, 1});
}

void sc__str_int(sc__str *s, int64_t value)
{
    char digits[SC__INT_LEN];

    sc__str_append(s, (sc_slice){digits, sc__int_text(value, digits)});
}

void sc__str_printf(sc__str *s, const char *fmt, ...)
{
    va_list args;
    int n;

    va_start(args, fmt);
    n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (n < 0) {
        fail(s, SC_EINVAL);
        return;
    }
    if (sc__str_reserve(s, (size_t)n))
        return;
    va_start(args, fmt);
    vsnprintf(s->ptr + s->len, (size_t)n + 1, fmt, args);
    va_end(args);
    s->len += (size_t)n;
}

static void json_escape(sc__str *s, unsigned char c)
{
    static const char *const shorts[] = {
        ['\b'] = "\\b", ['\t'] = "\\t", ['\n'] = "\\n", ['\f'] = "\\f", ['\r'] = "\\r"};

    if (c == '"' || c == '\\') {
        sc__str_char(s, '\\');
        sc__str_char(s, (char)c);
    } else if (c < sizeof(shorts) / sizeof(*shorts) && shorts[c]) {
        sc__str_text(s, shorts[c]);
    } else {
        sc__str_printf(s, "\\u%04x", c);
    }
}

void sc__str_json(sc__str *s, sc_slice utf8)
{
    size_t i = 0, plain = 0;

    sc__str_char(s, '"');
    while (i < utf8.len) {
        unsigned char c = (unsigned char)utf8.ptr[i];
        size_t width = sc__utf8_width(utf8.ptr + i, utf8.len - i);

        if (width && c >= 0x20 && c != '"' && c != '\\' && c != 0x7f) {
            i += width;
            continue;
        }
        sc__str_append(s, (sc_slice){utf8.ptr + plain, i - plain});
        if (width)
            json_escape(s, c);
        else
            sc__str_text(s, "\xef\xbf\xbd");
        plain = ++i;
    }
    sc__str_append(s, (sc_slice){utf8.ptr + plain, utf8.len - plain});
    sc__str_char(s, '"');
}

sc_err sc__str_take(sc__str *s, char **ret_text)
{
    sc_err err = sc__str_reserve(s, 0);

    if (err) {
        sc__str_release(s);
        return err;
    }
    s->ptr[s->len] = '\0';
    *ret_text = s->ptr;
    s->ptr = NULL;
    s->len = s->cap = 0;
    return SC_OK;
}

size_t sc__int_text(int64_t value, char out[SC__INT_LEN])
{
    uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    char digits[SC__INT_LEN];
    size_t n = 0, len = 0;

    do
        digits[n++] = (char)('0' + left % 10);
    while (left /= 10);
    if (value < 0)
        out[len++] = '-';
    while (n)
        out[len++] = digits[--n];
    return len;
}

bool sc__int_parse(sc_slice text, int64_t *ret_value)
{
    bool negative = text.len && text.ptr[0] == '-';
    uint64_t value = 0, limit = (uint64_t)INT64_MAX + negative;
    size_t i = negative;

    if (i == text.len)
        return false;
    for (; i < text.len; i++) {
        unsigned digit = (unsigned char)text.ptr[i] - (unsigned)'0';

        if (digit > 9 || value > (limit - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *ret_value = negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}
