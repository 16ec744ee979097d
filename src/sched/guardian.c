/* The guardian: makes lost jobs of a queue's schedulers again, every few seconds. */
#include <storychain/scheduler.h>

#include "base/mem.h"
#include "base/rand.h"
#include "loop/loop.h"
#include "loop/timer.h"
#include "loop/waiter.h"
#include "ops/queue_handle.h"
#include "ops/scheduler_sweep.h"
#include "redis/client.h"

enum { INTERVAL_MS = 5000, OVERDUE_MS = 1000 };

/* Between two sweeps, or sweeping. Everything but `quiet` belongs to the I/O thread. */
struct sc_scheduler_guard {
    sc_client *client;
    sc__timer *timer;
    sc__sweep *sweep;
    int64_t interval_ms;
    bool sweeping, stopping;
    sc_err err;
    sc__waiter quiet; /* woken when it is stopping and no sweep is under way */
};

/* Nodes that were started together should not sweep together. */
static void rest(sc_scheduler_guard *g)
{
    sc__timer_start(g->timer, (int64_t)((double)g->interval_ms * (0.75 + 0.25 * sc__rand_unit())));
}

static void on_swept(void *user, sc_err err, int mended)
{
    sc_scheduler_guard *g = user;

    (void)err, (void)mended; /* what it made is logged; what failed comes up again */
    g->sweeping = false;
    if (g->stopping)
        sc__waiter_wake(&g->quiet);
    else
        rest(g);
}

static void fire(void *arg)
{
    sc_scheduler_guard *g = arg;

    g->sweeping = true;
    if (sc__sweep_start(g->sweep, OVERDUE_MS)) {
        g->sweeping = false;
        rest(g);
    }
}

static void start(void *arg)
{
    sc_scheduler_guard *g = arg;

    g->err = sc__timer_new(sc__client_loop(g->client), fire, g, &g->timer);
    if (!g->err)
        rest(g);
}

static void stop(void *arg)
{
    sc_scheduler_guard *g = arg;

    sc__timer_free(g->timer);
    g->timer = NULL;
    g->stopping = true;
    if (!g->sweeping)
        sc__waiter_wake(&g->quiet);
}

static void guard_free(sc_scheduler_guard *g)
{
    sc__sweep_free(g->sweep);
    sc__waiter_release(&g->quiet);
    sc_free(g);
}

sc_err sc_scheduler_guard_start(sc_queue *queue, int64_t interval_ms,
                                sc_scheduler_guard **ret_guard)
{
    sc_scheduler_guard *g;
    sc_err err;

    if (interval_ms < 0)
        return SC_EINVAL;
    g = sc__calloc(1, sizeof(*g));
    if (!g)
        return SC_ENOMEM;
    g->client = sc__queue_client(queue);
    g->interval_ms = interval_ms ? interval_ms : INTERVAL_MS;
    sc__waiter_init(&g->quiet);
    err = sc__sweep_new(g->client, sc__queue_names(queue), sc__queue_repeat_strategy(queue),
                        on_swept, g, &g->sweep);
    if (!err) {
        sc__loop_run_wait(sc__client_loop(g->client), start, g);
        err = g->err;
    }
    if (err) {
        guard_free(g);
        return err;
    }
    *ret_guard = g;
    return SC_OK;
}

void sc_scheduler_guard_stop(sc_scheduler_guard *guard)
{
    if (!guard)
        return;
    sc__loop_run_wait(sc__client_loop(guard->client), stop, guard);
    sc__waiter_wait(&guard->quiet);
    guard_free(guard);
}
