#include "op_cache_load.h"

#include "base/arena.h"
#include "base/error.h"
#include "cache_call.h"
#include "redis/reply.h"
#include "scripts.h"

sc_err sc__op_cache_lease(sc_client *client, sc_slice key, const sc__lease_order *order,
                          int64_t timeout_ms, int64_t *ret_birth, sc_reply **ret_held,
                          sc_reason *ret_reason)
{
    char number[SC__INT_LEN], life[SC__INT_LEN];
    const sc_slice keys[] = {key, order->tags->clock};
    sc_slice args[4 + SC__TAGS_MAX] = {order->lease, sc__cache_digits(order->lease_ms, number),
                                       order->replaces, sc__cache_ttl_text(order->life_ms, life)};
    /* Sent twice, the second finds its own lease, and is answered as the first was. */
    const sc__send_opts opts = {.timeout_ms = timeout_ms, .idempotent = true};
    sc_reply *reply = NULL;
    sc_err err;

    SC__SCRIPT_CHECK_KEYS(cacheLease, keys);
    err = sc__cache_script(client, &SC__SCRIPT_cacheLease, keys, 2, args,
                           sc__cache_add_tags(args, 4, order->tags), &opts, &reply, ret_reason);
    if (err)
        return err;
    if (reply->type != SC_REPLY_STRING)
        return sc__cache_take_int(reply, ret_birth, ret_reason);
    *ret_birth = -1;
    *ret_held = reply;
    return SC_OK;
}

bool sc__op_cache_is_other_type(const sc_reason *reason)
{
    return strstr(reason->text, "WRONGTYPE") != NULL;
}

/* [clock, item, …] */
static sc_err read_lease_many(const sc_reply *reply, size_t expected, int64_t *ret_birth,
                              const sc_reply **ret_items, sc_reason *ret_reason)
{
    const sc_reply *items;
    size_t count;
    sc_err err = sc__reply_array(reply, &items, &count, ret_reason);

    if (!err && count != expected + 1)
        err = sc__because(ret_reason, SC_EPROTO, "cacheLeaseMany answered with %zu values, not %zu",
                          count, expected + 1);
    if (!err)
        err = sc__reply_int(&items[0], ret_birth, ret_reason);
    if (!err)
        *ret_items = items + 1;
    return err;
}

sc_err sc__op_cache_lease_many(sc_client *client, const sc_slice *keys, size_t count,
                               const sc__lease_order *order, int64_t timeout_ms, int64_t *ret_birth,
                               sc_reply **ret_reply, const sc_reply **ret_items,
                               sc_reason *ret_reason)
{
    char number[SC__INT_LEN], life[SC__INT_LEN], count_text[SC__INT_LEN];
    sc_slice args[5 + SC__CACHE_MANY_MAX + SC__TAGS_MAX] = {
        order->lease, sc__cache_digits(order->lease_ms, number),
        sc__cache_ttl_text(order->life_ms, life),
        sc_slice_eq(order->replaces, SC_S("*")) ? SC_S("1") : SC_S("0"),
        sc__cache_digits((int64_t)count, count_text)};
    const sc__send_opts opts = {.timeout_ms = timeout_ms, .idempotent = true};
    size_t arg_count;
    sc_err err;

    memcpy(args + 5, keys, count * sizeof(*keys));
    arg_count = sc__cache_add_tags(args, 5 + count, order->tags);
    err = sc__cache_script(client, &SC__SCRIPT_cacheLeaseMany, &order->tags->clock, 1, args,
                           arg_count, &opts, ret_reply, ret_reason);
    if (err)
        return err;
    err = read_lease_many(*ret_reply, arg_count - 5, ret_birth, ret_items, ret_reason);
    if (err)
        sc_reply_free(*ret_reply);
    return err;
}

/* [clock, head] or nil */
static sc_err read_refresh(const sc_reply *reply, char *head, size_t head_max, int64_t *ret_birth,
                           size_t *ret_head_len, sc_reason *ret_reason)
{
    const sc_reply *items;
    size_t count;
    sc_slice begins;
    sc_err err;

    *ret_birth = -1;
    *ret_head_len = 0;
    if (reply->type == SC_REPLY_NIL)
        return SC_OK;
    err = sc__reply_array(reply, &items, &count, ret_reason);
    if (!err && count != 2)
        return sc__because(ret_reason, SC_EPROTO, "cacheRefresh answered with %zu values, not 2",
                           count);
    if (!err)
        err = sc__reply_str(&items[1], &begins, ret_reason);
    if (!err)
        err = sc__reply_int(&items[0], ret_birth, ret_reason);
    if (err)
        return err;
    *ret_head_len = begins.len < head_max ? begins.len : head_max;
    memcpy(head, begins.ptr, *ret_head_len);
    return SC_OK;
}

sc_err sc__op_cache_refresh(sc_client *client, sc_slice key, sc_slice lease_key,
                            const sc__lease_order *order, int64_t timeout_ms, char *head,
                            size_t head_max, int64_t *ret_birth, size_t *ret_head_len,
                            sc_reason *ret_reason)
{
    char number[SC__INT_LEN], max_text[SC__INT_LEN];
    const sc_slice keys[] = {lease_key, order->tags->clock};
    const sc_slice args[] = {order->lease, sc__cache_digits(order->lease_ms, number), key,
                             sc__cache_digits((int64_t)head_max, max_text)};
    const sc__send_opts opts = {.timeout_ms = timeout_ms, .idempotent = true};
    sc_reply *reply = NULL;
    sc_err err;

    SC__SCRIPT_CHECK_KEYS(cacheRefresh, keys);
    err = sc__cache_script(client, &SC__SCRIPT_cacheRefresh, keys, 2, args, 4, &opts, &reply,
                           ret_reason);
    if (err)
        return err;
    err = read_refresh(reply, head, head_max, ret_birth, ret_head_len, ret_reason);
    sc_reply_free(reply);
    return err;
}

/* The arguments of cacheFill, behind its keys. */
struct fill_args {
    char number[SC__INT_LEN], birth[SC__INT_LEN];
    sc_slice keys[2], args[4 + SC__TAGS_MAX];
    size_t count;
};

static void make_fill_args(sc_slice key, const sc__fill *fill, struct fill_args *ret_args)
{
    sc_slice *args = ret_args->args;

    ret_args->keys[0] = key;
    ret_args->keys[1] = fill->tags->clock;
    args[0] = fill->over;
    args[1] = fill->stored;
    args[2] = sc__cache_ttl_text(fill->ttl_ms, ret_args->number);
    args[3] = sc__cache_digits(fill->birth, ret_args->birth);
    ret_args->count = sc__cache_add_tags(args, 4, fill->tags);
}

sc_err sc__op_cache_fill(sc_client *client, sc_slice key, const sc__fill *fill, int64_t timeout_ms,
                         bool *ret_stored, sc_reason *ret_reason)
{
    const sc__send_opts opts = {.timeout_ms = timeout_ms, .idempotent = true};
    struct fill_args a;
    sc_reply *reply = NULL;
    sc_err err;

    make_fill_args(key, fill, &a);
    SC__SCRIPT_CHECK_KEYS(cacheFill, a.keys);
    err = sc__cache_script(client, &SC__SCRIPT_cacheFill, a.keys, 2, a.args, a.count, &opts, &reply,
                           ret_reason);
    if (err)
        return err;
    *ret_stored = sc__op_cache_stored(reply) == 1;
    sc_reply_free(reply);
    return SC_OK;
}

sc_err sc__op_cache_fill_async(sc_client *client, sc_slice key, const sc__fill *fill,
                               int64_t timeout_ms, sc_reply_cb cb, void *user)
{
    const sc__send_opts opts = {.timeout_ms = timeout_ms, .idempotent = true};
    struct fill_args a;

    make_fill_args(key, fill, &a);
    return sc__script_call(client, &SC__SCRIPT_cacheFill, a.keys, 2, a.args, a.count, &opts, cb,
                           user);
}

/* The arguments of cacheFillMany, behind its key. */
static sc_err make_fill_many_args(const sc__fill_item *items, size_t count, sc_slice lease,
                                  int64_t birth, sc__args *args)
{
    char number[SC__INT_LEN];

    sc__args_slice(args, lease);
    sc__args_int(args, birth);
    for (size_t i = 0; i < count; i++) {
        sc_slice life = sc__cache_ttl_text(items[i].ttl_ms, number);

        sc__args_slice(args, items[i].key);
        sc__args_slice(args, items[i].stored);
        if (life.len)
            sc__args_int(args, items[i].ttl_ms);
        else
            sc__args_slice(args, life);
        sc__args_int(args, (int64_t)items[i].tags->count);
        for (size_t t = 0; t < items[i].tags->count; t++)
            sc__args_slice(args, items[i].tags->keys[t]);
    }
    return args->err;
}

sc_err sc__op_cache_fill_many(sc_client *client, const sc__fill_item *items, size_t count,
                              sc_slice lease, int64_t birth, int64_t timeout_ms,
                              int64_t *ret_stored, sc_reason *ret_reason)
{
    const sc__send_opts opts = {.timeout_ms = timeout_ms, .idempotent = true};
    sc_reply *reply = NULL;
    sc__arena arena;
    sc__args args;
    sc_err err;

    sc__arena_init(&arena, SIZE_MAX / 2);
    sc__args_init(&args, &arena);
    err = make_fill_many_args(items, count, lease, birth, &args);
    if (!err)
        err = sc__cache_script(client, &SC__SCRIPT_cacheFillMany, &items[0].tags->clock, 1,
                               args.items, args.count, &opts, &reply, ret_reason);
    if (!err)
        err = sc__cache_take_int(reply, ret_stored, ret_reason);
    sc__arena_release(&arena);
    return err;
}

sc_err sc__op_cache_fill_many_async(sc_client *client, const sc__fill_item *items, size_t count,
                                    sc_slice lease, int64_t birth, int64_t timeout_ms,
                                    sc_reply_cb cb, void *user)
{
    const sc__send_opts opts = {.timeout_ms = timeout_ms, .idempotent = true};
    sc__arena arena;
    sc__args args;
    sc_err err;

    sc__arena_init(&arena, SIZE_MAX / 2);
    sc__args_init(&args, &arena);
    err = make_fill_many_args(items, count, lease, birth, &args);
    if (!err)
        err = sc__script_call(client, &SC__SCRIPT_cacheFillMany, &items[0].tags->clock, 1,
                              args.items, args.count, &opts, cb, user);
    sc__arena_release(&arena);
    return err;
}

static void ignore_reply(void *user, sc_err err, const sc_reply *reply)
{
    (void)user, (void)err, (void)reply;
}

void sc__op_cache_hold(sc_client *client, sc_slice key, sc_slice lease, int64_t lease_ms,
                       int64_t timeout_ms)
{
    char number[SC__INT_LEN];
    const sc_slice args[] = {lease, sc__cache_digits(lease_ms, number)};
    const sc__send_opts opts = {.timeout_ms = timeout_ms, .idempotent = true};
    sc_err err =
        sc__script_call(client, &SC__SCRIPT_cacheHold, &key, 1, args, 2, &opts, ignore_reply, NULL);

    (void)err; /* a lease that is not held ends by itself */
}

void sc__op_cache_fail(sc_client *client, sc_slice key, sc_slice lease, sc_slice word,
                       int64_t life_ms, int64_t timeout_ms)
{
    char number[SC__INT_LEN];
    const sc_slice args[] = {lease, word, sc__cache_digits(life_ms, number)};
    const sc__send_opts opts = {.timeout_ms = timeout_ms, .idempotent = true};
    sc_err err =
        sc__script_call(client, &SC__SCRIPT_cacheFail, &key, 1, args, 3, &opts, ignore_reply, NULL);

    (void)err; /* the lease ends by itself then */
}
