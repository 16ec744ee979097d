#include "lock_keeper.h"

#include "base/mem.h"
#include "cancel.h"
#include "ops/op_lock.h"
#include "telling.h"

/* The jobs of one call. A run may have been put to another use when the answer comes; then its serial has changed. */
struct extension {
    sc__lock_keeper *keeper;
    bool by_plan; /* told as BullMQ does it; others look for cancellations */
    size_t count;
    struct {
        sc_run *run;
        uint64_t serial;
        bool lost;
    } of[];
};

static void lose(sc_run *run)
{
    /* In a finish call, or in doubt after one: its answer decides. */
    if (run->lock_lost || run->in_call || run->in_doubt || atomic_load(&run->given_back))
        return;
    run->lock_lost = true;
    sc__run_cancel(run, SC_CANCEL_LOCK_LOST, (sc_slice){NULL, 0});
    atomic_fetch_add(&run->core->stats.locks_lost, 1);
    sc__core_log(run->core, SC_LOG_WARN,
                 "the lock of job %s is lost: it is cancelled, and its outcome dropped",
                 run->job->id.ptr);
}

/* Tells which of them were renewed, or were not. */
static void tell(const sc__core *core, const struct extension *e, bool lost)
{
    sc_slice ids[SC__LOCKS_MAX];
    size_t n = 0;

    for (size_t i = 0; i < e->count; i++)
        if (e->of[i].lost == lost && e->of[i].run->serial == e->of[i].serial)
            ids[n++] = e->of[i].run->job->id;
    if (n)
        sc__tell(core, (sc_worker_event){.kind = lost ? SC_WORKER_LOCK_RENEWAL_FAILED
                                                      : SC_WORKER_LOCKS_RENEWED,
                                         .ids = ids,
                                         .id_count = n});
}

/* The run at a place of the call; NULL when it has ended meanwhile. */
static sc_run *still(const struct extension *e, int64_t place)
{
    if (place < 0 || (uint64_t)place >= e->count || e->of[place].run->serial != e->of[place].serial)
        return NULL;
    return e->of[place].run;
}

static void heed(struct extension *e, const sc__lock_news *news)
{
    for (size_t i = 0; i < news->lost_count; i++) {
        int64_t place = news->lost[i].integer;
        sc_run *run = still(e, place);

        if (place >= 0 && (uint64_t)place < e->count)
            e->of[place].lost = true;
        if (run)
            lose(run);
    }
    for (size_t i = 0; i < news->cancelled_count; i++) {
        sc_run *run = still(e, news->cancelled[2 * i].integer);

        if (run)
            sc__run_cancel(run, SC_CANCEL_JOB, news->cancelled[2 * i + 1].str);
    }
    if (e->by_plan && sc__is_heard(e->keeper->core)) {
        tell(e->keeper->core, e, false);
        tell(e->keeper->core, e, true);
    }
}

static void on_extended(void *user, sc_err err, const sc_reply *reply)
{
    struct extension *e = user;
    sc__core *core = e->keeper->core;
    sc_reason why = {""};
    sc__lock_news news;

    sc__core_call_ended(core);
    if (!err)
        err = sc__extend_locks_read(reply, &news, &why);
    if (err)
        sc__core_log(core, SC_LOG_WARN, "locks can't be extended: %s",
                     why.text[0] ? why.text : sc_err_text(err));
    else
        heed(e, &news);
    sc_free(e);
}

static bool is_ours(const sc_run *run)
{
    return !run->lock_lost && !run->in_call && !atomic_load(&run->given_back);
}

static void extend(sc__lock_keeper *k, struct extension *e)
{
    sc__lock locks[SC__LOCKS_MAX];
    sc__core *core = k->core;
    sc_err err;

    for (size_t i = 0; i < e->count; i++)
        locks[i] = (sc__lock){e->of[i].run->job->id, sc__lock_token_slice(&e->of[i].run->token)};
    core->calls++;
    err = sc__op_extend_locks(core->client, &core->keys, locks, e->count, core->work.lock_ms,
                              on_extended, e);
    if (err) {
        sc__core_call_ended(core);
        sc__core_log(core, SC_LOG_WARN, "locks can't be extended: %s", sc_err_text(err));
        sc_free(e);
    }
}

/* The next jobs from `*run` on, at most those of one call. NULL: there are none, or no memory for now. */
static struct extension *gather(sc__lock_keeper *k, sc_run **run)
{
    struct extension *e = NULL;

    for (; *run; *run = (*run)->older) {
        if (!is_ours(*run))
            continue;
        if (!e)
            e = sc__calloc(1, sizeof(*e) + SC__LOCKS_MAX * sizeof(e->of[0]));
        if (!e || e->count == SC__LOCKS_MAX)
            return e;
        e->keeper = k;
        e->of[e->count].run = *run;
        e->of[e->count++].serial = (*run)->serial;
    }
    return e;
}

static void renew(sc__lock_keeper *k, bool by_plan)
{
    sc_run *run = k->core->runs;
    struct extension *e;

    while ((e = gather(k, &run))) {
        e->by_plan = by_plan;
        extend(k, e);
    }
}

void sc__lock_keeper_look(sc__lock_keeper *k)
{
    if (sc__timer_is_active(k->timer))
        renew(k, false);
}

static void on_timer(void *arg)
{
    sc__lock_keeper *k = arg;

    sc__timer_start(k->timer, k->every_ms);
    renew(k, true);
}

sc_err sc__lock_keeper_init(sc__lock_keeper *k, sc__core *core)
{
    *k = (sc__lock_keeper){.core = core, .every_ms = core->opts.lock_renew_ms};
    return sc__timer_new(core->loop, on_timer, k, &k->timer);
}

void sc__lock_keeper_release(sc__lock_keeper *k)
{
    sc__timer_free(k->timer);
    k->timer = NULL;
}

void sc__lock_keeper_start(sc__lock_keeper *k)
{
    if (!k->core->opts.skip_lock_renewal)
        sc__timer_start(k->timer, k->every_ms);
}

void sc__lock_keeper_stop(sc__lock_keeper *k)
{
    sc__timer_stop(k->timer);
}
