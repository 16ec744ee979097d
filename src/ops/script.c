#include "script.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/str.h"
#include "codes.h"
#include "redis/reply.h"

enum { HEAD = 3 }; /* EVALSHA, sha1, number of keys */

/* EVALSHA with its arguments in one array; small calls need no memory of their own. */
struct call {
    sc_slice small[64];
    sc_slice *argv;
    char digits[SC__INT_LEN];
};

static sc_err call_init(struct call *c, const sc__script *script, const sc_slice *keys,
                        size_t key_count, const sc_slice *args, size_t arg_count)
{
    size_t argc = HEAD + key_count + arg_count;

    if (key_count != script->key_count)
        return SC_EINTERNAL;
    c->argv = c->small;
    if (argc > sizeof(c->small) / sizeof(*c->small)) {
        c->argv = sc__malloc(argc * sizeof(*c->argv));
        if (!c->argv)
            return SC_ENOMEM;
    }
    c->argv[0] = SC_S("EVALSHA");
    c->argv[1] = (sc_slice){script->sha1, 40};
    c->argv[2] = (sc_slice){c->digits, sc__int_text((int64_t)key_count, c->digits)};
    memcpy(c->argv + HEAD, keys, key_count * sizeof(*keys));
    if (arg_count)
        memcpy(c->argv + HEAD + key_count, args, arg_count * sizeof(*args));
    return SC_OK;
}

static void call_release(struct call *c)
{
    if (c->argv != c->small)
        sc_free(c->argv);
}

static sc__send_opts with_script(const sc__send_opts *opts, const sc__script *script)
{
    sc__send_opts with = opts ? *opts : (sc__send_opts){0};

    with.script_text = &script->text;
    return with;
}

sc_err sc__script_call(sc_client *client, const sc__script *script, const sc_slice *keys,
                       size_t key_count, const sc_slice *args, size_t arg_count,
                       const sc__send_opts *opts, sc_reply_cb cb, void *user)
{
    sc__send_opts send = with_script(opts, script);
    struct call c;
    sc_err err = call_init(&c, script, keys, key_count, args, arg_count);

    if (err)
        return err;
    err = sc__client_send(client, c.argv, HEAD + key_count + arg_count, &send, cb, user);
    call_release(&c);
    return err;
}

sc_err sc__script_call_behind(sc__blocking *blocking, const sc__command *first, int64_t block_ms,
                              const sc__script *script, const sc_slice *keys, size_t key_count,
                              const sc_slice *args, size_t arg_count, sc_reply_cb cb, void *user)
{
    struct call c;
    sc_err err = call_init(&c, script, keys, key_count, args, arg_count);

    if (err)
        return err;
    err = sc__blocking_call_then(
        blocking, first, &(sc__command){c.argv, HEAD + key_count + arg_count}, block_ms, cb, user);
    call_release(&c);
    return err;
}

sc_err sc__script_call_wait(sc_client *client, const sc__script *script, const sc_slice *keys,
                            size_t key_count, const sc_slice *args, size_t arg_count,
                            const sc__send_opts *opts, sc_reply **ret_reply)
{
    sc__send_opts send = with_script(opts, script);
    struct call c;
    sc_err err = call_init(&c, script, keys, key_count, args, arg_count);

    if (err)
        return err;
    err = sc__client_send_wait(client, c.argv, HEAD + key_count + arg_count, &send, ret_reply);
    call_release(&c);
    return err;
}

sc_err sc__script_call_number(sc_client *client, const sc__script *script, const sc_slice *keys,
                              const sc_slice *args, size_t arg_count, int64_t *ret_number,
                              sc_reason *ret_reason)
{
    sc_reply *reply = NULL;
    sc_err err;

    err = sc__script_call_wait(client, script, keys, script->key_count, args, arg_count, NULL,
                               &reply);
    if (err)
        return sc__because(ret_reason, err, "%s: %s", script->name, sc_err_text(err));
    err = sc__reply_int(reply, ret_number, ret_reason);
    if (!err)
        err = sc__code_err(*ret_number, ret_reason);
    sc_reply_free(reply);
    return err;
}

void sc__args_init(sc__args *args, sc__arena *arena)
{
    *args = (sc__args){.arena = arena};
}

void sc__args_slice(sc__args *args, sc_slice value)
{
    if (args->err)
        return;
    if (args->count == args->cap) {
        size_t cap = args->cap ? args->cap * 2 : 32;
        sc_slice *items = sc__arena_alloc(args->arena, cap * sizeof(*items));

        if (!items) {
            args->err = SC_ETOOBIG;
            return;
        }
        if (args->count)
            memcpy(items, args->items, args->count * sizeof(*items));
        args->items = items;
        args->cap = cap;
    }
    args->items[args->count++] = value;
}

void sc__args_text(sc__args *args, const char *value)
{
    sc__args_slice(args, sc_slice_of(value));
}

void sc__args_int(sc__args *args, int64_t value)
{
    char *digits = sc__arena_alloc(args->arena, SC__INT_LEN);

    if (!digits) {
        args->err = args->err ? args->err : SC_ETOOBIG;
        return;
    }
    sc__args_slice(args, (sc_slice){digits, sc__int_text(value, digits)});
}

void sc__args_bool(sc__args *args, bool value)
{
    sc__args_slice(args, value ? SC_S("1") : SC_S("0"));
}
