/* A run's children: waiting for them, and what became of them; and the data that tells the next run how far it is. */
#include "base/error.h"
#include "base/json_scan.h"
#include "ops/op_change.h"
#include "ops/op_children.h"
#include "ops/op_detach.h"
#include "run.h"

sc_outcome sc_run_wait(sc_run *run)
{
    (void)run;
    return SC_WAIT;
}

sc_outcome sc_run_wait_children(sc_run *run, sc_slice child_key)
{
    bool pending, failed;
    sc_reason why;
    char *copy = sc__arena_dup(&run->words, child_key);
    sc_err err = copy ? sc__op_look_at_children(run->core->client, &run->core->keys, run->job->id,
                                                child_key, &pending, &failed, &why)
                      : sc__because(&why, SC_ENOMEM, "out of memory");

    if (err)
        return sc_run_fail(run, SC_FAILED, "%s", why.text);
    if (failed)
        return sc_run_fail(run, SC_GIVE_UP, "the job has failed children");
    run->child_key = (sc_slice){copy, child_key.len};
    return pending ? SC_WAIT_CHILDREN : SC_DONE;
}

sc_parent sc_run_as_parent(const sc_run *run)
{
    sc_slice base = run->core->keys.base;

    return (sc_parent){.id = run->job->id, .queue = {base.ptr, base.len - 1}};
}

sc_err sc_run_update_data(sc_run *run, sc_slice json)
{
    if (sc__json_check(json, NULL))
        return SC_ESYNTAX;
    return sc__op_update_data(run->core->client, &run->core->keys, run->job->id, json, NULL);
}

sc_err sc_run_get_children_values(sc_run *run, sc_child_list **ret_children)
{
    return sc__op_get_all_children(run->core->client, &run->core->keys, run->job->id,
                                   SC_CHILD_PROCESSED, ret_children, NULL);
}

sc_err sc_run_get_ignored_children_failures(sc_run *run, sc_child_list **ret_children)
{
    return sc__op_get_all_children(run->core->client, &run->core->keys, run->job->id,
                                   SC_CHILD_IGNORED, ret_children, NULL);
}

sc_err sc_run_remove_unprocessed_children(sc_run *run)
{
    return sc__op_remove_unprocessed_children(run->core->client, &run->core->keys, run->job->id,
                                              NULL);
}
