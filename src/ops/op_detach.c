#include "op_detach.h"

#include "base/error.h"
#include "redis/reply.h"
#include "script.h"
#include "scripts.h"

#define REMOVE_SLICE "200" /* jobs looked at a call */

sc_err sc__op_remove_child_dependency(sc_client *client, const sc__queue_keys *keys, sc_slice id,
                                      bool *ret_removed, sc_reason *ret_reason)
{
    AUTO_STR job = STR_MAX(SC__JOB_KEY_MAX);
    int64_t number = 0;
    sc_err err = sc__queue_job_key(&job, keys, id, "", ret_reason);

    if (err)
        return err;

    const sc_slice script_keys[] = {sc__str_slice(&job)};

    SC__SCRIPT_CHECK_KEYS(removeChildDependency, script_keys);
    err = sc__script_call_number(client, &SC__SCRIPT_removeChildDependency, script_keys, NULL, 0,
                                 &number, ret_reason);
    if (!err)
        *ret_removed = number == 0;
    return err;
}

/* Where the next call goes on, maybe at the same place; nowhere (0 bytes): all is done. */
static sc_err read_cursor(const sc_reply *reply, char cursor[SC__INT_LEN], size_t *ret_len,
                          sc_reason *ret_reason)
{
    sc_slice text;
    sc_err err = sc__reply_str(reply, &text, ret_reason);

    if (err)
        return err;
    if (!text.ptr || text.len > SC__INT_LEN)
        return sc__because(ret_reason, SC_EPROTO, "removeChildren answered with another type");
    memcpy(cursor, text.ptr, text.len);
    *ret_len = text.len;
    return SC_OK;
}

sc_err sc__op_remove_unprocessed_children(sc_client *client, const sc__queue_keys *keys,
                                          sc_slice id, sc_reason *ret_reason)
{
    AUTO_STR job = STR_MAX(SC__JOB_KEY_MAX);
    char cursor[SC__INT_LEN] = "0";
    size_t len = 1;
    sc_err err = sc__queue_job_key(&job, keys, id, "", ret_reason);

    if (err)
        return err;
    do {
        const sc_slice script_keys[] = {sc__str_slice(&job)};
        const sc_slice args[] = {{cursor, len}, SC_S(REMOVE_SLICE)};
        sc_reply *reply = NULL;

        SC__SCRIPT_CHECK_KEYS(removeChildren, script_keys);
        err = sc__script_call_wait(client, &SC__SCRIPT_removeChildren, script_keys,
                                   SC__SCRIPT_KEYS_removeChildren, args, 2, NULL, &reply);
        if (err)
            return sc__because(ret_reason, err, "removing a job's children: %s", sc_err_text(err));
        err = read_cursor(reply, cursor, &len, ret_reason);
        sc_reply_free(reply);
    } while (!err && len);
    return err;
}
