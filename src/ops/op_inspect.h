/* Reading what a queue stores about itself, and who is connected to it. All of these wait; SC_EDEADLK on the I/O thread.
 *
 * Replies are the caller's: free with sc_reply_free. */
#ifndef SC_OPS_OP_INSPECT_H
#define SC_OPS_OP_INSPECT_H

#include <storychain/inspect.h>

#include "keys.h"

#define SC__METRICS_MAX 20160 /* points a call: two weeks */

/* Names and values of meta's fields, alternating. */
SC_MUST_USE sc_err sc__op_get_meta(sc_client *client, const sc__queue_keys *keys,
                                   sc_reply **ret_reply, sc_reason *ret_reason);

SC_MUST_USE sc_err sc__op_count_delayed(sc_client *client, const sc__queue_keys *keys,
                                        int64_t before_ms, int64_t *ret_count,
                                        sc_reason *ret_reason);

/* The figures are read from the reply into `ret_metrics`, its points are `*ret_points` (strings, borrowed from the reply). */
SC_MUST_USE sc_err sc__op_get_metrics(sc_client *client, const sc__queue_keys *keys,
                                      sc_job_state kind, int64_t start, int64_t end,
                                      sc_reply **ret_reply, sc_metrics *ret_metrics,
                                      const sc_reply **ret_points, sc_reason *ret_reason);

/* CLIENT LIST's text. */
SC_MUST_USE sc_err sc__op_list_clients(sc_client *client, sc_reply **ret_reply,
                                       sc_reason *ret_reason);

#endif
