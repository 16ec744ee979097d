#include "op_change.h"

#include "base/clock.h"
#include "base/error.h"
#include "op_place.h"
#include "redis/reply.h"
#include "script.h"
#include "scripts.h"

static const sc__send_opts again = {.idempotent = true};

sc_err sc__op_update_data(sc_client *client, const sc__queue_keys *keys, sc_slice id, sc_slice json,
                          sc_reason *ret_reason)
{
    AUTO_STR job = STR_MAX(SC__JOB_KEY_MAX);
    int64_t number;
    sc_err err;

    err = sc__queue_job_key(&job, keys, id, "", ret_reason);
    if (err)
        return err;

    const sc_slice script_keys[] = {sc__str_slice(&job)};

    SC__SCRIPT_CHECK_KEYS(updateData, script_keys);
    return sc__script_call_number(client, &SC__SCRIPT_updateData, script_keys, &json, 1, &number,
                                  ret_reason);
}

sc_err sc__op_change_delay(sc_client *client, const sc__queue_keys *keys, sc_slice id,
                           int64_t delay_ms, sc_reason *ret_reason)
{
    AUTO_STR job = STR_MAX(SC__JOB_KEY_MAX);
    char delay[SC__INT_LEN], now[SC__INT_LEN];
    const sc_slice *k = keys->key;
    const sc_slice args[] = {
        id, {delay, sc__int_text(delay_ms, delay)}, {now, sc__int_text(sc__wall_ms(), now)}};
    int64_t number;
    sc_err err;

    err = sc__queue_job_key(&job, keys, id, "", ret_reason);
    if (err)
        return err;

    const sc_slice script_keys[] = {sc__str_slice(&job), k[SC__KEY_DELAYED], k[SC__KEY_META],
                                    k[SC__KEY_MARKER], k[SC__KEY_EVENTS]};

    SC__SCRIPT_CHECK_KEYS(changeDelay, script_keys);
    return sc__script_call_number(client, &SC__SCRIPT_changeDelay, script_keys, args, 3, &number,
                                  ret_reason);
}

sc_err sc__op_change_priority(sc_client *client, const sc__queue_keys *keys, sc_slice id,
                              int64_t priority, bool lifo, sc_reason *ret_reason)
{
    AUTO_STR job = STR_MAX(SC__JOB_KEY_MAX);
    char digits[SC__INT_LEN], place_digits[SC__INT_LEN] = "";
    const sc_slice *k = keys->key;
    sc_slice args[] = {
        id, {digits, sc__int_text(priority, digits)}, lifo ? SC_S("1") : SC_S("0"), {NULL, 0}};
    int64_t buried = true;
    sc__place place;
    sc_err err;

    err = sc__queue_job_key(&job, keys, id, "", ret_reason);
    while (!err && buried) {
        const sc_slice script_keys[] = {
            sc__str_slice(&job), k[SC__KEY_WAIT],   k[SC__KEY_PRIORITIZED], k[SC__KEY_PC],
            k[SC__KEY_META],     k[SC__KEY_ACTIVE], k[SC__KEY_MARKER],
        };

        SC__SCRIPT_CHECK_KEYS(changePriority, script_keys);
        err = sc__script_call_number(client, &SC__SCRIPT_changePriority, script_keys, args, 4,
                                     &buried, ret_reason);
        if (err || !buried)
            continue;
        err = sc__op_find_place(client, keys, SC__KEY_WAIT, id, &place, ret_reason);
        args[3] = (sc_slice){place_digits, sc__int_text(place.from_end, place_digits)};
    }
    return err;
}

sc_err sc__op_clear_logs(sc_client *client, const sc__queue_keys *keys, sc_slice id, int64_t keep,
                         sc_reason *ret_reason)
{
    AUTO_STR logs = STR_MAX(SC__JOB_KEY_MAX);
    char digits[SC__INT_LEN];
    sc_reply *reply = NULL;
    sc_err err;

    err = sc__queue_job_key(&logs, keys, id, ":logs", ret_reason);
    if (err)
        return err;

    const sc_slice from = {digits, sc__int_text(-keep, digits)};
    const sc_slice remove[] = {SC_S("DEL"), sc__str_slice(&logs)};
    const sc_slice trim[] = {SC_S("LTRIM"), sc__str_slice(&logs), from, SC_S("-1")};

    err = sc__client_send_wait(client, keep ? trim : remove, keep ? 4 : 2, &again, &reply);
    if (err)
        return sc__because(ret_reason, err, "clearing a job's log: %s", sc_err_text(err));
    err = sc__reply_check(reply, ret_reason);
    sc_reply_free(reply);
    return err;
}

static sc_err read_counts(const sc_reply *reply, sc_dependency_counts *ret_counts,
                          sc_reason *ret_reason)
{
    sc_dependency_counts counts = {0};
    int64_t *const places[] = {&counts.processed, &counts.unprocessed, &counts.ignored,
                               &counts.failed};
    const sc_reply *items;
    size_t n;
    sc_err err = sc__reply_array(reply, &items, &n, ret_reason);

    if (!err && n != 4)
        err = sc__because(ret_reason, SC_EPROTO, "the server sent %zu counts instead of 4", n);
    for (size_t i = 0; !err && i < 4; i++)
        err = sc__reply_int(&items[i], places[i], ret_reason);
    if (!err)
        *ret_counts = counts;
    return err;
}

sc_err sc__op_dependency_counts(sc_client *client, const sc__queue_keys *keys, sc_slice id,
                                sc_dependency_counts *ret_counts, sc_reason *ret_reason)
{
    static const char *const suffixes[SC__SCRIPT_KEYS_getDependencyCounts] = {
        ":processed", ":dependencies", ":failed", ":unsuccessful"};
    sc__str key[SC__SCRIPT_KEYS_getDependencyCounts];
    sc_slice script_keys[SC__SCRIPT_KEYS_getDependencyCounts];
    sc_reply *reply = NULL;
    sc_err err = SC_OK;

    for (size_t i = 0; i < SC__SCRIPT_KEYS_getDependencyCounts; i++) {
        key[i] = (sc__str)STR_MAX(SC__JOB_KEY_MAX);
        if (!err)
            err = sc__queue_job_key(&key[i], keys, id, suffixes[i], ret_reason);
        script_keys[i] = sc__str_slice(&key[i]);
    }
    if (!err)
        err = sc__script_call_wait(client, &SC__SCRIPT_getDependencyCounts, script_keys,
                                   SC__SCRIPT_KEYS_getDependencyCounts, NULL, 0, &again, &reply);
    if (!err)
        err = read_counts(reply, ret_counts, ret_reason);
    else
        sc__because(ret_reason, err, "counting a job's children: %s", sc_err_text(err));
    sc_reply_free(reply);
    for (size_t i = 0; i < SC__SCRIPT_KEYS_getDependencyCounts; i++)
        sc__str_release(&key[i]);
    return err;
}
