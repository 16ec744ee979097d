#include "batch.h"

#include "base/clock.h"
#include "base/mem.h"
#include "runner.h"

/* Ends the runs that are not to be run, and leaves the others, begun. */
static void begin(sc__batch *batch)
{
    size_t fit = 0;

    for (size_t i = 0; i < batch->count; i++) {
        sc_run *run = batch->runs[i];

        if (!sc__runner_begin(run, &batch->def.opts))
            continue;
        batch->runs[fit] = run;
        batch->jobs[fit] = run->job;
        batch->outcomes[fit++] = SC_DONE;
    }
    batch->count = fit;
}

static void work(sc__work *work)
{
    sc__batch *batch = (sc__batch *)work;
    int64_t began = sc__mono_ms();

    begin(batch);
    if (batch->count)
        batch->def.batch(&(sc_batch){batch->count, batch->runs, batch->jobs, batch->outcomes},
                         batch->def.user);
    for (size_t i = 0; i < batch->count; i++)
        sc__runner_through(batch->runs[i], batch->outcomes[i], sc__mono_ms() - began);
    sc_free(batch);
}

sc__batch *sc__batch_new(const sc__handler_def *def, size_t max)
{
    sc__batch *batch =
        sc__calloc(1, sizeof(*batch) + max * (sizeof(*batch->runs) + sizeof(*batch->jobs) +
                                              sizeof(*batch->outcomes)));

    if (!batch)
        return NULL;
    batch->work.run = work;
    batch->def = *def;
    batch->max = max;
    batch->runs = (sc_run **)(batch + 1);
    batch->jobs = (const sc_job **)(batch->runs + max);
    batch->outcomes = (sc_outcome *)(batch->jobs + max);
    return batch;
}

void sc__batch_add(sc__batch *batch, sc_run *run)
{
    if (batch->count < batch->max)
        batch->runs[batch->count++] = run;
}
