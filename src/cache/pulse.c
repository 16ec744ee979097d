#include "pulse.h"

static void fire(void *arg)
{
    sc__pulse *p = arg;

    /* Before the look at the work, so that who adds some after the look finds it stopped. */
    atomic_store(&p->runs, false);
    if (p->tick(p->arg) && !atomic_exchange(&p->runs, true))
        sc__timer_start(p->timer, p->every_ms);
}

static void start_on_loop(sc__task *task)
{
    sc__pulse *p = (sc__pulse *)task;

    if (!p->timer && sc__timer_new(p->loop, fire, p, &p->timer)) {
        p->timer = NULL;
        atomic_store(&p->runs, false); /* no memory: whoever wakes it next tries again */
        return;
    }
    sc__timer_start(p->timer, p->every_ms);
}

void sc__pulse_init(sc__pulse *p, sc__loop *loop, int64_t every_ms, bool (*tick)(void *arg),
                    void *arg)
{
    *p = (sc__pulse){
        .start.run = start_on_loop, .loop = loop, .every_ms = every_ms, .tick = tick, .arg = arg};
    atomic_init(&p->runs, false);
}

void sc__pulse_wake(sc__pulse *p)
{
    if (!atomic_exchange(&p->runs, true))
        sc__loop_post(p->loop, &p->start);
}

static void stop_on_loop(void *arg)
{
    sc__pulse *p = arg;

    sc__timer_free(p->timer);
    p->timer = NULL;
}

void sc__pulse_release(sc__pulse *p)
{
    sc__loop_run_wait(p->loop, stop_on_loop, p);
}
