#include "timing_out.h"

#include "base/clock.h"
#include "ops/job_decode.h"
#include "cancel.h"
#include "runner.h"

enum { AGAIN_MS = 1000 };

static void tell(const sc_worker *w, const sc_run *run)
{
    const sc__core *core = &w->core;
    bool replaced = core->late <= (size_t)core->opts.max_late;

    sc__core_log(core, replaced ? SC_LOG_WARN : SC_LOG_ERROR,
                 "job %s timed out after %lld ms, but its processor goes on: %zu such threads, %s",
                 run->job->id.ptr, (long long)run->hard_ms, core->late,
                 replaced ? "replaced by others" : "more than are replaced, so a slot is lost");
}

static void make_late(sc_worker *w, sc_run *run)
{
    run->is_late = true;
    sc__core_run_left(&w->core);
    w->core.late++;
    atomic_store(&w->core.stats.late, (int)w->core.late);
    atomic_store(&run->given_back, true);
    sc__run_cancel(run, SC_CANCEL_TIMED_OUT, (sc_slice){NULL, 0});
    sc__worker_fit_pool(w);
    tell(w, run);
    sc__fetcher_poke(&w->fetcher);
}

/* NULL without memory. */
static sc_run *make_heir(sc_worker *w, const sc_run *run)
{
    sc_run *heir = sc__run_take(&w->core, &w->spares, &run->token);

    if (!heir)
        return NULL;
    heir->job = sc__job_copy(&heir->words, run->job);
    if (!heir->job) {
        sc__run_put_back(heir, &w->spares);
        return NULL;
    }
    heir->work.run = sc__runner_time_out;
    heir->on_end = run->on_end;
    heir->hard_ms = run->hard_ms;
    if (sc__run_job_cancelled(run))
        sc__run_cancel(heir, SC_CANCEL_JOB, sc_slice_of(sc__run_job_cancelled(run)));
    return heir;
}

void sc__time_out(sc_worker *w, sc_run *run)
{
    sc_run *heir = run->lock_lost ? NULL : make_heir(w, run);

    if (!heir && !run->lock_lost) {
        atomic_store(&run->hard_at, sc__mono_ms() + AGAIN_MS);
        return;
    }
    if (atomic_exchange(&run->decided, true)) {
        if (heir)
            sc__run_put_back(heir, &w->spares);
        return;
    }
    make_late(w, run);
    if (heir)
        sc__pool_submit(w->pool, &heir->work);
}

void sc__late_ended(sc_worker *w)
{
    sc__core *core = &w->core;

    core->late--;
    atomic_store(&core->stats.late, (int)core->late);
    atomic_fetch_add(&core->stats.dropped_late, 1);
    sc__worker_fit_pool(w);
    sc__core_log(core, SC_LOG_INFO, "a processor that had timed out has returned: %zu go on",
                 core->late);
}
