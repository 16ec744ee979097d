#include "base/error.h"
#include "op_get.h"
#include "redis/client.h"
#include "redis/reply.h"

enum { PATTERN_MAX = 2048 };

/* prefix:*:meta, with what is special in a glob pattern escaped. */
static void write_pattern(sc__str *out, sc_slice prefix)
{
    for (size_t i = 0; i < prefix.len; i++) {
        if (memchr("*?[]\\", prefix.ptr[i], 5))
            sc__str_char(out, '\\');
        sc__str_char(out, prefix.ptr[i]);
    }
    sc__str_text(out, ":*:meta");
}

/* The queue whose meta hash this is; empty when it is another kind of key. */
static sc_slice queue_of(sc_slice key, sc_slice prefix)
{
    size_t around = prefix.len + 1 + sizeof(":meta") - 1;
    sc_slice none = {NULL, 0}, name;

    if (key.len <= around)
        return none;
    name = (sc_slice){key.ptr + prefix.len + 1, key.len - around};
    return memchr(name.ptr, ':', name.len) ? none : name;
}

static sc_err read_page(const sc_reply *reply, sc_slice prefix, char cursor[SC__INT_LEN + 1],
                        sc_err (*found)(void *user, sc_slice name), void *user,
                        sc_reason *ret_reason)
{
    const sc_reply *page, *names;
    size_t parts, count;
    sc_slice next;
    sc_err err = sc__reply_array(reply, &page, &parts, ret_reason);

    if (!err && parts != 2)
        err = sc__because(ret_reason, SC_EPROTO, "the server's page has %zu parts", parts);
    if (!err)
        err = sc__reply_str(&page[0], &next, ret_reason);
    if (!err)
        err = sc__reply_array(&page[1], &names, &count, ret_reason);
    if (err)
        return err;
    if (next.len > SC__INT_LEN)
        return sc__because(ret_reason, SC_EPROTO, "the server's cursor has %zu digits", next.len);
    memcpy(cursor, next.ptr, next.len);
    cursor[next.len] = '\0';
    for (size_t i = 0; i < count && !err; i++) {
        sc_slice key, name;

        err = sc__reply_str(&names[i], &key, ret_reason);
        name = err ? (sc_slice){NULL, 0} : queue_of(key, prefix);
        if (name.len)
            err = found(user, name);
    }
    return err;
}

sc_err sc__op_discover(sc_client *client, sc_slice prefix,
                       sc_err (*found)(void *user, sc_slice name), void *user,
                       sc_reason *ret_reason)
{
    AUTO_STR pattern = STR_MAX(PATTERN_MAX);
    const sc__send_opts again = {.idempotent = true};
    char cursor[SC__INT_LEN + 1] = "0";
    sc_err err;

    write_pattern(&pattern, prefix);
    if (pattern.err)
        return sc__because(ret_reason, pattern.err, "the prefix: %s", sc_err_text(pattern.err));
    do {
        const sc_slice argv[] = {
            SC_S("SCAN"),  sc_slice_of(cursor), SC_S("MATCH"), sc__str_slice(&pattern),
            SC_S("COUNT"), SC_S("1000"),        SC_S("TYPE"),  SC_S("hash"),
        };
        sc_reply *reply = NULL;

        err = sc__client_send_wait(client, argv, 8, &again, &reply);
        if (err)
            return sc__because(ret_reason, err, "looking for queues: %s", sc_err_text(err));
        err = read_page(reply, prefix, cursor, found, user, ret_reason);
        sc_reply_free(reply);
    } while (!err && strcmp(cursor, "0") != 0);
    return err;
}
