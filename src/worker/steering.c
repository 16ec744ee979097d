/* What is asked of a worker while it runs: another concurrency. */
#include "worker.h"

struct resizing {
    sc_worker *worker;
    int concurrency;
};

static void resize(void *arg)
{
    const struct resizing *r = arg;
    sc__core *core = &r->worker->core;

    core->opts.concurrency = r->concurrency;
    atomic_store(&core->stats.concurrency, r->concurrency);
    sc__worker_fit_pool(r->worker);
    sc__fetcher_poke(&r->worker->fetcher);
}

sc_err sc_worker_set_concurrency(sc_worker *worker, int concurrency)
{
    if (concurrency < 1 || concurrency > SC__CONCURRENCY_MAX)
        return SC_EINVAL;
    sc__loop_run_wait(worker->core.loop, resize, &(struct resizing){worker, concurrency});
    return SC_OK;
}
