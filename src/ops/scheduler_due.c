#include "scheduler_due.h"

#include "base/clock.h"
#include "redis/reply.h"
#include "scheduler_keys.h"
#include "scripts.h"

enum {
    MAKINGS = 5 /* of schedules that were read ahead, at a time */
};

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
    d->seen_ns = sc__mono_ns();
    if (!d->since_ms)
        d->since_ms = now_ms;
    d->has_none = !next_ms;
    d->next_ms = next_ms > 0 ? next_ms : -1;
    return SC_OK;
}

static sc_err make(sc__walk *walk, const sc_scheduler_info *rule)
{
    return sc__walk_make(walk, rule, ((const sc__due *)walk)->now_ms);
}

/* `items`: id, its run, options of its job or its rule. */
static sc_err visit(sc__walk *walk, const sc_reply *items)
{
    if (items[2].type == SC_REPLY_STRING)
        return sc__walk_tick(walk, items[0].str, items[1].str, items[2].str);
    return sc__walk_rule(walk, items, make);
}

/* One step after the other: those that were read ahead, the walk behind them, the end. */
static void go_on(sc__due *d);

static void on_walked(void *user, sc_err err)
{
    sc__due *d = user;

    d->err = d->err ? d->err : err;
    d->has_ended = true;
    go_on(d);
}

static void on_made(void *user, sc_err err, sc__ticked ticked)
{
    sc__due *d = user;

    d->err = d->err ? d->err : err;
    d->advanced += d->has_ended ? ticked.advanced : 0;
    d->makings--;
    go_on(d);
}

static void make_ahead(sc__due *d, int64_t now_ms)
{
    sc__making *making;

    while (d->makings <= MAKINGS && (making = sc__ahead_take(d->ahead, now_ms)) != NULL) {
        d->makings++;
        sc__making_start(making, now_ms, on_made, d);
    }
}

static void walk(sc__due *d)
{
    sc_err err;

    d->has_begun = true;
    err = sc__walk_start(&d->walk);
    if (err)
        on_walked(d, err);
}

static void go_on(sc__due *d)
{
    int64_t now_ms = sc__due_server_now(d);

    d->makings++; /* so that nothing of this is the end */
    if (!d->has_begun)
        make_ahead(d, now_ms);
    if (!d->has_begun && sc__ahead_first(d->ahead) > now_ms)
        walk(d);
    if (!--d->makings && d->has_ended)
        d->cb(d->user, d->err);
}

void sc__due_init(sc__due *due, sc_client *client, const sc__queue_keys *keys, sc__ticker *ticker,
                  sc__ahead *ahead, sc__walk_cb cb, void *user)
{
    static const sc__walk_kind kind = {
        .script = &SC__SCRIPT_findDueSchedulers,
        .head = 3,
        .fields = 3,
        .add_args = add_args,
        .read_head = read_head,
        .visit = visit,
    };

    *due = (sc__due){.ahead = ahead, .cb = cb, .user = user};
    due->walk = sc__walk_of(&kind, client, keys, ticker, on_walked, due);
    due->walk.on_moved = sc__ahead_keep;
    due->walk.moved_user = ahead;
}

/* Is there a schedule by now? */
static void on_asked(void *user, sc_err err, const sc_reply *reply)
{
    sc__due *d = user;
    int64_t exists = 0;

    if (!err)
        err = sc__reply_int(reply, &exists, NULL);
    if (!err && exists)
        go_on(d);
    else
        d->cb(d->user, err);
}

static sc_err ask(sc__due *d)
{
    const sc__send_opts opts = {.idempotent = true};
    const sc_slice argv[] = {SC_S("EXISTS"), d->walk.keys->key[SC__KEY_REPEAT]};

    return sc__client_send(d->walk.client, argv, 2, &opts, on_asked, d);
}

sc_err sc__due_look(sc__due *due, int64_t back_ms)
{
    due->back_ms = back_ms;
    due->since_ms = 0;
    due->next_ms = -1;
    due->advanced = due->walk.advanced = 0;
    due->has_begun = due->has_ended = false;
    due->err = SC_OK;
    if (due->has_none)
        return ask(due);
    go_on(due);
    return SC_OK;
}

/* Of those read ahead, or of all as the walk saw them. */
static int64_t next_of(const sc__due *d)
{
    int64_t ahead_ms = sc__ahead_first(d->ahead);

    if (d->next_ms < 0)
        return ahead_ms == INT64_MAX ? -1 : ahead_ms;
    return ahead_ms < d->next_ms ? ahead_ms : d->next_ms;
}

int64_t sc__due_wait(const sc__due *due)
{
    int64_t next_ms = next_of(due), now_ms = sc__due_server_now(due);

    if (due->walk.advanced || due->advanced)
        return 0;
    return next_ms < 0 ? -1 : next_ms > now_ms ? next_ms - now_ms : 0;
}

bool sc__due_is_to_read_ahead(const sc__due *due)
{
    return due->next_ms >= 0 && sc__ahead_is_due(due->ahead, sc__due_server_now(due), due->next_ms);
}

int64_t sc__due_server_now(const sc__due *due)
{
    return due->now_ms ? due->now_ms + (sc__mono_ns() - due->seen_ns) / 1000000 : 0;
}
