#include "op_inspect.h"

#include "base/error.h"
#include "redis/reply.h"
#include "script.h"
#include "scripts.h"

enum { ORDER_BITS = 12, METRICS_PARTS = 5 };

static const sc__send_opts again = {.idempotent = true};

static sc_err ask(sc_client *client, const sc_slice *argv, size_t argc, const char *what,
                  sc_reply **ret_reply, sc_reason *ret_reason)
{
    sc_reply *reply = NULL;
    sc_err err = sc__client_send_wait(client, argv, argc, &again, &reply);

    if (err)
        return sc__because(ret_reason, err, "%s: %s", what, sc_err_text(err));
    err = sc__reply_check(reply, ret_reason);
    if (err)
        sc_reply_free(reply);
    else
        *ret_reply = reply;
    return err;
}

sc_err sc__op_get_meta(sc_client *client, const sc__queue_keys *keys, sc_reply **ret_reply,
                       sc_reason *ret_reason)
{
    const sc_slice argv[] = {SC_S("HGETALL"), keys->key[SC__KEY_META]};

    return ask(client, argv, 2, "reading the queue's meta", ret_reply, ret_reason);
}

sc_err sc__op_count_delayed(sc_client *client, const sc__queue_keys *keys, int64_t before_ms,
                            int64_t *ret_count, sc_reason *ret_reason)
{
    char score[SC__INT_LEN + 1] = "(";
    size_t len = 1 + sc__int_text(before_ms << ORDER_BITS, score + 1);
    const sc_slice argv[] = {
        SC_S("ZCOUNT"), keys->key[SC__KEY_DELAYED], SC_S("-inf"), {score, len}};
    sc_reply *reply = NULL;
    sc_err err = ask(client, argv, 4, "counting delayed jobs", &reply, ret_reason);

    if (!err)
        err = sc__reply_int(reply, ret_count, ret_reason);
    sc_reply_free(reply);
    return err;
}

static int64_t number_of(const sc_reply *item)
{
    int64_t number;

    return item->type == SC_REPLY_STRING && sc__int_parse(item->str, &number) ? number : 0;
}

static sc_err read_metrics(const sc_reply *reply, sc_metrics *ret_metrics,
                           const sc_reply **ret_points, sc_reason *ret_reason)
{
    const sc_reply *parts, *points;
    size_t count;
    sc_metrics m = {.count = 0};
    sc_err err = sc__reply_array(reply, &parts, &count, ret_reason);

    if (!err && count != METRICS_PARTS)
        err = sc__because(ret_reason, SC_EPROTO, "the metrics have %zu parts instead of %d", count,
                          METRICS_PARTS);
    if (!err)
        err = sc__reply_int(&parts[3], &m.minutes, ret_reason);
    if (!err)
        err = sc__reply_array(&parts[4], &points, &m.point_count, ret_reason);
    if (err)
        return err;
    m.count = number_of(&parts[0]);
    m.prev_ms = number_of(&parts[1]);
    m.prev_count = number_of(&parts[2]);
    *ret_metrics = m;
    *ret_points = points;
    return SC_OK;
}

sc_err sc__op_get_metrics(sc_client *client, const sc__queue_keys *keys, sc_job_state kind,
                          int64_t start, int64_t end, sc_reply **ret_reply, sc_metrics *ret_metrics,
                          const sc_reply **ret_points, sc_reason *ret_reason)
{
    bool failed = kind == SC_JOB_FAILED;
    const sc_slice script_keys[] = {
        keys->key[failed ? SC__KEY_METRICS_FAILED : SC__KEY_METRICS_COMPLETED],
        keys->key[failed ? SC__KEY_METRICS_FAILED_DATA : SC__KEY_METRICS_COMPLETED_DATA],
    };
    char from[SC__INT_LEN], to[SC__INT_LEN];
    const sc_slice args[] = {{from, sc__int_text(start, from)}, {to, sc__int_text(end, to)}};
    sc_reply *reply = NULL;
    sc_err err;

    SC__SCRIPT_CHECK_KEYS(getMetrics, script_keys);
    err = sc__script_call_wait(client, &SC__SCRIPT_getMetrics, script_keys, 2, args, 2, &again,
                               &reply);
    if (err)
        return sc__because(ret_reason, err, "reading metrics: %s", sc_err_text(err));
    err = read_metrics(reply, ret_metrics, ret_points, ret_reason);
    if (err)
        sc_reply_free(reply);
    else
        *ret_reply = reply;
    return err;
}

sc_err sc__op_list_clients(sc_client *client, sc_reply **ret_reply, sc_reason *ret_reason)
{
    const sc_slice argv[] = {SC_S("CLIENT"), SC_S("LIST")};
    const sc_reply *reply;
    sc_slice text;
    sc_err err = ask(client, argv, 2, "listing the server's clients", ret_reply, ret_reason);

    if (err)
        return err;
    reply = *ret_reply;
    err = sc__reply_str(reply, &text, ret_reason);
    if (err)
        sc_reply_free(*ret_reply);
    return err;
}
