/* What the cache and the limiter do in Redis, one function each. All wait, up to `timeout_ms` (0: the
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

/* The versions of tags, by their keys. One command. */
SC_MUST_USE sc_err sc__op_cache_tags(sc_client *client, const sc_slice *keys, size_t count,
                                     int64_t timeout_ms, sc__tag_version *ret_versions,
                                     sc_reason *ret_reason);

/* A right to load, and to store what was loaded. */
typedef struct sc__lease_order {
    sc_slice lease;
    int64_t lease_ms;
    sc_slice replaces; /* how an unusable value begins; empty: no such; "*": whatever is there */
    const sc__tag_keys *tags; /* that the value will have for sure */
    int64_t life_ms;          /* of the value */
} sc__lease_order;

/* Puts the lease into the key, if it holds nothing or what the order replaces: then `*ret_birth` is the tag clock. Else it is -1,
 * and `*ret_held` is what the key holds, a string: free it with sc_reply_free. */
SC_MUST_USE sc_err sc__op_cache_lease(sc_client *client, sc_slice key, const sc__lease_order *order,
                                      int64_t timeout_ms, int64_t *ret_birth, sc_reply **ret_held,
                                      sc_reason *ret_reason);

/* What many keys hold, up to SC__CACHE_MANY_MAX, one item each: a string, or something else for nothing. They lie in
 * `*ret_reply`; free that with sc_reply_free. One command. */
SC_MUST_USE sc_err sc__op_cache_get_many(sc_client *client, const sc_slice *keys, size_t count,
                                         int64_t timeout_ms, sc_reply **ret_reply,
                                         const sc_reply **ret_items, sc_reason *ret_reason);

/* The same, and puts the lease (empty: none) into those that hold nothing: their items are 1 then, and 0 where that can't be. With "*" as
 * `replaces` into all. Behind the keys' items come the contents of the order's tags. */
SC_MUST_USE sc_err sc__op_cache_lease_many(sc_client *client, const sc_slice *keys, size_t count,
                                           const sc__lease_order *order, int64_t timeout_ms,
                                           int64_t *ret_birth, sc_reply **ret_reply,
                                           const sc_reply **ret_items, sc_reason *ret_reason);

/* Asks for the right to load a value anew that lies in `key`; the lease stands in `lease_key` then. `*ret_birth`: the tag clock, -1:
 * another has it, or there is no value; else `head` has how the value begins, `*ret_head_len` bytes of at most `head_max`. */
SC_MUST_USE sc_err sc__op_cache_refresh(sc_client *client, sc_slice key, sc_slice lease_key,
                                        const sc__lease_order *order, int64_t timeout_ms,
                                        char *head, size_t head_max, int64_t *ret_birth,
                                        size_t *ret_head_len, sc_reason *ret_reason);

/* Puts `stored` (a value in its envelope) where what begins with `over` still stands (a lease, an older value), unless one of its
 * tags has changed since `birth`. */
typedef struct sc__fill {
    sc_slice over, stored;
    int64_t ttl_ms;
    int64_t birth;
    const sc__tag_keys *tags;
} sc__fill;

SC_MUST_USE sc_err sc__op_cache_fill(sc_client *client, sc_slice key, const sc__fill *fill,
                                     int64_t timeout_ms, bool *ret_stored, sc_reason *ret_reason);
SC_MUST_USE sc_err sc__op_cache_fill_async(sc_client *client, sc_slice key, const sc__fill *fill,
                                           int64_t timeout_ms, sc_reply_cb cb, void *user);

/* Stores many values that were loaded with one lease; where that is empty, where nothing lies. `key` is each one's; a TTL of 0 only
 * gives the lease up. Up to SC__CACHE_MANY_MAX. */
typedef struct sc__fill_item {
    sc_slice key, stored;
    int64_t ttl_ms;
    const sc__tag_keys *tags;
} sc__fill_item;

SC_MUST_USE sc_err sc__op_cache_fill_many(sc_client *client, const sc__fill_item *items,
                                          size_t count, sc_slice lease, int64_t birth,
                                          int64_t timeout_ms, int64_t *ret_stored,
                                          sc_reason *ret_reason);

/* Gives a standing lease `lease_ms` more, or ends it with 0; or removes an old value, `lease` being how it begins. Doesn't wait and tells no result; any thread. */
void sc__op_cache_hold(sc_client *client, sc_slice key, sc_slice lease, int64_t lease_ms,
                       int64_t timeout_ms);

/* Puts `word` where `lease` still stands, for `life_ms`. Doesn't wait and tells no result; any thread. */
void sc__op_cache_fail(sc_client *client, sc_slice key, sc_slice lease, sc_slice word,
                       int64_t life_ms, int64_t timeout_ms);

SC_MUST_USE sc_err sc__op_cache_set(sc_client *client, sc_slice key, sc_slice stored,
                                    int64_t ttl_ms, int64_t timeout_ms, sc_reason *ret_reason);

/* Stores where nothing lies. */
SC_MUST_USE sc_err sc__op_cache_add(sc_client *client, sc_slice key, sc_slice stored,
                                    int64_t ttl_ms, int64_t timeout_ms, bool *ret_stored,
                                    sc_reason *ret_reason);
SC_MUST_USE sc_err sc__op_cache_add_async(sc_client *client, sc_slice key, sc_slice stored,
                                          int64_t ttl_ms, int64_t timeout_ms, sc_reply_cb cb,
                                          void *user);

/* What the answer to one of these two says. */
bool sc__op_cache_has_stored(const sc_reply *reply);

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

typedef struct sc__request_count {
    bool allowed;
    int64_t remaining, reset_ms;
} sc__request_count;

/* Counts a request, unless its window is full: the one that began with its first request, or that which ends now. */
SC_MUST_USE sc_err sc__op_count_request(sc_client *client, bool slides, sc_slice key, int64_t max,
                                        int64_t window_ms, int64_t timeout_ms,
                                        sc__request_count *ret_count, sc_reason *ret_reason);

#endif
