/* The mails' texts: files of templates/, each as text and as HTML, filled in from a job's context.
 *
 *   {{field}}              the value, which must be there; in HTML it is escaped
 *   {{#field}}…{{/field}}  only if the field is there (and not null, false, "" or [])
 *   {{^field}}…{{/field}}  only if it isn't
 *   {{*field}}…{{/field}}  once for each object of a list, which must be there and not be empty;
 *                          names are looked up in the object, then outside
 *   {{>file}}              another file of the same kind
 *
 * A field whose name ends in "Url" must be http://…, https://… or a path, "/stories/x"; a path gets
 * the site's address in front. Always there: siteUrl, subject. */
#ifndef APP_MAIL_TEMPLATE_H
#define APP_MAIL_TEMPLATE_H

#include "base/json.h"

/* Of one form of a mail. */
enum { TEMPLATE_OUT_MAX = 256 * 1024 };

struct template_input {
    sc_slice name;         /* "welcome", "password-reset", … */
    const json_t *context; /* an object */
    const char *site_url;  /* without a slash at the end */
    sc_slice subject;
};

/* Appends both forms. SC_ENOTFOUND: no such template. SC_EPAYLOAD: the context lacks a field or has
 * one of a wrong kind; the reason names it. SC_ETOOBIG. */
SC_MUST_USE sc_err template_render(const struct template_input *input, sc__str *out_text,
                                   sc__str *out_html, sc_reason *ret_reason);

#endif
