#include "op_job_note.h"

#include "base/str.h"
#include "script.h"
#include "scripts.h"

sc_err sc__op_job_progress(sc_client *client, const sc__queue_keys *keys, sc_slice job_id,
                           sc_slice json, sc_reason *ret_reason)
{
    AUTO_STR job = STR_MAX(SC__JOB_KEY_MAX);
    const sc_slice args[] = {job_id, json};
    int64_t number;
    sc_err err;

    err = sc__queue_job_key(&job, keys, job_id, "", ret_reason);
    if (err)
        return err;

    const sc_slice script_keys[] = {sc__str_slice(&job), keys->key[SC__KEY_EVENTS],
                                    keys->key[SC__KEY_META]};

    SC__SCRIPT_CHECK_KEYS(updateProgress, script_keys);
    return sc__script_call_number(client, &SC__SCRIPT_updateProgress, script_keys, args, 2, &number,
                                  ret_reason);
}

sc_err sc__op_job_log(sc_client *client, const sc__queue_keys *keys, sc_slice job_id, sc_slice row,
                      int64_t keep, sc_reason *ret_reason)
{
    AUTO_STR logs = STR_MAX(SC__JOB_KEY_MAX);
    char digits[SC__INT_LEN];
    sc_slice job, args[2] = {row, SC_S("")};
    int64_t rows;
    sc_err err;

    if (keep > 0)
        args[1] = (sc_slice){digits, sc__int_text(keep, digits)};
    err = sc__queue_job_key(&logs, keys, job_id, ":logs", ret_reason);
    if (err)
        return err;
    job = (sc_slice){logs.ptr, keys->base.len + job_id.len};

    const sc_slice script_keys[] = {job, sc__str_slice(&logs)};

    SC__SCRIPT_CHECK_KEYS(addLog, script_keys);
    return sc__script_call_number(client, &SC__SCRIPT_addLog, script_keys, args, 2, &rows,
                                  ret_reason);
}
