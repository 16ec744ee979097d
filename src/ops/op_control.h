/* Steering a queue and single jobs. All of these wait; SC_EDEADLK on the I/O thread. */
#ifndef SC_OPS_OP_CONTROL_H
#define SC_OPS_OP_CONTROL_H

#include <storychain/client.h>

#include "keys.h"

/* The queue's `meta`: cap of the event stream and the version of the layout. `cb` gets the reply as it is. */
SC_MUST_USE sc_err sc__op_write_meta(sc_client *client, const sc__queue_keys *keys,
                                     int64_t max_events, sc_reply_cb cb, void *user);

/* Notes in meta that jobs of this queue may have options of ours (`opts.sc`). */
SC_MUST_USE sc_err sc__op_mark_extensions(sc_client *client, const sc__queue_keys *keys,
                                          sc_reply_cb cb, void *user);

SC_MUST_USE sc_err sc__op_pause(sc_client *client, const sc__queue_keys *keys,
                                sc_reason *ret_reason);

/* Takes jobs that BullMQ 5 left in `paused` over into `wait`, in slices. */
SC_MUST_USE sc_err sc__op_resume(sc_client *client, const sc__queue_keys *keys,
                                 sc_reason *ret_reason);
SC_MUST_USE sc_err sc__op_is_paused(sc_client *client, const sc__queue_keys *keys, bool *ret_paused,
                                    sc_reason *ret_reason);

/* With all children, in slices, or without. SC_ENOJOB, SC_ELOCKLOST, SC_ESCHEDULED. */
SC_MUST_USE sc_err sc__op_remove(sc_client *client, const sc__queue_keys *keys, sc_slice id,
                                 bool keep_children, sc_reason *ret_reason);

/* SC_ENOJOB, SC_EJOBSTATE. `reset_…`: the attempts made or started count from 0 again. */
SC_MUST_USE sc_err sc__op_retry(sc_client *client, const sc__queue_keys *keys, sc_slice id,
                                bool reset_made, bool reset_started, sc_reason *ret_reason);
SC_MUST_USE sc_err sc__op_promote(sc_client *client, const sc__queue_keys *keys, sc_slice id,
                                  sc_reason *ret_reason);

/* SC_ENOJOB when nobody owns the deduplication id. Free `*ret_owner` with sc_free. */
SC_MUST_USE sc_err sc__op_get_dedup_job(sc_client *client, const sc__queue_keys *keys,
                                        sc_slice dedup_id, char **ret_owner, sc_reason *ret_reason);

/* `owner` empty: whichever job owns it. */
SC_MUST_USE sc_err sc__op_remove_dedup(sc_client *client, const sc__queue_keys *keys,
                                       sc_slice dedup_id, sc_slice owner, bool *ret_freed,
                                       sc_reason *ret_reason);

#endif
