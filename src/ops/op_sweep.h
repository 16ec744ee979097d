/* One slice of what touches many jobs of a queue. All of these wait; SC_EDEADLK on the I/O thread. */
#ifndef SC_OPS_OP_SWEEP_H
#define SC_OPS_OP_SWEEP_H

#include <storychain/client.h>

#include "keys.h"

#define SC__SWEEP_SLICE 250   /* jobs a call: one or two ms of the server's time */
#define SC__LIST_REACH 200000 /* the longest list that a job is looked for in */

/* Which jobs of one place are to be removed. */
typedef struct sc__clean {
    sc__queue_key place; /* WAIT, PAUSED, ACTIVE, PRIORITIZED, DELAYED, COMPLETED or FAILED */
    int64_t latest_ms;   /* jobs with a later date stay */
    int64_t skip;        /* jobs to pass over: those that earlier slices left */
    int64_t most;        /* jobs to remove */
} sc__clean;

SC_MUST_USE sc_err sc__op_clean_slice(sc_client *client, const sc__queue_keys *keys,
                                      const sc__clean *clean, int64_t *ret_looked,
                                      int64_t *ret_removed, sc_reason *ret_reason);

/* The event that a clean leaves. */
SC_MUST_USE sc_err sc__op_emit_cleaned(sc_client *client, const sc__queue_keys *keys, int64_t count,
                                       sc_reason *ret_reason);

/* Jobs of FAILED, COMPLETED or DELAYED go to wait: up to `most`, with a score up to `highest`. */
SC_MUST_USE sc_err sc__op_move_slice(sc_client *client, const sc__queue_keys *keys,
                                     sc__queue_key place, sc_slice highest, int64_t most,
                                     int64_t *ret_moved, sc_reason *ret_reason);

/* Removes those of `count` jobs that are in no state. `ret_looked`: how many of them, from the first on, were looked at; at least
 * one. SC_EBUSY when more jobs wait than can be looked through. */
SC_MUST_USE sc_err sc__op_remove_orphans(sc_client *client, const sc__queue_keys *keys,
                                         const sc_slice *ids, size_t count, size_t *ret_looked,
                                         int64_t *ret_removed, sc_reason *ret_reason);

/* 0: the queue is gone. SC_ESTATE: not paused; SC_EBUSY: jobs are active, and not `force`. */
SC_MUST_USE sc_err sc__op_obliterate_slice(sc_client *client, const sc__queue_keys *keys,
                                           bool force, int64_t *ret_removed, sc_reason *ret_reason);

#endif
