/* UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF. */
#ifndef SC_BASE_UTF8_H
#define SC_BASE_UTF8_H

#include <storychain/base.h>

/* Bytes of the character at `p`, 1 to 4; 0 if it is not one or is cut off at `len`. */
size_t sc__utf8_width(const char *p, size_t len);

/* True if the whole slice is valid. Otherwise `*ret_bad` (may be NULL) is the first bad offset. */
bool sc__utf8_valid(sc_slice s, size_t *ret_bad);

#endif
