/* What texts of users, stories and chapters must satisfy, wherever they come from. */
#ifndef APP_TEXT_RULES_H
#define APP_TEXT_RULES_H

#include "slug.h"

/* In bytes. */
enum {
    TITLE_MAX = 300,
    SUMMARY_MAX = 4000,
    CONTENT_MAX = 256 * 1024, /* of a chapter: about 40,000 words */
    NAME_MAX_BYTES = 200,     /* of a person, a role, an id at Clerk */
    TAGS_MAX = 20,
    TAG_MAX = 50
};

/* Each gives SC_OK, or a sentence that begins with `what` ("the title"): SC_EINVAL when it is
 * missing, not UTF-8 or has characters that don't belong there, SC_ETOOBIG over its limit. */

/* One line: not empty, no control characters. */
SC_MUST_USE sc_err line_check(const char *what, sc_slice text, size_t max, sc_reason *ret_reason);

/* Any text, not blank, without NUL. */
SC_MUST_USE sc_err text_check(const char *what, sc_slice text, size_t max, sc_reason *ret_reason);

SC_MUST_USE sc_err slug_check(const char *what, sc_slice slug, sc_reason *ret_reason);

/* A link that is safe to follow from a page or a mail: https://…, http://…, or a path of the site
 * (/…), without spaces and control characters. "javascript:" and its kin are none. */
bool link_is_valid(sc_slice link);
bool link_is_path(sc_slice link);
#define LINK_NEEDED "must begin with https://, http:// or a single /, and have no spaces"

/* An address alone, without a name: what the mailer takes. */
SC_MUST_USE sc_err email_check(const char *what, sc_slice email, sc_reason *ret_reason);

#endif
