/* JSON, thinly over jansson: bounded parsing, compact writing, short getters.
 *
 * Values are jansson's json_t; free with json_decref (AUTO_JSON does it at the end of the scope). */
#ifndef SC_BASE_JSON_H
#define SC_BASE_JSON_H

#include "str.h"

#include <jansson.h>

/* Parses one JSON value of at most 64 MiB and 256 levels. NULs in strings are allowed, duplicate keys: last wins.
 * SC_ESYNTAX with line, column and what was found in `ret_reason`. */
SC_MUST_USE sc_err sc__json_parse(sc_slice text, json_t **ret_value, sc_reason *ret_reason);

/* Appends the value as compact text, keys in their order. */
void sc__json_write(sc__str *out, const json_t *value);

/* Members of an object, or the default when absent or of another type. */
sc_slice sc__json_text(const json_t *object, const char *key); /* {NULL, 0} when absent; borrowed */
int64_t sc__json_int(const json_t *object, const char *key, int64_t otherwise);
bool sc__json_bool(const json_t *object, const char *key, bool otherwise);

static inline void sc__json_auto(json_t **value)
{
    json_decref(*value);
}
#define AUTO_JSON __attribute__((cleanup(sc__json_auto))) json_t

#endif
