#include "key_walk.h"

#include "base/error.h"
#include "base/str.h"

enum { CURSOR_MAX = 32 };

/* [cursor, [key, …]] */
static bool is_scan(const sc_reply *reply)
{
    const sc_reply *items = reply->items;

    return reply->type == SC_REPLY_ARRAY && reply->count == 2 && items[0].type == SC_REPLY_STRING &&
           items[0].str.len <= CURSOR_MAX && items[1].type == SC_REPLY_ARRAY;
}

static sc_err scan(sc_client *client, sc_slice cursor, const char *pattern, sc_reply **ret_reply,
                   sc_reason *ret_reason)
{
    const sc_slice argv[] = {SC_S("SCAN"),         cursor,        SC_S("MATCH"),
                             sc_slice_of(pattern), SC_S("COUNT"), SC_S("500")};
    sc_reply *reply;
    sc_err err = sc_client_call(client, argv, 6, &reply);

    if (err)
        return sc__because(ret_reason, err, "%s", sc_err_text(err));
    if (!is_scan(reply)) {
        err = sc__because(ret_reason, SC_EREPLY, "SCAN: %.*s", (int)reply->str.len, reply->str.ptr);
        sc_reply_free(reply);
        return err;
    }
    *ret_reply = reply;
    return SC_OK;
}

sc_err key_walk(sc_client *client, const char *pattern, key_walk_cb cb, void *user,
                sc_reason *ret_reason)
{
    char cursor[CURSOR_MAX] = "0";
    size_t len = 1;
    bool goes_on = true;

    do {
        sc_reply *reply = NULL;
        sc_err err = scan(client, (sc_slice){cursor, len}, pattern, &reply, ret_reason);

        if (err)
            return err;
        len = reply->items[0].str.len;
        memcpy(cursor, reply->items[0].str.ptr, len);
        goes_on = cb(user, &reply->items[1]);
        sc_reply_free(reply);
    } while (goes_on && !(len == 1 && cursor[0] == '0'));
    return SC_OK;
}
