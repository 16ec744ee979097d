#include "finisher.h"

#include "settling.h"

enum { AGAIN_FIRST_MS = 50, AGAIN_LONGEST_MS = 1000 };

/* Outcomes that are worth a second call beside the one under way. */
enum { SPLIT_MIN = 16 };

static void send_ready(sc__finisher *f);

/* Done with a run: its memory goes back. */
static void drop(sc__finisher *f, sc_run *run)
{
    if (run->on_settled)
        run->on_settled(run);
    sc__run_put_back(run, f->spares);
}

static void append(sc__finisher *f, sc_run *first, sc_run *last, size_t count)
{
    if (f->last)
        f->last->next = first;
    else
        f->first = first;
    f->last = last;
    f->ready += count;
}

/* To the end of those that wait, one behind the other; or before them, in their order. */
static void put_back(sc__finisher *f, sc_run *const *runs, size_t count, bool before)
{
    for (size_t i = 0; i < count; i++) {
        runs[i]->next = i + 1 < count ? runs[i + 1] : before ? f->first : NULL;
        runs[i]->in_call = false;
    }
    if (!count)
        return;
    if (!before) {
        append(f, runs[0], runs[count - 1], count);
        return;
    }
    if (!f->first)
        f->last = runs[count - 1];
    f->first = runs[0];
    f->ready += count;
}

static sc_run *take_first(sc__finisher *f)
{
    sc_run *run = f->first;

    f->first = run->next;
    if (!f->first)
        f->last = NULL;
    f->ready--;
    return run;
}

static size_t calls_out(const sc__finisher *f)
{
    size_t out = 0;

    for (size_t i = 0; i < SC__FINISH_CALLS; i++)
        out += f->calls[i].out;
    return out;
}

/* How many outcomes are worth another call now; 0: none can be sent. The first goes at once. A second one, with half of the jobs in
 * hand, keeps the server at work while we see to the answer of the first. */
static size_t worth_a_call(const sc__finisher *f)
{
    size_t out = calls_out(f), half = f->core->running / 2;

    if (out == 0)
        return 1;
    if (out == SC__FINISH_CALLS || f->singly || f->failures)
        return 0;
    return half > SPLIT_MIN ? half : SPLIT_MIN;
}

/* What the pool's threads have ended since. From now on they wake us when there are enough for a call, with those
 * that are here already; else the next reply looks at them. */
static void take_ended(sc__finisher *f)
{
    size_t worth = worth_a_call(f), count;
    sc_run *first, *last;

    pthread_mutex_lock(&f->mutex);
    first = f->ended_first;
    last = f->ended_last;
    count = f->ended;
    f->ended_first = f->ended_last = NULL;
    f->ended = 0;
    f->wake_at = f->prompt ? 1 : worth ? worth : SIZE_MAX;
    if (worth && f->wake_at > f->ready + count)
        f->wake_at -= f->ready + count;
    else if (worth)
        f->wake_at = 1;
    pthread_mutex_unlock(&f->mutex);
    if (!first)
        return;
    for (sc_run *run = first; run; run = run->next)
        run->is_ended = true;
    append(f, first, last, count);
    f->core->on_change(f->core);
}

static void send_later(sc__finisher *f)
{
    int64_t pause = AGAIN_FIRST_MS << (f->failures < 5 ? f->failures : 5);

    f->failures++;
    sc__timer_start(f->again, pause < AGAIN_LONGEST_MS ? pause : AGAIN_LONGEST_MS);
}

/* The call is over, however it went. */
static void call_ended(sc__finish_call *call)
{
    call->out = false;
    call->finisher->core->leaving -= call->count;
    sc__core_call_ended(call->finisher->core);
}

static void call_failed(sc__finish_call *call, sc_err err, const sc_reason *why)
{
    sc__finisher *f = call->finisher;

    for (size_t i = 0; i < call->count; i++)
        call->batch[i]->in_doubt |= sc__may_have_run(err);
    if (f->failures == 0)
        sc__core_log(f->core, SC_LOG_WARN, "%zu outcomes will be sent again: %s", call->count,
                     why->text[0] ? why->text : sc_err_text(err));
    f->singly |= err == SC_EREPLY || err == SC_EOVERLOAD || err == SC_ETOOBIG;
    /* After a refusal they go behind the others, so that one bad outcome holds up no other. */
    put_back(f, call->batch, call->count, !f->singly);
    if (call->wanted && sc__may_have_run(err))
        f->on_lost(f->core, &call->token, call->wanted);
    else
        f->core->asked -= call->wanted;
    if (f->given_up)
        sc__finisher_give_up(f);
    else
        send_later(f);
}

static void settle_batch(sc__finish_call *call, const sc__taken *taken)
{
    sc__finisher *f = call->finisher;
    size_t again = 0;

    for (size_t i = 0; i < call->count; i++) {
        sc_run *run = call->batch[i];
        sc_reason why = {""};
        sc_err err = sc__taken_ended(taken, i, &why);

        run->in_call = false;
        if (sc__run_fail_instead(run, err, &why, sc__taken_has_failed_children(taken, i))) {
            call->batch[again++] = run;
            continue;
        }
        sc__run_settle(run, err, &why);
        drop(f, run);
    }
    if (!again)
        f->singly = false;
    put_back(f, call->batch, again, true);
}

static void on_reply(void *user, sc_err err, const sc_reply *reply)
{
    sc__finish_call *call = user;
    sc__finisher *f = call->finisher;
    sc__lock_token token = call->token;
    size_t wanted = call->wanted;
    sc_reason why = {""};
    sc__taken taken;

    call_ended(call);
    take_ended(f);
    if (!err)
        err = sc__taken_read(reply, &taken, &why);
    if (err) {
        call_failed(call, err, &why);
        return;
    }
    if (f->failures)
        sc__core_log(f->core, SC_LOG_INFO, "outcomes are recorded again");
    f->failures = 0;
    f->core->asked -= wanted;
    settle_batch(call, &taken);
    f->on_answer(f->core, &taken, &token, wanted);
    send_ready(f);
}

static void send_call(sc__finish_call *call)
{
    sc__finisher *f = call->finisher;
    sc__ended ended[SC__WORK_MAX];
    sc__core *core = f->core;
    sc_err err;

    for (size_t i = 0; i < call->count; i++) {
        ended[i] = call->batch[i]->ended;
        call->batch[i]->in_call = true;
    }
    core->leaving += call->count;
    call->wanted = sc__core_room(core);
    sc__core_next_token(core, &call->token);
    core->asked += call->wanted;
    core->calls++;
    call->out = true;
    take_ended(f);
    err = sc__op_finish(core->client, &core->work, ended, call->count,
                        sc__lock_token_slice(&call->token), call->wanted, on_reply, call);
    if (err) {
        call_ended(call);
        take_ended(f);
        call_failed(call, err, &(sc_reason){""});
    }
}

/* Into the call's batch, up to its ceiling; without those whose lock is lost or given back. */
static void fill(sc__finish_call *call)
{
    sc__finisher *f = call->finisher;
    size_t half = f->core->running / 2, max = half > SPLIT_MIN ? half : SPLIT_MIN;
    bool dropped = false;

    if (f->singly)
        max = 1;
    call->count = 0;
    while (f->first && call->count < max && call->count < SC__WORK_MAX) {
        sc_run *run = take_first(f);

        if (!run->lock_lost && !atomic_load(&run->given_back)) {
            call->batch[call->count++] = run;
            continue;
        }
        drop(f, run);
        dropped = true;
    }
    if (dropped && !call->count)
        f->on_room(f->core);
}

static sc__finish_call *free_call(sc__finisher *f)
{
    for (size_t i = 0; i < SC__FINISH_CALLS; i++)
        if (!f->calls[i].out)
            return &f->calls[i];
    return NULL;
}

static void send_ready(sc__finisher *f)
{
    size_t worth;

    while ((worth = worth_a_call(f)) && f->ready >= worth && !sc__timer_is_active(f->again) &&
           !f->given_up) {
        sc__finish_call *call = free_call(f);

        fill(call);
        if (call->count)
            send_call(call);
    }
}

static void on_again(void *arg)
{
    send_ready(arg);
}

static void collect(sc__task *task)
{
    sc__finisher *f = (sc__finisher *)task;

    take_ended(f);
    if (f->given_up)
        sc__finisher_give_up(f);
    else
        send_ready(f);
}

void sc__finisher_end(sc__finisher *f, sc_run *run)
{
    bool wake;

    run->next = NULL;
    pthread_mutex_lock(&f->mutex);
    if (f->ended_last)
        f->ended_last->next = run;
    else
        f->ended_first = run;
    f->ended_last = run;
    wake = ++f->ended >= f->wake_at;
    pthread_mutex_unlock(&f->mutex);
    if (wake)
        sc__loop_post(f->core->loop, &f->task);
}

void sc__finisher_be_prompt(sc__finisher *f)
{
    f->prompt = true;
    collect(&f->task);
}

bool sc__finisher_is_idle(const sc__finisher *f)
{
    return !calls_out(f) && !f->first;
}

void sc__finisher_give_up(sc__finisher *f)
{
    f->given_up = true;
    sc__timer_stop(f->again);
    if (calls_out(f))
        return;
    while (f->first) {
        sc_run *run = take_first(f);

        if (!atomic_load(&run->given_back) && !run->lock_lost)
            sc__core_log(f->core, SC_LOG_ERROR, "the outcome of job %s could not be recorded",
                         run->job->id.ptr);
        run->settled = SC_ECANCELED;
        drop(f, run);
    }
}

sc_err sc__finisher_init(sc__finisher *f, sc__core *core)
{
    *f = (sc__finisher){.task.run = collect, .core = core, .wake_at = 1};
    for (size_t i = 0; i < SC__FINISH_CALLS; i++)
        f->calls[i].finisher = f;
    pthread_mutex_init(&f->mutex, NULL);
    return sc__timer_new(core->loop, on_again, f, &f->again);
}

void sc__finisher_release(sc__finisher *f)
{
    sc__timer_free(f->again);
    f->again = NULL;
    pthread_mutex_destroy(&f->mutex);
}
