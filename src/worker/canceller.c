#include "canceller.h"

#include "base/mem.h"
#include "cancel.h"
#include "ops/op_cancel.h"

static void on_message(void *user, sc_slice message)
{
    sc__canceller *c = user;
    sc__cancel_message m;

    if (!sc__cancel_message_read(message, &m))
        return;
    for (sc_run *run = c->core->runs; run; run = run->older)
        if (!atomic_load(&run->given_back) && sc_slice_eq(run->job->id, m.id) &&
            sc_slice_eq(sc__lock_token_slice(&run->token), m.token))
            sc__run_cancel(run, SC_CANCEL_JOB, m.reason);
}

static void on_heard(void *user)
{
    sc__canceller *c = user;

    if (c->was_heard)
        c->on_heard_again(c->core);
    c->was_heard = true;
}

void sc__canceller_start(sc__canceller *c)
{
    if (c->started)
        return;
    c->started = true;
    sc__client_subscribe(c->core->client, &c->subscription);
}

void sc__canceller_stop(sc__canceller *c)
{
    if (c->started)
        sc__client_unsubscribe(c->core->client, &c->subscription);
    c->started = false;
}

sc_err sc__canceller_init(sc__canceller *c, sc__core *core)
{
    AUTO_STR channel = STR_MAX(64 * 1024);
    sc_err err;

    *c = (sc__canceller){.core = core};
    sc__cancel_channel(&channel, &core->keys);
    c->subscription = (sc__subscription){.on_message = on_message, .on_heard = on_heard, .user = c};
    c->subscription.channel.len = channel.len;
    err = sc__str_take(&channel, &c->channel);
    c->subscription.channel.ptr = c->channel;
    return err;
}

void sc__canceller_release(sc__canceller *c)
{
    sc_free(c->channel);
    c->channel = NULL;
}
