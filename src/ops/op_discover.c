#include "base/error.h"
#include "op_get.h"
#include "redis/client.h"
#include "redis/reply.h"

enum { PATTERN_MAX = 2048 };

/* `prefix` with what is special in a glob pattern escaped, and the rest. */
static void write_pattern(sc__str *out, sc_slice prefix, const char *rest)
{
    for (size_t i = 0; i < prefix.len; i++) {
        if (memchr("*?[]\\", prefix.ptr[i], 5))
            sc__str_char(out, '\\');
        sc__str_char(out, prefix.ptr[i]);
    }
    sc__str_text(out, rest);
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

static sc_err read_page(const sc_reply *reply, char cursor[SC__INT_LEN + 1],
                        sc_err (*found)(void *user, sc_slice key), void *user,
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
        sc_slice key;

        err = sc__reply_str(&names[i], &key, ret_reason);
        if (!err)
            err = found(user, key);
    }
    return err;
}

/* Walks over the server's keys; only hashes if `hashes`. */
static sc_err scan(sc_client *client, sc_slice pattern, bool hashes,
                   sc_err (*found)(void *user, sc_slice key), void *user, sc_reason *ret_reason)
{
    const sc__send_opts again = {.idempotent = true};
    char cursor[SC__INT_LEN + 1] = "0";
    sc_err err;

    do {
        const sc_slice argv[] = {
            SC_S("SCAN"),  sc_slice_of(cursor), SC_S("MATCH"), pattern,
            SC_S("COUNT"), SC_S("1000"),        SC_S("TYPE"),  SC_S("hash"),
        };
        sc_reply *reply = NULL;

        err = sc__client_send_wait(client, argv, hashes ? 8 : 6, &again, &reply);
        if (err)
            return sc__because(ret_reason, err, "looking through the server's keys: %s",
                               sc_err_text(err));
        err = read_page(reply, cursor, found, user, ret_reason);
        sc_reply_free(reply);
    } while (!err && strcmp(cursor, "0") != 0);
    return err;
}

/* Of keys that may be metas, those of queues. */
struct discovery {
    sc_slice prefix;
    sc_err (*found)(void *user, sc_slice name);
    void *user;
};

static sc_err on_meta(void *user, sc_slice key)
{
    const struct discovery *d = user;
    sc_slice name = queue_of(key, d->prefix);

    return name.len ? d->found(d->user, name) : SC_OK;
}

sc_err sc__op_discover(sc_client *client, sc_slice prefix,
                       sc_err (*found)(void *user, sc_slice name), void *user,
                       sc_reason *ret_reason)
{
    AUTO_STR pattern = STR_MAX(PATTERN_MAX);
    struct discovery d = {prefix, found, user};

    write_pattern(&pattern, prefix, ":*:meta");
    if (pattern.err)
        return sc__because(ret_reason, pattern.err, "the prefix: %s", sc_err_text(pattern.err));
    return scan(client, sc__str_slice(&pattern), true, on_meta, &d, ret_reason);
}

sc_err sc__op_each_key(sc_client *client, sc_slice start, sc_err (*found)(void *user, sc_slice key),
                       void *user, sc_reason *ret_reason)
{
    AUTO_STR pattern = STR_MAX(PATTERN_MAX);

    write_pattern(&pattern, start, "*");
    if (pattern.err)
        return sc__because(ret_reason, pattern.err, "the queue's keys: %s",
                           sc_err_text(pattern.err));
    return scan(client, sc__str_slice(&pattern), false, found, user, ret_reason);
}
