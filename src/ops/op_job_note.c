#include "op_job_note.h"

#include "base/arena.h"
#include "base/str.h"
#include "codes.h"
#include "redis/reply.h"
#include "script.h"
#include "scripts.h"

enum { KEY_BYTES_MAX = 64 * 1024 };

static sc_err call(sc_client *client, const sc__script *script, const sc_slice *keys,
                   const sc_slice *args, size_t arg_count, sc_reason *ret_reason)
{
    sc_reply *reply;
    int64_t code;
    sc_err err = sc__script_call_wait(client, script, keys, script->key_count, args, arg_count,
                                      NULL, &reply);

    if (err)
        return err;
    err = sc__reply_int(reply, &code, ret_reason);
    sc_reply_free(reply);
    return err ? err : sc__code_err(code, ret_reason);
}

sc_err sc__op_job_progress(sc_client *client, const sc__queue_keys *keys, sc_slice job_id,
                           sc_slice json, sc_reason *ret_reason)
{
    AUTO_STR job = STR_MAX(KEY_BYTES_MAX);
    const sc_slice args[] = {job_id, json};

    sc__str_append(&job, keys->base);
    sc__str_append(&job, job_id);
    if (job.err)
        return job.err;
    return call(
        client, &SC__SCRIPT_updateProgress,
        (const sc_slice[]){sc__str_slice(&job), keys->key[SC__KEY_EVENTS], keys->key[SC__KEY_META]},
        args, 2, ret_reason);
}

sc_err sc__op_job_log(sc_client *client, const sc__queue_keys *keys, sc_slice job_id, sc_slice row,
                      int64_t keep, sc_reason *ret_reason)
{
    AUTO_STR logs = STR_MAX(KEY_BYTES_MAX);
    char digits[SC__INT_LEN];
    sc_slice job, args[2] = {row, SC_S("")};

    if (keep > 0)
        args[1] = (sc_slice){digits, sc__int_text(keep, digits)};
    sc__str_append(&logs, keys->base);
    sc__str_append(&logs, job_id);
    sc__str_text(&logs, ":logs");
    if (logs.err)
        return logs.err;
    job = (sc_slice){logs.ptr, keys->base.len + job_id.len};
    return call(client, &SC__SCRIPT_addLog, (const sc_slice[]){job, sc__str_slice(&logs)}, args, 2,
                ret_reason);
}
