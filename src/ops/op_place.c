#include "op_place.h"

#include "base/error.h"
#include "redis/client.h"
#include "redis/reply.h"

/* An entry is read twice where it may slip over the edge of a slice, as the list grows and shrinks at both ends. */
enum { SLICE = 10000, OVERLAP = 1000 };

static sc_err read_slice(sc_client *client, sc_slice list, int64_t from_end, sc_reply **ret_reply,
                         sc_reason *ret_reason)
{
    char first[SC__INT_LEN], last[SC__INT_LEN];
    const sc_slice argv[] = {SC_S("LRANGE"),
                             list,
                             {first, sc__int_text(-from_end, first)},
                             {last, sc__int_text(-from_end + SLICE - 1, last)}};
    const sc__send_opts again = {.idempotent = true};
    sc_err err = sc__client_send_wait(client, argv, 4, &again, ret_reply);

    return err ? sc__because(ret_reason, err, "looking for the job: %s", sc_err_text(err)) : SC_OK;
}

static sc_err list_length(sc_client *client, sc_slice list, int64_t *ret_length,
                          sc_reason *ret_reason)
{
    const sc_slice argv[] = {SC_S("LLEN"), list};
    const sc__send_opts again = {.idempotent = true};
    sc_reply *reply = NULL;
    sc_err err = sc__client_send_wait(client, argv, 2, &again, &reply);

    if (err)
        return sc__because(ret_reason, err, "looking for the job: %s", sc_err_text(err));
    if (reply->type == SC_REPLY_ERROR) /* no list: the job isn't in it */
        *ret_length = 0;
    else
        err = sc__reply_int(reply, ret_length, ret_reason);
    sc_reply_free(reply);
    return err;
}

/* The place of the job in a slice that begins at `from_end`, else 0. */
static sc_err look_in_slice(sc_client *client, sc_slice list, int64_t from_end, sc_slice id,
                            int64_t *ret_from_end, sc_reason *ret_reason)
{
    const sc_reply *ids;
    sc_reply *reply = NULL;
    size_t count = 0;
    sc_err err;

    *ret_from_end = 0;
    err = read_slice(client, list, from_end, &reply, ret_reason);
    if (err)
        return err;
    err = sc__reply_array(reply, &ids, &count, ret_reason);
    for (size_t i = 0; i < count && !*ret_from_end; i++)
        if (sc_slice_eq(ids[i].str, id))
            *ret_from_end = from_end - (int64_t)i;
    sc_reply_free(reply);
    return err;
}

static sc_err find_in(sc_client *client, sc_slice list, sc_slice id, int64_t *ret_from_end,
                      sc_reason *ret_reason)
{
    int64_t from_end;
    sc_err err;

    *ret_from_end = 0;
    err = list_length(client, list, &from_end, ret_reason);
    while (!err && from_end > 0 && !*ret_from_end) {
        err = look_in_slice(client, list, from_end, id, ret_from_end, ret_reason);
        from_end -= SLICE;
        if (from_end > 0)
            from_end += OVERLAP;
    }
    return err;
}

sc_err sc__op_find_place(sc_client *client, const sc__queue_keys *keys, sc__queue_key list,
                         sc_slice id, sc__place *ret_place, sc_reason *ret_reason)
{
    static const struct {
        sc__queue_key key;
        const char *name;
    } lists[] = {{SC__KEY_WAIT, "wait"}, {SC__KEY_PAUSED, "paused"}, {SC__KEY_ACTIVE, "active"}};
    sc_err err = SC_OK;

    *ret_place = (sc__place){SC_S("none"), 0};
    for (size_t i = 0; i < 3 && !err && !ret_place->from_end; i++) {
        if (list != SC__QUEUE_KEY_COUNT && list != lists[i].key)
            continue;
        err = find_in(client, keys->key[lists[i].key], id, &ret_place->from_end, ret_reason);
        if (ret_place->from_end)
            ret_place->list = sc_slice_of(lists[i].name);
    }
    return err;
}
