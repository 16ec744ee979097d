/* Deletes what is older than a date. */
#include "app/processors.h"

#include "app/services/cleanup.h"

static bool go_on(void *user)
{
    return !sc_run_is_cancelled(user);
}

sc_outcome process_cleanup(sc_run *run, const sc_job *job, const json_t *payload, void *user)
{
    struct app *app = user;
    struct cleanup cleanup = {
        .before_ms = payload_date(payload, "olderThan"),
        .dry_run = sc__json_bool(payload, "dryRun", false),
        .go_on = go_on,
        .user = run,
    };
    int64_t deleted;
    sc_reason why = {""};
    sc_err err;

    (void)job;
    if (!cleanup_kind_of(sc__json_text(payload, "type"), &cleanup.kind))
        return sc_run_fail(run, SC_GIVE_UP, "there is nothing of this type to clean up");
    err = cleanup_run(app->store, &cleanup, &deleted, &why);
    if (err)
        return sc_run_fail(run, err == SC_EINVAL ? SC_GIVE_UP : SC_FAILED, "%s", why.text);
    return processor_return(run, json_pack("{s:I}", "deletedCount", (json_int_t)deleted));
}
