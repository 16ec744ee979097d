/* Cancelling a job, from the caller's side and from that of the worker that has it. */
#ifndef SC_OPS_OP_CANCEL_H
#define SC_OPS_OP_CANCEL_H

#include <storychain/control.h>

#include "base/str.h"
#include "keys.h"

/* As sc_queue_cancel. `reason` may be empty. Waits; SC_EDEADLK on the I/O thread. */
SC_MUST_USE sc_err sc__op_cancel(sc_client *client, const sc__queue_keys *keys, sc_slice id,
                                 sc_slice reason, sc_cancel_result *ret_result,
                                 sc_reason *ret_reason);

/* Where a queue's cancellations of running jobs are told. Appends to `out`. */
void sc__cancel_channel(sc__str *out, const sc__queue_keys *keys);

/* What was told: the lock under which the job runs, and why it is cancelled. Slices point into the message. */
typedef struct sc__cancel_message {
    sc_slice id, token, reason;
} sc__cancel_message;

/* False when it is none. */
SC_MUST_USE bool sc__cancel_message_read(sc_slice message, sc__cancel_message *ret_message);

/* The job was completed all the same, so nothing is to keep it from running again. Doesn't wait; a failure is the next
 * caller's to meet. */
void sc__op_uncancel(sc_client *client, const sc__queue_keys *keys, sc_slice id);

#endif
