/* Looking at a queue and its jobs. Nothing here changes data, and nothing holds the server: lists are read by
 * ids, then hash by hash in a pipeline.
 *
 * All but the async form wait; SC_EDEADLK on the I/O thread. */
#ifndef SC_OPS_OP_GET_H
#define SC_OPS_OP_GET_H

#include <storychain/queue.h>

#include "keys.h"

#define SC__PAGE_MAX 1000 /* jobs or log rows a call */

/* SC_ENOJOB; SC_ELAYOUT when the key holds something else. Free with sc_job_free. */
SC_MUST_USE sc_err sc__op_get_job(sc_client *client, const sc__queue_keys *keys, sc_slice id,
                                  sc_job **ret_job, sc_reason *ret_reason);

SC_MUST_USE sc_err sc__op_get_state(sc_client *client, const sc__queue_keys *keys, sc_slice id,
                                    sc_job_state *ret_state, sc_reason *ret_reason);

/* Ids of a state, as for sc_queue_get_jobs: an array of strings in the order asked for. */
SC_MUST_USE sc_err sc__op_get_ids(sc_client *client, const sc__queue_keys *keys, sc_job_state state,
                                  int64_t start, int64_t end, bool ascending, sc_reply **ret_reply,
                                  sc_reason *ret_reason);

/* Reads `count` jobs; those that are gone or unreadable are NULL in `ret_jobs`. The caller frees each. */
SC_MUST_USE sc_err sc__op_get_hashes(sc_client *client, const sc__queue_keys *keys,
                                     const sc_slice *ids, size_t count, sc_job **ret_jobs,
                                     sc_reason *ret_reason);

/* `cb` gives its reply to sc__op_counts_reply. */
SC_MUST_USE sc_err sc__op_get_counts(sc_client *client, const sc__queue_keys *keys, sc_reply_cb cb,
                                     void *user);
SC_MUST_USE sc_err sc__op_counts_reply(sc_err err, const sc_reply *reply,
                                       sc_queue_counts *ret_counts, sc_reason *ret_reason);

/* Log rows, oldest first: an array of strings. */
SC_MUST_USE sc_err sc__op_get_logs(sc_client *client, const sc__queue_keys *keys, sc_slice id,
                                   int64_t start, int64_t end, sc_reply **ret_reply,
                                   sc_reason *ret_reason);

/* Calls `found` for each key that starts with `start`, in no order, some maybe twice; an error of it ends the walk. */
SC_MUST_USE sc_err sc__op_each_key(sc_client *client, sc_slice start,
                                   sc_err (*found)(void *user, sc_slice key), void *user,
                                   sc_reason *ret_reason);

/* Calls `found` for each queue under the prefix, in no order, some maybe twice. */
SC_MUST_USE sc_err sc__op_discover(sc_client *client, sc_slice prefix,
                                   sc_err (*found)(void *user, sc_slice name), void *user,
                                   sc_reason *ret_reason);

#endif
