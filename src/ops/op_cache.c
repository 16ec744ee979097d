#include "op_cache.h"

#include "base/error.h"
#include "cache_call.h"
#include "redis/reply.h"
#include "scripts.h"

enum { SCAN_COUNT = 500, TAG_LIFE_MS = 24 * 3600 * 1000 };

/* MGET's answer has an item for each key. */
static sc_err read_items(const sc_reply *reply, size_t count, const sc_reply **ret_items,
                         sc_reason *ret_reason)
{
    size_t got;
    sc_err err = sc__reply_array(reply, ret_items, &got, ret_reason);

    if (!err && got != count)
        err = sc__because(ret_reason, SC_EPROTO, "MGET answered with %zu values, not %zu", got,
                          count);
    return err;
}

sc_err sc__op_cache_get_many(sc_client *client, const sc_slice *keys, size_t count,
                             int64_t timeout_ms, sc_reply **ret_reply, const sc_reply **ret_items,
                             sc_reason *ret_reason)
{
    const sc__send_opts opts = {.timeout_ms = timeout_ms, .idempotent = true};
    sc_slice argv[1 + SC__CACHE_MANY_MAX] = {SC_S("MGET")};
    sc_err err;

    memcpy(argv + 1, keys, count * sizeof(*keys));
    err = sc__cache_command(client, argv, count + 1, &opts, ret_reply, ret_reason);
    if (err)
        return err;
    err = read_items(*ret_reply, count, ret_items, ret_reason);
    if (err)
        sc_reply_free(*ret_reply);
    return err;
}

/* GET, or MGET with the keys of tags. Returns how many words that are. */
static size_t get_args(sc_slice key, const sc__tag_keys *tags, sc_slice argv[2 + SC__TAGS_MAX])
{
    const size_t count = tags ? tags->count : 0;

    argv[0] = count ? SC_S("MGET") : SC_S("GET");
    argv[1] = key;
    if (count)
        memcpy(argv + 2, tags->keys, count * sizeof(*argv));
    return 2 + count;
}

sc_err sc__op_cache_get(sc_client *client, sc_slice key, const sc__tag_keys *tags,
                        int64_t timeout_ms, sc_reply **ret_reply, const sc_reply **ret_stored,
                        sc__tag_version *ret_versions, sc_reason *ret_reason)
{
    const sc__send_opts opts = {.timeout_ms = timeout_ms, .idempotent = true};
    sc_slice argv[2 + SC__TAGS_MAX];
    sc_err err =
        sc__cache_command(client, argv, get_args(key, tags, argv), &opts, ret_reply, ret_reason);

    if (err)
        return err;
    err =
        sc__op_cache_got(*ret_reply, tags ? tags->count : 0, ret_stored, ret_versions, ret_reason);
    if (err)
        sc_reply_free(*ret_reply);
    return err;
}

sc_err sc__op_cache_get_async(sc_client *client, sc_slice key, const sc__tag_keys *tags,
                              int64_t timeout_ms, sc_reply_cb cb, void *user)
{
    const sc__send_opts opts = {.timeout_ms = timeout_ms, .idempotent = true};
    sc_slice argv[2 + SC__TAGS_MAX];

    return sc__client_send(client, argv, get_args(key, tags, argv), &opts, cb, user);
}

sc_err sc__op_cache_got(const sc_reply *reply, size_t tag_count, const sc_reply **ret_stored,
                        sc__tag_version *ret_versions, sc_reason *ret_reason)
{
    const sc_reply *items;
    sc_err err;

    if (!tag_count) {
        *ret_stored = reply;
        return SC_OK;
    }
    err = read_items(reply, tag_count + 1, &items, ret_reason);
    if (err)
        return err;
    *ret_stored = &items[0];
    sc__cache_read_versions(items + 1, tag_count, ret_versions);
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
    sc__cache_read_versions(items, count, ret_versions);
    sc_reply_free(reply);
    return SC_OK;
}

sc_err sc__op_cache_set(sc_client *client, sc_slice key, sc_slice stored, int64_t ttl_ms,
                        int64_t timeout_ms, sc_reason *ret_reason)
{
    char number[SC__INT_LEN];
    const sc_slice argv[] = {SC_S("SET"), key, stored, SC_S("PX"),
                             sc__cache_ttl_text(ttl_ms, number)};
    /* Not sent twice: between the two, someone may have deleted it again. */
    const sc__send_opts opts = {.timeout_ms = timeout_ms};
    sc_reply *reply = NULL;
    sc_err err = sc__cache_command(client, argv, argv[4].len ? 5 : 3, &opts, &reply, ret_reason);

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
    argv[5] = sc__cache_ttl_text(ttl_ms, number);
    return argv[5].len ? 6 : 4;
}

sc_err sc__op_cache_add(sc_client *client, sc_slice key, sc_slice stored, int64_t ttl_ms,
                        int64_t timeout_ms, bool *ret_stored, sc_reason *ret_reason)
{
    const sc__send_opts opts = {.timeout_ms = timeout_ms};
    char number[SC__INT_LEN];
    sc_slice argv[6];
    sc_reply *reply = NULL;
    sc_err err = sc__cache_command(client, argv, add_args(key, stored, ttl_ms, number, argv), &opts,
                                   &reply, ret_reason);

    if (err)
        return err;
    *ret_stored = sc__op_cache_stored(reply) == 1;
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

int64_t sc__op_cache_stored(const sc_reply *reply)
{
    if (reply->type == SC_REPLY_INT)
        return reply->integer;
    return reply->type != SC_REPLY_NIL; /* OK, or nothing */
}

sc_err sc__op_cache_bump(sc_client *client, const sc__tag_keys *tags, sc__tag_word word,
                         int64_t timeout_ms, sc_reason *ret_reason)
{
    char number[SC__INT_LEN];
    sc_slice args[2 + SC__TAGS_MAX] = {word == SC__TAG_EXPIRES ? SC_S("expire") : SC_S("delete"),
                                       sc__cache_digits(TAG_LIFE_MS, number)};
    const sc__send_opts opts = {.timeout_ms = timeout_ms, .idempotent = true};
    sc_reply *reply = NULL;
    int64_t clock;
    sc_err err = sc__cache_script(client, &SC__SCRIPT_cacheBumpTags, &tags->clock, 1, args,
                                  sc__cache_add_tags(args, 2, tags), &opts, &reply, ret_reason);

    return err ? err : sc__cache_take_int(reply, &clock, ret_reason);
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
    err = sc__cache_script(client, &SC__SCRIPT_cacheDel, two, 2, args,
                           del_args(keys, count, false, args), &opts, &reply, ret_reason);
    return err ? err : sc__cache_take_int(reply, ret_removed, ret_reason);
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
    sc_err err = sc__cache_command(client, argv, 2, opts, &reply, ret_reason);

    if (!err)
        err = sc__cache_take_int(reply, &count, ret_reason);
    if (!err)
        *ret_exists = count == 1;
    return err;
}

sc_err sc__op_cache_exists(sc_client *client, sc_slice key, int64_t timeout_ms, bool *ret_exists,
                           sc_reason *ret_reason)
{
    char number[SC__INT_LEN];
    const sc_slice argv[] = {SC_S("GETRANGE"), key, SC_S("0"),
                             sc__cache_digits(SC__ENVELOPE_MAX, number)};
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
    err = sc__cache_keep_reply(err, reply, &reply, ret_reason);
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
                             pattern,      SC_S("COUNT"), sc__cache_digits(SCAN_COUNT, number)};
    const sc__send_opts opts = {.idempotent = true};
    sc_reply *reply = NULL;
    sc_err err = sc__cache_command(client, argv, 6, &opts, &reply, ret_reason);

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
