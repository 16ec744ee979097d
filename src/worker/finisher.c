#include "finisher.h"

#include "cancel.h"
#include "ending.h"
#include "ops/op_cancel.h"
#include "telling.h"

enum { AGAIN_FIRST_MS = 50, AGAIN_LONGEST_MS = 1000 };

static void send_ready(sc__finisher *f);

/* Done with a run: its memory goes back. */
static void drop(sc__finisher *f, sc_run *run)
{
    if (run->on_settled)
        run->on_settled(run);
    sc__run_put_back(run, f->spares);
}

static void count_cause(sc__core *core, const sc_run *run)
{
    switch (run->end_cause) {
    case SC__END_EXPIRED:
        atomic_fetch_add(&core->stats.expired, 1);
        break;
    case SC__END_TIMED_OUT:
        atomic_fetch_add(&core->stats.timed_out, 1);
        break;
    case SC__END_CANCELLED:
        atomic_fetch_add(&core->stats.cancelled, 1);
        break;
    case SC__END_PROCESSOR:
        break;
    }
}

static void count(sc__finisher *f, const sc_run *run)
{
    count_cause(f->core, run);
    switch (run->ended.kind) {
    case SC__ENDED_COMPLETED:
        atomic_fetch_add(&f->core->stats.completed, 1);
        break;
    case SC__ENDED_FAILED:
        atomic_fetch_add(&f->core->stats.failed, 1);
        break;
    default:
        atomic_fetch_add(&f->core->stats.retried, 1);
        break;
    }
}

static void tell(const sc__core *core, const sc_run *run)
{
    sc_worker_event event = {.kind = SC_WORKER_FAILED, .job = run->job, .text = run->ended.text};

    switch (run->ended.kind) {
    case SC__ENDED_COMPLETED:
        event.kind = SC_WORKER_COMPLETED;
        break;
    case SC__ENDED_FAILED:
        event.is_final = true;
        break;
    case SC__ENDED_RETRY:
    case SC__ENDED_BACKOFF:
        break;
    default:
        return;
    }
    sc__tell(core, event);
}

/* What became of one outcome. An earlier call that was not answered may have recorded it: then this one is refused. */
static void settle(sc__finisher *f, sc_run *run, sc_err err, const sc_reason *why)
{
    sc__core *core = f->core;

    if (err == SC_ELAYOUT)
        sc__core_log(core, SC_LOG_WARN, "job %s is finished, but: %s", run->job->id.ptr, why->text);
    if (err == SC_OK || err == SC_ELAYOUT || run->in_doubt) {
        if (run->ended.kind == SC__ENDED_COMPLETED && sc__run_job_cancelled(run))
            sc__op_uncancel(core->client, &core->keys, run->job->id);
        run->settled = SC_OK;
        count(f, run);
        tell(core, run);
        return;
    }
    run->settled = err;
    atomic_fetch_add(&core->stats.locks_lost, 1);
    sc__core_log(core, SC_LOG_WARN, "the outcome of job %s was not recorded: %s", run->job->id.ptr,
                 why->text);
}

/* A parent that cannot complete, or wait, has failed instead: for good if children of it did, else until they have finished. */
static bool fail_instead(sc_run *run, sc_err err, const sc_reason *why, bool for_good)
{
    char *reason;

    if (err != SC_ECHILDREN ||
        (run->ended.kind != SC__ENDED_COMPLETED && run->ended.kind != SC__ENDED_CHILDREN))
        return false;
    reason = sc__arena_printf(&run->words, "%s", why->text);
    run->reason = reason ? sc_slice_of(reason) : SC_S("it has unfinished or failed children");
    sc__run_end(run, for_good ? SC_GIVE_UP : SC_FAILED);
    return true;
}

static void settle_batch(sc__finisher *f, const sc__taken *taken)
{
    size_t again = 0;

    for (size_t i = 0; i < f->batch_count; i++) {
        sc_run *run = f->batch[i];
        sc_reason why = {""};
        sc_err err = sc__taken_ended(taken, i, &why);

        run->in_call = false;
        if (fail_instead(run, err, &why, sc__taken_has_failed_children(taken, i))) {
            f->batch[again++] = run;
            continue;
        }
        settle(f, run, err, &why);
        drop(f, run);
    }
    f->batch_count = again;
}

static void send_later(sc__finisher *f)
{
    int64_t pause = AGAIN_FIRST_MS << (f->failures < 5 ? f->failures : 5);

    f->failures++;
    sc__timer_start(f->again, pause < AGAIN_LONGEST_MS ? pause : AGAIN_LONGEST_MS);
}

static void call_failed(sc__finisher *f, sc_err err, const sc_reason *why)
{
    for (size_t i = 0; i < f->batch_count; i++) {
        f->batch[i]->in_call = false;
        f->batch[i]->in_doubt |= sc__may_have_run(err);
    }
    if (f->failures == 0)
        sc__core_log(f->core, SC_LOG_WARN, "%zu outcomes will be sent again: %s", f->batch_count,
                     why->text[0] ? why->text : sc_err_text(err));
    f->singly |= err == SC_EREPLY || err == SC_EOVERLOAD || err == SC_ETOOBIG;
    if (f->wanted && sc__may_have_run(err))
        f->on_lost(f->core, &f->token, f->wanted);
    else
        f->core->asked -= f->wanted;
    if (f->given_up)
        sc__finisher_give_up(f);
    else
        send_later(f);
}

static void append(sc__finisher *f, sc_run *first, sc_run *last)
{
    if (f->last)
        f->last->next = first;
    else
        f->first = first;
    f->last = last;
}

/* What the pool's threads have ended since. While a call is under way they don't wake us: its reply comes here. */
static void take_ended(sc__finisher *f)
{
    sc_run *first, *last;

    pthread_mutex_lock(&f->mutex);
    first = f->ended_first;
    last = f->ended_last;
    f->ended_first = f->ended_last = NULL;
    f->awaits_reply = f->calling && !f->prompt;
    pthread_mutex_unlock(&f->mutex);
    if (!first)
        return;
    for (sc_run *run = first; run; run = run->next)
        run->is_ended = true;
    append(f, first, last);
    f->core->on_change(f->core);
}

static void on_reply(void *user, sc_err err, const sc_reply *reply)
{
    sc__finisher *f = user;
    sc_reason why = {""};
    sc__taken taken;

    f->calling = false;
    take_ended(f);
    sc__core_call_ended(f->core);
    if (!err)
        err = sc__taken_read(reply, &taken, &why);
    if (err) {
        call_failed(f, err, &why);
        return;
    }
    if (f->failures)
        sc__core_log(f->core, SC_LOG_INFO, "outcomes are recorded again");
    f->failures = 0;
    f->core->asked -= f->wanted;
    settle_batch(f, &taken);
    if (!f->batch_count)
        f->singly = false;
    f->on_answer(f->core, &taken, &f->token, f->wanted);
    send_ready(f);
}

static void call(sc__finisher *f)
{
    sc__ended ended[SC__WORK_MAX];
    sc__core *core = f->core;
    sc_err err;

    for (size_t i = 0; i < f->batch_count; i++) {
        ended[i] = f->batch[i]->ended;
        f->batch[i]->in_call = true;
    }
    f->wanted = sc__core_room(core, f->batch_count);
    sc__core_next_token(core, &f->token);
    core->asked += f->wanted;
    core->calls++;
    f->calling = true;
    take_ended(f);
    err = sc__op_finish(core->client, &core->work, ended, f->batch_count,
                        sc__lock_token_slice(&f->token), f->wanted, on_reply, f);
    if (err) {
        sc__core_call_ended(core);
        f->calling = false;
        take_ended(f);
        call_failed(f, err, &(sc_reason){""});
    }
}

/* Into the batch, up to its ceiling; without those whose lock is lost or given back. */
static void fill_batch(sc__finisher *f)
{
    size_t max = f->singly ? 1 : SC__WORK_MAX;
    bool dropped = false;

    while (f->first && f->batch_count < max) {
        sc_run *run = f->first;

        f->first = run->next;
        if (!f->first)
            f->last = NULL;
        if (!run->lock_lost && !atomic_load(&run->given_back)) {
            f->batch[f->batch_count++] = run;
            continue;
        }
        drop(f, run);
        dropped = true;
    }
    if (dropped && !f->batch_count)
        f->on_room(f->core);
}

/* After a refusal the batch goes back behind the others, so that one bad outcome holds up no other. */
static void spread_batch(sc__finisher *f)
{
    for (size_t i = 0; i < f->batch_count; i++) {
        f->batch[i]->next = NULL;
        append(f, f->batch[i], f->batch[i]);
    }
    f->batch_count = 0;
}

static void send_ready(sc__finisher *f)
{
    if (f->calling || sc__timer_is_active(f->again) || f->given_up)
        return;
    if (f->singly)
        spread_batch(f);
    fill_batch(f);
    if (f->batch_count)
        call(f);
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
    wake = !f->awaits_reply;
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
    return !f->calling && !f->first && !f->batch_count;
}

void sc__finisher_give_up(sc__finisher *f)
{
    f->given_up = true;
    sc__timer_stop(f->again);
    if (f->calling)
        return;
    spread_batch(f);
    while (f->first) {
        sc_run *run = f->first;

        f->first = run->next;
        if (!atomic_load(&run->given_back) && !run->lock_lost)
            sc__core_log(f->core, SC_LOG_ERROR, "the outcome of job %s could not be recorded",
                         run->job->id.ptr);
        run->settled = SC_ECANCELED;
        drop(f, run);
    }
    f->last = NULL;
}

sc_err sc__finisher_init(sc__finisher *f, sc__core *core)
{
    *f = (sc__finisher){.task.run = collect, .core = core};
    pthread_mutex_init(&f->mutex, NULL);
    return sc__timer_new(core->loop, on_again, f, &f->again);
}

void sc__finisher_release(sc__finisher *f)
{
    sc__timer_free(f->again);
    f->again = NULL;
    pthread_mutex_destroy(&f->mutex);
}
