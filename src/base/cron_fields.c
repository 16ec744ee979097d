#include "cron_fields.h"

#include <stdio.h>
#include <strings.h>

enum { NUMBER_MAX = 999999 };

struct field {
    const char *name;
    int min, max;
    const char *names; /* of values from min on, three letters each */
    const char *expected;
};

static const struct field fields[SC__CRON_FIELDS] = {
    [SC__CRON_SECOND] = {"second", 0, 59, NULL, "0 to 59"},
    [SC__CRON_MINUTE] = {"minute", 0, 59, NULL, "0 to 59"},
    [SC__CRON_HOUR] = {"hour", 0, 23, NULL, "0 to 23"},
    [SC__CRON_DAY] = {"day of month", 1, 31, NULL, "1 to 31, L, L-n, nW or LW"},
    [SC__CRON_MONTH] = {"month", 1, 12, "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC",
                        "1 to 12 or JAN to DEC"},
    [SC__CRON_WEEKDAY] = {"day of week", 0, 7, "SUNMONTUEWEDTHUFRISAT", "0 to 7 or SUN to SAT"},
    [SC__CRON_YEAR] = {"year", SC__CRON_YEAR_FIRST, SC__CRON_YEAR_LAST, NULL, "1970 to 2199"},
};

/* "minute: "61" at column 1: " and the rest. Gives the column. */
static int say(const sc__cron_parser *p, const char *field, const char *from, const char *to,
               const char *what, char *out, size_t size)
{
    int len = to - from > SC__CRON_SHOWN_MAX ? SC__CRON_SHOWN_MAX : (int)(to - from);
    int column = from >= p->text && from <= p->end ? (int)(from - p->text) + 1 : 1;

    snprintf(out, size, "%s: \"%.*s\" at column %d: %s", field, len, from, column, what);
    return column;
}

sc_err sc__cron_fail(sc__cron_parser *p, const char *from, const char *to, const char *fmt, ...)
{
    char wrong[200];
    va_list args;

    if (!p->error)
        return SC_ESYNTAX;
    va_start(args, fmt);
    vsnprintf(wrong, sizeof(wrong), fmt, args);
    va_end(args);
    p->error->field = p->in_field ? fields[p->id].name : "expression";
    p->error->column =
        say(p, p->error->field, from, to, wrong, p->error->text, sizeof(p->error->text));
    return SC_ESYNTAX;
}

void sc__cron_warn(sc__cron_parser *p, const char *name, int id, const char *from, const char *to,
                   const char *fmt, ...)
{
    sc_cron_warning *warning;
    char what[240];
    va_list args;

    if (!p->warnings || p->warnings->count == SC_CRON_WARNINGS_MAX)
        return;
    va_start(args, fmt);
    vsnprintf(what, sizeof(what), fmt, args);
    va_end(args);
    warning = &p->warnings->items[p->warnings->count++];
    warning->name = name;
    warning->field = id < SC__CRON_FIELDS ? fields[id].name : "expression";
    warning->column = say(p, warning->field, from, to, what, warning->text, sizeof(warning->text));
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* The next character of the field in upper case; NUL at its end. */
static char peek_at(const sc__cron_parser *p, int ahead)
{
    char c = p->field_end - p->at > ahead ? p->at[ahead] : '\0';

    return c >= 'a' && c <= 'z' ? (char)(c - ('a' - 'A')) : c;
}

static char peek(const sc__cron_parser *p)
{
    return peek_at(p, 0);
}

static bool take(sc__cron_parser *p, char c)
{
    if (peek(p) != c)
        return false;
    p->at++;
    return true;
}

/* The end of the item of a list that begins at `from`. */
static const char *item_end(const sc__cron_parser *p, const char *from)
{
    while (from < p->field_end && *from != ',')
        from++;
    return from;
}

static sc_err unexpected(sc__cron_parser *p, const char *item)
{
    return sc__cron_fail(p, item, item_end(p, p->at), "expected %s", fields[p->id].expected);
}

static sc_err number(sc__cron_parser *p, const char *item, int *ret_value)
{
    int value = 0;

    if (!is_digit(peek(p)))
        return unexpected(p, item);
    while (is_digit(peek(p)) && value <= NUMBER_MAX)
        value = value * 10 + (*p->at++ - '0');
    if (is_digit(peek(p)))
        return sc__cron_fail(p, item, item_end(p, p->at), "the number is too large");
    *ret_value = value;
    return SC_OK;
}

static sc_err in_range(sc__cron_parser *p, const char *from, int value)
{
    if (value >= fields[p->id].min && value <= fields[p->id].max)
        return SC_OK;
    return sc__cron_fail(p, from, p->at, "expected %s", fields[p->id].expected);
}

/* JAN, or SUN; -1 when these letters name nothing. */
static int find_name(const struct field *field, const char *letters)
{
    for (int i = 0; field->names && field->names[3 * i]; i++)
        if (strncasecmp(field->names + 3 * i, letters, 3) == 0)
            return i + field->min;
    return -1;
}

static sc_err name(sc__cron_parser *p, const char *item, int *ret_value)
{
    const char *from = p->at, *end = p->at;
    bool is_last = false;
    int value = -1;

    while (end < p->field_end && is_letter(*end))
        end++;
    if (end - from == 4 && p->id == SC__CRON_WEEKDAY)
        is_last = from[3] == 'L' || from[3] == 'l'; /* FRIL: the last Friday */
    if (end - from == 3 || is_last)
        value = find_name(&fields[p->id], from);
    if (value < 0 || (end < p->field_end && is_digit(*end)))
        return unexpected(p, fields[p->id].names ? from : item);
    p->at = end - is_last;
    *ret_value = value;
    return SC_OK;
}

static sc_err value(sc__cron_parser *p, const char *item, int *ret_value)
{
    const char *from = p->at;
    sc_err err;

    if (is_letter(peek(p)))
        return name(p, item, ret_value);
    err = number(p, item, ret_value);
    return err ? err : in_range(p, from, *ret_value);
}

/* Years outgrow a word of bits; all other fields fit one. */
struct set {
    uint64_t bits[4];
};

static void add(struct set *set, const sc__cron_parser *p, int v)
{
    int bit = p->id == SC__CRON_YEAR      ? v - SC__CRON_YEAR_FIRST
              : p->id == SC__CRON_WEEKDAY ? v % 7
                                          : v;

    set->bits[bit / 64] |= 1ull << bit % 64;
}

/* All values from `first` to `last`, by words. */
static void add_all(struct set *set, const sc__cron_parser *p, int first, int last)
{
    const int zero = p->id == SC__CRON_YEAR ? SC__CRON_YEAR_FIRST : 0;

    if (p->id == SC__CRON_WEEKDAY && last == 7) {
        set->bits[0] |= 1;
        last = 6;
    }
    for (int v = first - zero; v <= last - zero;) {
        int bit = v % 64, count = last - zero - v + 1 < 64 - bit ? last - zero - v + 1 : 64 - bit;

        set->bits[v / 64] |= (count < 64 ? (1ull << count) - 1 : ~0ull) << bit;
        v += count;
    }
}

static void add_range(struct set *set, const sc__cron_parser *p, int first, int last, int step)
{
    if (step == 1)
        add_all(set, p, first, last);
    else
        for (int64_t v = first; v <= last; v += step)
            add(set, p, (int)v);
}

static sc_err step(sc__cron_parser *p, const char *item, int *ret_step)
{
    const char *from = p->at + 1;
    sc_err err;

    *ret_step = 1;
    if (!take(p, '/'))
        return SC_OK;
    p->has_wildcard |= p->id <= SC__CRON_HOUR;
    if (!is_digit(peek(p)))
        return sc__cron_fail(p, item, item_end(p, p->at), "expected a number after '/'");
    err = number(p, item, ret_step);
    if (!err && *ret_step < 1)
        err = sc__cron_fail(p, from, p->at, "expected a step of 1 or more");
    return err;
}

/* Warns of steps that are wider than what they go through, and of those from `first` to the field's end that don't come
 * out even where it begins anew. */
static void check_step(sc__cron_parser *p, const char *item, int first, int last, int every,
                       bool to_end)
{
    const struct field *field = &fields[p->id];
    int max = p->id == SC__CRON_WEEKDAY ? 6 : field->max, size = max - field->min + 1;

    if (every > last - first && last > first)
        sc__cron_warn(p, "wide-step", p->id, item, p->at,
                      "a step of %d is wider than its range: this means %d alone", every, first);
    else if (to_end && p->id != SC__CRON_YEAR && every > 1 && size % every)
        sc__cron_warn(p, "uneven-step", p->id, item, p->at,
                      "%d does not divide %d: after %d the count begins anew with %d", every, size,
                      first + (max - first) / every * every, first);
}

/* The value that the seed picks, first <= value <= last. */
static int drawn(const sc__cron_parser *p, int first, int last)
{
    return first + (int)((uint64_t)p->draw * (uint64_t)(last - first + 1) >> 32);
}

/* H, H/n, H(a-b), H(a-b)/n. Bounds outside of the field are taken as its own, a step too wide gives one value: both as
 * cron-parser does, to the bit. */
static sc_err hashed(sc__cron_parser *p, const char *item, struct set *set)
{
    int first = fields[p->id].min, last = fields[p->id].max, every;
    bool any = false, has_step;
    sc_err err;

    if (p->id == SC__CRON_YEAR)
        return sc__cron_fail(p, item, item_end(p, p->at), "H has no meaning for years");
    if (!p->has_seed)
        return sc__cron_fail(p, item, item_end(p, p->at),
                             "H needs a seed, such as the id of a scheduler");
    p->at++;
    if (take(p, '(')) {
        err = number(p, item, &first);
        if (!err && !take(p, '-'))
            err = sc__cron_fail(p, item, item_end(p, p->at), "expected H(from-to)");
        if (!err)
            err = number(p, item, &last);
        if (!err && (!take(p, ')') || first > last))
            err = sc__cron_fail(p, item, item_end(p, p->at),
                                "expected H(from-to), the smaller number first");
        if (err)
            return err;
        first = first < fields[p->id].min ? fields[p->id].min : first;
        last = last > fields[p->id].max ? fields[p->id].max : last;
        if (first > last)
            return sc__cron_fail(p, item, p->at, "expected numbers of %s", fields[p->id].expected);
    }
    has_step = peek(p) == '/';
    err = step(p, item, &every);
    if (err)
        return err;
    if (has_step)
        check_step(p, item, first, last, every, last == fields[p->id].max);
    if (has_step)
        for (int64_t v =
                 first / every * every + (int64_t)((uint64_t)p->draw * (uint64_t)every >> 32);
             v <= last; v += every)
            if (v >= first) {
                add(set, p, (int)v);
                any = true;
            }
    if (!any)
        add(set, p, drawn(p, first, last));
    return SC_OK;
}

/* L, L-n, LW. */
static sc_err last_days(sc__cron_parser *p, const char *item)
{
    int n = 0;
    sc_err err;

    p->at++;
    if (take(p, 'W')) {
        p->days.last_workday = true;
        return SC_OK;
    }
    if (take(p, '-')) {
        const char *from = p->at;

        err = number(p, item, &n);
        if (err)
            return err;
        if (n > 30)
            return sc__cron_fail(p, from, p->at, "expected 0 to 30 days before the last");
    }
    p->days.from_last |= 1u << n;
    return SC_OK;
}

/* Weekdays that a suffix restricts: #k or #L, or L alone. True if there was one. */
static sc_err nth(sc__cron_parser *p, const char *item, const struct set *weekdays, bool *ret_found)
{
    int k = 0;

    *ret_found = peek(p) == '#' || peek(p) == 'L';
    if (!*ret_found)
        return SC_OK;
    if (take(p, '#') && peek(p) >= '1' && peek(p) <= '5')
        k = *p->at++ - '0';
    else if (!take(p, 'L'))
        return sc__cron_fail(p, item, item_end(p, p->at), "expected 1 to 5 or L after '#'");
    p->days.nth[k] |= (uint8_t)weekdays->bits[0];
    return SC_OK;
}

/* a, a-b, a/n, a-b/n, nW, n#k, nL. */
static sc_err plain(sc__cron_parser *p, const char *item, struct set *set)
{
    int first, last, every;
    struct set these = {{0}};
    bool has_step, found;
    sc_err err = value(p, item, &first);

    if (err)
        return err;
    if (p->id == SC__CRON_DAY && take(p, 'W')) {
        p->days.nearest |= 1u << first;
        return SC_OK;
    }
    last = first;
    if (peek(p) == '-') {
        bool sunday =
            p->id == SC__CRON_WEEKDAY && first > 0 && peek_at(p, 1) == 'S' && peek_at(p, 2) == 'U';

        p->at++;
        err = value(p, item, &last);
        if (err)
            return err;
        if (sunday)
            last = 7; /* FRI-SUN: Sunday ends the week */
        if (first > last)
            return sc__cron_fail(p, item, p->at, "expected the smaller value first");
        has_step = peek(p) == '/';
    } else {
        has_step = peek(p) == '/';
        last = has_step ? fields[p->id].max : last;
    }
    err = step(p, item, &every);
    if (err)
        return err;
    add_range(&these, p, first, last, every);
    if (has_step)
        check_step(p, item, first, last, every, last == fields[p->id].max);
    if (p->id == SC__CRON_WEEKDAY && !has_step) {
        err = nth(p, item, &these, &found);
        if (err || found)
            return err;
    }
    for (int i = 0; i < 4; i++)
        set->bits[i] |= these.bits[i];
    return SC_OK;
}

static sc_err wildcard(sc__cron_parser *p, const char *item, struct set *set)
{
    int every;
    sc_err err;

    p->at++;
    p->has_wildcard |= p->id <= SC__CRON_HOUR;
    err = step(p, item, &every);
    if (err)
        return err;
    add_range(set, p, fields[p->id].min, fields[p->id].max, every);
    check_step(p, item, fields[p->id].min, fields[p->id].max, every, true);
    return SC_OK;
}

static sc_err item(sc__cron_parser *p, struct set *set)
{
    const char *from = p->at;
    const struct set before = *set;
    const sc__cron_days days = p->days;
    char c = peek(p);
    sc_err err;

    if (c == '\0' || c == ',')
        return sc__cron_fail(p, from, item_end(p, from), "the list has an empty place");
    if (c == '*' || c == '?')
        err = wildcard(p, from, set);
    else if (c == 'H')
        err = hashed(p, from, set);
    else if (c == 'L' && p->id == SC__CRON_DAY)
        err = last_days(p, from);
    else
        err = plain(p, from, set);
    if (!err && peek(p) != '\0' && peek(p) != ',')
        err = unexpected(p, from);
    if (!err && p->warnings && !memcmp(&before, set, sizeof(before)) &&
        !memcmp(&days, &p->days, sizeof(days)))
        sc__cron_warn(p, "repeated-value", p->id, from, p->at, "the list has this already");
    return err;
}

static bool is_any(const sc__cron_parser *p)
{
    return p->field_end - p->at == 1 && (*p->at == '*' || *p->at == '?');
}

static void store(sc__cron_parser *p, const struct set *set)
{
    switch (p->id) {
    case SC__CRON_SECOND:
        p->cron->seconds = set->bits[0];
        break;
    case SC__CRON_MINUTE:
        p->cron->minutes = set->bits[0];
        break;
    case SC__CRON_HOUR:
        p->cron->hours = (uint32_t)set->bits[0];
        break;
    case SC__CRON_DAY:
        p->days.days = (uint32_t)set->bits[0];
        break;
    case SC__CRON_MONTH:
        p->days.months = (uint16_t)set->bits[0];
        break;
    case SC__CRON_WEEKDAY:
        p->days.weekdays = (uint8_t)set->bits[0];
        break;
    case SC__CRON_YEAR:
        memcpy(p->cron->years, set->bits, sizeof(set->bits));
        break;
    }
}

sc_err sc__cron_field_parse(sc__cron_parser *p, sc__cron_field id, sc_slice text)
{
    struct set set = {{0}};
    sc_err err;

    p->id = id;
    p->in_field = true;
    p->at = text.ptr;
    p->field_end = text.ptr + text.len;
    if (id == SC__CRON_WEEKDAY && take(p, '+'))
        p->days.both = true;
    if (id == SC__CRON_DAY)
        p->days.any_day = is_any(p);
    if (id == SC__CRON_WEEKDAY)
        p->days.any_weekday = is_any(p);
    p->draw = id == SC__CRON_YEAR ? 0 : sc__cron_draw(&p->random);
    do {
        err = item(p, &set);
        if (err)
            return err;
    } while (take(p, ','));
    store(p, &set);
    return SC_OK;
}
