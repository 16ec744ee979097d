/* Commands of tests_peer that take jobs by hand, and end their runs. */
#include <storychain/take.h>

#include <stdlib.h>

#include "base/error.h"
#include "peer.h"

enum { RUNS_MAX = 64 };

static sc_run *runs[RUNS_MAX]; /* in hand, by their number */

static json_t *run_of(sc_run *run)
{
    sc_slice token = sc_run_token(run);
    json_int_t i = 0;

    while (i < RUNS_MAX - 1 && runs[i])
        i++;
    runs[i] = run;
    return json_pack("{s:I, s:s%, s:o}", "run", i, "token", token.ptr, token.len, "job",
                     peer_job(sc_run_job(run)));
}

/* A worker without processors; gives its number. */
static sc_err do_open_hand(struct peer *peer, const json_t *args, json_t **ret_result,
                           sc_reason *ret_reason)
{
    const json_t *limit = json_object_get(args, "limiter");
    const sc_worker_opts opts = {
        .prefix = sc__json_text(args, "prefix"),
        .name = sc__json_text(args, "name"),
        .limit = {sc__json_int(limit, "max", 0), sc__json_int(limit, "duration", 0)}};
    size_t i = 0;
    sc_err err;

    while (i + 1 < sizeof(peer->workers) / sizeof(*peer->workers) && peer->workers[i])
        i++;
    err = sc_worker_new(peer->client, sc__json_text(args, "queue"), &opts, &peer->workers[i],
                        ret_reason);
    if (!err)
        *ret_result = json_integer((json_int_t)i);
    return err;
}

/* {"run":n,"token":"…","job":{…}}, or null when there is none. */
static sc_err do_take(struct peer *peer, const json_t *args, json_t **ret_result,
                      sc_reason *ret_reason)
{
    sc_worker *worker = peer_worker(peer, args);
    sc_run *run;
    sc_err err;

    if (!worker)
        return sc__because(ret_reason, SC_EINVAL, "no such worker");
    err = sc_worker_take(worker, sc__json_int(args, "waitMs", 0), &run);
    if (err && err != SC_ENOTFOUND && err != SC_ETIMEDOUT)
        return err;
    *ret_result = err ? json_null() : run_of(run);
    return SC_OK;
}

static sc_err do_adopt(struct peer *peer, const json_t *args, json_t **ret_result,
                       sc_reason *ret_reason)
{
    sc_worker *worker = peer_worker(peer, args);
    sc_run *run;
    sc_err err;

    if (!worker)
        return sc__because(ret_reason, SC_EINVAL, "no such worker");
    err = sc_worker_adopt(worker, sc__json_text(args, "jobId"), sc__json_text(args, "token"), &run);
    if (!err)
        *ret_result = run_of(run);
    return err;
}

static sc_outcome outcome_of(sc_run *run, const json_t *args)
{
    const json_t *result = json_object_get(args, "result");
    const char *fail = json_string_value(json_object_get(args, "fail"));
    AUTO_STR text = STR_MAX(64 * 1024);

    if (fail)
        return sc_run_fail(run, sc__json_bool(args, "giveUp", false) ? SC_GIVE_UP : SC_FAILED, "%s",
                           fail);
    if (json_object_get(args, "delayMs"))
        return sc_run_delay(run, sc__json_int(args, "delayMs", 0));
    if (sc__json_bool(args, "toWait", false))
        return sc_run_wait(run);
    if (!result)
        return SC_DONE;
    sc__json_write(&text, result);
    return sc_run_return(run, sc__str_slice(&text));
}

/* Gives the next run, or null. */
static sc_err do_end_run(struct peer *peer, const json_t *args, json_t **ret_result,
                         sc_reason *ret_reason)
{
    size_t i = (size_t)sc__json_int(args, "run", 0) % RUNS_MAX;
    sc_run *run = runs[i], *next = NULL;
    sc_err err;

    (void)peer;
    if (!run)
        return sc__because(ret_reason, SC_EINVAL, "no such run");
    runs[i] = NULL;
    err = sc_run_end(run, outcome_of(run, args), sc__json_bool(args, "next", false) ? &next : NULL);
    if (!err)
        *ret_result = next ? run_of(next) : json_null();
    return err;
}

static sc_err do_extend_lock(struct peer *peer, const json_t *args, json_t **ret_result,
                             sc_reason *ret_reason)
{
    sc_run *run = runs[(size_t)sc__json_int(args, "run", 0) % RUNS_MAX];

    (void)peer;
    if (!run)
        return sc__because(ret_reason, SC_EINVAL, "no such run");
    *ret_result = json_null();
    return sc_run_extend_lock(run, sc__json_int(args, "duration", 0));
}

const struct peer_command peer_take_commands[] = {
    {"openHand", do_open_hand},     {"take", do_take}, {"adopt", do_adopt}, {"endRun", do_end_run},
    {"extendLock", do_extend_lock}, {NULL, NULL},
};
