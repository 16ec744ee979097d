/* Slugs: the names of stories and chapters in URLs. */
#ifndef APP_SLUG_H
#define APP_SLUG_H

#include "base/arena.h"

enum { SLUG_MAX = 100 };

/* 1 to SLUG_MAX letters A-Z a-z, digits, '-' and '_', the first a letter or digit. */
bool slug_is_valid(sc_slice slug);

/* "Die Höhle, Teil 2" gives "die-hohle-teil-2": Latin letters without their accents, in lower
 * case, '-' for what is between them, at most SLUG_MAX bytes. Empty when the title has no such
 * letter or digit, or without memory. */
sc_slice slug_from_title(sc_slice title, sc__arena *arena);

#endif
