#include "scheduler_sweep.h"

#include "base/log.h"
#include "base/str.h"
#include "redis/reply.h"
#include "scheduler_keys.h"
#include "scheduler_opts.h"
#include "scripts.h"

enum { ARGS_BYTES_MAX = 256 * 1024, OPTS_BYTES_MAX = 128 * 1024 };

_Static_assert(SC__SCRIPT_KEYS_findLostSchedulers == SC__SCHEDULER_KEYS,
               "findLostSchedulers' keys");
_Static_assert(SC__SCRIPT_KEYS_restoreScheduler == SC__SCHEDULER_KEYS, "restoreScheduler's keys");

static void on_restored(void *user, sc_err err, const sc_reply *reply)
{
    int64_t made = 0;

    if (!err)
        err = sc__reply_int(reply, &made, NULL);
    sc__walk_call_ended(user, err);
}

/* Could the lost run have been the last one? Then it may as well have run and been removed, and is left alone. */
static bool may_be_last(sc__walk *walk, const sc_scheduler_info *info)
{
    int64_t next_ms;

    if (__builtin_add_overflow(info->next_ms, info->every_ms, &next_ms))
        next_ms = INT64_MAX;
    if (info->pattern.len && sc__ticker_next_time(walk->ticker, info->id, info->pattern, info->tz,
                                                  info->next_ms, &next_ms, NULL))
        return true;
    return info->end_ms && next_ms > info->end_ms;
}

static void restore_args(const sc__walk *walk, const sc_scheduler_info *info, sc__args *args,
                         sc_slice head)
{
    sc__scheduler_opts opts;

    sc__scheduler_opts_read(info->opts, &opts);
    sc__scheduler_args(args, walk->keys, info->id);
    sc__args_int(args, info->next_ms);
    sc__args_slice(args, head);
    sc__args_int(args, opts.priority);
    sc__args_slice(args, opts.lifo ? SC_S("RPUSH") : SC_S("LPUSH"));
    sc__args_text(args, opts.dedup_id);
    sc__args_bool(args, info->pattern.len > 0);
}

static sc_err restore(sc__walk *walk, const sc_scheduler_info *info, sc__arena *arena)
{
    AUTO_STR head = STR_MAX(OPTS_BYTES_MAX);
    const sc_repeat repeat = sc__scheduler_repeat(info);
    sc_slice keys[SC__SCHEDULER_KEYS];
    sc__args args;
    sc_err err;

    sc__scheduler_head_write(&head, info->id, info->opts, &repeat, info->iterations);
    if (head.err)
        return head.err;
    sc__args_init(&args, arena);
    restore_args(walk, info, &args, sc__str_slice(&head));
    if (args.err)
        return args.err;
    sc__scheduler_keys(walk->keys, keys);
    walk->calls++;
    err = sc__script_call(walk->client, &SC__SCRIPT_restoreScheduler, keys, SC__SCHEDULER_KEYS,
                          args.items, args.count, NULL, on_restored, walk);
    walk->calls -= err != SC_OK;
    if (!err)
        sc__log(SC_LOG_WARN,
                "queue %.*s: job scheduler %.*s: its pending job was lost and is made again",
                (int)walk->keys->base.len - 1, walk->keys->base.ptr, (int)info->id.len,
                info->id.ptr);
    return err;
}

/* A guarded schedule: what it should have made is made now. */
static sc_err make(sc__walk *walk, const sc_scheduler_info *info, sc_slice now)
{
    int64_t now_ms;

    return sc__int_parse(now, &now_ms) ? sc__walk_make(walk, info, now_ms) : SC_EPROTO;
}

/* `items`: id, score, rule, kind of loss, options of the job or now. */
static sc_err visit(sc__walk *walk, const sc_reply *items)
{
    sc_scheduler_info info;
    sc__arena arena;
    sc_err err;

    sc__arena_init(&arena, ARGS_BYTES_MAX + OPTS_BYTES_MAX + items[4].str.len);
    err = sc__scheduler_rule_read(items, &arena, &info);
    if (!err && sc_slice_eq(items[3].str, SC_S("due")))
        err = make(walk, &info, items[4].str);
    else if (!err &&
             !sc_slice_eq(items[3].str, SC_S("gone"))) /* what a worker missed is done now */
        err = sc__walk_tick(walk, items[0].str, items[1].str, items[4].str);
    else if (!err && !may_be_last(walk, &info))
        err = restore(walk, &info, &arena);
    sc__arena_release(&arena);
    return err;
}

static void add_args(const sc__walk *walk, sc__args *args, int64_t from)
{
    const sc__sweep *s = (const sc__sweep *)walk;

    sc__scheduler_args(args, walk->keys, SC_S(""));
    sc__args_int(args, s->overdue_ms);
    sc__args_int(args, from);
    sc__args_int(args, SC__WALK_SLICE);
    sc__scheduler_field_args(args);
}

void sc__sweep_init(sc__sweep *sweep, sc_client *client, const sc__queue_keys *keys,
                    sc__ticker *ticker, sc__walk_cb cb, void *user)
{
    static const sc__walk_kind kind = {
        .script = &SC__SCRIPT_findLostSchedulers,
        .head = 1,
        .fields = 5,
        .add_args = add_args,
        .visit = visit,
    };

    *sweep = (sc__sweep){.walk = sc__walk_of(&kind, client, keys, ticker, cb, user)};
}

sc_err sc__sweep_start(sc__sweep *sweep, int64_t overdue_ms)
{
    sweep->overdue_ms = overdue_ms;
    return sc__walk_start(&sweep->walk);
}
