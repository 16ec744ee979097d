#include "flow_plan.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/rand.h"
#include "id_list.h"
#include "job_encode.h"
#include "ops/job_opts.h"
#include "ops/keys.h"

#define NO_PARENT SIZE_MAX

/* Besides what callers give: options, parents, keys. */
enum { ARENA_BYTES_MAX = 64 * 1024 * 1024 };

void sc__flow_plan_init(sc__flow_plan *f, const sc_flow_opts *opts, const sc__add_span *span)
{
    f->opts = opts;
    f->span = span;
    f->count = f->bytes = 0;
    f->now_ms = sc__wall_ms();
    f->marked = STR_MAX(SC__MARKED_MAX);
    sc__arena_init(&f->arena, ARENA_BYTES_MAX);
}

void sc__flow_plan_release(sc__flow_plan *f)
{
    sc__str_release(&f->marked);
    sc__arena_release(&f->arena);
}

static sc_err append(sc__flow_plan *f, const sc_flow_node *nodes, size_t count, size_t parent,
                     sc_reason *ret_reason)
{
    if (count > SC_FLOW_NODES_MAX - f->count)
        return sc__because(ret_reason, SC_ETOOBIG,
                           "the flow has more than %d jobs; add children from their parent",
                           SC_FLOW_NODES_MAX);
    for (size_t i = 0; i < count; i++)
        f->place[f->count++] = (sc__flow_place){.node = &nodes[i], .parent = parent, .below = 1};
    return SC_OK;
}

static sc_err lay_out(sc__flow_plan *f, const sc_flow_node *roots, size_t count,
                      sc_reason *ret_reason)
{
    sc_err err = append(f, roots, count, NO_PARENT, ret_reason);

    for (size_t i = 0; i < f->count && !err; i++)
        err = append(f, f->place[i].node->children, f->place[i].node->child_count, i, ret_reason);
    return err;
}

static void order_ids(sc__flow_plan *f)
{
    size_t next = 0;

    for (size_t i = f->count; i > 0; i--)
        if (f->place[i - 1].parent != NO_PARENT)
            f->place[f->place[i - 1].parent].below += f->place[i - 1].below;
    for (size_t i = 0; i < f->count; i++) {
        sc__flow_place *p = &f->place[i];
        size_t *at = p->parent == NO_PARENT ? &next : &f->place[p->parent].next;

        p->order = *at;
        p->next = *at + 1;
        *at += p->below;
    }
}

static sc_slice prefix_of(const sc__flow_plan *f, const sc_flow_node *node)
{
    if (node->prefix.len)
        return node->prefix;
    return f->opts->prefix.len ? f->opts->prefix : SC_S("bull");
}

static const sc_job_opts *defaults_of(const sc__flow_plan *f, const sc_flow_node *node)
{
    for (size_t i = 0; i < f->opts->queue_count; i++)
        if (sc_slice_eq(f->opts->queues[i].name, node->queue))
            return f->opts->queues[i].default_opts;
    return NULL;
}

/* The node's options, and its queue's where they say nothing. */
static sc_job_opts opts_of(const sc__flow_plan *f, const sc_flow_node *node)
{
    const sc_job_opts *defaults = defaults_of(f, node);
    sc_job_opts opts = node->job.opts ? *node->job.opts : SC_JOB_OPTS_INIT;

    if (defaults)
        sc__job_opts_merge(&opts, defaults);
    return opts;
}

static sc_err check_opts(const sc__flow_place *place, const sc_job_opts *defaults,
                         const sc_job_opts *opts, sc_reason *ret_reason)
{
    if (opts->dedup.id.len)
        return sc__because(ret_reason, SC_EINVAL, "a job of a flow cannot be deduplicated");
    if (defaults && (defaults->id.len || defaults->timestamp_ms || defaults->parent.id.len))
        return sc__because(ret_reason, SC_EINVAL,
                           "a queue's default options cannot hold a job's id, date or parent");
    if (place->parent != NO_PARENT && (opts->parent.id.len || opts->parent.queue.len))
        return sc__because(ret_reason, SC_EINVAL,
                           "its parent is the node above it; only a root may name another");
    return SC_OK;
}

static sc_err keep_copy(sc__flow_plan *f, sc_slice *slice)
{
    char *copy = slice->len ? sc__arena_dup(&f->arena, *slice) : NULL;

    if (slice->len && !copy)
        return SC_ENOMEM;
    slice->ptr = copy;
    return SC_OK;
}

static sc_err keep_texts(sc__flow_plan *f, sc__add_job *job)
{
    sc_err err = keep_copy(f, &job->opts);

    if (!err)
        err = keep_copy(f, &job->parent_key);
    return err ? err : keep_copy(f, &job->parent);
}

/* Its queue's base, and its id: its own, else a random one. */
static sc_err name_job(sc__flow_plan *f, const sc_flow_node *node, sc__flow_job *job,
                       sc_reason *ret_reason)
{
    sc_slice prefix = prefix_of(f, node);
    char *base, *uuid;
    sc_err err = sc__queue_names_check(prefix, node->queue, ret_reason);

    if (err)
        return err;
    base = sc__arena_printf(&f->arena, "%.*s:%.*s:", (int)prefix.len, prefix.ptr,
                            (int)node->queue.len, node->queue.ptr);
    if (!base)
        return SC_ENOMEM;
    job->base = (sc_slice){base, prefix.len + node->queue.len + 2};
    job->has_children = node->child_count > 0;
    job->own_id = job->job.id.len > 0;
    if (job->own_id)
        return SC_OK;
    uuid = sc__arena_alloc(&f->arena, SC__UUID_LEN + 1);
    if (!uuid)
        return SC_ENOMEM;
    sc__rand_uuid(uuid);
    job->job.id = (sc_slice){uuid, SC__UUID_LEN};
    return SC_OK;
}

static sc_err make_node(sc__flow_plan *f, size_t i, sc__encoded *encoded, sc_reason *ret_reason)
{
    const sc__flow_place *place = &f->place[i];
    sc_job_opts opts = opts_of(f, place->node);
    sc_job_spec spec = place->node->job;
    sc__flow_job *job = &f->job[i];
    sc_err err = check_opts(place, defaults_of(f, place->node), &opts, ret_reason);

    if (err)
        return err;
    if (place->parent != NO_PARENT) {
        const sc__flow_job *parent = &f->job[place->parent];

        opts.parent = (sc_parent){parent->job.id, {parent->base.ptr, parent->base.len - 1}};
    }
    spec.opts = &opts;
    err = sc__job_make(&spec, NULL, 0, f->now_ms, &job->job, ret_reason);
    if (!err)
        err = name_job(f, place->node, job, ret_reason);
    if (!err)
        err = sc__job_encode(encoded, &opts, &job->job, ret_reason);
    if (!err) {
        sc__add_span_mark(f->span, &f->marked, &job->job.opts);
        err = keep_texts(f, &job->job);
    }
    f->bytes += job->job.name.len + job->job.data.len + job->job.opts.len;
    if (!err && f->bytes > SC_FLOW_BYTES_MAX)
        err = sc__because(ret_reason, SC_ETOOBIG, "the flow has more than %d bytes",
                          SC_FLOW_BYTES_MAX);
    return err;
}

static sc_err make_nodes(sc__flow_plan *f, sc_reason *ret_reason)
{
    sc_reason why = {""};
    sc__encoded encoded;
    sc_err err = SC_OK;

    sc__encoded_init(&encoded);
    for (size_t i = 0; i < f->count && !err; i++) {
        const sc_flow_node *node = f->place[i].node;

        err = make_node(f, i, &encoded, &why);
        if (err)
            sc__because(ret_reason, err, "job \"%.*s\" in queue \"%.*s\": %s",
                        (int)(node->job.name.len < 64 ? node->job.name.len : 64),
                        node->job.name.ptr, (int)(node->queue.len < 64 ? node->queue.len : 64),
                        node->queue.ptr, why.text[0] ? why.text : sc_err_text(err));
    }
    sc__encoded_release(&encoded);
    return err;
}

sc_id_list *sc__flow_plan_ids(sc__flow_plan *f)
{
    sc_slice ids[SC_FLOW_NODES_MAX];

    order_ids(f);
    for (size_t i = 0; i < f->count; i++)
        ids[f->place[i].order] = f->job[i].job.id;
    return sc__id_list_new(ids, f->count);
}

sc_err sc__flow_plan_make(sc__flow_plan *f, const sc_flow_node *roots, size_t count,
                          sc_reason *ret_reason)
{
    sc_err err = lay_out(f, roots, count, ret_reason);

    return err ? err : make_nodes(f, ret_reason);
}
