/* What the cache does in Redis, one function each; op_cache_load.h has what belongs to loads. All wait, up to `timeout_ms` (0: the
 * client's own), and fail as sc__client_send_wait() does; a refusal of the server is SC_EREPLY or
 * SC_EREADONLY. `ret_reason` may be NULL. */
#ifndef SC_OPS_OP_CACHE_H
#define SC_OPS_OP_CACHE_H

#include "cache_tags.h"
#include "redis/client.h"

enum {
    SC__CACHE_DEL_MAX = 100, /* keys a call: some 150 us of the server */
    SC__CACHE_MANY_MAX = 100
};

/* What a key holds, and the versions of `tags` (NULL: none) as of the same moment: `ret_versions` has their number. One command.
 * `*ret_stored`, a string or nil, lies in `*ret_reply`; free that with sc_reply_free. */
SC_MUST_USE sc_err sc__op_cache_get(sc_client *client, sc_slice key, const sc__tag_keys *tags,
                                    int64_t timeout_ms, sc_reply **ret_reply,
                                    const sc_reply **ret_stored, sc__tag_version *ret_versions,
                                    sc_reason *ret_reason);

/* The same without waiting. What the callback gets is read by the second, if it is no error: `tag_count` as it was asked for;
 * `*ret_stored` lies in `reply`. */
SC_MUST_USE sc_err sc__op_cache_get_async(sc_client *client, sc_slice key, const sc__tag_keys *tags,
                                          int64_t timeout_ms, sc_reply_cb cb, void *user);
SC_MUST_USE sc_err sc__op_cache_got(const sc_reply *reply, size_t tag_count,
                                    const sc_reply **ret_stored, sc__tag_version *ret_versions,
                                    sc_reason *ret_reason);

/* The versions of tags, by their keys. One command. */
SC_MUST_USE sc_err sc__op_cache_tags(sc_client *client, const sc_slice *keys, size_t count,
                                     int64_t timeout_ms, sc__tag_version *ret_versions,
                                     sc_reason *ret_reason);

/* What many keys hold, up to SC__CACHE_MANY_MAX, one item each: a string, or something else for nothing. They lie in
 * `*ret_reply`; free that with sc_reply_free. One command. */
SC_MUST_USE sc_err sc__op_cache_get_many(sc_client *client, const sc_slice *keys, size_t count,
                                         int64_t timeout_ms, sc_reply **ret_reply,
                                         const sc_reply **ret_items, sc_reason *ret_reason);

SC_MUST_USE sc_err sc__op_cache_set(sc_client *client, sc_slice key, sc_slice stored,
                                    int64_t ttl_ms, int64_t timeout_ms, sc_reason *ret_reason);

/* Stores where nothing lies. */
SC_MUST_USE sc_err sc__op_cache_add(sc_client *client, sc_slice key, sc_slice stored,
                                    int64_t ttl_ms, int64_t timeout_ms, bool *ret_stored,
                                    sc_reason *ret_reason);
SC_MUST_USE sc_err sc__op_cache_add_async(sc_client *client, sc_slice key, sc_slice stored,
                                          int64_t ttl_ms, int64_t timeout_ms, sc_reply_cb cb,
                                          void *user);

/* How many values the answer to such a command, or to those that fill, says are stored. */
int64_t sc__op_cache_stored(const sc_reply *reply);

/* Deletes or expires all values that have one of these tags. */
SC_MUST_USE sc_err sc__op_cache_bump(sc_client *client, const sc__tag_keys *tags, sc__tag_word word,
                                     int64_t timeout_ms, sc_reason *ret_reason);

/* Deletes 1 to SC__CACHE_DEL_MAX keys; leases go, but don't count. */
SC_MUST_USE sc_err sc__op_cache_del(sc_client *client, const sc_slice *keys, size_t count,
                                    int64_t timeout_ms, int64_t *ret_removed,
                                    sc_reason *ret_reason);

/* The same with a callback, which sees the raw reply. A tag's key may be among them: its values are dead then. `clock`: the key of
 * the tag clock. */
SC_MUST_USE sc_err sc__op_cache_del_async(sc_client *client, sc_slice clock, const sc_slice *keys,
                                          size_t count, int64_t timeout_ms, sc_reply_cb cb,
                                          void *user);

/* Whether a key holds a value that can be read. Another type than a string is none. */
SC_MUST_USE sc_err sc__op_cache_exists(sc_client *client, sc_slice key, int64_t timeout_ms,
                                       bool *ret_exists, sc_reason *ret_reason);

/* A slice of the keys that match. Start with cursor "0"; `*ret_cursor` is "0" at the end. Both results live in
 * `*ret_reply`, to be freed with sc_reply_free. */
SC_MUST_USE sc_err sc__op_cache_scan(sc_client *client, sc_slice cursor, sc_slice pattern,
                                     sc_slice *ret_cursor, const sc_reply **ret_keys,
                                     size_t *ret_count, sc_reply **ret_reply,
                                     sc_reason *ret_reason);

#endif
