#include "closing.h"

#include "base/cond.h"
#include "by_hand.h"
#include "giving_back.h"
#include "guarding.h"
#include "telling.h"

enum {
    RECORD_AT_CLOSE_MS = 2000, /* how long closing waits for the server to take the last outcomes */
};

void sc__closing_on_change(sc__core *core)
{
    sc_worker *w = core->owner;

    if (!w->closing)
        return;
    pthread_mutex_lock(&w->mutex);
    w->changes++;
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->mutex);
}

struct question {
    sc_worker *worker;
    bool (*is_true)(const sc_worker *w);
    bool answer;
};

static void ask(void *arg)
{
    struct question *q = arg;

    q->answer = q->is_true(q->worker);
}

/* Waits until a condition of the loop's data holds. False when `limit_ms` (-1: none) passed first. */
static bool await(sc_worker *w, bool (*is_true)(const sc_worker *w), int64_t limit_ms)
{
    struct question q = {w, is_true, false};
    const struct timespec deadline = sc__cond_after(limit_ms < 0 ? 0 : limit_ms);
    bool late = false;
    uint64_t seen;

    for (;;) {
        pthread_mutex_lock(&w->mutex);
        seen = w->changes;
        pthread_mutex_unlock(&w->mutex);
        sc__loop_run_wait(w->core.loop, ask, &q);
        if (q.answer || late)
            return q.answer;
        pthread_mutex_lock(&w->mutex);
        while (w->changes == seen && !late) {
            if (limit_ms < 0)
                pthread_cond_wait(&w->changed, &w->mutex);
            else
                late = pthread_cond_timedwait(&w->changed, &w->mutex, &deadline) != 0;
        }
        pthread_mutex_unlock(&w->mutex);
    }
}

static bool has_no_runs(const sc_worker *w)
{
    return !w->core.runs && sc__finisher_is_idle(&w->finisher);
}

static bool has_no_processors(const sc_worker *w)
{
    for (const sc_run *run = w->core.runs; run; run = run->older)
        if (!run->is_ended)
            return false;
    return true;
}

static bool has_no_calls(const sc_worker *w)
{
    return w->core.calls == 0;
}

static void begin(void *arg)
{
    sc_worker *w = arg;

    sc__tell_kind(&w->core, SC_WORKER_CLOSING);
    w->closing = true;
    w->core.taking = false;
    sc__stalled_stop(&w->stalled);
    sc__by_hand_close(&w->core);
    sc__fetcher_stop(&w->fetcher);
    sc__batcher_stop(&w->batcher);
    sc__refuse_lingering(w);
    sc__finisher_be_prompt(&w->finisher);
}

static void give_back_all(void *arg)
{
    sc_worker *w = arg;

    sc__finisher_be_prompt(&w->finisher); /* what has just ended is not given back */
    sc__give_back_all(w);
    sc__by_hand_drop_all(&w->core);
}

static void give_up(void *arg)
{
    sc_worker *w = arg;

    sc__finisher_give_up(&w->finisher);
    sc__fetcher_give_up(&w->fetcher);
    sc__lock_keeper_stop(&w->lock_keeper);
    sc__canceller_stop(&w->canceller);
}

static void tell_end(void *arg)
{
    const sc_worker *w = arg;

    sc__tell_kind(&w->core, SC_WORKER_CLOSED);
}

void sc__closing_run(sc_worker *w, int64_t drain_ms)
{
    sc__loop_run_wait(w->core.loop, begin, w);
    if (!await(w, has_no_runs, drain_ms > 0 ? drain_ms : 0)) {
        sc__loop_run_wait(w->core.loop, give_back_all, w);
        await(w, has_no_processors, -1);
        await(w, has_no_runs, RECORD_AT_CLOSE_MS);
    }
    sc__loop_run_wait(w->core.loop, give_up, w);
    sc__guarding_stop(w);
    await(w, has_no_calls, -1);
    sc__loop_run_wait(w->core.loop, tell_end, w);
}
