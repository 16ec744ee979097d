/* Glob patterns as Redis has them: * any bytes, ? one byte, [a-z] one of these, [^a-z] none of these, \x the byte x. */
#ifndef SC_BASE_GLOB_H
#define SC_BASE_GLOB_H

#include <storychain/base.h>

/* Whether the pattern matches all of the text. Takes time up to the product of both lengths, and no memory. A class that is not closed
 * ends with the pattern. */
bool sc__glob_matches(sc_slice pattern, sc_slice text);

#endif
