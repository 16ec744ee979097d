#include "ticker.h"

static void fire(void *arg)
{
    sc__ticker *t = arg;

    /* Before the look at the work, so that who adds some after the look finds it stopped. */
    atomic_store(&t->runs, false);
    if (t->tick(t->arg) && !atomic_exchange(&t->runs, true))
        sc__timer_start(t->timer, t->every_ms);
}

static void start_on_loop(sc__task *task)
{
    sc__ticker *t = (sc__ticker *)task;

    if (!t->timer && sc__timer_new(t->loop, fire, t, &t->timer)) {
        t->timer = NULL;
        atomic_store(&t->runs, false); /* no memory: whoever wakes it next tries again */
        return;
    }
    sc__timer_start(t->timer, t->every_ms);
}

void sc__ticker_init(sc__ticker *t, sc__loop *loop, int64_t every_ms, bool (*tick)(void *arg),
                     void *arg)
{
    *t = (sc__ticker){
        .start.run = start_on_loop, .loop = loop, .every_ms = every_ms, .tick = tick, .arg = arg};
    atomic_init(&t->runs, false);
}

void sc__ticker_wake(sc__ticker *t)
{
    if (!atomic_exchange(&t->runs, true))
        sc__loop_post(t->loop, &t->start);
}

static void stop_on_loop(void *arg)
{
    sc__ticker *t = arg;

    sc__timer_free(t->timer);
    t->timer = NULL;
}

void sc__ticker_release(sc__ticker *t)
{
    sc__loop_run_wait(t->loop, stop_on_loop, t);
}
