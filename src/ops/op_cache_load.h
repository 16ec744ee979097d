/* What the load of a value does in Redis, one function each: its lease, and what takes the lease's place. They wait and fail as those of
 * op_cache.h do. */
#ifndef SC_OPS_OP_CACHE_LOAD_H
#define SC_OPS_OP_CACHE_LOAD_H

#include "op_cache.h"

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

/* Whether the refusal (SC_EREPLY) is for what the key holds, another type than a string, and not for the server's state. */
bool sc__op_cache_is_other_type(const sc_reason *reason);

/* What many keys hold, as sc__op_cache_get_many() gives it, and puts the lease (empty: none) into those that hold nothing: their items are 1 then, and 0 where that can't be. With "*" as
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
SC_MUST_USE sc_err sc__op_cache_fill_many_async(sc_client *client, const sc__fill_item *items,
                                                size_t count, sc_slice lease, int64_t birth,
                                                int64_t timeout_ms, sc_reply_cb cb, void *user);

/* Gives a standing lease `lease_ms` more, or ends it with 0; or removes an old value, `lease` being how it begins. Doesn't wait and tells no result; any thread. */
void sc__op_cache_hold(sc_client *client, sc_slice key, sc_slice lease, int64_t lease_ms,
                       int64_t timeout_ms);

/* Puts `word` where `lease` still stands, for `life_ms`. Doesn't wait and tells no result; any thread. */
void sc__op_cache_fail(sc_client *client, sc_slice key, sc_slice lease, sc_slice word,
                       int64_t life_ms, int64_t timeout_ms);

#endif
