#include "op_cancel.h"

#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/log.h"
#include "script.h"
#include "scripts.h"
#include "op_work.h"

#define REACH "100000" /* ids of a list that are looked at from each end */

enum { REASON_MAX = 4096, ID_DIGITS_MAX = 10 };

static sc_err reason_of(sc__str *out, sc_slice reason, sc_reason *ret_reason)
{
    sc__str_text(out, "cancelled");
    if (reason.len) {
        sc__str_text(out, ": ");
        sc__str_append(out, reason);
    }
    if (out->err)
        return sc__because(ret_reason, out->err, "a reason of %zu bytes; at most %d", reason.len,
                           REASON_MAX);
    return SC_OK;
}

sc_err sc__op_cancel(sc_client *client, const sc__queue_keys *keys, sc_slice id, sc_slice reason,
                     sc_cancel_result *ret_result, sc_reason *ret_reason)
{
    AUTO_STR text = STR_MAX(REASON_MAX + 16);
    sc_slice script_keys[SC__WORK_KEYS];
    int64_t number;
    sc_err err = reason_of(&text, reason, ret_reason);

    if (err)
        return err;
    sc__work_keys(keys, script_keys);

    const sc_slice args[] = {keys->base,           SC_S(""),   SC_S(""), SC_S(""), id,
                             sc__str_slice(&text), SC_S(REACH)};

    _Static_assert(SC__SCRIPT_KEYS_cancelJob == SC__WORK_KEYS, "cancelJob's keys");
    err = sc__script_call_number(client, &SC__SCRIPT_cancelJob, script_keys, args, 7, &number,
                                 ret_reason);
    if (!err)
        *ret_result = (sc_cancel_result)number;
    return err;
}

void sc__cancel_channel(sc__str *out, const sc__queue_keys *keys)
{
    sc__str_append(out, keys->base);
    sc__str_text(out, "sc:cancel");
}

/* The text up to `end`, which is dropped as well. */
static bool cut(sc_slice *rest, char end, sc_slice *ret_part)
{
    const char *at = rest->len ? memchr(rest->ptr, end, rest->len) : NULL;

    if (!at)
        return false;
    *ret_part = (sc_slice){rest->ptr, (size_t)(at - rest->ptr)};
    rest->len -= ret_part->len + 1;
    rest->ptr = at + 1;
    return true;
}

bool sc__cancel_message_read(sc_slice message, sc__cancel_message *ret_message)
{
    sc_slice digits;
    int64_t len;

    if (!cut(&message, ':', &digits) || digits.len > ID_DIGITS_MAX ||
        !sc__int_parse(digits, &len) || len < 0 || (uint64_t)len > message.len)
        return false;
    ret_message->id = (sc_slice){message.ptr, (size_t)len};
    message.ptr += len;
    message.len -= (size_t)len;
    if (!cut(&message, '\n', &ret_message->token))
        return false;
    ret_message->reason = message;
    return true;
}

static void mark_stays(const char *why)
{
    sc__log(SC_LOG_WARN, "the mark of a cancelled job that was completed stays: %s", why);
}

static void on_undone(void *user, sc_err err, const sc_reply *reply)
{
    (void)user;
    if (err)
        mark_stays(sc_err_text(err));
    else if (reply->type == SC_REPLY_ERROR)
        mark_stays(reply->str.ptr);
}

void sc__op_uncancel(sc_client *client, const sc__queue_keys *keys, sc_slice id)
{
    AUTO_STR job = STR_MAX(SC__JOB_KEY_MAX);
    const sc__send_opts again = {.idempotent = true};
    sc_err err = sc__queue_job_key(&job, keys, id, "", NULL);

    if (!err) {
        const sc_slice argv[] = {SC_S("HDEL"), sc__str_slice(&job), SC_S("defa")};

        err = sc__client_send(client, argv, 3, &again, on_undone, NULL);
    }
    if (err)
        mark_stays(sc_err_text(err));
}
