#include "op_named_lock.h"

#include "base/error.h"
#include "base/str.h"
#include "redis/reply.h"
#include "script.h"
#include "scripts.h"

static const sc__send_opts twice_is_once = {.idempotent = true};

static sc_slice digits(int64_t value, char out[SC__INT_LEN])
{
    return (sc_slice){out, sc__int_text(value, out)};
}

static bool has_hash_tag(sc_slice key)
{
    const char *open = memchr(key.ptr, '{', key.len);
    const char *close = open ? memchr(open, '}', (size_t)(key.ptr + key.len - open)) : NULL;

    return close && close > open + 1;
}

/* Where the numbers of a lock come from: in the lock's own slot of a cluster. */
static void write_counter_key(sc__str *out, sc_slice key)
{
    const bool has_tag = has_hash_tag(key);

    sc__str_text(out, has_tag ? "" : "{");
    sc__str_append(out, key);
    sc__str_text(out, has_tag ? ":fence" : "}:fence");
}

sc_err sc__acquire_lock_read(const sc_reply *reply, sc__lock_try *ret_try, sc_reason *ret_reason)
{
    const sc_reply *items = NULL;
    int64_t taken = 0, value = 0;
    size_t count = 0;
    sc_err err = sc__reply_check(reply, ret_reason);

    if (!err)
        err = sc__reply_array(reply, &items, &count, ret_reason);
    if (!err && count != 2)
        return sc__because(ret_reason, SC_EPROTO, "acquireLock answered with %zu values, not 2",
                           count);
    if (!err)
        err = sc__reply_int(&items[0], &taken, ret_reason);
    if (!err)
        err = sc__reply_int(&items[1], &value, ret_reason);
    if (!err)
        *ret_try = taken == 1 ? (sc__lock_try){true, value, 0} : (sc__lock_try){false, 0, value};
    return err;
}

sc_err sc__op_acquire_lock(sc_client *client, sc_slice key, sc_slice token, int64_t hold_ms,
                           sc_reply_cb cb, void *user)
{
    AUTO_STR counter = STR_MAX(SC__NAMED_LOCK_KEY_MAX + 16);
    char number[SC__INT_LEN];
    const sc_slice args[] = {token, digits(hold_ms, number)};

    write_counter_key(&counter, key);
    const sc_slice keys[] = {key, sc__str_slice(&counter)};
    SC__SCRIPT_CHECK_KEYS(acquireLock, keys);
    return counter.err ? counter.err
                       : sc__script_call(client, &SC__SCRIPT_acquireLock, keys, 2, args, 2,
                                         &twice_is_once, cb, user);
}

sc_err sc__op_keep_lock(sc_client *client, sc_slice key, sc_slice token, int64_t hold_ms,
                        sc_reply_cb cb, void *user)
{
    char number[SC__INT_LEN];
    const sc_slice args[] = {token, digits(hold_ms, number)};
    const sc__send_opts opts = {.timeout_ms = hold_ms, .idempotent = true};

    return sc__script_call(client, &SC__SCRIPT_holdLock, &key, 1, args, 2, &opts, cb, user);
}

sc_err sc__hold_lock_read(const sc_reply *reply, bool *ret_held)
{
    int64_t held = 0;
    sc_err err = sc__reply_check(reply, NULL);

    if (!err)
        err = sc__reply_int(reply, &held, NULL);
    if (!err)
        *ret_held = held == 1;
    return err;
}

sc_err sc__op_end_lock(sc_client *client, sc_slice key, sc_slice token, sc_reply_cb cb, void *user)
{
    const sc_slice args[] = {token, SC_S("0")};

    /* Not sent twice: the second would say that it was lost. */
    return sc__script_call(client, &SC__SCRIPT_holdLock, &key, 1, args, 2, &(sc__send_opts){0}, cb,
                           user);
}
