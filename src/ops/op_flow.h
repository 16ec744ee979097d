/* Adding trees of jobs over many queues, all of them or none. */
#ifndef SC_OPS_OP_FLOW_H
#define SC_OPS_OP_FLOW_H

#include "op_add.h"

/* A job of a tree. `job.id` is set; parents stand before their children. */
typedef struct sc__flow_job {
    sc_slice base; /* of its queue, "bull:email:" */
    sc__add_job job;
    bool own_id;       /* the id is the caller's, and may exist */
    bool has_children; /* it waits for them */
} sc__flow_job;

/* Sends; everything is copied. `cb` gives its reply to sc__op_add_flow_reply. */
SC_MUST_USE sc_err sc__op_add_flow(sc_client *client, const sc__flow_job *jobs, size_t count,
                                   sc_reply_cb cb, void *user);

/* SC_EPARENT, SC_EINVAL (an id is there twice): nothing was added, and the reason says which key is meant. */
SC_MUST_USE sc_err sc__op_add_flow_reply(sc_err err, const sc_reply *reply, sc_reason *ret_reason);

#endif
