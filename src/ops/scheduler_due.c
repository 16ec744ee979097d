#include "scheduler_due.h"

#include "base/clock.h"
#include "redis/reply.h"
#include "scheduler_keys.h"
#include "scripts.h"

enum { RULE_BYTES_MAX = 4 * 1024 * 1024 };

_Static_assert(SC__SCRIPT_KEYS_findDueSchedulers == SC__SCHEDULER_KEYS, "findDueSchedulers' keys");

static void add_args(const sc__walk *walk, sc__args *args, int64_t from)
{
    const sc__due *d = (const sc__due *)walk;

    sc__scheduler_args(args, walk->keys, SC_S(""));
    sc__args_int(args, d->back_ms);
    sc__args_int(args, from);
    sc__args_int(args, SC__WALK_SLICE);
    sc__scheduler_number(args, d->since_ms);
    sc__scheduler_field_args(args);
}

static sc_err read_head(sc__walk *walk, const sc_reply *items)
{
    sc__due *d = (sc__due *)walk;
    int64_t now_ms = 0, next_ms = 0;
    sc_err err = sc__reply_int(&items[1], &now_ms, NULL);

    if (!err)
        err = sc__reply_int(&items[2], &next_ms, NULL);
    if (err)
        return err;
    d->now_ms = now_ms;
    d->seen_ms = sc__mono_ms();
    if (!d->since_ms)
        d->since_ms = now_ms;
    d->has_none = !next_ms;
    d->wait_ms = next_ms <= 0 ? -1 : next_ms > now_ms ? next_ms - now_ms : 0;
    return SC_OK;
}

static sc_err make(sc__due *d, const sc_reply *items)
{
    sc_scheduler_info rule;
    sc__arena arena;
    sc_err err;

    sc__arena_init(&arena, RULE_BYTES_MAX);
    err = sc__scheduler_rule_read(items, &arena, &rule);
    if (!err)
        err = sc__walk_make(&d->walk, &rule, d->now_ms);
    sc__arena_release(&arena);
    return err;
}

/* `items`: id, its run, options of its job or its rule. */
static sc_err visit(sc__walk *walk, const sc_reply *items)
{
    sc__due *d = (sc__due *)walk;

    if (items[2].type == SC_REPLY_STRING)
        return sc__walk_tick(walk, items[0].str, items[1].str, items[2].str);
    return make(d, items);
}

void sc__due_init(sc__due *due, sc_client *client, const sc__queue_keys *keys, sc__ticker *ticker,
                  sc__walk_cb cb, void *user)
{
    static const sc__walk_kind kind = {
        .script = &SC__SCRIPT_findDueSchedulers,
        .head = 3,
        .fields = 3,
        .add_args = add_args,
        .read_head = read_head,
        .visit = visit,
    };

    *due = (sc__due){.walk = sc__walk_of(&kind, client, keys, ticker, cb, user)};
}

/* Is there a schedule by now? */
static void on_asked(void *user, sc_err err, const sc_reply *reply)
{
    sc__due *d = user;
    int64_t exists = 0;

    if (!err)
        err = sc__reply_int(reply, &exists, NULL);
    if (!err && exists)
        err = sc__walk_start(&d->walk);
    if (err || !exists)
        d->walk.cb(d->walk.user, err);
}

static sc_err ask(sc__due *d)
{
    const sc__send_opts opts = {.idempotent = true};
    const sc_slice argv[] = {SC_S("EXISTS"), d->walk.keys->key[SC__KEY_REPEAT]};

    d->walk.advanced = 0;
    return sc__client_send(d->walk.client, argv, 2, &opts, on_asked, d);
}

sc_err sc__due_look(sc__due *due, int64_t back_ms)
{
    due->back_ms = back_ms;
    due->since_ms = 0;
    due->wait_ms = -1;
    return due->has_none ? ask(due) : sc__walk_start(&due->walk);
}

int64_t sc__due_wait(const sc__due *due)
{
    return due->walk.advanced ? 0 : due->wait_ms;
}

int64_t sc__due_server_now(const sc__due *due)
{
    return due->now_ms ? due->now_ms + sc__mono_ms() - due->seen_ms : 0;
}
