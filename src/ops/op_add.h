/* Adding jobs: many a script call, in order. */
#ifndef SC_OPS_OP_ADD_H
#define SC_OPS_OP_ADD_H

#include "base/arena.h"
#include "keys.h"
#include "script.h"

/* A job to add, checked and encoded. Slices are borrowed until the call that takes it was sent. */
typedef struct sc__add_job {
    sc_slice id; /* its own id; empty: the queue's next number */
    sc_slice name, data;
    sc_slice opts; /* as stored */
    int64_t timestamp_ms, delay_ms, priority;
    bool lifo;
} sc__add_job;

/* One call's worth of jobs, bounded so that the server is busy with it for a millisecond or two. */
typedef struct sc__add_batch {
    sc__arena arena;
    sc__args args;
    const sc__add_job *last; /* what the open group's jobs have in common */
    size_t group_at;         /* where in `args` the open group's count stands */
    size_t group_count;
    size_t count, bytes;
} sc__add_batch;

/* A batch may be used again and again: reset between calls keeps its memory. */
void sc__add_batch_init(sc__add_batch *batch);
void sc__add_batch_release(sc__add_batch *batch);
void sc__add_batch_reset(sc__add_batch *batch);

/* Appends a job; false when the batch is full (the first job always fits). `job` must stay until the send. */
bool sc__add_batch_put(sc__add_batch *batch, const sc__add_job *job);

/* Sends a batch that is not empty. `cb` gives its reply to sc__op_add_reply. */
SC_MUST_USE sc_err sc__op_add(sc_client *client, const sc__queue_keys *keys, sc__add_batch *batch,
                              sc_reply_cb cb, void *user);

/* `*ret_first` is the number of the batch's first job; the others have the following ones. A job with an id of its own uses its number
 * up, too. */
SC_MUST_USE sc_err sc__op_add_reply(sc_err err, const sc_reply *reply, int64_t *ret_first,
                                    sc_reason *ret_reason);

#endif
