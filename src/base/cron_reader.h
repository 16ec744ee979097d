/* The characters of a cron field: numbers, names, and what is wrong where. */
#ifndef SC_BASE_CRON_READER_H
#define SC_BASE_CRON_READER_H

#include "cron_fields.h"

/* What a field may hold. */
typedef struct sc__cron_bounds {
    const char *name;
    int min, max;
    const char *names; /* of values from min on, three letters each; NULL: none */
    const char *expected;
} sc__cron_bounds;

extern const sc__cron_bounds sc__cron_bounds_of[SC__CRON_FIELDS];

static inline bool sc__cron_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The next character of the field in upper case; NUL at its end. */
static inline char sc__cron_peek_at(const sc__cron_parser *p, int ahead)
{
    char c = p->field_end - p->at > ahead ? p->at[ahead] : '\0';

    return c >= 'a' && c <= 'z' ? (char)(c - ('a' - 'A')) : c;
}

static inline char sc__cron_peek(const sc__cron_parser *p)
{
    return sc__cron_peek_at(p, 0);
}

static inline bool sc__cron_take(sc__cron_parser *p, char c)
{
    if (sc__cron_peek(p) != c)
        return false;
    p->at++;
    return true;
}

/* The end of the item of a list that begins at `from`. */
const char *sc__cron_item_end(const sc__cron_parser *p, const char *from);

/* The error that `item`, or what is left of it, is none of what the field may hold. */
sc_err sc__cron_unexpected(sc__cron_parser *p, const char *item);

/* Digits; digits or a name, within the bounds of the field. SC_ESYNTAX. */
SC_MUST_USE sc_err sc__cron_number(sc__cron_parser *p, const char *item, int *ret_value);
SC_MUST_USE sc_err sc__cron_value(sc__cron_parser *p, const char *item, int *ret_value);

#endif
