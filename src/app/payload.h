/* What a job of each queue must carry: one table of fields a queue, and the check against it. */
#ifndef APP_PAYLOAD_H
#define APP_PAYLOAD_H

#include "base/json.h"

enum payload_kind {
    FIELD_TEXT,    /* not empty, may span lines */
    FIELD_LINE,    /* not empty, no control characters */
    FIELD_ADDRESS, /* of mail */
    FIELD_LINK,    /* http://…, https://… or a path of the site, /… */
    FIELD_DATE,    /* ISO 8601, or milliseconds since 1970 */
    FIELD_BOOLEAN,
    FIELD_OBJECT
};

struct payload_field {
    const char *name;
    enum payload_kind kind;
    size_t max;                 /* bytes, of texts */
    bool optional;              /* may be absent or null */
    const char *const *choices; /* NULL-terminated; NULL: any */
};

/* Each ends with a NULL name. */
extern const struct payload_field payload_email[];
extern const struct payload_field payload_notification[];
extern const struct payload_field payload_analytics[];
extern const struct payload_field payload_cleanup[];
extern const struct payload_field payload_export[];
extern const struct payload_field payload_scheduled[];

/* Of the whole payload, as JSON text. */
enum { PAYLOAD_MAX = 256 * 1024 };

/* SC_OK, or SC_EPAYLOAD with a sentence that names the field. Fields that no table has are let
 * through: newer programs may add some. */
SC_MUST_USE sc_err payload_check(const struct payload_field *fields, const json_t *payload,
                                 sc_reason *ret_reason);

/* A date of a checked payload, as milliseconds since 1970. */
int64_t payload_date(const json_t *payload, const char *field);

#endif
