/* Counting requests, for the limiter. */
#ifndef SC_OPS_OP_COUNT_H
#define SC_OPS_OP_COUNT_H

#include "redis/client.h"

typedef struct sc__request_count {
    bool allowed;
    int64_t remaining, reset_ms;
} sc__request_count;

/* Counts a request, unless its window is full: the one that began with its first request, or that which ends now. The answer is read by
 * sc__request_count_read(). */
SC_MUST_USE sc_err sc__op_count_request(sc_client *client, bool slides, sc_slice key, int64_t max,
                                        int64_t window_ms, int64_t timeout_ms, sc_reply_cb cb,
                                        void *user);
SC_MUST_USE sc_err sc__request_count_read(const sc_reply *reply, sc__request_count *ret_count,
                                          sc_reason *ret_reason);

#endif
