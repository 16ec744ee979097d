/* Cleanup: deletes what nobody needs any more, in slices, so that no other write waits long. */
#ifndef APP_SERVICES_CLEANUP_H
#define APP_SERVICES_CLEANUP_H

#include "app/store/store.h"

/* "autosave", "sessions", "notifications" (read ones), "logs". False for any other. */
bool cleanup_kind_of(sc_slice type, enum cleanup_kind *ret_kind);

struct cleanup {
    enum cleanup_kind kind;
    int64_t before_ms;
    bool dry_run;              /* count only */
    bool (*go_on)(void *user); /* asked before each slice; may be NULL */
    void *user;
};

/* `*ret_deleted`: how many were deleted, or would be. SC_EINVAL: the date is not in the past.
 * SC_ECANCELED: go_on() said no; what was deleted until then stays deleted. Others as the store's. */
SC_MUST_USE sc_err cleanup_run(struct store *store, const struct cleanup *cleanup,
                               int64_t *ret_deleted, sc_reason *ret_reason);

#endif
