#include "op_cache.h"

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"
#include "redis/reply.h"
#include "scripts.h"

enum { SCAN_COUNT = 500, TAG_LIFE_MS = 24 * 3600 * 1000 };

/* No end. Redis adds the TTL to its clock and refuses sums beyond int64; nobody waits for 300 years. */
static const int64_t ttl_max_ms = (int64_t)300 * 366 * 86400 * 1000;

/* `*ret_reply` is set only when it is no error reply. */
static sc_err keep_reply(sc_err err, sc_reply *reply, sc_reply **ret_reply, sc_reason *ret_reason)
{
    if (err)
        return sc__because(ret_reason, err, "%s", sc_err_text(err));
    err = sc__reply_check(reply, ret_reason);
    if (err) {
        sc_reply_free(reply);
        return err;
    }
    *ret_reply = reply;
    return SC_OK;
}

static sc_err command(sc_client *client, const sc_slice *argv, size_t argc,
                      const sc__send_opts *opts, sc_reply **ret_reply, sc_reason *ret_reason)
{
    sc_reply *reply = NULL;
    sc_err err = sc__client_send_wait(client, argv, argc, opts, &reply);

    return keep_reply(err, reply, ret_reply, ret_reason);
}

static sc_err script(sc_client *client, const sc__script *which, sc_slice key, const sc_slice *args,
                     size_t arg_count, const sc__send_opts *opts, sc_reply **ret_reply,
                     sc_reason *ret_reason)
{
    sc_reply *reply = NULL;
    sc_err err = sc__script_call_wait(client, which, &key, 1, args, arg_count, opts, &reply);

    return keep_reply(err, reply, ret_reply, ret_reason);
}

/* The reply is a number; frees it. */
static sc_err take_int(sc_reply *reply, int64_t *ret_value, sc_reason *ret_reason)
{
    sc_err err = sc__reply_int(reply, ret_value, ret_reason);

    sc_reply_free(reply);
    return err;
}

static sc_slice digits(int64_t value, char out[SC__INT_LEN])
{
    return (sc_slice){out, sc__int_text(value, out)};
}

/* The TTL as Redis takes it; empty for no end. */
static sc_slice ttl_text(int64_t ttl_ms, char out[SC__INT_LEN])
{
    return ttl_ms > ttl_max_ms ? SC_S("") : digits(ttl_ms, out);
}

/* Items of an array that begin at `items`. */
static void read_versions(const sc_reply *items, size_t count, sc__tag_version *ret_versions)
{
    for (size_t i = 0; i < count; i++)
        ret_versions[i] =
            sc__tag_version_read(items[i].type == SC_REPLY_STRING ? items[i].str : SC_S(""));
}

/* MGET. `argv` has the keys from its second place on. */
static sc_err get_many(sc_client *client, sc_slice *argv, size_t count, int64_t timeout_ms,
                       sc_reply **ret_reply, const sc_reply **ret_items, sc_reason *ret_reason)
{
    const sc__send_opts opts = {.timeout_ms = timeout_ms, .idempotent = true};
    size_t got;
    sc_err err;

    argv[0] = SC_S("MGET");
    err = command(client, argv, count + 1, &opts, ret_reply, ret_reason);
    if (err)
        return err;
    err = sc__reply_array(*ret_reply, ret_items, &got, ret_reason);
    if (!err && got != count)
        err = sc__because(ret_reason, SC_EPROTO, "MGET answered with %zu values, not %zu", got,
                          count);
    if (err)
        sc_reply_free(*ret_reply);
    return err;
}

sc_err sc__op_cache_get_many(sc_client *client, const sc_slice *keys, size_t count,
                             int64_t timeout_ms, sc_reply **ret_reply, const sc_reply **ret_items,
                             sc_reason *ret_reason)
{
    sc_slice argv[1 + SC__CACHE_MANY_MAX];

    memcpy(argv + 1, keys, count * sizeof(*keys));
    return get_many(client, argv, count, timeout_ms, ret_reply, ret_items, ret_reason);
}

sc_err sc__op_cache_get(sc_client *client, sc_slice key, const sc__tag_keys *tags,
                        int64_t timeout_ms, sc_reply **ret_reply, const sc_reply **ret_stored,
                        sc__tag_version *ret_versions, sc_reason *ret_reason)
{
    sc_slice argv[2 + SC__TAGS_MAX] = {SC_S("GET"), key};
    const sc__send_opts opts = {.timeout_ms = timeout_ms, .idempotent = true};
    const sc_reply *items;
    sc_err err;

    if (!tags || !tags->count) {
        err = command(client, argv, 2, &opts, ret_reply, ret_reason);
        if (!err)
            *ret_stored = *ret_reply;
        return err;
    }
    memcpy(argv + 2, tags->keys, tags->count * sizeof(*argv));
    err = get_many(client, argv, tags->count + 1, timeout_ms, ret_reply, &items, ret_reason);
    if (err)
        return err;
    *ret_stored = &items[0];
    read_versions(items + 1, tags->count, ret_versions);
    return SC_OK;
}

sc_err sc__op_cache_tags(sc_client *client, const sc_slice *keys, size_t count, int64_t timeout_ms,
                         sc__tag_version *ret_versions, sc_reason *ret_reason)
{
    const sc_reply *items;
    sc_reply *reply;
    sc_err err = sc__op_cache_get_many(client, keys, count, timeout_ms, &reply, &items, ret_reason);

    if (err)
        return err;
    read_versions(items, count, ret_versions);
    sc_reply_free(reply);
    return SC_OK;
}

/* Appends the keys of tags to arguments. */
static size_t add_tags(sc_slice *args, size_t count, const sc__tag_keys *tags)
{
    for (size_t i = 0; i < tags->count; i++)
        args[count++] = tags->keys[i];
    return count;
}

static sc_err script2(sc_client *client, const sc__script *which, const sc_slice keys[2],
                      const sc_slice *args, size_t arg_count, const sc__send_opts *opts,
                      sc_reply **ret_reply, sc_reason *ret_reason)
{
    sc_reply *reply = NULL;
    sc_err err = sc__script_call_wait(client, which, keys, 2, args, arg_count, opts, &reply);

    return keep_reply(err, reply, ret_reply, ret_reason);
}

sc_err sc__op_cache_lease(sc_client *client, sc_slice key, const sc__lease_order *order,
                          int64_t timeout_ms, int64_t *ret_birth, sc_reply **ret_held,
                          sc_reason *ret_reason)
{
    char number[SC__INT_LEN], life[SC__INT_LEN];
    const sc_slice keys[] = {key, order->tags->clock};
    sc_slice args[4 + SC__TAGS_MAX] = {order->lease, digits(order->lease_ms, number),
                                       order->replaces, ttl_text(order->life_ms, life)};
    /* Sent twice, the second finds its own lease, and is answered as the first was. */
    const sc__send_opts opts = {.timeout_ms = timeout_ms, .idempotent = true};
    sc_reply *reply = NULL;
    sc_err err;

    SC__SCRIPT_CHECK_KEYS(cacheLease, keys);
    err = script2(client, &SC__SCRIPT_cacheLease, keys, args, add_tags(args, 4, order->tags), &opts,
                  &reply, ret_reason);
    if (err)
        return err;
    if (reply->type != SC_REPLY_STRING)
        return take_int(reply, ret_birth, ret_reason);
    *ret_birth = -1;
    *ret_held = reply;
    return SC_OK;
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
        order->lease, digits(order->lease_ms, number), ttl_text(order->life_ms, life),
        sc_slice_eq(order->replaces, SC_S("*")) ? SC_S("1") : SC_S("0"),
        digits((int64_t)count, count_text)};
    const sc__send_opts opts = {.timeout_ms = timeout_ms, .idempotent = true};
    size_t arg_count;
    sc_err err;

    memcpy(args + 5, keys, count * sizeof(*keys));
    arg_count = add_tags(args, 5 + count, order->tags);
    err = script(client, &SC__SCRIPT_cacheLeaseMany, order->tags->clock, args, arg_count, &opts,
                 ret_reply, ret_reason);
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
    const sc_slice args[] = {order->lease, digits(order->lease_ms, number), key,
                             digits((int64_t)head_max, max_text)};
    const sc__send_opts opts = {.timeout_ms = timeout_ms, .idempotent = true};
    sc_reply *reply = NULL;
    sc_err err;

    SC__SCRIPT_CHECK_KEYS(cacheRefresh, keys);
    err = script2(client, &SC__SCRIPT_cacheRefresh, keys, args, 4, &opts, &reply, ret_reason);
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
    args[2] = ttl_text(fill->ttl_ms, ret_args->number);
    args[3] = digits(fill->birth, ret_args->birth);
    ret_args->count = add_tags(args, 4, fill->tags);
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
    err =
        script2(client, &SC__SCRIPT_cacheFill, a.keys, a.args, a.count, &opts, &reply, ret_reason);
    if (err)
        return err;
    *ret_stored = sc__op_cache_has_stored(reply);
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

sc_err sc__op_cache_fill_many(sc_client *client, const sc__fill_item *items, size_t count,
                              sc_slice lease, int64_t birth, int64_t timeout_ms,
                              int64_t *ret_stored, sc_reason *ret_reason)
{
    const sc__send_opts opts = {.timeout_ms = timeout_ms, .idempotent = true};
    char number[SC__INT_LEN];
    sc_reply *reply = NULL;
    sc__arena arena;
    sc__args args;
    sc_err err;

    sc__arena_init(&arena, SIZE_MAX / 2);
    sc__args_init(&args, &arena);
    sc__args_slice(&args, lease);
    sc__args_int(&args, birth);
    for (size_t i = 0; i < count; i++) {
        sc_slice life = ttl_text(items[i].ttl_ms, number);

        sc__args_slice(&args, items[i].key);
        sc__args_slice(&args, items[i].stored);
        if (life.len)
            sc__args_int(&args, items[i].ttl_ms);
        else
            sc__args_slice(&args, life);
        sc__args_int(&args, (int64_t)items[i].tags->count);
        for (size_t t = 0; t < items[i].tags->count; t++)
            sc__args_slice(&args, items[i].tags->keys[t]);
    }
    err = args.err;
    if (!err)
        err = script(client, &SC__SCRIPT_cacheFillMany, items[0].tags->clock, args.items,
                     args.count, &opts, &reply, ret_reason);
    if (!err)
        err = take_int(reply, ret_stored, ret_reason);
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
    const sc_slice args[] = {lease, digits(lease_ms, number)};
    const sc__send_opts opts = {.timeout_ms = timeout_ms, .idempotent = true};
    sc_err err =
        sc__script_call(client, &SC__SCRIPT_cacheHold, &key, 1, args, 2, &opts, ignore_reply, NULL);

    (void)err; /* a lease that is not held ends by itself */
}

void sc__op_cache_fail(sc_client *client, sc_slice key, sc_slice lease, sc_slice word,
                       int64_t life_ms, int64_t timeout_ms)
{
    char number[SC__INT_LEN];
    const sc_slice args[] = {lease, word, digits(life_ms, number)};
    const sc__send_opts opts = {.timeout_ms = timeout_ms, .idempotent = true};
    sc_err err =
        sc__script_call(client, &SC__SCRIPT_cacheFail, &key, 1, args, 3, &opts, ignore_reply, NULL);

    (void)err; /* the lease ends by itself then */
}

sc_err sc__op_cache_set(sc_client *client, sc_slice key, sc_slice stored, int64_t ttl_ms,
                        int64_t timeout_ms, sc_reason *ret_reason)
{
    char number[SC__INT_LEN];
    const sc_slice argv[] = {SC_S("SET"), key, stored, SC_S("PX"), ttl_text(ttl_ms, number)};
    /* Not sent twice: between the two, someone may have deleted it again. */
    const sc__send_opts opts = {.timeout_ms = timeout_ms};
    sc_reply *reply = NULL;
    sc_err err = command(client, argv, argv[4].len ? 5 : 3, &opts, &reply, ret_reason);

    if (!err)
        sc_reply_free(reply);
    return err;
}

/* The arguments of SET. Returns how many. `number` is room for the TTL. */
static size_t add_args(sc_slice key, sc_slice stored, int64_t ttl_ms, char number[SC__INT_LEN],
                       sc_slice argv[6])
{
    argv[0] = SC_S("SET");
    argv[1] = key;
    argv[2] = stored;
    argv[3] = SC_S("NX");
    argv[4] = SC_S("PX");
    argv[5] = ttl_text(ttl_ms, number);
    return argv[5].len ? 6 : 4;
}

sc_err sc__op_cache_add(sc_client *client, sc_slice key, sc_slice stored, int64_t ttl_ms,
                        int64_t timeout_ms, bool *ret_stored, sc_reason *ret_reason)
{
    const sc__send_opts opts = {.timeout_ms = timeout_ms};
    char number[SC__INT_LEN];
    sc_slice argv[6];
    sc_reply *reply = NULL;
    sc_err err = command(client, argv, add_args(key, stored, ttl_ms, number, argv), &opts, &reply,
                         ret_reason);

    if (err)
        return err;
    *ret_stored = sc__op_cache_has_stored(reply);
    sc_reply_free(reply);
    return SC_OK;
}

sc_err sc__op_cache_add_async(sc_client *client, sc_slice key, sc_slice stored, int64_t ttl_ms,
                              int64_t timeout_ms, sc_reply_cb cb, void *user)
{
    const sc__send_opts opts = {.timeout_ms = timeout_ms};
    char number[SC__INT_LEN];
    sc_slice argv[6];

    return sc__client_send(client, argv, add_args(key, stored, ttl_ms, number, argv), &opts, cb,
                           user);
}

bool sc__op_cache_has_stored(const sc_reply *reply)
{
    return reply->type == SC_REPLY_INT ? reply->integer == 1 : reply->type != SC_REPLY_NIL;
}

sc_err sc__op_cache_bump(sc_client *client, const sc__tag_keys *tags, sc__tag_word word,
                         int64_t timeout_ms, sc_reason *ret_reason)
{
    char number[SC__INT_LEN];
    sc_slice args[2 + SC__TAGS_MAX] = {word == SC__TAG_EXPIRES ? SC_S("expire") : SC_S("delete"),
                                       digits(TAG_LIFE_MS, number)};
    const sc__send_opts opts = {.timeout_ms = timeout_ms, .idempotent = true};
    sc_reply *reply = NULL;
    int64_t clock;
    sc_err err = script(client, &SC__SCRIPT_cacheBumpTags, tags->clock, args,
                        add_tags(args, 2, tags), &opts, &reply, ret_reason);

    return err ? err : take_int(reply, &clock, ret_reason);
}

/* The arguments of cacheDel after its first key. Returns how many. */
static size_t del_args(const sc_slice *keys, size_t count, bool tags_too, sc_slice *args)
{
    args[0] = sc__envelope_lease_mark();
    args[1] = tags_too ? SC_S("1") : SC_S("0");
    for (size_t i = 1; i < count; i++)
        args[i + 1] = keys[i];
    return count + 1;
}

sc_err sc__op_cache_del(sc_client *client, const sc_slice *keys, size_t count, int64_t timeout_ms,
                        int64_t *ret_removed, sc_reason *ret_reason)
{
    const sc_slice two[] = {keys[0], keys[0]}; /* the clock is left alone */
    sc_slice args[SC__CACHE_DEL_MAX + 1];
    const sc__send_opts opts = {.timeout_ms = timeout_ms, .idempotent = true};
    sc_reply *reply = NULL;
    sc_err err;

    SC__SCRIPT_CHECK_KEYS(cacheDel, two);
    err = script2(client, &SC__SCRIPT_cacheDel, two, args, del_args(keys, count, false, args),
                  &opts, &reply, ret_reason);
    return err ? err : take_int(reply, ret_removed, ret_reason);
}

sc_err sc__op_cache_del_async(sc_client *client, sc_slice clock, const sc_slice *keys, size_t count,
                              int64_t timeout_ms, sc_reply_cb cb, void *user)
{
    const sc_slice two[] = {keys[0], clock};
    sc_slice args[SC__CACHE_DEL_MAX + 1];
    const sc__send_opts opts = {.timeout_ms = timeout_ms, .idempotent = true};

    return sc__script_call(client, &SC__SCRIPT_cacheDel, two, 2, args,
                           del_args(keys, count, true, args), &opts, cb, user);
}

/* An empty value and no value look the same in GETRANGE. */
static sc_err exists_empty(sc_client *client, sc_slice key, const sc__send_opts *opts,
                           bool *ret_exists, sc_reason *ret_reason)
{
    const sc_slice argv[] = {SC_S("EXISTS"), key};
    sc_reply *reply = NULL;
    int64_t count = 0;
    sc_err err = command(client, argv, 2, opts, &reply, ret_reason);

    if (!err)
        err = take_int(reply, &count, ret_reason);
    if (!err)
        *ret_exists = count == 1;
    return err;
}

sc_err sc__op_cache_exists(sc_client *client, sc_slice key, int64_t timeout_ms, bool *ret_exists,
                           sc_reason *ret_reason)
{
    char number[SC__INT_LEN];
    const sc_slice argv[] = {SC_S("GETRANGE"), key, SC_S("0"), digits(SC__ENVELOPE_MAX, number)};
    const sc__send_opts opts = {.timeout_ms = timeout_ms, .idempotent = true};
    sc_reply *reply = NULL;
    sc_slice head, content;
    sc__envelope envelope;
    sc_err err = sc__client_send_wait(client, argv, 4, &opts, &reply);

    if (!err && sc__reply_is_error(reply, "WRONGTYPE")) {
        sc_reply_free(reply);
        *ret_exists = false;
        return SC_OK;
    }
    err = keep_reply(err, reply, &reply, ret_reason);
    if (err)
        return err;
    err = sc__reply_str(reply, &head, ret_reason);
    if (!err && !head.len)
        err = exists_empty(client, key, &opts, ret_exists, ret_reason);
    else if (!err)
        *ret_exists = sc__envelope_read(head, &envelope, &content) == SC__ENVELOPE_VALUE;
    sc_reply_free(reply);
    return err;
}

/* [cursor, [key, …]] */
static sc_err read_scan(const sc_reply *reply, sc_slice *ret_cursor, const sc_reply **ret_keys,
                        size_t *ret_count, sc_reason *ret_reason)
{
    const sc_reply *items, *keys;
    size_t count, key_count;
    sc_slice cursor;
    sc_err err = sc__reply_array(reply, &items, &count, ret_reason);

    if (!err && count != 2)
        return sc__because(ret_reason, SC_EPROTO, "SCAN answered with %zu values, not 2", count);
    if (!err)
        err = sc__reply_str(&items[0], &cursor, ret_reason);
    if (!err)
        err = sc__reply_array(&items[1], &keys, &key_count, ret_reason);
    if (err)
        return err;
    for (size_t i = 0; i < key_count; i++)
        if (keys[i].type != SC_REPLY_STRING)
            return sc__because(ret_reason, SC_EPROTO, "SCAN answered with a key that is no string");
    *ret_cursor = cursor;
    *ret_keys = keys;
    *ret_count = key_count;
    return SC_OK;
}

sc_err sc__op_cache_scan(sc_client *client, sc_slice cursor, sc_slice pattern, sc_slice *ret_cursor,
                         const sc_reply **ret_keys, size_t *ret_count, sc_reply **ret_reply,
                         sc_reason *ret_reason)
{
    char number[SC__INT_LEN];
    const sc_slice argv[] = {SC_S("SCAN"), cursor,        SC_S("MATCH"),
                             pattern,      SC_S("COUNT"), digits(SCAN_COUNT, number)};
    const sc__send_opts opts = {.idempotent = true};
    sc_reply *reply = NULL;
    sc_err err = command(client, argv, 6, &opts, &reply, ret_reason);

    if (err)
        return err;
    err = read_scan(reply, ret_cursor, ret_keys, ret_count, ret_reason);
    if (err) {
        sc_reply_free(reply);
        return err;
    }
    *ret_reply = reply;
    return SC_OK;
}

static sc_err read_request_count(const sc_reply *reply, sc__request_count *ret_count,
                                 sc_reason *ret_reason)
{
    int64_t values[3];
    const sc_reply *items;
    size_t count;
    sc_err err = sc__reply_array(reply, &items, &count, ret_reason);

    if (!err && count != 3)
        return sc__because(ret_reason, SC_EPROTO,
                           "a limiter's script answered with %zu values, not 3", count);
    for (size_t i = 0; !err && i < 3; i++)
        err = sc__reply_int(&items[i], &values[i], ret_reason);
    if (!err)
        *ret_count = (sc__request_count){values[0] == 1, values[1], values[2]};
    return err;
}

sc_err sc__op_count_request(sc_client *client, bool slides, sc_slice key, int64_t max,
                            int64_t window_ms, int64_t timeout_ms, sc__request_count *ret_count,
                            sc_reason *ret_reason)
{
    char max_text[SC__INT_LEN], window_text[SC__INT_LEN];
    const sc_slice args[] = {digits(max, max_text), digits(window_ms, window_text)};
    const sc__send_opts opts = {.timeout_ms = timeout_ms};
    sc_reply *reply = NULL;
    sc_err err = script(client, slides ? &SC__SCRIPT_countSliding : &SC__SCRIPT_countRequest, key,
                        args, 2, &opts, &reply, ret_reason);

    if (err)
        return err;
    err = read_request_count(reply, ret_count, ret_reason);
    sc_reply_free(reply);
    return err;
}
