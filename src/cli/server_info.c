#include "server_info.h"

#include "base/error.h"
#include "base/str.h"

sc_err server_info_read(sc_client *client, sc__arena *arena, const char **ret_info,
                        sc_reason *ret_reason)
{
    sc_reply *reply;
    sc_err err = sc_client_call(client, &SC_S("INFO"), 1, &reply);

    if (err)
        return sc__because(ret_reason, err, "%s", sc_err_text(err));
    if (reply->type == SC_REPLY_STRING)
        *ret_info = sc__arena_dup(arena, reply->str);
    else
        err = sc__because(ret_reason, SC_EREPLY, "INFO: %.*s", (int)reply->str.len, reply->str.ptr);
    if (!err && !*ret_info)
        err = sc__because(ret_reason, SC_ENOMEM, "no memory for the server's figures");
    sc_reply_free(reply);
    return err;
}

sc_slice server_info_text(const char *info, const char *field)
{
    const size_t len = strlen(field);

    for (const char *at = strstr(info, field); at; at = strstr(at + 1, field))
        if ((at == info || at[-1] == '\n') && at[len] == ':')
            return (sc_slice){at + len + 1, strcspn(at + len + 1, "\r\n")};
    return (sc_slice){NULL, 0};
}

int64_t server_info_int(const char *info, const char *field)
{
    int64_t value;

    return sc__int_parse(server_info_text(info, field), &value) ? value : -1;
}
