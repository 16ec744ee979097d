#include "cron_reader.h"

#include <stdio.h>
#include <strings.h>

enum { NUMBER_MAX = 999999 };

const sc__cron_bounds sc__cron_bounds_of[SC__CRON_FIELDS] = {
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
    p->error->field = p->in_field ? sc__cron_bounds_of[p->id].name : "expression";
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
    warning->field = id < SC__CRON_FIELDS ? sc__cron_bounds_of[id].name : "expression";
    warning->column = say(p, warning->field, from, to, what, warning->text, sizeof(warning->text));
}

static bool is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

const char *sc__cron_item_end(const sc__cron_parser *p, const char *from)
{
    while (from < p->field_end && *from != ',')
        from++;
    return from;
}

sc_err sc__cron_unexpected(sc__cron_parser *p, const char *item)
{
    return sc__cron_fail(p, item, sc__cron_item_end(p, p->at), "expected %s",
                         sc__cron_bounds_of[p->id].expected);
}

sc_err sc__cron_number(sc__cron_parser *p, const char *item, int *ret_value)
{
    int value = 0;

    if (!sc__cron_is_digit(sc__cron_peek(p)))
        return sc__cron_unexpected(p, item);
    while (sc__cron_is_digit(sc__cron_peek(p)) && value <= NUMBER_MAX)
        value = value * 10 + (*p->at++ - '0');
    if (sc__cron_is_digit(sc__cron_peek(p)))
        return sc__cron_fail(p, item, sc__cron_item_end(p, p->at), "the number is too large");
    *ret_value = value;
    return SC_OK;
}

static sc_err in_range(sc__cron_parser *p, const char *from, int value)
{
    if (value >= sc__cron_bounds_of[p->id].min && value <= sc__cron_bounds_of[p->id].max)
        return SC_OK;
    return sc__cron_fail(p, from, p->at, "expected %s", sc__cron_bounds_of[p->id].expected);
}

/* JAN, or SUN; -1 when these letters name nothing. */
static int find_name(const sc__cron_bounds *field, const char *letters)
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
        value = find_name(&sc__cron_bounds_of[p->id], from);
    if (value < 0 || (end < p->field_end && sc__cron_is_digit(*end)))
        return sc__cron_unexpected(p, sc__cron_bounds_of[p->id].names ? from : item);
    p->at = end - is_last;
    *ret_value = value;
    return SC_OK;
}

sc_err sc__cron_value(sc__cron_parser *p, const char *item, int *ret_value)
{
    const char *from = p->at;
    sc_err err;

    if (is_letter(sc__cron_peek(p)))
        return name(p, item, ret_value);
    err = sc__cron_number(p, item, ret_value);
    return err ? err : in_range(p, from, *ret_value);
}
