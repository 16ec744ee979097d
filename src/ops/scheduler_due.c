#include "scheduler_due.h"

#include "base/clock.h"
#include "redis/reply.h"
#include "scheduler_keys.h"
#include "scheduler_make.h"
#include "scripts.h"

enum { JOB_ID_BYTES_MAX = 16 * 1024, RULE_BYTES_MAX = 4 * 1024 * 1024 };

_Static_assert(SC__SCRIPT_KEYS_findDueSchedulers == SC__SCHEDULER_KEYS, "findDueSchedulers' keys");

static void add_args(const sc__walk *walk, sc__args *args)
{
    const sc__due *d = (const sc__due *)walk;

    sc__scheduler_args(args, walk->keys, SC_S(""));
    sc__args_int(args, d->back_ms);
    sc__args_int(args, walk->from);
    sc__args_int(args, d->asks ? 0 : SC__WALK_SLICE);
    sc__scheduler_number(args, d->since_ms);
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
    if (d->has_made_due)
        d->wait_ms = 0;
    else
        d->wait_ms = !next_ms ? -1 : next_ms > now_ms ? next_ms - now_ms : 0;
    return SC_OK;
}

/* Those that have another next run now are due no more, and not to be passed over. */
static void on_ticked(void *user, sc_err err, sc__ticked what)
{
    sc__due *d = user;

    d->walk.from -= what.advanced;
    d->has_made_due |= what.is_due;
    sc__walk_call_ended(&d->walk, err);
}

static sc_err make(sc__due *d, const sc_reply *items)
{
    sc__walk *walk = &d->walk;
    sc_scheduler_info rule;
    sc__arena arena;
    sc_err err;

    sc__arena_init(&arena, RULE_BYTES_MAX);
    err = sc__scheduler_info_read(items, &arena, &rule);
    if (!err)
        err = sc__scheduler_make(walk->client, walk->keys, walk->ticker, &rule, d->now_ms,
                                 on_ticked, d);
    sc__arena_release(&arena);
    return err;
}

static sc_err tick(sc__due *d, const sc_reply *items)
{
    sc__arena arena;
    const char *job_id;
    sc_err err = SC_ENOMEM;

    sc__arena_init(&arena, JOB_ID_BYTES_MAX);
    job_id = sc__arena_printf(&arena, "repeat:%.*s:%.*s", (int)items[0].str.len, items[0].str.ptr,
                              (int)items[1].str.len, items[1].str.ptr);
    if (job_id)
        err = sc__ticker_tick(d->walk.ticker, items[0].str, sc_slice_of(job_id), items[2].str,
                              on_ticked, d);
    sc__arena_release(&arena);
    return err;
}

/* `items`: id, its run, options of its job or its rule. */
static sc_err visit(sc__walk *walk, const sc_reply *items)
{
    sc__due *d = (sc__due *)walk;
    sc_err err;

    walk->calls++;
    d->has_ticked = true;
    err = items[2].type == SC_REPLY_STRING ? tick(d, items) : make(d, items);
    walk->calls -= err != SC_OK;
    return err;
}

static bool asks_for_next_run(sc__walk *walk)
{
    sc__due *d = (sc__due *)walk;

    d->asks = d->has_ticked;
    d->has_ticked = false;
    return d->asks;
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
        .is_to_go_on = asks_for_next_run,
    };

    *due = (sc__due){.walk = {&kind, client, keys, ticker, cb, user}};
}

sc_err sc__due_look(sc__due *due, int64_t back_ms)
{
    due->back_ms = back_ms;
    due->since_ms = 0;
    due->wait_ms = -1;
    due->has_ticked = due->has_made_due = due->asks = false;
    return sc__walk_start(&due->walk);
}

int64_t sc__due_server_now(const sc__due *due)
{
    return due->now_ms ? due->now_ms + sc__mono_ms() - due->seen_ms : 0;
}
