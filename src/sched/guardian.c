/* The guardian: makes the next jobs of a queue's schedulers when they are due, lost ones again every few seconds, and next runs anew when
 * the data of time zones was updated. */
#include <storychain/scheduler.h>

#include "base/mem.h"
#include "base/rand.h"
#include "base/str.h"
#include "loop/loop.h"
#include "loop/timer.h"
#include "loop/waiter.h"
#include "ops/queue_handle.h"
#include "ops/scheduler_due.h"
#include "ops/scheduler_rezone.h"
#include "ops/scheduler_sweep.h"
#include "redis/client.h"
#include "redis/pubsub.h"

/* LOOK_MS bounds how late the first run of a scheduler can be noticed that another node has stored, beside others;
 * BACK_MS leaves room for a look that failed. What is older the sweep finds. */
enum { INTERVAL_MS = 5000, OVERDUE_MS = 1000, LOOK_MS = 1000, BACK_MS = 3000 };

/* Two roles with a timer each, resting or at work, and one that reads ahead for the second. Everything but `quiet` belongs to the I/O thread. */
struct sc_scheduler_guard {
    sc_client *client;
    sc__timer *sweep_timer, *due_timer;
    sc__ticker *ticker;
    sc__sweep sweep;
    sc__due due;
    sc__ahead ahead;
    sc__rezone rezone; /* after a sweep, when it is its time */
    int64_t interval_ms;
    bool sweeping, looking, reading, stopping;
    char *channel;
    sc__subscription
        ear; /* of the first schedule it is told, when the client hears channels anyway */
    bool is_told;
    sc_err err;
    sc__waiter quiet; /* woken when it is stopping and nothing is under way */
};

/* Nodes that were started together should not look together. */
static int64_t up_to(int64_t ms)
{
    return (int64_t)((double)ms * (0.75 + 0.25 * sc__rand_unit()));
}

static void rest(sc_scheduler_guard *g)
{
    sc__timer_start(g->sweep_timer, up_to(g->interval_ms));
}

static void stopped_work(sc_scheduler_guard *g)
{
    if (!g->sweeping && !g->looking && !g->reading)
        sc__waiter_wake(&g->quiet);
}

static void end_sweep(sc_scheduler_guard *g)
{
    g->sweeping = false;
    if (g->stopping)
        stopped_work(g);
    else
        rest(g);
}

/* The server was lost on the way: all over again. */
static void on_rezoned(void *user, sc_err err)
{
    sc_scheduler_guard *g = user;

    if (err)
        sc__rezone_again(&g->rezone);
    end_sweep(g);
}

static void on_swept(void *user, sc_err err)
{
    sc_scheduler_guard *g = user;
    int64_t now_ms = sc__due_server_now(&g->due);

    (void)err; /* what it made is logged; what failed comes up again */
    if (g->stopping || !now_ms || !sc__rezone_is_due(&g->rezone))
        end_sweep(g);
    else if (sc__rezone_start(&g->rezone, now_ms))
        on_rezoned(g, SC_ENOMEM);
}

static void sweep(void *arg)
{
    sc_scheduler_guard *g = arg;

    g->sweeping = true;
    if (g->due.has_none || sc__sweep_start(&g->sweep, OVERDUE_MS))
        end_sweep(g);
}

static int64_t until_next_look(const sc_scheduler_guard *g, sc_err err)
{
    int64_t wait_ms = sc__due_wait(&g->due);

    if (!err && g->due.has_none)
        return up_to(g->interval_ms);
    return err || wait_ms < 0 || wait_ms > LOOK_MS ? LOOK_MS : wait_ms;
}

static void on_read(void *user, sc_err err)
{
    sc_scheduler_guard *g = user;

    (void)err; /* what it did not read is looked for when it is due */
    g->reading = false;
    if (g->stopping)
        stopped_work(g);
}

static void read_ahead(sc_scheduler_guard *g)
{
    if (g->reading || !sc__due_is_to_read_ahead(&g->due))
        return;
    g->reading = !sc__ahead_read(&g->ahead, sc__due_server_now(&g->due));
}

static void on_looked(void *user, sc_err err)
{
    sc_scheduler_guard *g = user;

    g->looking = false;
    if (g->stopping) {
        stopped_work(g);
        return;
    }
    sc__timer_start(g->due_timer, g->is_told ? 0 : until_next_look(g, err));
    if (!err)
        read_ahead(g);
}

static void look(void *arg)
{
    sc_scheduler_guard *g = arg;

    g->looking = true;
    g->is_told = false;
    if (sc__due_look(&g->due, BACK_MS))
        on_looked(g, SC_ECANCELED);
}

/* There is a schedule now, or was one before it listened. */
static void on_heard(void *user)
{
    sc_scheduler_guard *g = user;

    g->is_told = g->looking; /* that look may have been too early */
    if (!g->looking && g->due.has_none)
        sc__timer_start(g->due_timer, 0);
}

static void on_message(void *user, sc_slice message)
{
    (void)message;
    on_heard(user);
}

static sc_err make_ear(sc_scheduler_guard *g, const sc__queue_keys *keys)
{
    AUTO_STR channel = STR_MAX(64 * 1024);
    sc_err err;

    sc__scheduler_channel(&channel, keys);
    g->ear = (sc__subscription){
        .on_message = on_message, .on_heard = on_heard, .user = g, .is_guest = true};
    g->ear.channel.len = channel.len;
    err = sc__str_take(&channel, &g->channel);
    g->ear.channel.ptr = g->channel;
    return err;
}

static void start(void *arg)
{
    sc_scheduler_guard *g = arg;

    g->err = sc__timer_new(sc__client_loop(g->client), sweep, g, &g->sweep_timer);
    if (!g->err)
        g->err = sc__timer_new(sc__client_loop(g->client), look, g, &g->due_timer);
    if (g->err) {
        sc__timer_free(g->sweep_timer);
        return;
    }
    rest(g);
    sc__timer_start(g->due_timer, 0);
    sc__client_subscribe(g->client, &g->ear);
}

static void stop(void *arg)
{
    sc_scheduler_guard *g = arg;

    sc__timer_free(g->sweep_timer);
    sc__timer_free(g->due_timer);
    sc__client_unsubscribe(g->client, &g->ear);
    g->stopping = true;
    stopped_work(g);
}

static void guard_free(sc_scheduler_guard *g)
{
    sc_free(g->channel);
    sc__ahead_release(&g->ahead);
    sc__ticker_free(g->ticker);
    sc__waiter_release(&g->quiet);
    sc_free(g);
}

static sc_err make_roles(sc_scheduler_guard *g, sc_queue *queue,
                         const sc_scheduler_guard_opts *opts)
{
    const sc__queue_keys *keys = sc__queue_names(queue);
    sc_err err = sc__ticker_new(g->client, keys, sc__queue_repeat_strategy(queue), &g->ticker);

    if (err)
        return err;
    sc__ticker_on_error(g->ticker, opts->on_error, opts->on_error_user);
    sc__sweep_init(&g->sweep, g->client, keys, g->ticker, on_swept, g);
    sc__ahead_init(&g->ahead, g->client, keys, g->ticker, on_read, g);
    sc__due_init(&g->due, g->client, keys, g->ticker, &g->ahead, on_looked, g);
    sc__rezone_init(&g->rezone, g->client, keys, g->ticker, on_rezoned, g);
    return make_ear(g, keys);
}

sc_err sc_scheduler_guard_start(sc_queue *queue, const sc_scheduler_guard_opts *opts,
                                sc_scheduler_guard **ret_guard)
{
    const sc_scheduler_guard_opts o = opts ? *opts : (sc_scheduler_guard_opts){0};
    sc_scheduler_guard *g;
    sc_err err;

    if (o.interval_ms < 0)
        return SC_EINVAL;
    g = sc__calloc(1, sizeof(*g));
    if (!g)
        return SC_ENOMEM;
    g->client = sc__queue_client(queue);
    g->interval_ms = o.interval_ms ? o.interval_ms : INTERVAL_MS;
    sc__waiter_init(&g->quiet);
    err = make_roles(g, queue, &o);
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
