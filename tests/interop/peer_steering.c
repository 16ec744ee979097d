/* Commands of tests_peer that steer a worker while it runs. */
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

const struct peer_command peer_steering_commands[] = {
    {"setConcurrency", do_set_concurrency},
    {NULL, NULL},
};
