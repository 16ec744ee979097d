#include "scheduler_walk.h"

#include "redis/reply.h"
#include "scheduler_keys.h"

enum { ARGS_BYTES_MAX = 16 * 1024 };

static void note(sc__walk *walk, sc_err err)
{
    if (!walk->err)
        walk->err = err;
}

static sc_err read_slice(sc__walk *walk, const sc_reply *reply)
{
    const sc__walk_kind *kind = walk->kind;
    const sc_reply *items;
    int64_t looked_at = 0;
    size_t count;
    sc_err err = sc__reply_array(reply, &items, &count, NULL);

    if (!err)
        err = count < kind->head ? SC_EPROTO : sc__reply_int(&items[0], &looked_at, NULL);
    if (!err && kind->read_head)
        err = kind->read_head(walk, items);
    if (err)
        return err;
    walk->is_last = looked_at >= 0 && looked_at < SC__WALK_SLICE;
    walk->from += looked_at > 0 ? looked_at : 0;
    for (size_t i = kind->head; i + kind->fields <= count; i += kind->fields)
        note(walk, kind->visit(walk, &items[i]));
    return SC_OK;
}

static void on_found(void *user, sc_err err, const sc_reply *reply)
{
    sc__walk *walk = user;

    walk->is_last = true;
    if (!err)
        err = read_slice(walk, reply);
    sc__walk_call_ended(walk, err);
}

static sc_err find_slice(sc__walk *walk)
{
    const sc__script *script = walk->kind->script;
    const sc__send_opts opts = {.idempotent = true};
    sc_slice keys[SC__SCHEDULER_KEYS];
    sc__arena arena;
    sc__args args;
    sc_err err;

    sc__arena_init(&arena, ARGS_BYTES_MAX);
    sc__args_init(&args, &arena);
    walk->kind->add_args(walk, &args);
    sc__scheduler_keys(walk->keys, keys);
    walk->calls = 1;
    err = args.err;
    if (!err)
        err = sc__script_call(walk->client, script, keys, script->key_count, args.items, args.count,
                              &opts, on_found, walk);
    sc__arena_release(&arena);
    return err;
}

sc_err sc__walk_start(sc__walk *walk)
{
    walk->from = 0;
    walk->err = SC_OK;
    return find_slice(walk);
}

void sc__walk_call_ended(sc__walk *walk, sc_err err)
{
    const sc__walk_kind *kind = walk->kind;

    note(walk, err);
    if (--walk->calls > 0)
        return;
    if (!walk->is_last || (kind->is_to_go_on && kind->is_to_go_on(walk))) {
        err = find_slice(walk);
        if (!err)
            return;
        note(walk, err);
    }
    walk->cb(walk->user, walk->err);
}
