/* JSON text looked at in place: is it well-formed, what are an object's members. No tree, no memory.
 *
 * The grammar is RFC 8259's over valid UTF-8, at most SC__JSON_DEPTH deep. */
#ifndef SC_BASE_JSON_SCAN_H
#define SC_BASE_JSON_SCAN_H

#include <storychain/base.h>

#define SC__JSON_DEPTH 1024

typedef enum sc__json_kind {
    SC__JSON_NULL,
    SC__JSON_BOOL,
    SC__JSON_NUMBER,
    SC__JSON_STRING,
    SC__JSON_ARRAY,
    SC__JSON_OBJECT
} sc__json_kind;

/* One value in its text, without the white space around it. */
typedef struct sc__json_value {
    sc__json_kind kind;
    sc_slice text; /* of a string: between the quotes, escapes as they stand */
} sc__json_value;

/* SC_OK if the whole text is one JSON value. Otherwise SC_ESYNTAX with what is wrong at which byte. */
SC_MUST_USE sc_err sc__json_check(sc_slice text, sc_reason *ret_reason);

/* The same, and what the value is. */
SC_MUST_USE sc_err sc__json_scan(sc_slice text, sc__json_value *ret_value, sc_reason *ret_reason);

/* Walks over the members of an object (or the items of an array, `key` empty) that was scanned:
 *
 *     sc_slice key;
 *     sc__json_value value;
 *     size_t at = 0;
 *     while (sc__json_next(object, &at, &key, &value)) … */
bool sc__json_next(sc__json_value container, size_t *at, sc_slice *ret_key,
                   sc__json_value *ret_value);

/* A number's value, whatever the locale; right to the last digit or two. 0 for other kinds. */
double sc__json_double(sc__json_value value);

/* The same cut to an integer and to int64's range; `otherwise` for other kinds. */
int64_t sc__json_integer(sc__json_value value, int64_t otherwise);

/* A count or a duration: 0 to 2^53, beyond which JavaScript counts no further; 0 for what is less or another kind. */
int64_t sc__json_count(sc__json_value value);

bool sc__json_is_true(sc__json_value value);

#endif
