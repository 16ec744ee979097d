/* What is asked of a worker while it runs: another concurrency, an end to its runs. */
#include "cancel.h"
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
    sc__batcher_flush(&r->worker->batcher);
}

sc_err sc_worker_set_concurrency(sc_worker *worker, int concurrency)
{
    if (concurrency < 1 || concurrency > SC__CONCURRENCY_MAX)
        return SC_EINVAL;
    sc__loop_run_wait(worker->core.loop, resize, &(struct resizing){worker, concurrency});
    return SC_OK;
}

struct cancelling {
    sc_worker *worker;
    sc_slice id; /* empty: all */
    sc_slice reason;
    size_t count;
};

static void cancel(void *arg)
{
    struct cancelling *c = arg;

    for (sc_run *run = c->worker->core.runs; run; run = run->older) {
        if (atomic_load(&run->given_back) || atomic_load(&run->decided) ||
            (c->id.len && !sc_slice_eq(run->job->id, c->id)))
            continue;
        sc__run_cancel(run, SC_CANCEL_RUN, c->reason);
        c->count++;
    }
}

bool sc_worker_cancel(sc_worker *worker, sc_slice id, sc_slice reason)
{
    struct cancelling c = {.worker = worker, .id = id, .reason = reason};

    if (id.len)
        sc__loop_run_wait(worker->core.loop, cancel, &c);
    return c.count > 0;
}

size_t sc_worker_cancel_all(sc_worker *worker, sc_slice reason)
{
    struct cancelling c = {.worker = worker, .reason = reason};

    sc__loop_run_wait(worker->core.loop, cancel, &c);
    return c.count;
}
