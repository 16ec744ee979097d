#include "op_settings.h"

#include "base/error.h"
#include "redis/reply.h"
#include "script.h"
#include "scripts.h"

#define LIMITER_FULL "9007199254740991" /* BullMQ's number: more than any limit */
#define TRIM_SLICE "10000"              /* events a call */

static const sc__send_opts again = {.idempotent = true};

/* One command, of which only success matters or, with `ret_number`, the number. */
static sc_err run(sc_client *client, const sc_slice *argv, size_t argc, int64_t *ret_number,
                  sc_reason *ret_reason)
{
    sc_reply *reply = NULL;
    sc_err err = sc__client_send_wait(client, argv, argc, &again, &reply);

    if (err)
        return sc__because(ret_reason, err, "the queue's settings: %s", sc_err_text(err));
    err = ret_number ? sc__reply_int(reply, ret_number, ret_reason)
                     : sc__reply_check(reply, ret_reason);
    sc_reply_free(reply);
    return err;
}

sc_err sc__op_set_concurrency(sc_client *client, const sc__queue_keys *keys, int64_t concurrency,
                              sc_reason *ret_reason)
{
    char digits[SC__INT_LEN];
    const sc_slice argv[] = {SC_S("HSET"),
                             keys->key[SC__KEY_META],
                             SC_S("concurrency"),
                             {digits, sc__int_text(concurrency, digits)}};

    return run(client, argv, 4, NULL, ret_reason);
}

sc_err sc__op_set_rate_limit(sc_client *client, const sc__queue_keys *keys,
                             const sc_global_rate_limit *limit, sc_reason *ret_reason)
{
    char max[SC__INT_LEN], duration[SC__INT_LEN];
    const sc_slice argv[] = {
        SC_S("HSET"),     keys->key[SC__KEY_META],
        SC_S("max"),      {max, sc__int_text(limit->max, max)},
        SC_S("duration"), {duration, sc__int_text(limit->duration_ms, duration)}};

    return run(client, argv, 6, NULL, ret_reason);
}

sc_err sc__op_remove_concurrency(sc_client *client, const sc__queue_keys *keys,
                                 sc_reason *ret_reason)
{
    const sc_slice argv[] = {SC_S("HDEL"), keys->key[SC__KEY_META], SC_S("concurrency")};

    return run(client, argv, 3, NULL, ret_reason);
}

sc_err sc__op_remove_rate_limit(sc_client *client, const sc__queue_keys *keys,
                                sc_reason *ret_reason)
{
    const sc_slice argv[] = {SC_S("HDEL"), keys->key[SC__KEY_META], SC_S("max"), SC_S("duration")};

    return run(client, argv, 4, NULL, ret_reason);
}

static int64_t number_or_zero(sc_slice text)
{
    int64_t number;

    return sc__int_parse(text, &number) ? number : 0;
}

/* Two fields of meta as numbers. */
static sc_err read_meta(sc_client *client, const sc__queue_keys *keys, sc_slice first,
                        sc_slice second, int64_t ret_values[2], sc_reason *ret_reason)
{
    const sc_slice argv[] = {SC_S("HMGET"), keys->key[SC__KEY_META], first, second};
    sc_slice text[2] = {{NULL, 0}, {NULL, 0}};
    const sc_reply *items;
    sc_reply *reply = NULL;
    size_t count;
    sc_err err = sc__client_send_wait(client, argv, 4, &again, &reply);

    if (err)
        return sc__because(ret_reason, err, "reading the queue's meta: %s", sc_err_text(err));
    err = sc__reply_array(reply, &items, &count, ret_reason);
    if (!err && count != 2)
        err = sc__because(ret_reason, SC_EPROTO, "the server sent %zu values instead of 2", count);
    for (size_t i = 0; !err && i < 2; i++)
        err = sc__reply_str(&items[i], &text[i], ret_reason);
    for (size_t i = 0; !err && i < 2; i++)
        ret_values[i] = number_or_zero(text[i]);
    sc_reply_free(reply);
    return err;
}

sc_err sc__op_get_concurrency(sc_client *client, const sc__queue_keys *keys,
                              int64_t *ret_concurrency, sc_reason *ret_reason)
{
    int64_t values[2];
    sc_err err =
        read_meta(client, keys, SC_S("concurrency"), SC_S("concurrency"), values, ret_reason);

    if (!err)
        *ret_concurrency = values[0];
    return err;
}

sc_err sc__op_get_rate_limit(sc_client *client, const sc__queue_keys *keys,
                             sc_global_rate_limit *ret_limit, sc_reason *ret_reason)
{
    int64_t values[2];
    sc_err err = read_meta(client, keys, SC_S("max"), SC_S("duration"), values, ret_reason);

    /* Half a limit is none, as for BullMQ. */
    if (!err)
        *ret_limit = values[0] && values[1] ? (sc_global_rate_limit){values[0], values[1]}
                                            : (sc_global_rate_limit){0, 0};
    return err;
}

sc_err sc__op_is_maxed(sc_client *client, const sc__queue_keys *keys, bool *ret_maxed,
                       sc_reason *ret_reason)
{
    const sc_slice script_keys[] = {keys->key[SC__KEY_META], keys->key[SC__KEY_ACTIVE]};
    int64_t number;
    sc_err err;

    SC__SCRIPT_CHECK_KEYS(isMaxed, script_keys);
    err = sc__script_call_number(client, &SC__SCRIPT_isMaxed, script_keys, NULL, 0, &number,
                                 ret_reason);
    if (!err)
        *ret_maxed = number != 0;
    return err;
}

sc_err sc__op_fill_limiter(sc_client *client, const sc__queue_keys *keys, int64_t duration_ms,
                           sc_reason *ret_reason)
{
    char digits[SC__INT_LEN];
    const sc_slice argv[] = {SC_S("SET"),
                             keys->key[SC__KEY_LIMITER],
                             SC_S(LIMITER_FULL),
                             SC_S("PX"),
                             {digits, sc__int_text(duration_ms, digits)}};

    return run(client, argv, 5, NULL, ret_reason);
}

sc_err sc__op_empty_limiter(sc_client *client, const sc__queue_keys *keys, sc_reason *ret_reason)
{
    const sc_slice argv[] = {SC_S("DEL"), keys->key[SC__KEY_LIMITER]};

    return run(client, argv, 2, NULL, ret_reason);
}

sc_err sc__op_limiter_ttl(sc_client *client, const sc__queue_keys *keys, int64_t max_jobs,
                          int64_t *ret_ttl_ms, sc_reason *ret_reason)
{
    char digits[SC__INT_LEN];
    const sc_slice arg = {digits, sc__int_text(max_jobs, digits)};
    const sc_slice script_keys[] = {keys->key[SC__KEY_LIMITER], keys->key[SC__KEY_META]};

    SC__SCRIPT_CHECK_KEYS(getRateLimitTtl, script_keys);
    return sc__script_call_number(client, &SC__SCRIPT_getRateLimitTtl, script_keys, &arg, 1,
                                  ret_ttl_ms, ret_reason);
}

sc_err sc__op_priority_counts(sc_client *client, const sc__queue_keys *keys, const sc_slice *args,
                              size_t count, int64_t *ret_counts, sc_reason *ret_reason)
{
    const sc_slice script_keys[] = {keys->key[SC__KEY_WAIT], keys->key[SC__KEY_PRIORITIZED]};
    const sc_reply *items;
    sc_reply *reply = NULL;
    size_t n;
    sc_err err;

    SC__SCRIPT_CHECK_KEYS(getPriorityCounts, script_keys);
    err = sc__script_call_wait(client, &SC__SCRIPT_getPriorityCounts, script_keys, 2, args, count,
                               &again, &reply);
    if (err)
        return sc__because(ret_reason, err, "counting priorities: %s", sc_err_text(err));
    err = sc__reply_array(reply, &items, &n, ret_reason);
    if (!err && n != count)
        err = sc__because(ret_reason, SC_EPROTO, "the server sent %zu counts instead of %zu", n,
                          count);
    for (size_t i = 0; !err && i < n; i++)
        err = sc__reply_int(&items[i], &ret_counts[i], ret_reason);
    sc_reply_free(reply);
    return err;
}

sc_err sc__op_trim_events(sc_client *client, const sc__queue_keys *keys, int64_t keep,
                          int64_t *ret_removed, sc_reason *ret_reason)
{
    char digits[SC__INT_LEN];
    const sc_slice argv[] = {
        SC_S("XTRIM"),
        keys->key[SC__KEY_EVENTS],
        SC_S("MAXLEN"),
        SC_S("~"),
        {digits, sc__int_text(keep, digits)},
        SC_S("LIMIT"),
        SC_S(TRIM_SLICE),
    };
    int64_t removed = 0, some;
    sc_err err;

    do {
        err = run(client, argv, sizeof(argv) / sizeof(*argv), &some, ret_reason);
        removed += err ? 0 : some;
    } while (!err && some > 0);
    if (!err)
        *ret_removed = removed;
    return err;
}
