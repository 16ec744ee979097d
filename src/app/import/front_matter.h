/* The front matter of a Markdown story: `key: value` lines between two lines of "---". */
#ifndef APP_IMPORT_FRONT_MATTER_H
#define APP_IMPORT_FRONT_MATTER_H

#include "source.h"

/* Reads it into the draft. `*ret_body` is what follows it, all of the text if there is none, and
 * `*ret_line` the number of the body's first line. */
SC_MUST_USE sc_err front_matter_read(const struct source *source, struct draft *draft,
                                     sc_slice *ret_body, size_t *ret_line);

#endif
