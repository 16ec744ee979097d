#include "op_sweep.h"

#include "base/error.h"
#include "codes.h"
#include "redis/reply.h"
#include "script.h"
#include "scripts.h"

#define ORPHAN_STEPS "200000" /* elements of lists that one call looks at: about two ms */

/* How the jobs of a place are cleaned: see lua/cleanJobs-2.lua. */
struct place {
    sc__queue_key key;
    const char *kind, *locked_stay;
    size_t date_count;
    const char *dates[3]; /* BullMQ's, in its order */
};

static const struct place *find_place(sc__queue_key key)
{
    static const struct place places[] = {
        {SC__KEY_WAIT, "list", "0", 3, {"finishedOn", "processedOn", "timestamp"}},
        {SC__KEY_PAUSED, "list", "0", 3, {"finishedOn", "processedOn", "timestamp"}},
        {SC__KEY_ACTIVE, "list", "1", 3, {"finishedOn", "processedOn", "timestamp"}},
        {SC__KEY_DELAYED, "set", "0", 2, {"processedOn", "timestamp"}},
        {SC__KEY_PRIORITIZED, "set", "0", 1, {"timestamp"}},
        {SC__KEY_COMPLETED, "finished", "0", 0, {NULL}},
        {SC__KEY_FAILED, "finished", "0", 0, {NULL}},
    };

    for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
        if (places[i].key == key)
            return &places[i];
    return NULL;
}

static sc_err read_pair(const sc_reply *reply, int64_t *ret_first, int64_t *ret_second,
                        sc_reason *ret_reason)
{
    const sc_reply *items;
    int64_t first, second;
    size_t count;
    sc_err err = sc__reply_array(reply, &items, &count, ret_reason);

    if (!err && count != 2)
        err = sc__because(ret_reason, SC_EPROTO, "the server sent %zu numbers instead of 2", count);
    if (!err)
        err = sc__reply_int(&items[0], &first, ret_reason);
    if (!err)
        err = sc__reply_int(&items[1], &second, ret_reason);
    if (err)
        return err;
    *ret_first = first;
    *ret_second = second;
    return SC_OK;
}

sc_err sc__op_clean_slice(sc_client *client, const sc__queue_keys *keys, const sc__clean *clean,
                          int64_t *ret_looked, int64_t *ret_removed, sc_reason *ret_reason)
{
    const struct place *place = find_place(clean->place);
    const sc_slice script_keys[] = {keys->key[clean->place], keys->key[SC__KEY_REPEAT]};
    char skip[SC__INT_LEN], look[SC__INT_LEN], most[SC__INT_LEN], latest[SC__INT_LEN];
    sc_slice args[10] = {{NULL, 0}};
    sc_reply *reply = NULL;
    sc_err err;

    if (!place)
        return sc__because(ret_reason, SC_EINVAL, "jobs of that state can't be cleaned");
    args[0] = keys->base;
    args[1] = sc_slice_of(place->kind);
    args[2] = (sc_slice){skip, sc__int_text(clean->skip, skip)};
    args[3] = (sc_slice){look, sc__int_text(SC__SWEEP_SLICE, look)};
    args[4] = (sc_slice){most, sc__int_text(clean->most, most)};
    args[5] = (sc_slice){latest, sc__int_text(clean->latest_ms, latest)};
    args[6] = sc_slice_of(place->locked_stay);
    for (size_t i = 0; i < place->date_count; i++)
        args[7 + i] = sc_slice_of(place->dates[i]);
    SC__SCRIPT_CHECK_KEYS(cleanJobs, script_keys);
    err =
        sc__script_call_wait(client, &SC__SCRIPT_cleanJobs, script_keys, SC__SCRIPT_KEYS_cleanJobs,
                             args, 7 + place->date_count, NULL, &reply);
    if (err)
        return sc__because(ret_reason, err, "removing jobs: %s", sc_err_text(err));
    err = read_pair(reply, ret_looked, ret_removed, ret_reason);
    sc_reply_free(reply);
    return err;
}

sc_err sc__op_emit_cleaned(sc_client *client, const sc__queue_keys *keys, int64_t count,
                           sc_reason *ret_reason)
{
    char digits[SC__INT_LEN];
    const sc_slice argv[] = {
        SC_S("XADD"),
        keys->key[SC__KEY_EVENTS],
        SC_S("*"),
        SC_S("event"),
        SC_S("cleaned"),
        SC_S("count"),
        {digits, sc__int_text(count, digits)},
    };
    sc_reply *reply = NULL;
    sc_err err = sc__client_send_wait(client, argv, sizeof(argv) / sizeof(*argv), NULL, &reply);

    if (err)
        return sc__because(ret_reason, err, "the event of a clean: %s", sc_err_text(err));
    err = sc__reply_check(reply, ret_reason);
    sc_reply_free(reply);
    return err;
}

sc_err sc__op_move_slice(sc_client *client, const sc__queue_keys *keys, sc__queue_key place,
                         sc_slice highest, int64_t most, int64_t *ret_moved, sc_reason *ret_reason)
{
    const sc_slice *k = keys->key;
    const sc_slice script_keys[] = {k[place],          k[SC__KEY_WAIT],   k[SC__KEY_META],
                                    k[SC__KEY_ACTIVE], k[SC__KEY_EVENTS], k[SC__KEY_MARKER]};
    char digits[SC__INT_LEN];
    int64_t slice = most < SC__SWEEP_SLICE ? most : SC__SWEEP_SLICE;
    sc_slice args[] = {
        keys->base, {digits, sc__int_text(slice, digits)}, highest, SC_S("delayed"), SC_S("")};

    if (place == SC__KEY_FAILED) {
        args[3] = SC_S("failed");
        args[4] = SC_S("failedReason");
    } else if (place == SC__KEY_COMPLETED) {
        args[3] = SC_S("completed");
        args[4] = SC_S("returnvalue");
    }
    SC__SCRIPT_CHECK_KEYS(moveJobsToWait, script_keys);
    return sc__script_call_number(client, &SC__SCRIPT_moveJobsToWait, script_keys, args, 5,
                                  ret_moved, ret_reason);
}

sc_err sc__op_obliterate_slice(sc_client *client, const sc__queue_keys *keys, bool force,
                               int64_t *ret_removed, sc_reason *ret_reason)
{
    const sc_slice script_keys[] = {keys->key[SC__KEY_META], keys->key[SC__KEY_ACTIVE]};
    char digits[SC__INT_LEN];
    const sc_slice args[] = {
        keys->base, {digits, sc__int_text(SC__SWEEP_SLICE, digits)}, force ? SC_S("1") : SC_S("0")};

    SC__SCRIPT_CHECK_KEYS(obliterateQueue, script_keys);
    return sc__script_call_number(client, &SC__SCRIPT_obliterateQueue, script_keys, args, 3,
                                  ret_removed, ret_reason);
}

sc_err sc__op_remove_orphans(sc_client *client, const sc__queue_keys *keys, const sc_slice *ids,
                             size_t count, size_t *ret_looked, int64_t *ret_removed,
                             sc_reason *ret_reason)
{
    const sc_slice *k = keys->key;
    const sc_slice script_keys[] = {
        k[SC__KEY_WAIT],    k[SC__KEY_PAUSED],    k[SC__KEY_ACTIVE], k[SC__KEY_PRIORITIZED],
        k[SC__KEY_DELAYED], k[SC__KEY_COMPLETED], k[SC__KEY_FAILED], k[SC__KEY_WAITING_CHILDREN]};
    char reach[SC__INT_LEN];
    sc_slice args[3 + SC__SWEEP_SLICE] = {
        keys->base, {reach, sc__int_text(SC__LIST_REACH, reach)}, SC_S(ORPHAN_STEPS)};
    size_t some = count < SC__SWEEP_SLICE ? count : SC__SWEEP_SLICE;
    int64_t looked;
    sc_reply *reply = NULL;
    sc_err err;

    SC__SCRIPT_CHECK_KEYS(removeOrphans, script_keys);
    memcpy(args + 3, ids, some * sizeof(*ids));
    err = sc__script_call_wait(client, &SC__SCRIPT_removeOrphans, script_keys,
                               SC__SCRIPT_KEYS_removeOrphans, args, 3 + some, NULL, &reply);
    if (err)
        return sc__because(ret_reason, err, "removing orphans: %s", sc_err_text(err));
    err = reply->type == SC_REPLY_INT ? sc__code_err(reply->integer, ret_reason)
                                      : read_pair(reply, &looked, ret_removed, ret_reason);
    if (!err)
        *ret_looked = (size_t)looked;
    sc_reply_free(reply);
    return err;
}
