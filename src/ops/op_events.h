/* The event stream of a queue, and how a job ended. All of these wait; SC_EDEADLK on the I/O thread. */
#ifndef SC_OPS_OP_EVENTS_H
#define SC_OPS_OP_EVENTS_H

#include <storychain/events.h>

#include "keys.h"

#define SC__STREAM_ID_LEN 41 /* two numbers of 20 digits */

/* An entry's id as text with its NUL. */
typedef struct sc__stream_id {
    char text[SC__STREAM_ID_LEN + 1];
} sc__stream_id;

/* False for what is no id. */
SC_MUST_USE bool sc__stream_id_set(sc__stream_id *id, sc_slice text);

/* The newest entry's id; "0-0" for a stream that is empty. */
SC_MUST_USE sc_err sc__op_last_event(sc_client *client, const sc__queue_keys *keys,
                                     sc__stream_id *ret_id, sc_reason *ret_reason);

SC_MUST_USE sc_err sc__op_publish_event(sc_client *client, const sc__queue_keys *keys,
                                        sc_slice name, const sc_event_field *fields, size_t count,
                                        int64_t max_len, sc_reason *ret_reason);

/* `*ret_result` is NULL when the job has not ended. `timeout_ms` 0: the client's. SC_ENOJOB. */
SC_MUST_USE sc_err sc__op_is_finished(sc_client *client, const sc__queue_keys *keys, sc_slice id,
                                      int64_t timeout_ms, sc_job_result **ret_result);

/* `text` (the return value or the reason) is copied. NULL without memory. */
SC_MUST_USE sc_job_result *sc__job_result_new(sc_job_state state, sc_slice text);

#endif
