/* A worker of tests_peer for jobs that wait for others while they run. A job's data is {"steps":[…], "step":n}: it works through its steps
 * from the n-th on and keeps in its data how far it is. steps.test.mjs has the same in BullMQ's words.
 *
 *   {"add":[job,…]}            adds children to its own queue
 *   {"awaitFailed":n}          goes on when n children have failed
 *   {"waitChildren":key|true}  waits for one child, or all; with "once":true it is not waited for again
 *   {"wait":true}              goes back to the head of the queue
 *   {"removeUnprocessed":true}
 *   {"values":true}  {"failures":true}  {"result":…}  {"fail":"why"}   ends with that */
#include <storychain/control.h>

#include <poll.h>
#include <stdlib.h>

#include "base/error.h"
#include "peer.h"

enum { NEXT_STEP = -1 };

static sc_outcome broken(sc_run *run, sc_err err)
{
    return sc_run_fail(run, SC_GIVE_UP, "tests_peer: %s", sc_err_name(err));
}

static sc_err save(sc_run *run, const json_t *data, size_t step)
{
    AUTO_STR text = STR_MAX(64 * 1024);
    AUTO_JSON *copy = json_copy((json_t *)data);

    json_object_set_new(copy, "step", json_integer((json_int_t)step));
    sc__json_write(&text, copy);
    return sc_run_update_data(run, sc__str_slice(&text));
}

static sc_err add_children(sc_run *run, sc_queue *queue, const json_t *jobs)
{
    const json_t *job;
    sc_err err = SC_OK;
    size_t i;

    json_array_foreach(jobs, i, job)
    {
        sc_job_opts opts = peer_job_opts(json_object_get(job, "opts"));
        char *data = json_dumps(json_object_get(job, "data"), JSON_COMPACT | JSON_ENCODE_ANY);
        const sc_job_spec spec = {
            .name = sc__json_text(job, "name"), .data = sc_slice_of(data), .opts = &opts};

        opts.parent = sc_run_as_parent(run);
        if (!err)
            err = sc_queue_add(queue, &spec, NULL, NULL);
        free(data);
    }
    return err;
}

static sc_err await_failed(sc_queue *queue, sc_slice id, int64_t count)
{
    sc_dependency_counts counts;
    sc_err err;

    do {
        poll(NULL, 0, 1);
        err = sc_queue_get_dependency_counts(queue, id, &counts, NULL);
    } while (!err && counts.failed < count);
    return err;
}

static sc_outcome end_with(sc_run *run, sc_err err, sc_child_list *list, bool are_json)
{
    AUTO_STR text = STR_MAX(64 * 1024);

    if (err)
        return broken(run, err);
    sc__str_char(&text, '{');
    for (size_t i = 0; i < list->count; i++) {
        sc__str_text(&text, i ? "," : "");
        sc__str_json(&text, list->children[i].key);
        sc__str_char(&text, ':');
        if (are_json)
            sc__str_append(&text, list->children[i].text);
        else
            sc__str_json(&text, list->children[i].text);
    }
    sc__str_char(&text, '}');
    sc_child_list_free(list);
    return sc_run_return(run, sc__str_slice(&text));
}

static sc_outcome end(sc_run *run, const json_t *step)
{
    const json_t *result = json_object_get(step, "result");
    AUTO_STR text = STR_MAX(64 * 1024);
    sc_child_list *list = NULL;
    sc_err err;

    if (json_object_get(step, "fail"))
        return sc_run_fail(run, SC_FAILED, "%s", json_string_value(json_object_get(step, "fail")));
    if (json_object_get(step, "values")) {
        err = sc_run_get_children_values(run, &list);
        return end_with(run, err, list, true);
    }
    if (json_object_get(step, "failures")) {
        err = sc_run_get_ignored_children_failures(run, &list);
        return end_with(run, err, list, false);
    }
    sc__json_write(&text, result);
    return sc_run_return(run, sc__str_slice(&text));
}

/* NEXT_STEP, or how the run ends. */
static int do_step(sc_run *run, sc_queue *queue, const json_t *data, const json_t *step, size_t i)
{
    const json_t *child = json_object_get(step, "waitChildren");
    sc_outcome outcome;
    sc_err err = SC_OK;

    if (child) {
        err = save(run, data, i + sc__json_bool(step, "once", false));
        outcome =
            err ? broken(run, err) : sc_run_wait_children(run, sc__json_text(step, "waitChildren"));
        return outcome == SC_DONE ? NEXT_STEP : (int)outcome;
    }
    if (json_object_get(step, "wait")) {
        err = save(run, data, i + 1);
        return err ? (int)broken(run, err) : (int)sc_run_wait(run);
    }
    if (json_object_get(step, "add"))
        err = add_children(run, queue, json_object_get(step, "add"));
    else if (json_object_get(step, "awaitFailed"))
        err = await_failed(queue, sc_run_as_parent(run).id, sc__json_int(step, "awaitFailed", 1));
    else if (json_object_get(step, "removeUnprocessed"))
        err = sc_run_remove_unprocessed_children(run);
    else
        return (int)end(run, step);
    return err ? (int)broken(run, err) : NEXT_STEP;
}

static sc_outcome process(sc_run *run, const sc_job *job, void *user)
{
    AUTO_JSON *data = NULL;
    const json_t *steps;
    int outcome = NEXT_STEP;

    if (sc__json_parse(job->data, &data, NULL))
        return broken(run, SC_ESYNTAX);
    steps = json_object_get(data, "steps");
    for (size_t i = (size_t)sc__json_int(data, "step", 0);
         outcome == NEXT_STEP && i < json_array_size(steps); i++)
        outcome = do_step(run, user, data, json_array_get(steps, i), i);
    return outcome == NEXT_STEP ? SC_DONE : (sc_outcome)outcome;
}

/* Gives the worker's number, for closeWorker. */
static sc_err do_work_steps(struct peer *peer, const json_t *args, json_t **ret_result,
                            sc_reason *ret_reason)
{
    const sc_worker_opts opts = {.prefix = sc__json_text(args, "prefix"),
                                 .concurrency = (int)sc__json_int(args, "concurrency", 1)};
    sc_queue *queue;
    sc_worker *worker;
    sc_err err = peer_queue(peer, args, &queue, ret_reason);
    int i = 0;

    if (err)
        return err;
    while (peer->workers[i])
        i++;
    err = sc_worker_new(peer->client, sc__json_text(args, "queue"), &opts, &worker, ret_reason);
    if (!err)
        err = sc_worker_handle(worker, SC_S(""), process, queue);
    if (!err)
        err = sc_worker_start(worker);
    if (err)
        return err;
    peer->workers[i] = worker;
    *ret_result = json_integer(i);
    return SC_OK;
}

const struct peer_command peer_steps_commands[] = {
    {"workSteps", do_work_steps},
    {NULL, NULL},
};
