/* Adding flows: sends what flow_plan.c made of them, and tells how it ended. */
#include <storychain/flow.h>

#include "base/error.h"
#include "base/mem.h"
#include "flow_plan.h"
#include "loop/waiter.h"
#include "redis/client.h"

/* Trees on their way. */
struct flow {
    sc__flow_plan plan;
    sc__add_span span;
    size_t root_count;
    sc_id_list *ids;

    void (*done)(struct flow *f); /* on the I/O thread, when err and why say how it ended */
    sc_err err;
    sc_reason why;
    sc__waiter waiter;  /* of a thread that waits for it */
    sc_queue_add_cb cb; /* of one that does not */
    void *user;
};

static void start_span(struct flow *f, const sc_flow_node *roots, size_t count,
                       const sc_flow_opts *opts)
{
    sc__add_span_start(&f->span, opts->tracer,
                       (sc_span_start){.operation = count == 1 ? "addFlow" : "addBulkFlows",
                                       .queue = count == 1 ? roots->queue : SC_S(""),
                                       .job_name = count == 1 ? roots->job.name : SC_S(""),
                                       .job_count = count});
}

static void end_span(struct flow *f, sc_err err)
{
    sc__add_span_end(&f->span, err, !err && f->root_count == 1 ? f->ids->ids[0] : SC_S(""));
}

static void flow_free(struct flow *f)
{
    sc_id_list_free(f->ids);
    sc__flow_plan_release(&f->plan);
    sc_free(f);
}

static sc_err prepare(struct flow *f, const sc_flow_node *roots, size_t count,
                      sc_reason *ret_reason)
{
    sc_err err = sc__flow_plan_make(&f->plan, roots, count, ret_reason);

    if (err)
        return err;
    f->ids = sc__flow_plan_ids(&f->plan);
    return f->ids ? SC_OK : sc__because(ret_reason, SC_ENOMEM, "out of memory");
}

/* A flow that only has to be sent. What the nodes point to is still the caller's. */
static sc_err flow_new(const sc_flow_node *roots, size_t count, const sc_flow_opts *opts,
                       struct flow **ret_flow, sc_reason *ret_reason)
{
    static const sc_flow_opts none = {.queue_count = 0};
    struct flow *f;
    sc_err err;

    if (!count)
        return sc__because(ret_reason, SC_EINVAL, "the flow has no jobs");
    f = sc__calloc(1, sizeof(*f));
    if (!f)
        return sc__because(ret_reason, SC_ENOMEM, "out of memory");
    opts = opts ? opts : &none;
    f->root_count = count;
    sc__flow_plan_init(&f->plan, opts, &f->span);
    start_span(f, roots, count, opts);
    err = prepare(f, roots, count, ret_reason);
    if (!err) {
        *ret_flow = f;
        return SC_OK;
    }
    end_span(f, err);
    flow_free(f);
    return err;
}

static void on_reply(void *user, sc_err err, const sc_reply *reply)
{
    struct flow *f = user;

    f->err = sc__op_add_flow_reply(err, reply, &f->why);
    f->done(f);
}

static void wake(struct flow *f)
{
    sc__waiter_wake(&f->waiter);
}

static void send_and_wait(struct flow *f, sc_client *client)
{
    sc_err err;

    f->done = wake;
    sc__waiter_init(&f->waiter);
    err = sc__op_add_flow(client, f->plan.job, f->plan.count, on_reply, f);
    if (err)
        f->err = sc__op_add_flow_reply(err, NULL, &f->why);
    else
        sc__waiter_wait(&f->waiter);
    sc__waiter_release(&f->waiter);
}

sc_err sc_flow_add_bulk(sc_client *client, const sc_flow_node *roots, size_t count,
                        const sc_flow_opts *opts, sc_id_list **ret_ids, sc_reason *ret_reason)
{
    struct flow *f;
    sc_err err;

    if (sc__loop_is_current(sc__client_loop(client)))
        return sc__because(ret_reason, SC_EDEADLK, "%s", sc_err_text(SC_EDEADLK));
    err = flow_new(roots, count, opts, &f, ret_reason);
    if (err)
        return err;
    send_and_wait(f, client);
    err = f->err;
    end_span(f, err);
    if (err)
        sc__because(ret_reason, err, "%s", f->why.text);
    if (!err && ret_ids) {
        *ret_ids = f->ids;
        f->ids = NULL;
    }
    flow_free(f);
    return err;
}

sc_err sc_flow_add(sc_client *client, const sc_flow_node *root, const sc_flow_opts *opts,
                   sc_id_list **ret_ids, sc_reason *ret_reason)
{
    return sc_flow_add_bulk(client, root, 1, opts, ret_ids, ret_reason);
}

static void call_back(struct flow *f)
{
    end_span(f, f->err);
    f->cb(f->user, f->err, f->err ? NULL : f->ids);
    flow_free(f);
}

sc_err sc_flow_add_async(sc_client *client, const sc_flow_node *roots, size_t count,
                         const sc_flow_opts *opts, sc_queue_add_cb cb, void *user)
{
    struct flow *f;
    sc_err err = flow_new(roots, count, opts, &f, NULL);

    if (err)
        return err;
    f->done = call_back;
    f->cb = cb;
    f->user = user;
    err = sc__op_add_flow(client, f->plan.job, f->plan.count, on_reply, f);
    if (err) {
        end_span(f, err);
        flow_free(f);
    }
    return err;
}
