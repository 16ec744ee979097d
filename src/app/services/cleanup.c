#include "cleanup.h"

#include "base/clock.h"
#include "base/error.h"

enum { SLICE = 500 };

bool cleanup_kind_of(sc_slice type, enum cleanup_kind *ret_kind)
{
    static const char *const types[CLEANUP_KINDS] = {
        [CLEAN_AUTOSAVES] = "autosave",
        [CLEAN_SESSIONS] = "sessions",
        [CLEAN_NOTIFICATIONS] = "notifications",
        [CLEAN_LOGS] = "logs",
    };

    for (int i = 0; i < CLEANUP_KINDS; i++) {
        if (!sc_slice_eq(type, sc_slice_of(types[i])))
            continue;
        *ret_kind = (enum cleanup_kind)i;
        return true;
    }
    return false;
}

static sc_err delete_slices(struct store *store, const struct cleanup *cleanup, int64_t *deleted,
                            sc_reason *ret_reason)
{
    int64_t slice = SLICE;

    while (slice == SLICE) {
        sc_err err;

        if (cleanup->go_on && !cleanup->go_on(cleanup->user))
            return sc__because(ret_reason, SC_ECANCELED, "stopped after %lld were deleted",
                               (long long)*deleted);
        err = store_cleanup_slice(store, cleanup->kind, cleanup->before_ms, SLICE, &slice,
                                  ret_reason);
        if (err)
            return err;
        *deleted += slice;
    }
    return SC_OK;
}

sc_err cleanup_run(struct store *store, const struct cleanup *cleanup, int64_t *ret_deleted,
                   sc_reason *ret_reason)
{
    int64_t deleted = 0;
    sc_err err;

    /* A date to come would take autosaves and sessions that are in use. */
    if (cleanup->before_ms > sc__wall_ms())
        return sc__because(ret_reason, SC_EINVAL,
                           "the date before which to delete is not in the past");
    if (cleanup->dry_run)
        return store_cleanup_count(store, cleanup->kind, cleanup->before_ms, ret_deleted,
                                   ret_reason);
    err = delete_slices(store, cleanup, &deleted, ret_reason);
    if (!err)
        *ret_deleted = deleted;
    return err;
}
