/* Commands of tests_peer that steer a worker while it runs. */
#include <storychain/control.h>

#include "peer.h"

#include "base/error.h"

static sc_err do_set_concurrency(struct peer *peer, const json_t *args, json_t **ret_result,
                                 sc_reason *ret_reason)
{
    sc_worker *worker = peer_worker(peer, args);

    if (!worker)
        return sc__because(ret_reason, SC_EINVAL, "no such worker");
    *ret_result = json_null();
    return sc_worker_set_concurrency(worker, (int)sc__json_int(args, "concurrency", 0));
}

/* Gives what became of it. */
static sc_err do_cancel(struct peer *peer, const json_t *args, json_t **ret_result,
                        sc_reason *ret_reason)
{
    sc_cancel_result result;
    sc_queue *queue;
    sc_err err = peer_queue(peer, args, &queue, ret_reason);

    if (!err)
        err = sc_queue_cancel(queue, sc__json_text(args, "job"), sc__json_text(args, "reason"),
                              &result, ret_reason);
    if (!err)
        *ret_result = json_string(sc_cancel_result_name(result));
    return err;
}

/* Gives how many runs were told; without "job": all. */
static sc_err do_cancel_run(struct peer *peer, const json_t *args, json_t **ret_result,
                            sc_reason *ret_reason)
{
    sc_worker *worker = peer_worker(peer, args);
    sc_slice job = sc__json_text(args, "job"), reason = sc__json_text(args, "reason");

    if (!worker)
        return sc__because(ret_reason, SC_EINVAL, "no such worker");
    *ret_result = json_integer(job.len ? sc_worker_cancel(worker, job, reason)
                                       : (json_int_t)sc_worker_cancel_all(worker, reason));
    return SC_OK;
}

const struct peer_command peer_steering_commands[] = {
    {"setConcurrency", do_set_concurrency},
    {"cancel", do_cancel},
    {"cancelRun", do_cancel_run},
    {NULL, NULL},
};
