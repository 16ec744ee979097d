/* Flows: parents that wait for their children, in whatever queues.
 *
 * A job becomes a child by sc_job_opts.parent. Its parent keeps it among those that are pending, and when it has ended with
 * its result or its failure; see sc_child_kind. A parent without pending children is run.
 *
 * All of these wait for the server and are thread-safe; SC_EDEADLK on the client's I/O thread. `ret_reason` may be
 * NULL. SC_EINVAL for what BullMQ would refuse.
 *
 * Since 0.1. */
#ifndef STORYCHAIN_FLOW_H
#define STORYCHAIN_FLOW_H

#include <storychain/queue.h>

#ifdef __cplusplus
extern "C" {
#endif

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

/* Removes the children that job `id` waits for, with those that they wait for, in slices of 500; then it is run. What a worker
 * has, and what has failed, stays. No such job is no error. */
SC_API SC_MUST_USE sc_err sc_queue_remove_unprocessed_children(sc_queue *queue, sc_slice id,
                                                               sc_reason *ret_reason);

#ifdef __cplusplus
}
#endif
#endif
