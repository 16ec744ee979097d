/* Reading a flow: level by level, each job's children in a few pages and one pipeline. */
#include <storychain/flow.h>

#include "base/error.h"
#include "base/mem.h"
#include "ops/keys.h"
#include "ops/op_children.h"
#include "ops/op_get.h"
#include "redis/client.h"

enum { JOBS_MAX = 10000, DEPTH_MAX = 100, DEPTH = 10, CHILDREN = 20, KINDS = 4 };

/* A job of the flow. Those of one parent stand side by side, so that the public tree can point at the first. */
struct node {
    sc_job *job;
    sc_slice key, queue; /* in the job's memory */
    size_t id_at;        /* where in the key the id begins */
    int depth;           /* levels that may be read, its own included */
    size_t first, count; /* children */
};

struct reading {
    sc_client *client;
    int64_t max_children;
    struct node *nodes;
    size_t count, cap;
};

/* What sc_flow_get() gives is a block's first node. */
struct block {
    size_t count;
    sc_flow_tree nodes[];
};

/* Jobs are read by their full keys, as if these were ids in a queue without a name. */
static const sc__queue_keys no_queue = {.base = {"", 0}};

/* Takes the job over. */
static sc_err append(struct reading *r, sc_job *job, size_t id_at, int depth)
{
    if (r->count == r->cap) {
        size_t cap = r->cap ? r->cap * 2 : 16;
        struct node *grown = sc__realloc(r->nodes, cap * sizeof(*grown));

        if (!grown) {
            sc_job_free(job);
            return SC_ENOMEM;
        }
        r->nodes = grown;
        r->cap = cap;
    }
    r->nodes[r->count++] = (struct node){.job = job,
                                         .key = job->id,
                                         .queue = {job->id.ptr, id_at ? id_at - 1 : 0},
                                         .id_at = id_at,
                                         .depth = depth};
    return r->count > JOBS_MAX ? SC_ETOOBIG : SC_OK;
}

static sc_err append_children(struct reading *r, size_t parent, const sc_child *children,
                              const sc_slice *keys, size_t count, sc_reason *ret_reason)
{
    sc_job **jobs = sc__calloc(count, sizeof(*jobs));
    int depth = r->nodes[parent].depth - 1;
    sc_err err = jobs ? SC_OK : SC_ENOMEM;

    if (!err)
        err = sc__op_get_hashes(r->client, &no_queue, keys, count, jobs, ret_reason);
    for (size_t i = 0; jobs && i < count; i++) {
        if (err)
            sc_job_free(jobs[i]);
        else if (jobs[i])
            err = append(r, jobs[i], (size_t)(children[i].id.ptr - children[i].key.ptr), depth);
    }
    sc_free(jobs);
    return err;
}

static sc_err read_kind(struct reading *r, size_t parent, sc_child_kind kind, sc_reason *ret_reason)
{
    sc_child_list *list = NULL;
    sc_slice *keys;
    size_t count;
    sc_err err = sc__op_get_children(r->client, &no_queue, r->nodes[parent].key, kind, 0,
                                     r->max_children, &list, ret_reason);

    if (err)
        return err;
    count = list->count < (size_t)r->max_children ? list->count : (size_t)r->max_children;
    keys = sc__calloc(count, sizeof(*keys));
    for (size_t i = 0; keys && i < count; i++)
        keys[i] = list->children[i].key;
    if (!keys)
        err = SC_ENOMEM;
    else if (count)
        err = append_children(r, parent, list->children, keys, count, ret_reason);
    sc_free(keys);
    sc_child_list_free(list);
    return err;
}

static sc_err read_children(struct reading *r, size_t parent, sc_reason *ret_reason)
{
    static const sc_child_kind kinds[KINDS] = {SC_CHILD_PROCESSED, SC_CHILD_UNPROCESSED,
                                               SC_CHILD_FAILED, SC_CHILD_IGNORED};
    sc_err err = SC_OK;

    r->nodes[parent].first = r->count;
    for (int i = 0; i < KINDS && !err; i++)
        err = read_kind(r, parent, kinds[i], ret_reason);
    r->nodes[parent].count = r->count - r->nodes[parent].first;
    return err;
}

static sc_err read_root(struct reading *r, sc_slice queue, sc_slice id,
                        const sc_flow_get_opts *opts, sc_reason *ret_reason)
{
    AUTO_STR key = STR_MAX(SC__JOB_KEY_MAX);
    sc__queue_keys keys;
    sc_job *job = NULL;
    sc_err err = sc__queue_keys_init(&keys, opts->prefix, queue, ret_reason);

    if (err)
        return err;
    err = sc__queue_job_key(&key, &keys, id, "", ret_reason);
    if (!err)
        err = sc__op_get_job(r->client, &no_queue, sc__str_slice(&key), &job, ret_reason);
    if (!err)
        err = append(r, job, keys.base.len, opts->depth ? opts->depth : DEPTH);
    sc__queue_keys_release(&keys);
    return err;
}

static sc_err read_flow(struct reading *r, sc_slice queue, sc_slice id,
                        const sc_flow_get_opts *opts, sc_reason *ret_reason)
{
    sc_err err = read_root(r, queue, id, opts, ret_reason);

    for (size_t i = 0; i < r->count && !err; i++)
        if (r->nodes[i].depth > 1)
            err = read_children(r, i, ret_reason);
    if (err == SC_ETOOBIG)
        return sc__because(ret_reason, err, "the flow has more than %d jobs", JOBS_MAX);
    return err;
}

static sc_flow_tree *make_tree(const struct reading *r)
{
    struct block *block = sc__malloc(sizeof(*block) + r->count * sizeof(block->nodes[0]));

    if (!block)
        return NULL;
    block->count = r->count;
    for (size_t i = 0; i < r->count; i++) {
        const struct node *node = &r->nodes[i];

        node->job->id = (sc_slice){node->key.ptr + node->id_at, node->key.len - node->id_at};
        block->nodes[i] =
            (sc_flow_tree){node->queue, node->job, node->count, &block->nodes[node->first]};
    }
    return block->nodes;
}

static sc_err check(sc_slice id, const sc_flow_get_opts *opts, sc_reason *ret_reason)
{
    if (!id.len)
        return sc__because(ret_reason, SC_EINVAL, "the job id is empty");
    if (opts->depth < 0 || opts->depth > DEPTH_MAX || opts->max_children < 0 ||
        opts->max_children > SC__CHILDREN_PAGE_MAX)
        return sc__because(ret_reason, SC_EINVAL,
                           "a flow is read to a depth of 1 to %d, with 1 to %d children a job",
                           DEPTH_MAX, SC__CHILDREN_PAGE_MAX);
    return SC_OK;
}

sc_err sc_flow_get(sc_client *client, sc_slice queue, sc_slice id, const sc_flow_get_opts *opts,
                   sc_flow_tree **ret_tree, sc_reason *ret_reason)
{
    static const sc_flow_get_opts none = {.depth = 0};
    struct reading r = {.client = client};
    sc_flow_tree *tree = NULL;
    sc_err err;

    opts = opts ? opts : &none;
    err = check(id, opts, ret_reason);
    if (err)
        return err;
    r.max_children = opts->max_children ? opts->max_children : CHILDREN;
    err = read_flow(&r, queue, id, opts, ret_reason);
    if (!err)
        tree = make_tree(&r);
    for (size_t i = 0; !tree && i < r.count; i++)
        sc_job_free(r.nodes[i].job);
    sc_free(r.nodes);
    if (err)
        return err;
    if (!tree)
        return sc__because(ret_reason, SC_ENOMEM, "out of memory");
    *ret_tree = tree;
    return SC_OK;
}

void sc_flow_tree_free(sc_flow_tree *root)
{
    struct block *block;

    if (!root)
        return;
    block = (struct block *)((char *)root - offsetof(struct block, nodes));
    for (size_t i = 0; i < block->count; i++)
        sc_job_free((sc_job *)block->nodes[i].job);
    sc_free(block);
}
