/* Looking at a queue and its jobs. */
#include "base/mem.h"
#include "id_list.h"
#include "ops/op_get.h"
#include "queue.h"

sc_err sc_queue_get_job(sc_queue *queue, sc_slice id, sc_job **ret_job)
{
    if (!id.len)
        return SC_EINVAL;
    return sc__op_get_job(queue->client, &queue->keys, id, ret_job, NULL);
}

sc_err sc_queue_get_state(sc_queue *queue, sc_slice id, sc_job_state *ret_state)
{
    if (!id.len)
        return SC_EINVAL;
    return sc__op_get_state(queue->client, &queue->keys, id, ret_state, NULL);
}

/* The strings of a reply; free with sc_free. */
static sc_err texts_of(const sc_reply *reply, sc_slice **ret_texts)
{
    sc_slice *texts = sc__calloc(reply->count, sizeof(*texts));

    if (!texts)
        return SC_ENOMEM;
    for (size_t i = 0; i < reply->count; i++)
        texts[i] = reply->items[i].str;
    *ret_texts = texts;
    return SC_OK;
}

/* Takes the jobs that are there out of `jobs`. */
static sc_err make_list(sc_job **jobs, size_t count, sc_job_list **ret_list)
{
    sc_job_list *list = sc__malloc(sizeof(*list) + count * sizeof(*jobs));
    sc_job **kept;
    size_t n = 0;

    if (!list)
        return SC_ENOMEM;
    kept = (sc_job **)(list + 1);
    for (size_t i = 0; i < count; i++)
        if (jobs[i])
            kept[n++] = jobs[i];
    *list = (sc_job_list){n, kept};
    *ret_list = list;
    return SC_OK;
}

static sc_err read_jobs(sc_queue *queue, const sc_slice *ids, size_t count, sc_job_list **ret_list)
{
    sc_job **jobs = sc__calloc(count, sizeof(*jobs));
    sc_err err;

    if (!jobs)
        return SC_ENOMEM;
    err = sc__op_get_hashes(queue->client, &queue->keys, ids, count, jobs, NULL);
    if (!err)
        err = make_list(jobs, count, ret_list);
    for (size_t i = 0; err && i < count; i++)
        sc_job_free(jobs[i]);
    sc_free(jobs);
    return err;
}

sc_err sc_queue_get_jobs(sc_queue *queue, sc_job_state state, int64_t start, int64_t end,
                         bool ascending, sc_job_list **ret_jobs)
{
    sc_reply *reply = NULL;
    sc_slice *ids = NULL;
    sc_err err;

    err = sc__op_get_ids(queue->client, &queue->keys, state, start, end, ascending, &reply, NULL);
    if (err)
        return err;
    err = texts_of(reply, &ids);
    if (!err)
        err = read_jobs(queue, ids, reply->count, ret_jobs);
    sc_free(ids);
    sc_reply_free(reply);
    return err;
}

void sc_job_list_free(sc_job_list *list)
{
    if (!list)
        return;
    for (size_t i = 0; i < list->count; i++)
        sc_job_free(list->jobs[i]);
    sc_free(list);
}

/* A count under way. */
struct counting {
    sc_queue *queue;
    sc_queue_counts_cb cb;
    void *user;
};

static void on_counts(void *user, sc_err err, const sc_reply *reply)
{
    struct counting *c = user;
    sc_queue *queue = c->queue;
    sc_queue_counts counts;

    err = sc__op_counts_reply(err, reply, &counts, NULL);
    c->cb(c->user, err, err ? NULL : &counts);
    sc_free(c);
    sc__queue_call_end(queue);
}

sc_err sc_queue_get_counts_async(sc_queue *queue, sc_queue_counts_cb cb, void *user)
{
    struct counting *c = sc__malloc(sizeof(*c));
    sc_err err;

    if (!c)
        return SC_ENOMEM;
    *c = (struct counting){queue, cb, user};
    sc__queue_call_begin(queue);
    err = sc__op_get_counts(queue->client, &queue->keys, on_counts, c);
    if (err) {
        sc__queue_call_end(queue);
        sc_free(c);
    }
    return err;
}

/* A thread that waits for a count. */
struct counted {
    sc__waiter waiter;
    sc_err err;
    sc_queue_counts counts;
};

static void on_counted(void *user, sc_err err, const sc_queue_counts *counts)
{
    struct counted *c = user;

    c->err = err;
    if (counts)
        c->counts = *counts;
    sc__waiter_wake(&c->waiter);
}

sc_err sc_queue_get_counts(sc_queue *queue, sc_queue_counts *ret_counts)
{
    struct counted c;
    sc_err err;

    if (sc__queue_may_not_wait(queue))
        return SC_EDEADLK;
    sc__waiter_init(&c.waiter);
    err = sc_queue_get_counts_async(queue, on_counted, &c);
    if (!err) {
        sc__waiter_wait(&c.waiter);
        err = c.err;
    }
    sc__waiter_release(&c.waiter);
    if (!err)
        *ret_counts = c.counts;
    return err;
}

sc_err sc_queue_get_logs(sc_queue *queue, sc_slice id, int64_t start, int64_t end,
                         sc_id_list **ret_rows)
{
    sc_reply *reply = NULL;
    sc_slice *rows = NULL;
    sc_err err;

    if (!id.len)
        return SC_EINVAL;
    err = sc__op_get_logs(queue->client, &queue->keys, id, start, end, &reply, NULL);
    if (!err)
        err = texts_of(reply, &rows);
    if (!err) {
        *ret_rows = sc__id_list_new(rows, reply->count);
        err = *ret_rows ? SC_OK : SC_ENOMEM;
    }
    sc_free(rows);
    sc_reply_free(reply);
    return err;
}
