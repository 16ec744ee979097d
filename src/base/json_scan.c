#include "json_scan.h"

#include <math.h>

#include "error.h"
#include "utf8.h"

struct scan {
    const char *start, *p, *end;
    const char *what; /* what is wrong at p */
    sc__json_value value;
    uint8_t in_object[SC__JSON_DEPTH / 8]; /* a bit per open container */
    size_t depth;
};

static bool fail(struct scan *s, const char *what)
{
    s->what = what;
    return false;
}

static void skip_space(struct scan *s)
{
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\n' || *s->p == '\r' || *s->p == '\t'))
        s->p++;
}

static bool is_digit(const struct scan *s)
{
    return s->p < s->end && *s->p >= '0' && *s->p <= '9';
}

static bool scan_digits(struct scan *s)
{
    if (!is_digit(s))
        return fail(s, "a digit is missing");
    while (is_digit(s))
        s->p++;
    return true;
}

static bool scan_number(struct scan *s)
{
    if (*s->p == '-')
        s->p++;
    if (is_digit(s) && *s->p == '0')
        s->p++;
    else if (!scan_digits(s))
        return false;
    if (s->p < s->end && *s->p == '.') {
        s->p++;
        if (!scan_digits(s))
            return false;
    }
    if (s->p < s->end && (*s->p == 'e' || *s->p == 'E')) {
        s->p++;
        if (s->p < s->end && (*s->p == '+' || *s->p == '-'))
            s->p++;
        return scan_digits(s);
    }
    return true;
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool scan_escape(struct scan *s)
{
    s->p++;
    if (s->p == s->end || !memchr("\"\\/bfnrtu", *s->p, 9))
        return fail(s, "an unknown escape");
    if (*s->p++ != 'u')
        return true;
    for (int i = 0; i < 4; i++, s->p++)
        if (s->p == s->end || !is_hex(*s->p))
            return fail(s, "\\u without four hex digits");
    return true;
}

static bool scan_string(struct scan *s)
{
    s->p++;
    while (s->p < s->end) {
        unsigned char c = (unsigned char)*s->p;

        if (c == '"') {
            s->p++;
            return true;
        }
        if (c < 0x20)
            return fail(s, "a control byte in a string");
        if (c == '\\') {
            if (!scan_escape(s))
                return false;
        } else if (c < 0x80) {
            s->p++;
        } else {
            size_t width = sc__utf8_width(s->p, (size_t)(s->end - s->p));

            if (!width)
                return fail(s, "bytes that are not UTF-8");
            s->p += width;
        }
    }
    return fail(s, "a string that does not end");
}

static bool scan_word(struct scan *s, const char *word, size_t len)
{
    if ((size_t)(s->end - s->p) < len || memcmp(s->p, word, len) != 0)
        return fail(s, "not a JSON value");
    s->p += len;
    return true;
}

static bool scan_scalar(struct scan *s, sc__json_kind *ret_kind)
{
    switch (*s->p) {
    case '"':
        *ret_kind = SC__JSON_STRING;
        return scan_string(s);
    case 't':
        *ret_kind = SC__JSON_BOOL;
        return scan_word(s, "true", 4);
    case 'f':
        *ret_kind = SC__JSON_BOOL;
        return scan_word(s, "false", 5);
    case 'n':
        *ret_kind = SC__JSON_NULL;
        return scan_word(s, "null", 4);
    default:
        *ret_kind = SC__JSON_NUMBER;
        if (*s->p != '-' && !is_digit(s))
            return fail(s, "not a JSON value");
        return scan_number(s);
    }
}

static bool in_object(const struct scan *s)
{
    size_t level = s->depth - 1;

    return s->in_object[level / 8] & (1u << (level % 8));
}

static bool open_container(struct scan *s)
{
    size_t level = s->depth;
    uint8_t bit = (uint8_t)(1u << (level % 8));

    if (level == SC__JSON_DEPTH)
        return fail(s, "nested too deep");
    if (*s->p == '{')
        s->in_object[level / 8] |= bit;
    else
        s->in_object[level / 8] &= (uint8_t)~bit;
    s->depth++;
    s->p++;
    skip_space(s);
    return true;
}

static bool scan_key(struct scan *s)
{
    if (s->p == s->end || *s->p != '"')
        return fail(s, "a member's name in quotes is missing");
    if (!scan_string(s))
        return false;
    skip_space(s);
    if (s->p == s->end || *s->p != ':')
        return fail(s, "a ':' is missing");
    s->p++;
    skip_space(s);
    return true;
}

/* After a value: closes what ends here. True with `*ret_more` when another item or member follows. */
static bool scan_after_value(struct scan *s, bool *ret_more)
{
    *ret_more = false;
    while (s->depth) {
        const char *start = s->p;

        skip_space(s);
        if (s->p == s->end)
            return fail(s, "the text ends inside an object or array");
        if (*s->p == ',') {
            s->p++;
            skip_space(s);
            *ret_more = true;
            return !in_object(s) || scan_key(s);
        }
        if (*s->p != (in_object(s) ? '}' : ']')) {
            s->p = start;
            return fail(s, in_object(s) ? "a ',' or '}' is missing" : "a ',' or ']' is missing");
        }
        s->p++;
        s->depth--;
    }
    return true;
}

static sc__json_kind kind_at(const struct scan *s)
{
    return *s->p == '{' ? SC__JSON_OBJECT : SC__JSON_ARRAY;
}

/* One value from s->p, which ends just behind it. */
static bool scan_value(struct scan *s)
{
    const char *start = s->p;
    bool more = true, outermost = true;

    while (more) {
        sc__json_kind kind;

        if (s->p == s->end)
            return fail(s, "a value is missing");
        if (*s->p == '{' || *s->p == '[') {
            char close = *s->p == '{' ? '}' : ']';

            kind = kind_at(s);
            if (outermost)
                s->value.kind = kind;
            outermost = false;
            if (!open_container(s))
                return false;
            if (s->p == s->end || *s->p != close) {
                if (kind == SC__JSON_OBJECT && !scan_key(s))
                    return false;
                continue;
            }
            s->p++;
            s->depth--;
        } else {
            if (!scan_scalar(s, &kind))
                return false;
            if (outermost)
                s->value.kind = kind;
            outermost = false;
        }
        if (!scan_after_value(s, &more))
            return false;
    }
    s->value.text = (sc_slice){start, (size_t)(s->p - start)};
    if (s->value.kind == SC__JSON_STRING)
        s->value.text = (sc_slice){start + 1, (size_t)(s->p - start) - 2};
    return true;
}

static void scan_init(struct scan *s, sc_slice text)
{
    s->start = s->p = text.len ? text.ptr : "";
    s->end = s->start + text.len;
    s->depth = 0;
    s->what = NULL;
}

sc_err sc__json_scan(sc_slice text, sc__json_value *ret_value, sc_reason *ret_reason)
{
    struct scan s;

    scan_init(&s, text);
    skip_space(&s);
    if (scan_value(&s)) {
        skip_space(&s);
        if (s.p == s.end) {
            *ret_value = s.value;
            return SC_OK;
        }
        fail(&s, "more text after the value");
    }
    return sc__because(ret_reason, SC_ESYNTAX, "not JSON: %s at byte %zu of %zu", s.what,
                       (size_t)(s.p - s.start), text.len);
}

sc_err sc__json_check(sc_slice text, sc_reason *ret_reason)
{
    sc__json_value value;

    return sc__json_scan(text, &value, ret_reason);
}

bool sc__json_next(sc__json_value container, size_t *at, sc_slice *ret_key,
                   sc__json_value *ret_value)
{
    struct scan s;

    if (container.kind != SC__JSON_OBJECT && container.kind != SC__JSON_ARRAY)
        return false;
    scan_init(&s, container.text);
    s.p += *at ? *at : 1; /* behind the bracket at first, later behind a value */
    skip_space(&s);
    if (s.p < s.end && *s.p == ',')
        s.p++;
    skip_space(&s);
    if (s.p >= s.end || *s.p == '}' || *s.p == ']')
        return false;
    *ret_key = (sc_slice){NULL, 0};
    if (container.kind == SC__JSON_OBJECT) {
        const char *key = s.p + 1;

        if (!scan_string(&s))
            return false;
        *ret_key = (sc_slice){key, (size_t)(s.p - key) - 1};
        skip_space(&s);
        s.p++;
        skip_space(&s);
    }
    if (!scan_value(&s))
        return false;
    *ret_value = s.value;
    *at = (size_t)(s.p - s.start);
    return true;
}

/* Digits from p as a number; p moves behind them. `*scale` counts those taken. */
static double digits(const char **p, const char *end, double value, int *scale)
{
    for (*scale = 0; *p < end && **p >= '0' && **p <= '9'; (*p)++, (*scale)++)
        value = value * 10 + (**p - '0');
    return value;
}

double sc__json_double(sc__json_value value)
{
    const char *p = value.text.ptr, *end = p + value.text.len;
    bool negative;
    double number;
    int scale, exponent = 0;

    if (value.kind != SC__JSON_NUMBER)
        return 0;
    negative = *p == '-';
    p += negative;
    number = digits(&p, end, 0, &scale);
    if (p < end && *p == '.') {
        p++;
        number = digits(&p, end, number, &scale);
        exponent = -scale;
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        bool down = p + 1 < end && p[1] == '-';
        double by;

        p += 1 + (p + 1 < end && (p[1] == '-' || p[1] == '+'));
        by = digits(&p, end, 0, &scale);
        exponent += (int)(down ? -fmin(by, 9999) : fmin(by, 9999));
    }
    if (number == 0)
        return 0;
    /* Dividing by a power of ten that is exact keeps 0.1 what others read. */
    number = exponent < 0 ? number / pow(10, -exponent) : number * pow(10, exponent);
    return negative ? -number : number;
}

int64_t sc__json_integer(sc__json_value value, int64_t otherwise)
{
    double number;

    if (value.kind != SC__JSON_NUMBER)
        return otherwise;
    number = sc__json_double(value);
    if (isnan(number))
        return otherwise;
    if (number >= 9223372036854775807.0)
        return INT64_MAX;
    if (number <= -9223372036854775808.0)
        return INT64_MIN;
    return (int64_t)number;
}

int64_t sc__json_count(sc__json_value value)
{
    const int64_t most = INT64_C(1) << 53;
    int64_t number = sc__json_integer(value, 0);

    return number < 0 ? 0 : number > most ? most : number;
}

bool sc__json_is_true(sc__json_value value)
{
    return value.kind == SC__JSON_BOOL && value.text.ptr[0] == 't';
}
