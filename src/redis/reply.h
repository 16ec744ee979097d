/* Reading replies: the one place that knows their shapes. A wrong shape is SC_EPROTO, an error reply
 * is SC_EREPLY with the server's own words in `ret_reason` (may be NULL). */
#ifndef SC_REDIS_REPLY_H
#define SC_REDIS_REPLY_H

#include <storychain/client.h>

SC_MUST_USE sc_err sc__reply_int(const sc_reply *r, int64_t *ret_value, sc_reason *ret_reason);

/* Nil gives {NULL, 0}. Borrowed from the reply. */
SC_MUST_USE sc_err sc__reply_str(const sc_reply *r, sc_slice *ret_value, sc_reason *ret_reason);
SC_MUST_USE sc_err sc__reply_array(const sc_reply *r, const sc_reply **ret_items, size_t *ret_count,
                                   sc_reason *ret_reason);
SC_MUST_USE sc_err sc__reply_double(const sc_reply *r, double *ret_value, sc_reason *ret_reason);

/* A reply to TIME, asked at `asked_ns` of our monotonic clock: how many ms the server's wall clock is ahead of that clock, as
 * if it had been read halfway. */
SC_MUST_USE sc_err sc__reply_server_ahead(const sc_reply *r, int64_t asked_ns,
                                          int64_t *ret_ahead_ms);

/* SC_OK unless it is an error reply. */
SC_MUST_USE sc_err sc__reply_check(const sc_reply *r, sc_reason *ret_reason);

/* True when it is an error reply that starts with `code` ("WRONGTYPE"). */
bool sc__reply_is_error(const sc_reply *r, const char *code);

/* A deep copy in one allocation; free with sc_reply_free. NULL without memory. */
SC_MUST_USE sc_reply *sc__reply_dup(const sc_reply *r);

#endif
