/* cleanup-old-autosaves, cleanup-expired-sessions, cleanup-old-notifications: deletes what is
 * `daysOld` days old (sessions: expired), in slices. */
#include "jobs.h"

#include "base/error.h"

#include "app/services/cleanup.h"

enum { DAY_MS = 86400000 };

static bool go_on(void *user)
{
    return job_go_on(user);
}

sc_err job_cleanup(struct job_run_now *now, const json_t *data, json_t *result,
                   sc_reason *ret_reason)
{
    int64_t days = sc__json_int(data, "daysOld", 0), deleted;
    struct cleanup cleanup = {
        .before_ms = job_due_ms(now) - days * DAY_MS, .go_on = go_on, .user = now};
    sc_err err;

    if (!cleanup_kind_of(sc__json_text(data, "type"), &cleanup.kind))
        return sc__because(ret_reason, SC_EPAYLOAD, "field \"type\" names nothing to clean up");
    if (days < 0 || days > 36500 || (days == 0 && cleanup.kind != CLEAN_SESSIONS))
        return sc__because(ret_reason, SC_EPAYLOAD,
                           "field \"daysOld\" must be a number of days, 1 to 36500");
    err = cleanup_run(job_app(now)->store, &cleanup, &deleted, ret_reason);
    if (!err)
        json_object_set_new(result, "deletedCount", json_integer(deleted));
    return err;
}
