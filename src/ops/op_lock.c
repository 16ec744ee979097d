#include "op_lock.h"

#include "base/arena.h"
#include "base/error.h"
#include "redis/reply.h"
#include "script.h"
#include "scripts.h"

enum { ARGS_BYTES_MAX = 128 * 1024 };

sc_err sc__op_extend_locks(sc_client *client, const sc__queue_keys *keys, const sc__lock *locks,
                           size_t count, int64_t lock_ms, sc_reply_cb cb, void *user)
{
    const sc_slice script_keys[] = {keys->key[SC__KEY_STALLED]};
    const sc__send_opts again = {.idempotent = true};
    sc__arena arena;
    sc__args args;
    sc_err err;

    SC__SCRIPT_CHECK_KEYS(extendLocks, script_keys);
    sc__arena_init(&arena, ARGS_BYTES_MAX);
    sc__args_init(&args, &arena);
    sc__args_slice(&args, keys->base);
    sc__args_int(&args, lock_ms);
    for (size_t i = 0; i < count; i++) {
        sc__args_slice(&args, locks[i].id);
        sc__args_slice(&args, locks[i].token);
    }
    err = args.err;
    if (!err)
        err = sc__script_call(client, &SC__SCRIPT_extendLocks, script_keys, 1, args.items,
                              args.count, &again, cb, user);
    sc__arena_release(&arena);
    return err;
}

static bool are_pairs(const sc_reply *items, size_t count)
{
    for (size_t i = 0; i + 1 < count; i += 2)
        if (items[i].type != SC_REPLY_INT || items[i + 1].type != SC_REPLY_STRING)
            return false;
    return count % 2 == 0;
}

static bool are_places(const sc_reply *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (items[i].type != SC_REPLY_INT)
            return false;
    return true;
}

sc_err sc__extend_locks_read(const sc_reply *reply, sc__lock_news *ret_news, sc_reason *ret_reason)
{
    const sc_reply *parts;
    sc__lock_news news;
    size_t count;
    sc_err err = sc__reply_array(reply, &parts, &count, ret_reason);

    if (err)
        return err;
    if (count != 2)
        return sc__because(ret_reason, SC_EPROTO, "extendLocks answered with %zu values", count);
    err = sc__reply_array(&parts[0], &news.lost, &news.lost_count, ret_reason);
    if (!err)
        err = sc__reply_array(&parts[1], &news.cancelled, &news.cancelled_count, ret_reason);
    if (err)
        return err;
    if (!are_places(news.lost, news.lost_count) || !are_pairs(news.cancelled, news.cancelled_count))
        return sc__because(ret_reason, SC_EPROTO, "extendLocks answered with another type");
    news.cancelled_count /= 2;
    *ret_news = news;
    return SC_OK;
}

sc_err sc__op_move_stalled(sc_client *client, const sc__queue_keys *keys, int64_t max_stalled,
                           int64_t interval_ms, int64_t place, sc_reply_cb cb, void *user)
{
    const sc_slice script_keys[] = {
        keys->key[SC__KEY_STALLED],       keys->key[SC__KEY_WAIT], keys->key[SC__KEY_ACTIVE],
        keys->key[SC__KEY_STALLED_CHECK], keys->key[SC__KEY_META], keys->key[SC__KEY_MARKER],
        keys->key[SC__KEY_EVENTS],
    };
    sc__arena arena;
    sc__args args;
    sc_err err;

    SC__SCRIPT_CHECK_KEYS(moveStalledJobs, script_keys);
    sc__arena_init(&arena, ARGS_BYTES_MAX);
    sc__args_init(&args, &arena);
    sc__args_slice(&args, keys->base);
    sc__args_int(&args, max_stalled);
    sc__args_int(&args, interval_ms);
    sc__args_int(&args, place);
    err = args.err;
    if (!err)
        err = sc__script_call(client, &SC__SCRIPT_moveStalledJobs, script_keys,
                              SC__SCRIPT_KEYS_moveStalledJobs, args.items, args.count, NULL, cb,
                              user);
    sc__arena_release(&arena);
    return err;
}

sc_err sc__move_stalled_read(const sc_reply *reply, int64_t *ret_place, const sc_reply **ret_ids,
                             size_t *ret_count, sc_reason *ret_reason)
{
    const sc_reply *items;
    size_t count;
    sc_err err = sc__reply_array(reply, &items, &count, ret_reason);

    if (err)
        return err;
    if (!count)
        return sc__because(ret_reason, SC_EPROTO, "moveStalledJobs answered with nothing");
    err = sc__reply_int(&items[0], ret_place, ret_reason);
    if (err)
        return err;
    *ret_ids = items + 1;
    *ret_count = count - 1;
    return SC_OK;
}

/* SC_ELOCKLOST when it is not this token's. */
static sc_err check_lock(sc_client *client, sc_slice lock_key, sc_slice token,
                         sc_reason *ret_reason)
{
    const sc__send_opts again = {.idempotent = true};
    const sc_slice argv[] = {SC_S("GET"), lock_key};
    sc_reply *reply = NULL;
    sc_slice held;
    sc_err err = sc__client_send_wait(client, argv, 2, &again, &reply);

    if (err)
        return sc__because(ret_reason, err, "reading a lock: %s", sc_err_text(err));
    err = sc__reply_str(reply, &held, ret_reason);
    if (!err && !sc_slice_eq(held, token))
        err = sc__because(ret_reason, SC_ELOCKLOST, "%s", sc_err_text(SC_ELOCKLOST));
    sc_reply_free(reply);
    return err;
}

static sc_err get_hash(sc_client *client, sc_slice key, sc_reply **ret_reply, sc_reason *ret_reason)
{
    const sc__send_opts again = {.idempotent = true};
    const sc_slice argv[] = {SC_S("HGETALL"), key};
    sc_reply *reply = NULL;
    sc_err err = sc__client_send_wait(client, argv, 2, &again, &reply);

    if (err)
        return sc__because(ret_reason, err, "reading a job: %s", sc_err_text(err));
    err = sc__reply_check(reply, ret_reason);
    if (!err && !reply->count)
        err = sc__because(ret_reason, SC_ENOJOB, "there is no such job");
    if (err)
        sc_reply_free(reply);
    else
        *ret_reply = reply;
    return err;
}

sc_err sc__op_get_locked(sc_client *client, const sc__queue_keys *keys, sc_slice id, sc_slice token,
                         sc_reply **ret_reply, sc_reason *ret_reason)
{
    AUTO_STR job_key = STR_MAX(SC__JOB_KEY_MAX);
    AUTO_STR lock_key = STR_MAX(SC__JOB_KEY_MAX);
    sc_reply *reply = NULL;
    sc_err err = sc__queue_job_key(&job_key, keys, id, "", ret_reason);

    if (!err)
        err = sc__queue_job_key(&lock_key, keys, id, ":lock", ret_reason);
    if (!err)
        err = get_hash(client, sc__str_slice(&job_key), &reply, ret_reason);
    if (!err)
        err = check_lock(client, sc__str_slice(&lock_key), token, ret_reason);
    if (err)
        sc_reply_free(reply);
    else
        *ret_reply = reply;
    return err;
}
