#include "op_control.h"

#include "base/error.h"
#include "base/mem.h"
#include "layout.h"
#include "op_place.h"
#include "redis/reply.h"
#include "script.h"
#include "scripts.h"

#define REMOVE_SLICE "200"  /* jobs of a tree a call */
#define RESUME_SLICE "5000" /* ids a call */

sc_err sc__op_write_meta(sc_client *client, const sc__queue_keys *keys, int64_t max_events,
                         sc_reply_cb cb, void *user)
{
    char digits[SC__INT_LEN];
    const sc_slice argv[] = {
        SC_S("HSET"),
        keys->key[SC__KEY_META],
        SC_S("opts.maxLenEvents"),
        {digits, sc__int_text(max_events ? max_events : SC__LAYOUT_MAX_EVENTS, digits)},
        SC_S("version"),
        SC_S(SC__LAYOUT_VERSION),
    };
    const sc__send_opts again = {.idempotent = true};

    return sc__client_send(client, argv, sizeof(argv) / sizeof(*argv), &again, cb, user);
}

sc_err sc__op_mark_extensions(sc_client *client, const sc__queue_keys *keys, sc_reply_cb cb,
                              void *user)
{
    const sc_slice argv[] = {SC_S("HSET"), keys->key[SC__KEY_META], SC_S(SC__META_EXTENSIONS),
                             SC_S("1")};
    const sc__send_opts again = {.idempotent = true};

    return sc__client_send(client, argv, sizeof(argv) / sizeof(*argv), &again, cb, user);
}

sc_err sc__op_pause(sc_client *client, const sc__queue_keys *keys, sc_reason *ret_reason)
{
    const sc_slice *k = keys->key;
    const sc_slice script_keys[] = {k[SC__KEY_META], k[SC__KEY_MARKER], k[SC__KEY_EVENTS]};
    int64_t number;

    SC__SCRIPT_CHECK_KEYS(pauseQueue, script_keys);
    return sc__script_call_number(client, &SC__SCRIPT_pauseQueue, script_keys, NULL, 0, &number,
                                  ret_reason);
}

sc_err sc__op_resume(sc_client *client, const sc__queue_keys *keys, sc_reason *ret_reason)
{
    const sc_slice *k = keys->key;
    const sc_slice script_keys[] = {
        k[SC__KEY_META],        k[SC__KEY_MARKER],  k[SC__KEY_EVENTS], k[SC__KEY_WAIT],
        k[SC__KEY_PRIORITIZED], k[SC__KEY_DELAYED], k[SC__KEY_PAUSED],
    };
    sc_slice args[] = {SC_S(RESUME_SLICE), SC_S("1")};
    int64_t left = 0;
    sc_err err;

    SC__SCRIPT_CHECK_KEYS(resumeQueue, script_keys);
    do {
        err = sc__script_call_number(client, &SC__SCRIPT_resumeQueue, script_keys, args, 2, &left,
                                     ret_reason);
        args[1] = SC_S("0");
    } while (!err && left > 0);
    return err;
}

sc_err sc__op_is_paused(sc_client *client, const sc__queue_keys *keys, bool *ret_paused,
                        sc_reason *ret_reason)
{
    const sc_slice argv[] = {SC_S("HEXISTS"), keys->key[SC__KEY_META], SC_S("paused")};
    const sc__send_opts again = {.idempotent = true};
    sc_reply *reply = NULL;
    int64_t number;
    sc_err err;

    err = sc__client_send_wait(client, argv, 3, &again, &reply);
    if (err)
        return sc__because(ret_reason, err, "reading the queue's meta: %s", sc_err_text(err));
    err = sc__reply_int(reply, &number, ret_reason);
    if (!err)
        *ret_paused = number != 0;
    sc_reply_free(reply);
    return err;
}

sc_err sc__op_remove(sc_client *client, const sc__queue_keys *keys, sc_slice id, bool keep_children,
                     sc_reason *ret_reason)
{
    enum { DONE, MORE, BURIED };
    AUTO_STR job = STR_MAX(SC__JOB_KEY_MAX);
    char digits[SC__INT_LEN] = "";
    sc_slice args[] = {keys->base,         id,
                       SC_S(REMOVE_SLICE), keep_children ? SC_S("1") : SC_S("0"),
                       {NULL, 0},          {NULL, 0}};
    int64_t answer = MORE;
    sc__place place;
    sc_err err;

    err = sc__queue_job_key(&job, keys, id, "", ret_reason);
    while (!err && answer != DONE) {
        const sc_slice script_keys[] = {sc__str_slice(&job), keys->key[SC__KEY_REPEAT]};

        SC__SCRIPT_CHECK_KEYS(removeJob, script_keys);
        err = sc__script_call_number(client, &SC__SCRIPT_removeJob, script_keys, args, 6, &answer,
                                     ret_reason);
        if (err || answer != BURIED)
            continue;
        err = sc__op_find_place(client, keys, SC__QUEUE_KEY_COUNT, id, &place, ret_reason);
        args[4] = place.list;
        args[5] = (sc_slice){digits, sc__int_text(place.from_end, digits)};
    }
    return err;
}

sc_err sc__op_retry(sc_client *client, const sc__queue_keys *keys, sc_slice id, bool reset_made,
                    bool reset_started, sc_reason *ret_reason)
{
    const sc_slice args[] = {id, reset_made ? SC_S("1") : SC_S("0"),
                             reset_started ? SC_S("1") : SC_S("0")};
    AUTO_STR job = STR_MAX(SC__JOB_KEY_MAX);
    const sc_slice *k = keys->key;
    int64_t number;
    sc_err err;

    err = sc__queue_job_key(&job, keys, id, "", ret_reason);
    if (err)
        return err;

    const sc_slice script_keys[] = {
        sc__str_slice(&job),    k[SC__KEY_FAILED], k[SC__KEY_COMPLETED], k[SC__KEY_WAIT],
        k[SC__KEY_PRIORITIZED], k[SC__KEY_PC],     k[SC__KEY_META],      k[SC__KEY_ACTIVE],
        k[SC__KEY_EVENTS],      k[SC__KEY_MARKER],
    };
    SC__SCRIPT_CHECK_KEYS(retryJob, script_keys);
    return sc__script_call_number(client, &SC__SCRIPT_retryJob, script_keys, args, 3, &number,
                                  ret_reason);
}

sc_err sc__op_promote(sc_client *client, const sc__queue_keys *keys, sc_slice id,
                      sc_reason *ret_reason)
{
    AUTO_STR job = STR_MAX(SC__JOB_KEY_MAX);
    const sc_slice *k = keys->key;
    int64_t number;
    sc_err err;

    err = sc__queue_job_key(&job, keys, id, "", ret_reason);
    if (err)
        return err;

    const sc_slice script_keys[] = {
        sc__str_slice(&job),    k[SC__KEY_DELAYED], k[SC__KEY_WAIT],
        k[SC__KEY_PRIORITIZED], k[SC__KEY_PC],      k[SC__KEY_META],
        k[SC__KEY_ACTIVE],      k[SC__KEY_EVENTS],  k[SC__KEY_MARKER],
    };
    SC__SCRIPT_CHECK_KEYS(promoteJob, script_keys);
    return sc__script_call_number(client, &SC__SCRIPT_promoteJob, script_keys, &id, 1, &number,
                                  ret_reason);
}

static sc_err dedup_key(sc__str *out, const sc__queue_keys *keys, sc_slice dedup_id,
                        sc_reason *ret_reason)
{
    sc__str_append(out, keys->base);
    sc__str_text(out, SC__DEDUP_KEY);
    sc__str_append(out, dedup_id);
    if (out->err)
        return sc__because(ret_reason, out->err, "the deduplication id: %s", sc_err_text(out->err));
    return SC_OK;
}

sc_err sc__op_get_dedup_job(sc_client *client, const sc__queue_keys *keys, sc_slice dedup_id,
                            char **ret_owner, sc_reason *ret_reason)
{
    AUTO_STR key = STR_MAX(SC__JOB_KEY_MAX);
    const sc__send_opts again = {.idempotent = true};
    sc_slice owner = {NULL, 0};
    sc_reply *reply = NULL;
    sc_err err = dedup_key(&key, keys, dedup_id, ret_reason);

    if (err)
        return err;
    err = sc__client_send_wait(client, (const sc_slice[]){SC_S("GET"), sc__str_slice(&key)}, 2,
                               &again, &reply);
    if (err)
        return sc__because(ret_reason, err, "reading who owns a deduplication id: %s",
                           sc_err_text(err));
    err = sc__reply_str(reply, &owner, ret_reason);
    if (!err && !owner.ptr)
        err = sc__because(ret_reason, SC_ENOJOB, "no job owns the deduplication id");
    if (!err) {
        *ret_owner = sc__slice_dup(owner);
        err = *ret_owner ? SC_OK : SC_ENOMEM;
    }
    sc_reply_free(reply);
    return err;
}

sc_err sc__op_remove_dedup(sc_client *client, const sc__queue_keys *keys, sc_slice dedup_id,
                           sc_slice owner, bool *ret_freed, sc_reason *ret_reason)
{
    AUTO_STR key = STR_MAX(SC__JOB_KEY_MAX);
    int64_t number = 0;
    sc_err err = dedup_key(&key, keys, dedup_id, ret_reason);

    if (err)
        return err;

    const sc_slice script_keys[] = {sc__str_slice(&key)};

    SC__SCRIPT_CHECK_KEYS(freeDedupId, script_keys);
    err = sc__script_call_number(client, &SC__SCRIPT_freeDedupId, script_keys, &owner, 1, &number,
                                 ret_reason);
    if (!err)
        *ret_freed = number == 1;
    return err;
}
