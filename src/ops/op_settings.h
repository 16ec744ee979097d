/* What a queue's `meta` tells all its workers, and its rate limit. All of these wait; SC_EDEADLK on the I/O thread. */
#ifndef SC_OPS_OP_SETTINGS_H
#define SC_OPS_OP_SETTINGS_H

#include <storychain/control.h>

#include "keys.h"

SC_MUST_USE sc_err sc__op_set_concurrency(sc_client *client, const sc__queue_keys *keys,
                                          int64_t concurrency, sc_reason *ret_reason);
SC_MUST_USE sc_err sc__op_set_rate_limit(sc_client *client, const sc__queue_keys *keys,
                                         const sc_global_rate_limit *limit, sc_reason *ret_reason);

SC_MUST_USE sc_err sc__op_remove_concurrency(sc_client *client, const sc__queue_keys *keys,
                                             sc_reason *ret_reason);
SC_MUST_USE sc_err sc__op_remove_rate_limit(sc_client *client, const sc__queue_keys *keys,
                                            sc_reason *ret_reason);

/* One that is not set, or not a number, is 0. */
SC_MUST_USE sc_err sc__op_get_concurrency(sc_client *client, const sc__queue_keys *keys,
                                          int64_t *ret_concurrency, sc_reason *ret_reason);
SC_MUST_USE sc_err sc__op_get_rate_limit(sc_client *client, const sc__queue_keys *keys,
                                         sc_global_rate_limit *ret_limit, sc_reason *ret_reason);
SC_MUST_USE sc_err sc__op_is_maxed(sc_client *client, const sc__queue_keys *keys, bool *ret_maxed,
                                   sc_reason *ret_reason);

/* The limiter is full for so long. */
SC_MUST_USE sc_err sc__op_fill_limiter(sc_client *client, const sc__queue_keys *keys,
                                       int64_t duration_ms, sc_reason *ret_reason);
SC_MUST_USE sc_err sc__op_empty_limiter(sc_client *client, const sc__queue_keys *keys,
                                        sc_reason *ret_reason);
SC_MUST_USE sc_err sc__op_limiter_ttl(sc_client *client, const sc__queue_keys *keys,
                                      int64_t max_jobs, int64_t *ret_ttl_ms, sc_reason *ret_reason);

/* `args` are the priorities as texts. */
SC_MUST_USE sc_err sc__op_priority_counts(sc_client *client, const sc__queue_keys *keys,
                                          const sc_slice *args, size_t count, int64_t *ret_counts,
                                          sc_reason *ret_reason);

SC_MUST_USE sc_err sc__op_trim_events(sc_client *client, const sc__queue_keys *keys, int64_t keep,
                                      int64_t *ret_removed, sc_reason *ret_reason);

#endif
