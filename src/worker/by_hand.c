#include "by_hand.h"

#include "base/clock.h"
#include "ops/job_decode.h"
#include "ops/op_lock.h"
#include "giving_back.h"
#include "run_span.h"
#include "runner.h"
#include "worker.h"

static void append(sc__core *core, struct sc__taker *taker)
{
    sc__by_hand *hands = &core->owner->by_hand;

    taker->next = NULL;
    if (hands->last)
        hands->last->next = taker;
    else
        hands->first = taker;
    hands->last = taker;
    core->takers++;
}

/* False when it is not there: it has a run, or was told that there is none. */
static bool withdraw(sc__core *core, const struct sc__taker *taker)
{
    sc__by_hand *hands = &core->owner->by_hand;
    struct sc__taker *before = NULL;

    for (struct sc__taker *t = hands->first; t; before = t, t = t->next) {
        if (t != taker)
            continue;
        if (before)
            before->next = t->next;
        else
            hands->first = t->next;
        if (hands->last == t)
            hands->last = before;
        core->takers--;
        sc__fetcher_want_less(&core->owner->fetcher, core->takers);
        return true;
    }
    return false;
}

static void send_away(sc__core *core, struct sc__taker *taker, sc_err err)
{
    withdraw(core, taker);
    taker->err = err;
    sc__waiter_wake(&taker->waiter);
}

bool sc__by_hand_assign(sc__core *core, sc_run *run)
{
    struct sc__taker *taker = core->owner->by_hand.first;

    if (!taker)
        return false;
    withdraw(core, taker);
    taker->run = run;
    run->taker = taker;
    return true;
}

void sc__by_hand_give(sc_run *run)
{
    struct sc__taker *taker = run->taker;
    sc_worker *w = run->core->owner;

    run->taker = NULL;
    if (w->closing) {
        taker->run = NULL;
        taker->err = SC_ECANCELED;
        if (!atomic_load(&run->given_back))
            sc__refuse(w, run);
        sc__run_put_back(run, &w->spares);
    }
    sc__waiter_wake(&taker->waiter);
}

void sc__by_hand_nothing(sc__core *core)
{
    struct sc__taker *next;

    if (core->owner->fetcher.calling)
        return; /* its answer is still to come */
    for (struct sc__taker *t = core->owner->by_hand.first; t; t = next) {
        next = t->next;
        if (t->only_asks && !t->with_end)
            send_away(core, t, SC_ENOTFOUND);
    }
}

void sc__by_hand_close(sc__core *core)
{
    while (core->owner->by_hand.first)
        send_away(core, core->owner->by_hand.first, SC_ECANCELED);
}

void sc__by_hand_drop_all(sc__core *core)
{
    sc_run *older;

    for (sc_run *run = core->runs; run; run = older) {
        older = run->older;
        if (core->by_hand && !run->is_ended && !run->taker)
            sc__run_put_back(run, &core->owner->spares);
    }
}

/* From the first call on. */
static sc_err begin(sc_worker *w)
{
    bool started;

    if (w->closing)
        return SC_ESTATE;
    if (w->core.by_hand)
        return SC_OK;
    pthread_mutex_lock(&w->mutex);
    started = w->started || w->closed;
    w->started = true;
    pthread_mutex_unlock(&w->mutex);
    if (started)
        return SC_ESTATE;
    w->core.by_hand = true;
    sc__worker_begin(w);
    return SC_OK;
}

/* A taker, on its way from its own thread to the I/O thread. */
struct asking {
    sc_worker *worker;
    struct sc__taker taker;
    bool withdrawn;
};

/* Nothing under way can bring it a job. */
static bool asks_in_vain(const sc__core *core, const struct sc__taker *taker)
{
    return taker->only_asks && core->asked == core->watched;
}

static void ask(void *arg)
{
    struct asking *a = arg;
    sc__core *core = &a->worker->core;

    a->taker.err = begin(a->worker);
    if (a->taker.err) {
        sc__waiter_wake(&a->taker.waiter);
        return;
    }
    append(core, &a->taker);
    if (a->taker.with_end)
        return;
    sc__fetcher_poke(&a->worker->fetcher);
    if (asks_in_vain(core, &a->taker))
        send_away(core, &a->taker, SC_ENOTFOUND);
}

/* The outcome is recorded. If its call did not ask for a job, for there was no room for one then, ask now. */
static void ask_again(void *arg)
{
    struct asking *a = arg;
    sc__core *core = &a->worker->core;

    if (a->taker.run || !withdraw(core, &a->taker))
        return;
    a->taker.with_end = false;
    ask(a);
}

static void leave(void *arg)
{
    struct asking *a = arg;

    a->withdrawn = withdraw(&a->worker->core, &a->taker);
}

static sc_err wait_for_run(struct asking *a, int64_t wait_ms, sc_run **ret_run)
{
    bool came = sc__waiter_wait_for(&a->taker.waiter, wait_ms);

    if (!came) {
        sc__loop_run_wait(a->worker->core.loop, leave, a);
        if (!a->withdrawn)
            sc__waiter_wait(&a->taker.waiter); /* it has its run, or the answer, just now */
    }
    sc__waiter_release(&a->taker.waiter);
    if (a->withdrawn)
        return SC_ETIMEDOUT;
    if (!a->taker.err)
        *ret_run = a->taker.run;
    return a->taker.err;
}

/* How long one that only asks waits for the answer. */
static int64_t answer_ms(const sc_worker *w)
{
    return sc__client_opts(w->core.client)->command_timeout_ms;
}

static sc_err take_any(sc_worker *w, int64_t wait_ms, sc_run **ret_run)
{
    struct asking a = {.worker = w, .taker = {.only_asks = wait_ms <= 0}};

    sc__waiter_init(&a.taker.waiter);
    sc__loop_run_wait(w->core.loop, ask, &a);
    return wait_for_run(&a, wait_ms > 0 ? wait_ms : answer_ms(w), ret_run);
}

/* Fails a job that must not be run. */
static bool fail_unfit(sc_run *run)
{
    const char *why = sc__runner_unfit(run);
    sc_err err;

    if (!why)
        return false;
    run->reason = sc_slice_of(why);
    err = sc_run_end(run, SC_GIVE_UP, NULL);
    (void)err; /* if its lock is lost, it is another's to fail */
    return true;
}

sc_err sc_worker_take(sc_worker *worker, int64_t wait_ms, sc_run **ret_run)
{
    int64_t until = sc__mono_ms() + (wait_ms > 0 ? wait_ms : 0);
    sc_run *run;
    sc_err err;

    if (sc__loop_is_current(worker->core.loop))
        return SC_EDEADLK;
    do {
        err = take_any(worker, until - sc__mono_ms(), &run);
        if (err)
            return wait_ms > 0 && err == SC_ENOTFOUND ? SC_ETIMEDOUT : err;
    } while (fail_unfit(run));
    sc__run_span_start(run);
    *ret_run = run;
    return SC_OK;
}

const sc_job *sc_run_job(const sc_run *run)
{
    return run->job;
}

sc_slice sc_run_token(const sc_run *run)
{
    return sc__lock_token_slice(&run->token);
}

/* A thread that waits for its lock to be extended. */
struct extending {
    sc__waiter waiter;
    sc_err err;
};

static void on_extended(void *user, sc_err err, const sc_reply *reply)
{
    struct extending *e = user;
    sc__lock_news news = {.lost_count = 0};

    if (!err)
        err = sc__extend_locks_read(reply, &news, NULL);
    e->err = err ? err : news.lost_count ? SC_ELOCKLOST : SC_OK;
    sc__waiter_wake(&e->waiter);
}

sc_err sc_run_extend_lock(sc_run *run, int64_t lock_ms)
{
    const sc__core *core = run->core;
    const sc__lock lock = {run->job->id, sc__lock_token_slice(&run->token)};
    struct extending e;
    sc_err err;

    if (lock_ms < 1)
        return SC_EINVAL;
    if (sc__loop_is_current(core->loop))
        return SC_EDEADLK;
    sc__waiter_init(&e.waiter);
    err = sc__op_extend_locks(core->client, &core->keys, &lock, 1, lock_ms, on_extended, &e);
    if (!err) {
        sc__waiter_wait(&e.waiter);
        err = e.err;
    }
    sc__waiter_release(&e.waiter);
    return err;
}

/* A thread that waits for an outcome to be recorded. */
struct sc__settling {
    sc__waiter waiter;
    sc_err err;
};

static void on_settled(sc_run *run)
{
    struct sc__settling *s = run->settling;

    s->err = run->settled;
    sc__waiter_wake(&s->waiter);
}

static void record(sc_run *run, struct sc__settling *s)
{
    sc__waiter_init(&s->waiter);
    run->settling = s;
    run->settled = SC_ELOCKLOST; /* unless an answer says otherwise */
    run->on_settled = on_settled;
    sc__finisher_end(&run->core->owner->finisher, run);
    sc__waiter_wait(&s->waiter);
    sc__waiter_release(&s->waiter);
}

static sc_err next_of(struct asking *a, sc_run **ret_next)
{
    sc_run *next = NULL;
    sc_err err;

    sc__loop_run_wait(a->worker->core.loop, ask_again, a);
    err = wait_for_run(a, answer_ms(a->worker), &next);
    *ret_next = !err && !fail_unfit(next) ? next : NULL;
    if (*ret_next)
        sc__run_span_start(*ret_next);
    return err;
}

/* How long the job was in hand. */
static int64_t held_ms(const sc_run *run)
{
    return sc__mono_ms() + run->server_lead - run->job->processed_ms;
}

sc_err sc_run_end(sc_run *run, sc_outcome outcome, sc_run **ret_next)
{
    struct asking a = {.worker = run->core->owner, .taker = {.only_asks = true, .with_end = true}};
    struct sc__settling s;

    if (sc__loop_is_current(run->core->loop))
        return SC_EDEADLK;
    if (!run->core->by_hand)
        return SC_ESTATE;
    sc__run_span_end(run, sc__runner_end(run, outcome, held_ms(run)));
    if (ret_next) {
        sc__waiter_init(&a.taker.waiter);
        sc__loop_run_wait(a.worker->core.loop, ask, &a);
    }
    record(run, &s);
    if (ret_next && next_of(&a, ret_next))
        *ret_next = NULL;
    return s.err;
}

/* A run of a job that is active already, on its way to the I/O thread. */
struct adopting {
    sc_worker *worker;
    sc_slice id;
    sc__lock_token token;
    const sc_reply *fields;
    sc_run *run;
    sc_err err;
};

static void make_run(void *arg)
{
    struct adopting *a = arg;
    sc__core *core = &a->worker->core;
    sc_run *run;

    a->err = begin(a->worker);
    if (a->err)
        return;
    run = sc__run_take(core, &a->worker->spares, &a->token);
    if (!run) {
        a->err = SC_ENOMEM;
        return;
    }
    a->err = sc__runner_load(run, a->id, a->fields, false, sc__wall_ms(), NULL);
    if (a->err)
        sc__run_put_back(run, &a->worker->spares);
    else
        a->run = run;
}

static sc_err adopt(struct adopting *a)
{
    sc_reply *reply = NULL;
    sc_err err = sc__op_get_locked(a->worker->core.client, &a->worker->core.keys, a->id,
                                   sc__lock_token_slice(&a->token), &reply, NULL);

    if (err)
        return err;
    a->fields = reply;
    sc__loop_run_wait(a->worker->core.loop, make_run, a);
    sc_reply_free(reply);
    return a->err;
}

sc_err sc_worker_adopt(sc_worker *worker, sc_slice id, sc_slice token, sc_run **ret_run)
{
    struct adopting a = {.worker = worker, .id = id, .token.len = token.len};
    sc_err err;

    if (sc__loop_is_current(worker->core.loop))
        return SC_EDEADLK;
    if (token.len >= sizeof(a.token.text))
        return SC_ETOOBIG;
    if (!token.len)
        return SC_EINVAL;
    memcpy(a.token.text, token.ptr, token.len);
    err = adopt(&a);
    if (err)
        return err;
    if (sc__job_read_opts(a.run->job, &a.run->opts, NULL))
        sc__core_log(a.run->core, SC_LOG_WARN, "the options of job %s can't be read",
                     a.run->job->id.ptr);
    sc__run_span_start(a.run);
    *ret_run = a.run;
    return SC_OK;
}
