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
    bool dedup;                  /* by the `de` of its opts */
    sc_slice parent_key, parent; /* its parent's full key, and what is stored; empty: none */
} sc__add_job;

/* Where a new job goes, as scripts name it: "W" to the tail of wait, "H" to its head, "D" delayed, "P" prioritized. */
const char *sc__add_state_of(const sc__add_job *job);

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

/* What became of a batch's jobs, to be walked through in their order. Borrows from the reply. */
typedef struct sc__add_answer {
    int64_t number; /* of the next job; one with an id of its own uses its number up, too */
    int64_t place;  /* of the next job in the batch */
    const sc_reply
        *owners; /* pairs: place of a job that was not stored, owner of its dedup id or a code */
    size_t owner_count;
} sc__add_answer;

SC_MUST_USE sc_err sc__op_add_reply(sc_err err, const sc_reply *reply, sc__add_answer *ret_answer,
                                    sc_reason *ret_reason);

/* The next job's number, or the code (< 0) of a job that was refused; `*ret_owner` is the id of the job that stays
 * in its stead, len 0: none. */
int64_t sc__add_answer_next(sc__add_answer *answer, sc_slice *ret_owner);

#endif
