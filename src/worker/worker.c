#include "worker.h"

#include "base/cond.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/str.h"
#include "ops/client_name.h"
#include "closing.h"
#include "guarding.h"
#include "intake.h"
#include "telling.h"
#include "timing_out.h"

enum {
    LOCK_MS = 30000,
    STALLED_INTERVAL_MS = 30000,
    DRAIN_DELAY_MS = 5000,
    LONGEST_REST_MS = 30000,
    NAME_BYTES_MAX = 4096,
    MAX_LATE = 16,
    METRICS_POINTS_MAX = 20160 /* two weeks: more would hold the server for too long */
};

static void on_answer(sc__core *core, const sc__taken *taken, const sc__lock_token *token,
                      size_t wanted)
{
    sc__intake(core, taken, token, true);
    sc__fetcher_heard(&core->owner->fetcher, taken, wanted);
}

static void on_empty(sc__core *core)
{
    sc__tell_drained(core);
    sc__by_hand_nothing(core);
}

static void on_room(sc__core *core)
{
    sc__fetcher_poke(&core->owner->fetcher);
}

static void on_late_end(sc__core *core)
{
    sc__late_ended(core->owner);
}

static void on_ready(sc__core *core, sc__work *work)
{
    sc__pool_submit(core->owner->pool, work);
}

/* Jobs that were cancelled while nothing was heard. */
static void on_heard_again(sc__core *core)
{
    sc__lock_keeper_look(&core->owner->lock_keeper);
}

static void on_time_out(sc_run *run)
{
    sc__time_out(run->core->owner, run);
}

static void on_lost(sc__core *core, const sc__lock_token *token, size_t wanted)
{
    sc__fetcher_find_lost(&core->owner->fetcher, token, wanted);
}

/* Making and taking down. */

static sc_err check_opts(const sc_worker_opts *o, sc_reason *ret_reason)
{
    if (o->concurrency < 0 || o->concurrency > SC__CONCURRENCY_MAX)
        return sc__because(ret_reason, SC_EINVAL, "the concurrency is %d; it must be from 1 to %d",
                           o->concurrency, SC__CONCURRENCY_MAX);
    if (o->lock_ms < 0 || o->stalled_interval_ms < 0 || o->drain_delay_ms < 0)
        return sc__because(ret_reason, SC_EINVAL,
                           "lock, stalled interval and drain delay must not be negative");
    if (o->tracer && (!o->tracer->start || !o->tracer->end))
        return sc__because(ret_reason, SC_EINVAL, "a tracer needs start() and end()");
    if (o->lock_renew_ms < 0 || o->max_rest_ms < 0)
        return sc__because(ret_reason, SC_EINVAL,
                           "the time of lock renewal and the longest rest must not be negative");
    if (o->soft_timeout_ms < 0 || o->hard_timeout_ms < 0 || o->max_late < 0)
        return sc__because(ret_reason, SC_EINVAL,
                           "timeouts and the number of late threads must not be negative");
    if (o->max_stalled < -1)
        return sc__because(ret_reason, SC_EINVAL, "the limit of stalls must not be negative");
    if (o->max_started < 0)
        return sc__because(ret_reason, SC_EINVAL, "the limit of starts must not be negative");
    if (o->metrics_points < 0 || o->metrics_points > METRICS_POINTS_MAX)
        return sc__because(ret_reason, SC_EINVAL,
                           "metrics of %lld minutes; they can be kept for 0 to %d",
                           (long long)o->metrics_points, METRICS_POINTS_MAX);
    if (o->limit.max < 0 || (o->limit.max > 0 && o->limit.duration_ms <= 0))
        return sc__because(ret_reason, SC_EINVAL,
                           "a rate limit needs a number of jobs and a duration, both above 0");
    if (o->name.len > NAME_BYTES_MAX)
        return sc__because(ret_reason, SC_EINVAL,
                           "the worker's name has %zu bytes; the limit is %d", o->name.len,
                           NAME_BYTES_MAX);
    return SC_OK;
}

static int64_t or_default(int64_t value, int64_t otherwise)
{
    return value ? value : otherwise;
}

static sc_err copy_names(sc_worker *w, sc_slice queue_name, const sc_worker_opts *o)
{
    AUTO_STR all = STR_MAX(64 * 1024);
    sc_slice prefix = o->prefix.len ? o->prefix : SC_S("bull");
    sc_err err;

    sc__str_append(&all, queue_name);
    sc__str_append(&all, prefix);
    sc__str_append(&all, o->name);
    err = sc__str_take(&all, &w->names);
    if (err)
        return err;
    w->core.queue_name = (sc_slice){w->names, queue_name.len};
    w->core.opts.prefix = (sc_slice){w->names + queue_name.len, prefix.len};
    w->core.opts.name = (sc_slice){w->names + queue_name.len + prefix.len, o->name.len};
    return SC_OK;
}

static void fill_opts(sc_worker *w)
{
    sc_worker_opts *o = &w->core.opts;
    size_t largest = sc__client_opts(w->core.client)->max_reply_bytes / 2;

    if (!o->max_data_size || o->max_data_size > largest)
        o->max_data_size = largest;
    o->concurrency = o->concurrency ? o->concurrency : 1;
    o->lock_ms = or_default(o->lock_ms, LOCK_MS);
    o->lock_renew_ms = or_default(o->lock_renew_ms, o->lock_ms < 4 ? 1 : o->lock_ms / 4);
    o->max_rest_ms = or_default(o->max_rest_ms, LONGEST_REST_MS);
    o->stalled_interval_ms = or_default(o->stalled_interval_ms, STALLED_INTERVAL_MS);
    o->drain_delay_ms = or_default(o->drain_delay_ms, DRAIN_DELAY_MS);
    if (o->tracer) {
        w->tracer = *o->tracer;
        o->tracer = &w->tracer;
    }
    o->repeat_strategy = NULL; /* the ticker has its copy */
    o->max_late = o->max_late ? o->max_late : MAX_LATE;
    atomic_store(&w->core.stats.concurrency, o->concurrency);
    o->max_stalled = o->max_stalled == 0 ? 1 : o->max_stalled < 0 ? 0 : o->max_stalled;
    w->core.work = (sc__work_opts){.keys = &w->core.keys,
                                   .lock_ms = o->lock_ms,
                                   .limit_max = o->limit.max,
                                   .limit_ms = o->limit.duration_ms,
                                   .worker_name = o->name,
                                   .data_max = (int64_t)o->max_data_size,
                                   .metrics_points = o->metrics_points};
}

struct making {
    sc_worker *worker;
    sc_err err;
};

static void make_roles(void *arg)
{
    struct making *m = arg;
    sc_worker *w = m->worker;
    AUTO_STR name = STR_MAX(16 * 1024);

    sc__worker_client_name(&name, w->core.opts.prefix, w->core.queue_name, w->core.opts.name);
    m->err = sc__fetcher_init(&w->fetcher, &w->core, sc__str_slice(&name));
    if (!m->err)
        m->err = sc__finisher_init(&w->finisher, &w->core);
    if (!m->err)
        m->err = sc__lock_keeper_init(&w->lock_keeper, &w->core);
    if (!m->err)
        m->err = sc__stalled_init(&w->stalled, &w->core);
    if (!m->err)
        m->err = sc__canceller_init(&w->canceller, &w->core);
    if (!m->err)
        m->err = sc__batcher_init(&w->batcher, &w->core);
    if (!m->err)
        m->err = sc__time_keeper_init(&w->time_keeper, &w->core);
    w->fetcher.on_taken = sc__intake;
    w->fetcher.on_empty = on_empty;
    w->finisher.spares = &w->spares;
    w->finisher.on_answer = on_answer;
    w->finisher.on_room = on_room;
    w->finisher.on_lost = on_lost;
    w->time_keeper.on_time_out = on_time_out;
    w->batcher.on_ready = on_ready;
    w->canceller.on_heard_again = on_heard_again;
}

static void release_roles(void *arg)
{
    sc_worker *w = arg;

    sc__fetcher_release(&w->fetcher);
    sc__finisher_release(&w->finisher);
    sc__lock_keeper_release(&w->lock_keeper);
    sc__stalled_release(&w->stalled);
    sc__canceller_release(&w->canceller);
    sc__batcher_release(&w->batcher);
    sc__time_keeper_release(&w->time_keeper);
}

static sc_worker *worker_alloc(sc_client *client, const sc_worker_opts *o)
{
    sc_worker *w = sc__calloc(1, sizeof(*w));

    if (!w)
        return NULL;
    w->core = (sc__core){.owner = w,
                         .client = client,
                         .loop = sc__client_loop(client),
                         .opts = *o,
                         .on_change = sc__closing_on_change,
                         .on_late_end = on_late_end};
    sc__handlers_init(&w->core.handlers);
    pthread_mutex_init(&w->mutex, NULL);
    sc__cond_init(&w->changed);
    return w;
}

/* All threads and calls of it have ended. */
static void worker_release(sc_worker *w)
{
    sc__pool_free(w->pool);
    sc__loop_run_wait(w->core.loop, release_roles, w);
    sc__guarding_release(w);
    sc__ticker_free(w->ticker);
    sc__run_free_spares(w->spares);
    sc__handlers_release(&w->core.handlers);
    sc__queue_keys_release(&w->core.keys);
    pthread_cond_destroy(&w->changed);
    pthread_mutex_destroy(&w->mutex);
    sc_free(w->names);
    sc_free(w);
}

sc_err sc_worker_new(sc_client *client, sc_slice queue_name, const sc_worker_opts *opts,
                     sc_worker **ret_worker, sc_reason *ret_reason)
{
    sc_worker_opts o = opts ? *opts : (sc_worker_opts){0};
    struct making making;
    sc_worker *w;
    sc_err err = check_opts(&o, ret_reason);

    if (err)
        return err;
    w = worker_alloc(client, &o);
    if (!w)
        return sc__because(ret_reason, SC_ENOMEM, "out of memory");
    err = sc__queue_keys_init(&w->core.keys, o.prefix, queue_name, ret_reason);
    if (!err)
        err = copy_names(w, queue_name, &o);
    if (err)
        goto out;
    fill_opts(w);
    making = (struct making){w, SC_OK};
    sc__loop_run_wait(w->core.loop, make_roles, &making);
    err = making.err;
    if (!err)
        err = sc__ticker_new(client, &w->core.keys, o.repeat_strategy, &w->ticker);
    if (!err)
        err = sc__guarding_init(w, o.repeat_strategy, ret_reason);
    if (!err)
        err = sc__pool_new("sc-worker", (size_t)w->core.opts.concurrency, w->core.opts.stack_bytes,
                           &w->pool);
    if (err)
        goto out;
    *ret_worker = w;
    return SC_OK;
out:
    worker_release(w);
    return err;
}

sc_err sc_worker_handle(sc_worker *worker, sc_slice name, sc_processor processor, void *user)
{
    return sc_worker_handle_with(worker, name, processor, user, &(sc_handler_opts){0});
}

static bool are_timeouts(const sc_handler_opts *opts)
{
    return opts->soft_timeout_ms >= -1 && opts->hard_timeout_ms >= -1;
}

sc_err sc_worker_handle_with(sc_worker *worker, sc_slice name, sc_processor processor, void *user,
                             const sc_handler_opts *opts)
{
    if (!processor || !are_timeouts(opts))
        return SC_EINVAL;
    return sc__handlers_set(
        &worker->core.handlers, name,
        &(sc__handler_def){.processor = processor, .user = user, .opts = *opts});
}

sc_err sc_worker_handle_batch(sc_worker *worker, sc_slice name, sc_batch_processor processor,
                              void *user, const sc_batch_opts *opts)
{
    sc__handler_def def = {.batch = processor,
                           .user = user,
                           .opts = opts->handler,
                           .max = opts->max,
                           .min = opts->min ? opts->min : 1,
                           .linger_ms = opts->linger_ms};

    if (!processor || def.max < 1 || def.max > SC__CONCURRENCY_MAX || def.min > def.max ||
        def.linger_ms < 0 || !are_timeouts(&def.opts))
        return SC_EINVAL;
    return sc__handlers_set(&worker->core.handlers, name, &def);
}

void sc__worker_begin(sc_worker *w)
{
    sc__stalled_start(&w->stalled);
    sc__lock_keeper_start(&w->lock_keeper);
    w->core.taking = !w->paused;
}

static void start(void *arg)
{
    sc_worker *w = arg;

    sc__worker_begin(w);
    sc__fetcher_poke(&w->fetcher);
}

sc_err sc_worker_start(sc_worker *worker)
{
    bool may_start;
    sc_err err;

    pthread_mutex_lock(&worker->mutex);
    may_start = !worker->started && !worker->closed;
    worker->started = true;
    pthread_mutex_unlock(&worker->mutex);
    if (!may_start)
        return SC_ESTATE;
    err = sc__guarding_start(worker);
    if (!err)
        sc__loop_run_wait(worker->core.loop, start, worker);
    return err;
}

static void pause_taking(void *arg)
{
    sc_worker *w = arg;

    if (!w->paused)
        sc__tell_kind(&w->core, SC_WORKER_PAUSED);
    w->paused = true;
    w->core.taking = false;
    sc__fetcher_stop(&w->fetcher);
    sc__batcher_flush(&w->batcher);
}

void sc_worker_pause(sc_worker *worker)
{
    sc__loop_run_wait(worker->core.loop, pause_taking, worker);
}

static void resume_taking(void *arg)
{
    sc_worker *w = arg;
    bool started;

    pthread_mutex_lock(&w->mutex);
    started = w->started;
    pthread_mutex_unlock(&w->mutex);
    if (w->paused)
        sc__tell_kind(&w->core, SC_WORKER_RESUMED);
    w->paused = false;
    w->core.taking = started && !w->closing;
    sc__fetcher_poke(&w->fetcher);
}

void sc_worker_resume(sc_worker *worker)
{
    sc__loop_run_wait(worker->core.loop, resume_taking, worker);
}

void sc_worker_stats_get(const sc_worker *worker, sc_worker_stats *ret_stats)
{
    const sc__core *core = &worker->core;

    *ret_stats = (sc_worker_stats){
        .started = atomic_load(&core->stats.started),
        .completed = atomic_load(&core->stats.completed),
        .failed = atomic_load(&core->stats.failed),
        .retried = atomic_load(&core->stats.retried),
        .delayed = atomic_load(&core->stats.delayed),
        .returned = atomic_load(&core->stats.returned),
        .waiting_children = atomic_load(&core->stats.waiting_children),
        .stalled = atomic_load(&core->stats.stalled),
        .locks_lost = atomic_load(&core->stats.locks_lost),
        .running = atomic_load(&core->stats.running),
        .concurrency = atomic_load(&core->stats.concurrency),
        .expired = atomic_load(&core->stats.expired),
        .timed_out = atomic_load(&core->stats.timed_out),
        .cancelled = atomic_load(&core->stats.cancelled),
        .dropped_late = atomic_load(&core->stats.dropped_late),
        .late = atomic_load(&core->stats.late),
    };
}

sc_err sc_worker_close(sc_worker *worker, int64_t drain_ms, int *ret_handed_back)
{
    bool was_closed;

    if (sc__loop_is_current(worker->core.loop))
        return SC_EDEADLK;
    pthread_mutex_lock(&worker->mutex);
    was_closed = worker->closed;
    worker->closed = true;
    pthread_mutex_unlock(&worker->mutex);
    if (!was_closed)
        sc__closing_run(worker, drain_ms);
    if (ret_handed_back)
        *ret_handed_back = worker->given_back;
    return SC_OK;
}

void sc_worker_free(sc_worker *worker)
{
    if (!worker || sc_worker_close(worker, 0, NULL))
        return;
    worker_release(worker);
}
