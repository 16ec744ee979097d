#include "intake.h"

#include "by_hand.h"
#include "giving_back.h"
#include "runner.h"
#include "telling.h"

static void on_run_end(sc_run *run)
{
    sc__finisher_end(&run->core->owner->finisher, run);
}

/* It may be run now. */
static void hand_over(sc_worker *w, sc_run *run)
{
    if (w->core.by_hand)
        sc__by_hand_give(run);
    else if (sc__batcher_take(&w->batcher, run))
        sc__batcher_flush(&w->batcher);
    else
        sc__pool_submit(w->pool, &run->work);
}

static void on_ticked(void *user, sc_err err, sc__ticked ticked)
{
    sc_run *run = user;
    sc_worker *w = run->core->owner;

    (void)ticked, (void)err; /* logged by the ticker; the job itself is fine */
    hand_over(w, run);
    sc__core_call_ended(&w->core);
}

/* The next run of a job's scheduler is stored before the job can fail or kill us. */
static bool tick(sc_worker *w, sc_run *run)
{
    if (!run->job->scheduler_id.len || sc__is_guarded_run(run->job->opts))
        return false;
    w->core.calls++;
    if (sc__ticker_tick(w->ticker, run->job->scheduler_id, run->job->id, run->job->opts, on_ticked,
                        run) == SC_OK)
        return true;
    sc__core_call_ended(&w->core);
    return false;
}

static sc_run *load(sc_worker *w, const sc__taken *taken, size_t i, const sc__lock_token *token,
                    bool fresh)
{
    const sc_reply *fields;
    sc_reason why = {""};
    sc_run *run;
    sc_slice id;

    if (sc__taken_job(taken, i, &id, &fields, &why)) {
        sc__core_log(&w->core, SC_LOG_ERROR, "%s", why.text);
        return NULL;
    }
    run = sc__run_take(&w->core, &w->spares, token);
    if (run && !sc__runner_load(run, id, fields, fresh, taken->now_ms, &why)) {
        run->work.run = sc__runner_work;
        run->on_end = on_run_end;
        return run;
    }
    sc__core_log(&w->core, SC_LOG_ERROR,
                 "job %.*s can't be run here, and waits until it counts as stalled: %s",
                 (int)(id.len < 200 ? id.len : 200), id.ptr, run ? why.text : "out of memory");
    if (run)
        sc__run_put_back(run, &w->spares);
    return NULL;
}

/* Jobs that came after closing or a pause began go back unrun, and those that nobody waits for any more. */
static bool is_welcome(sc_worker *w, sc_run *run)
{
    if (w->closing || w->paused)
        return false;
    return !w->core.by_hand || sc__by_hand_assign(&w->core, run);
}

static void refuse(sc_worker *w, sc_run *run)
{
    sc__refuse(w, run);
    sc__run_put_back(run, &w->spares);
}

void sc__intake(sc__core *core, const sc__taken *taken, const sc__lock_token *token, bool fresh)
{
    sc_worker *w = core->owner;
    sc__work *first = NULL, **next = &first;

    sc__tell_ready(core);
    for (size_t i = 0; i < taken->count; i++) {
        sc_run *run = load(w, taken, i, token, fresh);

        if (!run)
            continue;
        if (!is_welcome(w, run)) {
            refuse(w, run);
            continue;
        }
        atomic_fetch_add_explicit(&core->stats.started, 1, memory_order_relaxed);
        core->is_drained = false;
        sc__tell(core, (sc_worker_event){.kind = SC_WORKER_ACTIVE, .job = run->job});
        if (tick(w, run))
            continue;
        if (core->by_hand) {
            sc__by_hand_give(run);
            continue;
        }
        if (sc__batcher_take(&w->batcher, run))
            continue;
        *next = &run->work;
        next = &run->work.next;
    }
    *next = NULL;
    sc__pool_submit_list(w->pool, first);
    if (core->runs &&
        !w->closing) /* runs that closing waits for have started it; it may have given up */
        sc__canceller_start(&w->canceller);
    sc__batcher_flush(&w->batcher);
}
