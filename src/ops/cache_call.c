#include "cache_call.h"

#include "base/error.h"
#include "redis/reply.h"

/* No end. Redis adds the TTL to its clock and refuses sums beyond int64; nobody waits for 300 years. */
static const int64_t ttl_max_ms = (int64_t)300 * 366 * 86400 * 1000;

sc_err sc__cache_keep_reply(sc_err err, sc_reply *reply, sc_reply **ret_reply,
                            sc_reason *ret_reason)
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

sc_err sc__cache_command(sc_client *client, const sc_slice *argv, size_t argc,
                         const sc__send_opts *opts, sc_reply **ret_reply, sc_reason *ret_reason)
{
    sc_reply *reply = NULL;
    sc_err err = sc__client_send_wait(client, argv, argc, opts, &reply);

    return sc__cache_keep_reply(err, reply, ret_reply, ret_reason);
}

sc_err sc__cache_script(sc_client *client, const sc__script *which, const sc_slice *keys,
                        size_t key_count, const sc_slice *args, size_t arg_count,
                        const sc__send_opts *opts, sc_reply **ret_reply, sc_reason *ret_reason)
{
    sc_reply *reply = NULL;
    sc_err err =
        sc__script_call_wait(client, which, keys, key_count, args, arg_count, opts, &reply);

    return sc__cache_keep_reply(err, reply, ret_reply, ret_reason);
}

sc_err sc__cache_take_int(sc_reply *reply, int64_t *ret_value, sc_reason *ret_reason)
{
    sc_err err = sc__reply_int(reply, ret_value, ret_reason);

    sc_reply_free(reply);
    return err;
}

sc_slice sc__cache_digits(int64_t value, char out[SC__INT_LEN])
{
    return (sc_slice){out, sc__int_text(value, out)};
}

sc_slice sc__cache_ttl_text(int64_t ttl_ms, char out[SC__INT_LEN])
{
    return ttl_ms > ttl_max_ms ? SC_S("") : sc__cache_digits(ttl_ms, out);
}

void sc__cache_read_versions(const sc_reply *items, size_t count, sc__tag_version *ret_versions)
{
    for (size_t i = 0; i < count; i++)
        ret_versions[i] =
            sc__tag_version_read(items[i].type == SC_REPLY_STRING ? items[i].str : SC_S(""));
}

size_t sc__cache_add_tags(sc_slice *args, size_t count, const sc__tag_keys *tags)
{
    for (size_t i = 0; i < tags->count; i++)
        args[count++] = tags->keys[i];
    return count;
}
