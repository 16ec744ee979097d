/* What the cache's operations (op_cache.h, op_cache_load.h, op_count.h) have in common. Replies that they give are no error replies, and to be freed
 * with sc_reply_free; a refusal of the server is SC_EREPLY or SC_EREADONLY. `ret_reason` may be NULL. */
#ifndef SC_OPS_CACHE_CALL_H
#define SC_OPS_CACHE_CALL_H

#include "base/str.h"
#include "cache_tags.h"
#include "redis/client.h"
#include "script.h"

SC_MUST_USE sc_err sc__cache_command(sc_client *client, const sc_slice *argv, size_t argc,
                                     const sc__send_opts *opts, sc_reply **ret_reply,
                                     sc_reason *ret_reason);
SC_MUST_USE sc_err sc__cache_script(sc_client *client, const sc__script *which,
                                    const sc_slice *keys, size_t key_count, const sc_slice *args,
                                    size_t arg_count, const sc__send_opts *opts,
                                    sc_reply **ret_reply, sc_reason *ret_reason);

/* What both do with how a call ended: `*ret_reply` is `reply` if that is no error. */
SC_MUST_USE sc_err sc__cache_keep_reply(sc_err err, sc_reply *reply, sc_reply **ret_reply,
                                        sc_reason *ret_reason);

/* The reply is a number; frees it. */
SC_MUST_USE sc_err sc__cache_take_int(sc_reply *reply, int64_t *ret_value, sc_reason *ret_reason);

/* A number as text in `out`. */
sc_slice sc__cache_digits(int64_t value, char out[SC__INT_LEN]);

/* A TTL as Redis takes it; empty for no end. */
sc_slice sc__cache_ttl_text(int64_t ttl_ms, char out[SC__INT_LEN]);

/* Appends the keys of tags to arguments. Returns how many there are then. */
size_t sc__cache_add_tags(sc_slice *args, size_t count, const sc__tag_keys *tags);

/* The versions that tags' keys hold, from items of an array. */
void sc__cache_read_versions(const sc_reply *items, size_t count, sc__tag_version *ret_versions);

#endif
