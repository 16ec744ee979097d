#include "time_keeper.h"

#include "base/clock.h"
#include "cancel.h"

static bool is_over(const sc_run *run, int64_t at, int64_t now)
{
    return at && at <= now && !atomic_load(&run->decided) && !atomic_load(&run->given_back);
}

static int64_t earlier(int64_t at, int64_t next)
{
    return at && at < next ? at : next;
}

/* When to look at the run again. */
static int64_t look_at(sc__time_keeper *k, sc_run *run, int64_t now)
{
    int64_t soft_at = atomic_load(&run->soft_at), hard_at = atomic_load(&run->hard_at);

    if (is_over(run, hard_at, now)) {
        k->on_time_out(run);
        hard_at = atomic_load(&run->hard_at); /* later, if it could not be done now */
    }
    if (is_over(run, soft_at, now))
        sc__run_cancel(run, SC_CANCEL_TIMEOUT, (sc_slice){NULL, 0});
    return earlier(soft_at > now ? soft_at : 0, earlier(hard_at > now ? hard_at : 0, INT64_MAX));
}

static void look(void *arg)
{
    sc__time_keeper *k = arg;
    int64_t now = sc__mono_ms(), next = INT64_MAX;
    sc_run *older;

    /* Before the runs are looked at: one that begins meanwhile is seen, or sees this and calls again. */
    atomic_store(&k->next_at, INT64_MAX);
    for (sc_run *run = k->core->runs; run; run = older) {
        older = run->older;
        next = earlier(look_at(k, run, now), next);
    }
    if (next == INT64_MAX)
        return;
    atomic_store(&k->next_at, next);
    sc__timer_start(k->timer, next - now);
}

static void look_soon(sc__task *task)
{
    look((sc__time_keeper *)task);
}

void sc__time_keeper_begin(sc__time_keeper *k, sc_run *run, int64_t soft_ms, int64_t hard_ms)
{
    int64_t now = sc__mono_ms();

    run->hard_ms = hard_ms;
    if (soft_ms)
        atomic_store(&run->soft_at, now + soft_ms);
    if (hard_ms)
        atomic_store(&run->hard_at, now + hard_ms);
    if ((soft_ms && now + soft_ms < atomic_load(&k->next_at)) ||
        (hard_ms && now + hard_ms < atomic_load(&k->next_at)))
        sc__loop_post(k->core->loop, &k->task);
}

sc_err sc__time_keeper_init(sc__time_keeper *k, sc__core *core)
{
    *k = (sc__time_keeper){.task.run = look_soon, .core = core};
    atomic_store(&k->next_at, INT64_MAX);
    return sc__timer_new(core->loop, look, k, &k->timer);
}

void sc__time_keeper_release(sc__time_keeper *k)
{
    sc__timer_free(k->timer);
    k->timer = NULL;
}
