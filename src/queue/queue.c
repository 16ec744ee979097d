#include "queue.h"

#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "ops/job_limits.h"
#include "ops/job_opts.h"
#include "ops/op_control.h"
#include "ops/queue_handle.h"

enum { OPTS_MAX = 64 * 1024 };

void sc__queue_call_begin(sc_queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    queue->calls++;
    pthread_mutex_unlock(&queue->mutex);
}

void sc__queue_call_end(sc_queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    queue->calls--;
    if (!queue->calls)
        pthread_cond_broadcast(&queue->quiet);
    pthread_mutex_unlock(&queue->mutex);
}

static void meta_postponed(sc_queue *queue, sc_err err)
{
    sc__log(SC_LOG_DEBUG, "queue %s: its meta could not be written yet: %s", queue->name,
            sc_err_text(err));
    atomic_store(&queue->meta_wanted, true);
}

static void meta_refused(const sc_queue *queue, sc_slice why)
{
    sc__log(SC_LOG_WARN, "queue %s: its meta could not be written: %.*s", queue->name,
            (int)(why.len < 200 ? why.len : 200), why.ptr);
}

static void on_meta(void *user, sc_err err, const sc_reply *reply)
{
    sc_queue *queue = user;

    if (err)
        meta_postponed(queue, err);
    else if (reply->type == SC_REPLY_ERROR)
        meta_refused(queue, reply->str);
    sc__queue_call_end(queue);
}

void sc__queue_write_meta(sc_queue *queue)
{
    sc_err err;

    if (!atomic_load_explicit(&queue->meta_wanted, memory_order_relaxed) ||
        !atomic_exchange(&queue->meta_wanted, false))
        return;
    sc__queue_call_begin(queue);
    err = sc__op_write_meta(queue->client, &queue->keys, queue->max_events, on_meta, queue);
    if (err)
        on_meta(queue, err, NULL);
}

static void on_marked(void *user, sc_err err, const sc_reply *reply)
{
    sc_queue *queue = user;

    if (err)
        atomic_store(&queue->mark_wanted, true);
    else if (reply->type == SC_REPLY_ERROR)
        meta_refused(queue, reply->str);
    sc__queue_call_end(queue);
}

void sc__queue_mark_extensions(sc_queue *queue)
{
    sc_err err;

    if (!atomic_load_explicit(&queue->mark_wanted, memory_order_relaxed) ||
        !atomic_exchange(&queue->mark_wanted, false))
        return;
    sc__queue_call_begin(queue);
    err = sc__op_mark_extensions(queue->client, &queue->keys, on_marked, queue);
    if (err)
        on_marked(queue, err, NULL);
}

static sc_err keep_text(sc_queue *queue, sc_slice *text)
{
    char *copy = text->len ? sc__arena_dup(&queue->default_texts, *text) : NULL;

    if (text->len && !copy)
        return SC_ENOMEM;
    text->ptr = copy;
    return SC_OK;
}

static sc_err keep_defaults(sc_queue *queue, const sc_job_opts *opts)
{
    sc_job_opts *set = &queue->default_set;
    sc_err err;

    *set = *opts;
    queue->has_defaults = true;
    err = keep_text(queue, &set->backoff.custom);
    if (!err)
        err = keep_text(queue, &set->dedup.id);
    return err ? err : keep_text(queue, &set->extra);
}

const sc_job_opts *sc__queue_opts_of(const sc_queue *queue, const sc_job_opts *own,
                                     sc_job_opts *memory)
{
    if (!own || !queue->has_defaults)
        return own;
    *memory = *own;
    sc__job_opts_merge(memory, &queue->default_set);
    return memory;
}

static sc_err encode_defaults(sc_queue *queue, const sc_job_opts *opts, sc_reason *ret_reason)
{
    AUTO_STR text = STR_MAX(OPTS_MAX);
    const sc_job_opts none = SC_JOB_OPTS_INIT;
    sc_err err;

    if (!opts)
        opts = &none;
    err = sc__job_opts_check(opts, ret_reason);
    if (err)
        return err;
    if (opts->id.len || opts->timestamp_ms || opts->parent.id.len)
        return sc__because(ret_reason, SC_EINVAL,
                           "a queue's default options cannot hold a job's id, date or parent");
    sc__job_opts_write(&text, opts);
    queue->defaults = (sc__add_job){.delay_ms = opts->delay_ms,
                                    .priority = opts->priority,
                                    .lifo = opts->lifo,
                                    .dedup = opts->dedup.id.len > 0};
    queue->default_size_limit = opts->size_limit;
    queue->default_opts_len = text.len;
    err = sc__str_take(&text, &queue->default_opts);
    if (!err)
        queue->defaults.opts = sc__queue_default_opts(queue);
    return err;
}

static sc_err init(sc_queue *queue, sc_slice name, const sc_queue_opts *opts, sc_reason *ret_reason)
{
    sc_slice prefix = opts->prefix.len ? opts->prefix : SC_S("bull");
    sc_err err = sc__queue_keys_init(&queue->keys, prefix, name, ret_reason);

    if (err)
        return err;
    if (opts->tracer && (!opts->tracer->start || !opts->tracer->end))
        return sc__because(ret_reason, SC_EINVAL, "a tracer needs start() and end()");
    if (opts->max_events < 0)
        return sc__because(ret_reason, SC_EINVAL, "the cap of the event stream is negative");
    queue->max_events = opts->max_events;
    if (opts->tracer)
        queue->tracer = *opts->tracer;
    if (opts->repeat_strategy)
        queue->repeat_strategy = *opts->repeat_strategy;
    sc__arena_init(&queue->default_texts, OPTS_MAX);
    atomic_init(&queue->meta_wanted, !opts->skip_meta);
    atomic_init(&queue->mark_wanted, !opts->skip_meta);
    queue->prefix = sc__slice_dup(prefix);
    queue->name = sc__slice_dup(name);
    if (!queue->prefix || !queue->name)
        return SC_ENOMEM;
    err = encode_defaults(queue, opts->default_opts, ret_reason);
    if (!err && opts->default_opts)
        err = keep_defaults(queue, opts->default_opts);
    return err;
}

static void destroy(sc_queue *queue)
{
    sc__adder_release(&queue->adder);
    pthread_cond_destroy(&queue->quiet);
    pthread_mutex_destroy(&queue->mutex);
    sc__queue_keys_release(&queue->keys);
    sc_free(queue->default_opts);
    sc__arena_release(&queue->default_texts);
    sc_free(queue->prefix);
    sc_free(queue->name);
    sc_free(queue);
}

sc_err sc_queue_new(sc_client *client, sc_slice name, const sc_queue_opts *opts,
                    sc_queue **ret_queue, sc_reason *ret_reason)
{
    static const sc_queue_opts none = {.max_events = 0};
    sc_queue *queue = sc__calloc(1, sizeof(*queue));
    sc_err err;

    if (!queue)
        return sc__because(ret_reason, SC_ENOMEM, "out of memory");
    queue->client = client;
    pthread_mutex_init(&queue->mutex, NULL);
    pthread_cond_init(&queue->quiet, NULL);
    sc__adder_init(&queue->adder, client, &queue->keys);
    err = init(queue, name, opts ? opts : &none, ret_reason);
    if (err) {
        destroy(queue);
        return err;
    }
    sc__queue_write_meta(queue);
    if (opts && opts->default_opts && sc__job_limits_any(opts->default_opts))
        sc__queue_mark_extensions(queue);
    *ret_queue = queue;
    return SC_OK;
}

void sc_queue_free(sc_queue *queue)
{
    if (!queue)
        return;
    pthread_mutex_lock(&queue->mutex);
    while (queue->calls)
        pthread_cond_wait(&queue->quiet, &queue->mutex);
    pthread_mutex_unlock(&queue->mutex);
    destroy(queue);
}

sc_slice sc_queue_name(const sc_queue *queue)
{
    return sc_slice_of(queue->name);
}

sc_slice sc_queue_prefix(const sc_queue *queue)
{
    return sc_slice_of(queue->prefix);
}

sc_slice sc_queue_qualified_name(const sc_queue *queue)
{
    return (sc_slice){queue->keys.base.ptr, queue->keys.base.len - 1}; /* without its ':' */
}

sc_client *sc__queue_client(const sc_queue *queue)
{
    return queue->client;
}

const sc__queue_keys *sc__queue_names(const sc_queue *queue)
{
    return &queue->keys;
}

sc_slice sc__queue_default_opts(const sc_queue *queue)
{
    return (sc_slice){queue->default_opts, queue->default_opts_len};
}

const sc_repeat_strategy *sc__queue_repeat_strategy(const sc_queue *queue)
{
    return &queue->repeat_strategy;
}
