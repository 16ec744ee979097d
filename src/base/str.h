/* A string that grows, up to the ceiling it was made with.
 *
 * Appending never returns an error: the first failure (SC_ENOMEM, SC_ETOOBIG) is kept in `err`,
 * later appends do nothing, and the user looks at `err` once, at the end. */
#ifndef SC_BASE_STR_H
#define SC_BASE_STR_H

#include <storychain/base.h>

typedef struct sc__str {
    char *ptr;  /* NUL-terminated once anything was appended, else NULL */
    size_t len; /* without the NUL */
    size_t cap;
    size_t max; /* ceiling of len */
    sc_err err; /* first failure */
} sc__str;

/* An empty string that may grow to `limit` bytes. */
#define STR_MAX(limit) ((sc__str){NULL, 0, 0, (limit), SC_OK})

void sc__str_release(sc__str *s);
void sc__str_reset(sc__str *s); /* empty again, memory and ceiling kept */
SC_MUST_USE sc_err sc__str_reserve(sc__str *s, size_t more);
void sc__str_append(sc__str *s, sc_slice bytes);
void sc__str_text(sc__str *s, const char *text); /* a C string */
void sc__str_char(sc__str *s, char c);
void sc__str_int(sc__str *s, int64_t value); /* decimal */
void sc__str_printf(sc__str *s, const char *fmt, ...) SC_PRINTF(2, 3);
void sc__str_json(sc__str *s, sc_slice utf8); /* a quoted JSON string; bad bytes become U+FFFD */

/* Hands the bytes over (NUL-terminated, never NULL on SC_OK; free with sc_free); `s` is empty then.
 * On failure gives the kept error and frees. */
SC_MUST_USE sc_err sc__str_take(sc__str *s, char **ret_text);

static inline sc_slice sc__str_slice(const sc__str *s)
{
    return (sc_slice){s->ptr, s->len};
}

static inline void sc__str_auto(sc__str *s)
{
    sc__str_release(s);
}
#define AUTO_STR __attribute__((cleanup(sc__str_auto))) sc__str

/* Decimal text of a number, without a NUL. Returns its length (at most SC__INT_LEN). */
#define SC__INT_LEN 20
size_t sc__int_text(int64_t value, char out[SC__INT_LEN]);

/* Reads a whole slice as a decimal int64. False on anything else, overflow included. */
bool sc__int_parse(sc_slice text, int64_t *ret_value);

#endif
