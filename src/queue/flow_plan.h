/* A flow before it is sent: its trees laid out level by level, their nodes checked and encoded. */
#ifndef SC_QUEUE_FLOW_PLAN_H
#define SC_QUEUE_FLOW_PLAN_H

#include <storychain/flow.h>

#include "add_span.h"
#include "ops/op_flow.h"

/* A node of the trees, which are laid out level by level: BullMQ adds them in this order. */
typedef struct sc__flow_place {
    const sc_flow_node *node;
    size_t parent; /* its place; SIZE_MAX: a root */
    size_t below;  /* nodes of its tree, itself included */
    size_t order;  /* among all ids: each node before its children */
    size_t next;   /* `order` of its next child, while these are counted */
} sc__flow_place;

typedef struct sc__flow_plan {
    const sc_flow_opts *opts;
    const sc__add_span *span; /* its metadata goes with each job */
    sc__flow_place place[SC_FLOW_NODES_MAX];
    sc__flow_job job[SC_FLOW_NODES_MAX]; /* by places */
    size_t count, bytes;
    int64_t now_ms;
    sc__arena arena;
    sc__str marked; /* options of a node with the span's metadata */
} sc__flow_plan;

/* `opts` and `span` must outlive it; so must what the nodes of `sc__flow_plan_make` point to. */
void sc__flow_plan_init(sc__flow_plan *plan, const sc_flow_opts *opts, const sc__add_span *span);
void sc__flow_plan_release(sc__flow_plan *plan);

/* Once. SC_EINVAL, SC_ETOOBIG, SC_ENOMEM with a reason that names the node. */
SC_MUST_USE sc_err sc__flow_plan_make(sc__flow_plan *plan, const sc_flow_node *roots, size_t count,
                                      sc_reason *ret_reason);

/* The ids of all nodes, each before those of its children. NULL without memory. */
SC_MUST_USE sc_id_list *sc__flow_plan_ids(sc__flow_plan *plan);

#endif
