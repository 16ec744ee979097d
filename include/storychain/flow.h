/* Flows: parents that wait for their children, in whatever queues.
 *
 * A job becomes a child by sc_job_opts.parent. Its parent keeps it among those that are pending, and when it has ended with
 * its result or its failure; see sc_child_kind. A parent without pending children is run.
 *
 * All of these but sc_flow_add_async() wait for the server; all are thread-safe; SC_EDEADLK on the client's I/O thread. `ret_reason` may be
 * NULL. SC_EINVAL for what BullMQ would refuse.
 *
 * Since 0.1. */
#ifndef STORYCHAIN_FLOW_H
#define STORYCHAIN_FLOW_H

#include <storychain/queue.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A tree of jobs to add: a job, and the jobs that it waits for, which may wait for others. */
typedef struct sc_flow_node {
    sc_slice queue;  /* its queue's name */
    sc_slice prefix; /* empty: the flow's */
    /* opts.id empty: a random UUID. opts.parent, a job that exists, is for the root alone. No deduplication. opts.delay_ms and priority of a
     * node with children count when it has waited for them. */
    sc_job_spec job;
    const struct sc_flow_node *children;
    size_t child_count;
} sc_flow_node;

/* Options for what those of a node say nothing of (are zero). */
typedef struct sc_flow_queue {
    sc_slice name; /* of nodes in queues of that name, whatever their prefix */
    const sc_job_opts *default_opts;
} sc_flow_queue;

typedef struct sc_flow_opts {
    const sc_tracer *
        tracer; /* see tracer.h: one span, "addFlow" or "addBulkFlows", whose metadata all nodes carry; NULL: none */
    sc_slice prefix; /* of nodes that have none; empty: "bull" */
    const sc_flow_queue *queues;
    size_t queue_count;
} sc_flow_opts;

/* Trees of one call: nodes in all, and bytes of their names, data and stored options. So the one script that adds them takes a few
 * milliseconds. A parent with more children gets them with sc_job_opts.parent while it runs, and then waits: see
 * sc_run_wait_children(). */
#define SC_FLOW_NODES_MAX 500
#define SC_FLOW_BYTES_MAX (4 * 1024 * 1024)

/* Adds a tree, all of it or, after an error, nothing. `opts` NULL: zeroed. `*ret_ids` (may be NULL): the ids of all nodes, each before those of its children
 * and these in their order; free with sc_id_list_free.
 *
 * A node with an id of its own that exists is left as it is, and becomes a child of its parent in the tree if the one that it had is
 * gone; what it has already ended as is not lost on that parent. So a tree in which all nodes have ids can be added again after SC_ECONNLOST or
 * SC_ETIMEDOUT, when it is not known whether it was.
 *
 * SC_EINVAL, SC_ETOOBIG with a reason; SC_EPARENT: the root's parent does not exist, or a node exists and has another parent. */
SC_API SC_MUST_USE sc_err sc_flow_add(sc_client *client, const sc_flow_node *root,
                                      const sc_flow_opts *opts, sc_id_list **ret_ids,
                                      sc_reason *ret_reason);

/* Adds `count` (at least 1) trees, all of them or nothing. The ids of one tree stand behind those of the one before. */
SC_API SC_MUST_USE sc_err sc_flow_add_bulk(sc_client *client, const sc_flow_node *roots,
                                           size_t count, const sc_flow_opts *opts,
                                           sc_id_list **ret_ids, sc_reason *ret_reason);

/* The same without waiting; may be called on the I/O thread. Everything of `roots` and `opts` is copied before it returns, but for
 * opts.tracer, which is kept until `cb`. */
SC_API SC_MUST_USE sc_err sc_flow_add_async(sc_client *client, const sc_flow_node *roots,
                                            size_t count, const sc_flow_opts *opts,
                                            sc_queue_add_cb cb, void *user);

/* A flow as it is now: a job and what is below it. All of it is freed with its root. */
typedef struct sc_flow_tree {
    sc_slice queue; /* qualified name of its queue, "bull:email" */
    const sc_job *job;
    size_t child_count;
    const struct sc_flow_tree
        *children; /* completed, not finished, failed, ignored ones, in this order */
} sc_flow_tree;

typedef struct sc_flow_get_opts {
    sc_slice prefix;      /* of the root's queue; empty: "bull" */
    int depth;            /* levels, the root's included; 0: 10; at most 100 */
    int64_t max_children; /* of each kind of each job; 0: 20; at most 1,000 */
} sc_flow_get_opts;

/* Reads the flow below job `id` of a queue, as far as `opts` (NULL: zeroed) goes. Job by job, not at one moment; jobs that are gone are
 * left out. SC_ENOJOB: there is no such root; SC_ETOOBIG: more than 10,000 jobs. Free with sc_flow_tree_free. */
SC_API SC_MUST_USE sc_err sc_flow_get(sc_client *client, sc_slice queue, sc_slice id,
                                      const sc_flow_get_opts *opts, sc_flow_tree **ret_tree,
                                      sc_reason *ret_reason);

/* The root that sc_flow_get() gave. NULL is fine. */
SC_API void sc_flow_tree_free(sc_flow_tree *root);

/* Children of job `id` of one kind, about `count` (1 to 1,000) of them from `from` on: 0, then what the list before says in `next`. They
 * come in no order (failed ones as they failed). While children come and go some may be met twice or not at all; small
 * collections come as a whole. No such job: none. Free with sc_child_list_free. */
SC_API SC_MUST_USE sc_err sc_queue_get_dependencies(sc_queue *queue, sc_slice id,
                                                    sc_child_kind kind, uint64_t from,
                                                    int64_t count, sc_child_list **ret_children,
                                                    sc_reason *ret_reason);

/* The results of all completed children, by their keys in the order of bytes; read in slices. SC_ETOOBIG over 1,000,000 children or
 * 256 MiB. Free with sc_child_list_free. */
SC_API SC_MUST_USE sc_err sc_queue_get_children_values(sc_queue *queue, sc_slice id,
                                                       sc_child_list **ret_children,
                                                       sc_reason *ret_reason);

/* Likewise the failures that the parent goes on in spite of. */
SC_API SC_MUST_USE sc_err sc_queue_get_ignored_children_failures(sc_queue *queue, sc_slice id,
                                                                 sc_child_list **ret_children,
                                                                 sc_reason *ret_reason);

/* Makes job `id` of this queue nobody's child; a parent that waited for nothing else is run. `*ret_removed` (may be NULL) is
 * false when it has no parent, or one that does not wait for it any more. SC_ENOJOB; SC_EPARENT: its parent is gone. */
SC_API SC_MUST_USE sc_err sc_queue_remove_child_dependency(sc_queue *queue, sc_slice id,
                                                           bool *ret_removed,
                                                           sc_reason *ret_reason);

/* Removes the children that job `id` waits for, with those that they wait for, in slices of 200; then it is run. What a worker
 * has, and what has failed, stays. No such job is no error. */
SC_API SC_MUST_USE sc_err sc_queue_remove_unprocessed_children(sc_queue *queue, sc_slice id,
                                                               sc_reason *ret_reason);

#ifdef __cplusplus
}
#endif
#endif
