/* Errors: filling a caller's sc_reason. */
#ifndef SC_BASE_ERROR_H
#define SC_BASE_ERROR_H

#include <storychain/base.h>

/* Writes the sentence (cut to fit) and gives `err` back, so that a caller can
 * `return sc__because(ret_reason, SC_EINVAL, "…")`. `reason` may be NULL. */
sc_err sc__because(sc_reason *reason, sc_err err, const char *fmt, ...) SC_PRINTF(3, 4);

#endif
