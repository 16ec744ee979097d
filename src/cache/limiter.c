#include <storychain/limiter.h>

#include "base/error.h"
#include "base/mem.h"
#include "health.h"
#include "loop/waiter.h"
#include "ops/op_count.h"

enum { TIMEOUT_MS = 100, KEY_MAX = 1024 };

/* So that a script's numbers, and sums of them, are exact. */
static const int64_t most = INT64_C(1000000000000);

struct sc_limiter {
    sc_client *client;
    sc_limiter_opts opts;
    sc__health health;
};

sc_err sc_limiter_new(sc_client *client, const sc_limiter_opts *opts, sc_limiter **ret_limiter,
                      sc_reason *ret_reason)
{
    sc_limiter *limiter;

    if (opts->max < 1 || opts->window_ms < 1 || opts->timeout_ms < 0 || opts->window_ms > most ||
        opts->max > most || (unsigned)opts->kind > SC_LIMITER_SLIDING)
        return sc__because(ret_reason, SC_EINVAL,
                           "a limiter needs a kind, and a maximum and a window of 1 to 10^12");
    limiter = sc__calloc(1, sizeof(*limiter));
    if (!limiter)
        return sc__because(ret_reason, SC_ENOMEM, "no memory for a limiter");
    limiter->client = client;
    limiter->opts = *opts;
    if (!limiter->opts.timeout_ms)
        limiter->opts.timeout_ms = TIMEOUT_MS;
    sc__health_init(&limiter->health, client, "limiter", "all requests are allowed");
    *ret_limiter = limiter;
    return SC_OK;
}

void sc_limiter_free(sc_limiter *limiter)
{
    if (!limiter)
        return;
    sc__health_release(&limiter->health);
    sc_free(limiter);
}

/* A call under way. */
struct check {
    sc__task task; /* first: a task is turned into its check */
    sc_limiter *limiter;
    sc_err err; /* why Redis was not asked */
    sc_limiter_cb cb;
    void *user;
};

static void note(sc_limiter *limiter, sc_err err, const sc_reason *reason)
{
    sc__health_after(&limiter->health, err);
    if (err == SC_EREPLY || err == SC_EREADONLY)
        sc__health_refused(&limiter->health, reason->text);
    else if (!err)
        sc__health_stored(&limiter->health);
}

static void call_back(struct check *c, sc_limit limit)
{
    c->cb(c->user, &limit);
    sc_free(c);
}

/* Redis did not say; so it is allowed. */
static sc_limit unasked(const sc_limiter *limiter, sc_err trouble)
{
    return (sc_limit){true, limiter->opts.max, limiter->opts.window_ms, trouble};
}

static void call_back_unasked(sc__task *task)
{
    struct check *c = (struct check *)task;

    call_back(c, unasked(c->limiter, c->err));
}

static void on_counted(void *user, sc_err err, const sc_reply *reply)
{
    struct check *c = user;
    sc__request_count count;
    sc_reason reason = {""};

    if (!err)
        err = sc__request_count_read(reply, &count, &reason);
    note(c->limiter, err, &reason);
    if (err)
        call_back(c, unasked(c->limiter, err));
    else
        call_back(c, (sc_limit){count.allowed, count.remaining, count.reset_ms, SC_OK});
}

sc_err sc_limiter_check_async(sc_limiter *limiter, sc_slice key, sc_limiter_cb cb, void *user)
{
    const sc_limiter_opts *opts = &limiter->opts;
    struct check *c;
    sc_err err;

    if (!key.len || key.len > KEY_MAX)
        return SC_EINVAL;
    c = sc__calloc(1, sizeof(*c));
    if (!c)
        return SC_ENOMEM;
    c->limiter = limiter;
    c->cb = cb;
    c->user = user;
    err = sc__health_ask(&limiter->health);
    if (!err)
        err = sc__op_count_request(limiter->client, opts->kind == SC_LIMITER_SLIDING, key,
                                   opts->max, opts->window_ms, opts->timeout_ms, on_counted, c);
    if (!err)
        return SC_OK; /* it may be over by now */
    c->err = err;
    c->task.run = call_back_unasked;
    sc__loop_post(sc__client_loop(limiter->client), &c->task);
    return SC_OK;
}

/* A plain call that waits for its twin. */
struct wait {
    sc__waiter waiter;
    sc_limit limit;
};

static void wake(void *user, const sc_limit *limit)
{
    struct wait *wait = user;

    wait->limit = *limit;
    sc__waiter_wake(&wait->waiter);
}

sc_err sc_limiter_check(sc_limiter *limiter, sc_slice key, sc_limit *ret_limit)
{
    struct wait wait;
    sc_err err;

    if (sc__loop_is_current(sc__client_loop(limiter->client)))
        return SC_EDEADLK;
    sc__waiter_init(&wait.waiter);
    err = sc_limiter_check_async(limiter, key, wake, &wait);
    if (err)
        return err;
    sc__waiter_wait(&wait.waiter);
    *ret_limit = wait.limit;
    return SC_OK;
}
