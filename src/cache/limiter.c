#include <storychain/limiter.h>

#include "base/error.h"
#include "base/mem.h"
#include "health.h"
#include "loop/loop.h"
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

sc_err sc_limiter_check(sc_limiter *limiter, sc_slice key, sc_limit *ret_limit)
{
    const sc_limiter_opts *opts = &limiter->opts;
    sc__request_count count;
    sc_reason reason;
    sc_err err;

    if (sc__loop_is_current(sc__client_loop(limiter->client)))
        return SC_EDEADLK;
    if (!key.len || key.len > KEY_MAX)
        return SC_EINVAL;
    err = sc__health_ask(&limiter->health);
    if (!err) {
        err = sc__op_count_request(limiter->client, opts->kind == SC_LIMITER_SLIDING, key,
                                   opts->max, opts->window_ms, opts->timeout_ms, &count, &reason);
        sc__health_after(&limiter->health, err);
        if (err == SC_EREPLY || err == SC_EREADONLY)
            sc__health_refused(&limiter->health, reason.text);
        else if (!err)
            sc__health_stored(&limiter->health);
    }
    if (err)
        *ret_limit = (sc_limit){true, opts->max, opts->window_ms, err};
    else
        *ret_limit = (sc_limit){count.allowed, count.remaining, count.reset_ms, SC_OK};
    return SC_OK;
}
