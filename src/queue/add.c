/* Adding jobs: checks what the caller gives, encodes it, and hands it to the adder. */
#include <stdio.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "add_span.h"
#include "id_list.h"
#include "job_encode.h"
#include "loop/waiter.h"
#include "ops/codes.h"
#include "ops/job_limits.h"
#include "ops/queue_handle.h"
#include "queue.h"

/* `job_name` is empty for a bulk. */
static void start_span(sc__add_span *span, const sc_queue *queue, sc_slice job_name,
                       size_t job_count)
{
    sc__add_span_start(span, &queue->tracer,
                       (sc_span_start){.operation = job_name.len ? "add" : "addBulk",
                                       .queue = sc_queue_name(queue),
                                       .job_name = job_name,
                                       .job_count = job_count});
}

static sc_err may_not_wait(sc_reason *ret_reason)
{
    return sc__because(ret_reason, SC_EDEADLK, "%s", sc_err_text(SC_EDEADLK));
}

/* Says why the job was not added, if `number` is the code of a refusal. */
static sc_err check_number(const sc__add_job *job, int64_t number, sc_reason *ret_reason)
{
    int shown = job->parent_key.len < 128 ? (int)job->parent_key.len : 128;
    sc_reason why;
    sc_err err = sc__code_err(number, &why);

    if (!err)
        return SC_OK;
    return sc__because(ret_reason, err, "%s; its parent was to be %.*s", why.text, shown,
                       job->parent_key.ptr);
}

/* One job, on the stack of the thread that waits for it. */
struct single {
    sc__add_request request;
    sc__waiter waiter;
    sc__add_job job;
    int64_t number;
    char *owner; /* of its deduplication id, when that is another job */
};

static void single_done(sc__add_request *request)
{
    sc__waiter_wake(&((struct single *)request)->waiter);
}

static sc_err add_and_wait(sc_queue *queue, struct single *s, sc_reason *ret_reason)
{
    s->request = (sc__add_request){.jobs = &s->job,
                                   .numbers = &s->number,
                                   .owners = &s->owner,
                                   .count = 1,
                                   .done = single_done};
    s->owner = NULL;
    sc__waiter_init(&s->waiter);
    sc__queue_write_meta(queue);
    sc__adder_submit(&queue->adder, &s->request);
    sc__waiter_wait(&s->waiter);
    sc__waiter_release(&s->waiter);
    if (s->request.err)
        return sc__because(ret_reason, s->request.err, "%s", s->request.reason.text);
    return check_number(&s->job, s->number, ret_reason);
}

static sc_slice id_of(const sc__add_job *job, int64_t number, const char *owner,
                      char digits[SC__INT_LEN])
{
    if (owner)
        return sc_slice_of(owner);
    if (job->id.len)
        return job->id;
    return (sc_slice){digits, sc__int_text(number, digits)};
}

static sc_err make_job(sc_queue *queue, const sc_job_spec *spec, int64_t now_ms,
                       sc__add_job *ret_job, sc_reason *ret_reason)
{
    sc_err err = sc__job_make(spec, &queue->defaults, queue->default_size_limit, now_ms, ret_job,
                              ret_reason);

    if (!err && spec->opts && sc__job_limits_any(spec->opts))
        sc__queue_mark_extensions(queue);
    return err;
}

/* The same job with the options that it shall have; `memory` as for sc__queue_opts_of(). */
static sc_job_spec complete(const sc_queue *queue, const sc_job_spec *spec, sc_job_opts *memory)
{
    return (sc_job_spec){
        .name = spec->name,
        .data = spec->data,
        .opts = sc__queue_opts_of(queue, spec->opts, memory),
    };
}

sc_err sc_queue_add(sc_queue *queue, const sc_job_spec *spec, char **ret_id, sc_reason *ret_reason)
{
    sc_job_opts merged;
    const sc_job_spec job = complete(queue, spec, &merged);
    AUTO_STR marked = STR_MAX(SC__MARKED_MAX);
    char digits[SC__INT_LEN], *id = NULL;
    sc_slice id_text = {NULL, 0};
    AUTO_ENCODED encoded;
    sc__add_span span;
    struct single s;
    sc_err err;

    sc__encoded_init(&encoded);
    if (sc__queue_may_not_wait(queue))
        return may_not_wait(ret_reason);
    err = make_job(queue, &job, sc__wall_ms(), &s.job, ret_reason);
    if (!err && job.opts)
        err = sc__job_encode(&encoded, job.opts, &s.job, ret_reason);
    if (err)
        return err;
    start_span(&span, queue, spec->name, 1);
    sc__add_span_mark(&span, &marked, &s.job.opts);
    err = add_and_wait(queue, &s, ret_reason);
    if (!err)
        id_text = id_of(&s.job, s.number, s.owner, digits);
    sc__add_span_end(&span, err, id_text);
    if (!err && ret_id)
        id = sc__slice_dup(id_text);
    sc_free(s.owner);
    if (err || !ret_id)
        return err;
    *ret_id = id;
    return id ? SC_OK : sc__because(ret_reason, SC_ENOMEM, "out of memory");
}

/* Many jobs: of a thread that waits, or (with `cb`) of one that does not. */
struct many {
    sc__add_request request;
    sc__waiter waiter;
    sc_queue *queue;
    sc__add_job *jobs;
    int64_t *numbers;
    char **owners; /* NULL when no job has a deduplication id */
    size_t count;
    sc__arena arena; /* stored options; with `cb`, copies of everything */
    sc__add_span span;
    sc_queue_add_cb cb;
    void *user;
};

static void many_free(struct many *m)
{
    sc__arena_release(&m->arena);
    for (size_t i = 0; m->owners && i < m->count; i++)
        sc_free(m->owners[i]);
    sc_free(m->owners);
    sc_free(m->jobs);
    sc_free(m->numbers);
    sc_free(m);
}

static sc_err many_new(sc_queue *queue, size_t count, struct many **ret_many)
{
    struct many *m = sc__calloc(1, sizeof(*m));

    if (!m)
        return SC_ENOMEM;
    sc__arena_init(&m->arena, SIZE_MAX / 4);
    m->queue = queue;
    m->count = count;
    m->jobs = sc__calloc(count, sizeof(*m->jobs));
    m->numbers = sc__calloc(count, sizeof(*m->numbers));
    if (!m->jobs || !m->numbers) {
        many_free(m);
        return SC_ENOMEM;
    }
    *ret_many = m;
    return SC_OK;
}

static sc_err copy_slice(struct many *m, sc_slice *slice)
{
    char *copy;

    if (!slice->len)
        return SC_OK;
    copy = sc__arena_dup(&m->arena, *slice);
    if (!copy)
        return SC_ENOMEM;
    slice->ptr = copy;
    return SC_OK;
}

static sc_err copy_job(struct many *m, sc__add_job *job)
{
    sc_err err = copy_slice(m, &job->id);

    if (!err)
        err = copy_slice(m, &job->name);
    if (!err)
        err = copy_slice(m, &job->data);
    return err;
}

static sc_err store_opts(struct many *m, const sc_job_spec *specs, size_t i,
                         const sc_job_opts *opts, sc__encoded *encoded, sc_reason *ret_reason)
{
    sc__add_job *job = &m->jobs[i];
    sc_err err;

    /* Most callers give all their jobs the same options. */
    if (i && specs[i].opts == specs[i - 1].opts) {
        job->opts = m->jobs[i - 1].opts;
        job->parent_key = m->jobs[i - 1].parent_key;
        job->parent = m->jobs[i - 1].parent;
        return SC_OK;
    }
    err = sc__job_encode(encoded, opts, job, ret_reason);
    if (!err)
        err = copy_slice(m, &job->opts);
    if (!err)
        err = copy_slice(m, &job->parent_key);
    if (!err)
        err = copy_slice(m, &job->parent);
    return err;
}

static sc_err many_fill(struct many *m, const sc_job_spec *specs, bool copy, sc_reason *ret_reason)
{
    int64_t now_ms = sc__wall_ms();
    sc_reason why = {""};
    AUTO_ENCODED encoded;

    sc__encoded_init(&encoded);
    for (size_t i = 0; i < m->count; i++) {
        sc_job_opts merged;
        const sc_job_spec job = complete(m->queue, &specs[i], &merged);
        sc_err err = make_job(m->queue, &job, now_ms, &m->jobs[i], &why);

        if (!err && job.opts)
            err = store_opts(m, specs, i, job.opts, &encoded, &why);
        if (!err && copy)
            err = copy_job(m, &m->jobs[i]);
        if (!err && m->jobs[i].dedup && !m->owners) {
            m->owners = sc__calloc(m->count, sizeof(*m->owners));
            err = m->owners ? SC_OK : SC_ENOMEM;
        }
        if (err)
            return sc__because(ret_reason, err, "job %zu of %zu: %s", i + 1, m->count,
                               why.text[0] ? why.text : sc_err_text(err));
    }
    return SC_OK;
}

/* Begins their span, and adds its metadata to each job. */
static void many_start_span(struct many *m, sc_slice job_name)
{
    AUTO_STR marked = STR_MAX(SC__MARKED_MAX);
    sc_slice before = {NULL, 0};

    start_span(&m->span, m->queue, m->count == 1 ? job_name : before, m->count);
    for (size_t i = 0; i < m->count && m->span.metadata.len; i++) {
        sc_slice opts = m->jobs[i].opts, same = opts;

        if (i && opts.ptr == before.ptr) {
            m->jobs[i].opts = m->jobs[i - 1].opts;
            continue;
        }
        sc__add_span_mark(&m->span, &marked, &opts);
        if (!copy_slice(m, &opts))
            m->jobs[i].opts = opts;
        before = same;
    }
}

static sc_err many_ids(struct many *m, sc_id_list **ret_ids)
{
    sc_slice *ids = sc__calloc(m->count, sizeof(*ids));
    char(*digits)[SC__INT_LEN] = sc__calloc(m->count, sizeof(*digits));
    sc_id_list *list = NULL;

    for (size_t i = 0; ids && digits && i < m->count; i++)
        ids[i] = id_of(&m->jobs[i], m->numbers[i], m->owners ? m->owners[i] : NULL, digits[i]);
    if (ids && digits)
        list = sc__id_list_new(ids, m->count);
    sc_free(ids);
    sc_free(digits);
    if (!list)
        return SC_ENOMEM;
    *ret_ids = list;
    return SC_OK;
}

static void many_submit(struct many *m, void (*done)(sc__add_request *request))
{
    m->request = (sc__add_request){.jobs = m->jobs,
                                   .numbers = m->numbers,
                                   .owners = m->owners,
                                   .count = m->count,
                                   .done = done};
    sc__queue_write_meta(m->queue);
    sc__adder_submit(&m->queue->adder, &m->request);
}

/* After an answer: were some refused? */
static sc_err check_numbers(struct many *m, sc_reason *ret_reason)
{
    size_t refused = m->count;
    sc_reason why;
    sc_err err;

    for (size_t i = m->count; i > 0; i--)
        if (m->numbers[i - 1] < 0) {
            m->request.added--;
            refused = i - 1;
        }
    if (refused == m->count)
        return SC_OK;
    err = check_number(&m->jobs[refused], m->numbers[refused], &why);
    return sc__because(ret_reason, err, "job %zu of %zu: %s", refused + 1, m->count, why.text);
}

static void many_done_waiting(sc__add_request *request)
{
    sc__waiter_wake(&((struct many *)request)->waiter);
}

static sc_err many_add_and_wait(struct many *m, size_t *ret_added, sc_reason *ret_reason)
{
    sc_err err;

    sc__waiter_init(&m->waiter);
    many_submit(m, many_done_waiting);
    sc__waiter_wait(&m->waiter);
    sc__waiter_release(&m->waiter);
    err = check_numbers(m, ret_reason);
    if (ret_added)
        *ret_added = m->request.added;
    if (m->request.err)
        return sc__because(ret_reason, m->request.err, "%s", m->request.reason.text);
    return err;
}

sc_err sc_queue_add_bulk(sc_queue *queue, const sc_job_spec *specs, size_t count,
                         sc_id_list **ret_ids, size_t *ret_added, sc_reason *ret_reason)
{
    struct many *m;
    sc_err err;

    if (ret_added)
        *ret_added = 0;
    if (sc__queue_may_not_wait(queue))
        return may_not_wait(ret_reason);
    err = many_new(queue, count, &m);
    if (err)
        return sc__because(ret_reason, err, "out of memory");
    err = many_fill(m, specs, false, ret_reason);
    if (!err && count) {
        many_start_span(m, SC_S(""));
        err = many_add_and_wait(m, ret_added, ret_reason);
        sc__add_span_end(&m->span, err, (sc_slice){NULL, 0});
    }
    if (!err && ret_ids)
        err = many_ids(m, ret_ids);
    many_free(m);
    return err;
}

static void many_done_async(sc__add_request *request)
{
    struct many *m = (struct many *)request;
    sc_queue *queue = m->queue;
    sc_id_list *ids = NULL;
    sc_err err = request->err;

    if (!err)
        err = check_numbers(m, NULL);
    if (!err)
        err = many_ids(m, &ids);
    sc__add_span_end(&m->span, err, ids && ids->count == 1 ? ids->ids[0] : (sc_slice){NULL, 0});
    m->cb(m->user, err, ids);
    sc_id_list_free(ids);
    many_free(m);
    sc__queue_call_end(queue);
}

sc_err sc_queue_add_async(sc_queue *queue, const sc_job_spec *specs, size_t count,
                          sc_queue_add_cb cb, void *user)
{
    struct many *m;
    sc_err err;

    if (!count)
        return SC_EINVAL;
    err = many_new(queue, count, &m);
    if (err)
        return err;
    m->cb = cb;
    m->user = user;
    err = many_fill(m, specs, true, NULL);
    if (err) {
        many_free(m);
        return err;
    }
    many_start_span(m, specs[0].name);
    sc__queue_call_begin(queue);
    sc__queue_call_begin(
        queue); /* the callback may come, and the queue go, before submit returns */
    many_submit(m, many_done_async);
    sc__queue_call_end(queue);
    return SC_OK;
}
