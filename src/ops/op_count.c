#include "op_count.h"

#include "base/error.h"
#include "cache_call.h"
#include "redis/reply.h"
#include "scripts.h"

sc_err sc__request_count_read(const sc_reply *reply, sc__request_count *ret_count,
                              sc_reason *ret_reason)
{
    int64_t values[3];
    const sc_reply *items;
    size_t count = 3;
    sc_err err = sc__reply_check(reply, ret_reason);

    if (!err)
        err = sc__reply_array(reply, &items, &count, ret_reason);
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
                            int64_t window_ms, int64_t timeout_ms, sc_reply_cb cb, void *user)
{
    char max_text[SC__INT_LEN], window_text[SC__INT_LEN];
    const sc_slice args[] = {sc__cache_digits(max, max_text),
                             sc__cache_digits(window_ms, window_text)};
    const sc__send_opts opts = {.timeout_ms = timeout_ms};

    return sc__script_call(client, slides ? &SC__SCRIPT_countSliding : &SC__SCRIPT_countRequest,
                           &key, 1, args, 2, &opts, cb, user);
}
