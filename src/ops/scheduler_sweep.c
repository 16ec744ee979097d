#include "scheduler_sweep.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "op_scheduler.h"
#include "redis/reply.h"
#include "scheduler_keys.h"
#include "scheduler_make.h"
#include "scheduler_opts.h"
#include "scripts.h"

enum { SLICE = 100, FIELDS = 5, ARGS_BYTES_MAX = 256 * 1024, OPTS_BYTES_MAX = 128 * 1024 };

_Static_assert(SC__SCRIPT_KEYS_findLostSchedulers == SC__SCHEDULER_KEYS,
               "findLostSchedulers' keys");
_Static_assert(SC__SCRIPT_KEYS_restoreScheduler == SC__SCHEDULER_KEYS, "restoreScheduler's keys");

struct sc__sweep {
    sc_client *client;
    const sc__queue_keys *keys;
    sc__ticker *ticker;
    sc__sweep_cb cb;
    void *user;
    int64_t overdue_ms;
    int64_t from; /* overdue schedulers looked at */
    bool is_last; /* no slice after this one */
    int calls;    /* under way */
    int mended;
    sc_err err;
};

sc_err sc__sweep_new(sc_client *client, const sc__queue_keys *keys,
                     const sc_repeat_strategy *strategy, sc__sweep_cb cb, void *user,
                     sc__sweep **ret_sweep)
{
    sc__sweep *s = sc__calloc(1, sizeof(*s));
    sc_err err;

    if (!s)
        return SC_ENOMEM;
    err = sc__ticker_new(client, keys, strategy, &s->ticker);
    if (err) {
        sc_free(s);
        return err;
    }
    s->client = client;
    s->keys = keys;
    s->cb = cb;
    s->user = user;
    *ret_sweep = s;
    return SC_OK;
}

void sc__sweep_free(sc__sweep *sweep)
{
    if (!sweep)
        return;
    sc__ticker_free(sweep->ticker);
    sc_free(sweep);
}

static sc_err find_slice(sc__sweep *s);

/* A call has ended; after the last one comes the next slice, or the end. */
static void call_ended(sc__sweep *s, sc_err err)
{
    if (err && !s->err)
        s->err = err;
    if (--s->calls > 0)
        return;
    if (!s->is_last) {
        err = find_slice(s);
        if (!err)
            return;
        s->err = s->err ? s->err : err;
    }
    s->cb(s->user, s->err, s->mended);
}

static void on_ticked(void *user, sc_err err)
{
    sc__sweep *s = user;

    s->mended += !err;
    call_ended(s, err);
}

static void on_restored(void *user, sc_err err, const sc_reply *reply)
{
    sc__sweep *s = user;
    int64_t made = 0;

    if (!err)
        err = sc__reply_int(reply, &made, NULL);
    s->mended += made == 1;
    call_ended(s, err);
}

/* Could the lost run have been the last one? Then it may as well have run and been removed, and is left alone. */
static bool may_be_last(sc__sweep *s, const sc_scheduler_info *info)
{
    int64_t next_ms;

    if (__builtin_add_overflow(info->next_ms, info->every_ms, &next_ms))
        next_ms = INT64_MAX;
    if (info->pattern.len && sc__ticker_next_time(s->ticker, info->id, info->pattern, info->tz,
                                                  info->next_ms, &next_ms, NULL))
        return true;
    return info->end_ms && next_ms > info->end_ms;
}

static void restore_args(sc__sweep *s, const sc_scheduler_info *info, sc__args *args, sc_slice head)
{
    sc__scheduler_opts opts;

    sc__scheduler_opts_read(info->opts, &opts);
    sc__scheduler_args(args, s->keys, info->id);
    sc__args_int(args, info->next_ms);
    sc__args_slice(args, head);
    sc__args_int(args, opts.priority);
    sc__args_slice(args, opts.lifo ? SC_S("RPUSH") : SC_S("LPUSH"));
    sc__args_text(args, opts.dedup_id);
    sc__args_bool(args, info->pattern.len > 0);
}

static sc_err restore(sc__sweep *s, const sc_scheduler_info *info, sc__arena *arena)
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
    restore_args(s, info, &args, sc__str_slice(&head));
    if (args.err)
        return args.err;
    sc__scheduler_keys(s->keys, keys);
    err = sc__script_call(s->client, &SC__SCRIPT_restoreScheduler, keys, SC__SCHEDULER_KEYS,
                          args.items, args.count, NULL, on_restored, s);
    if (!err)
        sc__log(SC_LOG_WARN,
                "queue %.*s: job scheduler %.*s: its pending job was lost and is made again",
                (int)s->keys->base.len - 1, s->keys->base.ptr, (int)info->id.len, info->id.ptr);
    return err;
}

/* The job was taken, but no next one was made: what its worker missed is done now. */
static sc_err tick(sc__sweep *s, const sc_scheduler_info *info, sc_slice job_opts, sc__arena *arena)
{
    const char *job_id = sc__arena_printf(arena, "repeat:%.*s:%lld", (int)info->id.len,
                                          info->id.ptr, (long long)info->next_ms);

    if (!job_id)
        return SC_ENOMEM;
    return sc__ticker_tick(s->ticker, info->id, sc_slice_of(job_id), job_opts, on_ticked, s);
}

/* A guarded schedule: what it should have made is made now. */
static sc_err make(sc__sweep *s, const sc_scheduler_info *info, sc_slice now)
{
    int64_t now_ms;

    if (!sc__int_parse(now, &now_ms))
        return SC_EPROTO;
    return sc__scheduler_make(s->client, s->keys, s->ticker, info, now_ms, on_ticked, s);
}

/* `items`: id, score, rule, kind of loss, options of the job or now. */
static sc_err mend(sc__sweep *s, const sc_reply *items)
{
    sc_scheduler_info info;
    sc__arena arena;
    sc_err err;

    sc__arena_init(&arena, ARGS_BYTES_MAX + OPTS_BYTES_MAX + items[4].str.len);
    err = sc__scheduler_info_read(items, &arena, &info);
    if (!err && sc_slice_eq(items[3].str, SC_S("ran")))
        err = tick(s, &info, items[4].str, &arena);
    else if (!err && sc_slice_eq(items[3].str, SC_S("due")))
        err = make(s, &info, items[4].str);
    else if (!err && may_be_last(s, &info))
        s->calls--; /* nothing was sent */
    else if (!err)
        err = restore(s, &info, &arena);
    sc__arena_release(&arena);
    return err;
}

static sc_err mend_all(sc__sweep *s, const sc_reply *reply)
{
    const sc_reply *items;
    int64_t looked_at = 0;
    size_t count;
    sc_err err = sc__reply_array(reply, &items, &count, NULL);

    if (!err && count)
        err = sc__reply_int(&items[0], &looked_at, NULL);
    if (err || !count)
        return err ? err : SC_EPROTO;
    s->from += looked_at;
    s->is_last = looked_at < SLICE;
    for (size_t i = 1; i + FIELDS <= count; i += FIELDS) {
        s->calls++;
        err = mend(s, &items[i]);
        if (err) {
            s->calls--;
            s->err = s->err ? s->err : err; /* the others are looked after all the same */
        }
    }
    return SC_OK;
}

static void on_found(void *user, sc_err err, const sc_reply *reply)
{
    sc__sweep *s = user;

    s->is_last = true;
    if (!err)
        err = mend_all(s, reply);
    call_ended(s, err);
}

static sc_err find_slice(sc__sweep *s)
{
    const sc__send_opts opts = {.idempotent = true};
    sc_slice keys[SC__SCHEDULER_KEYS];
    sc__arena arena;
    sc__args args;
    sc_err err;

    sc__arena_init(&arena, ARGS_BYTES_MAX);
    sc__args_init(&args, &arena);
    sc__scheduler_args(&args, s->keys, SC_S(""));
    sc__args_int(&args, s->overdue_ms);
    sc__args_int(&args, s->from);
    sc__args_int(&args, SLICE);
    sc__scheduler_keys(s->keys, keys);
    s->calls = 1;
    err = args.err;
    if (!err)
        err = sc__script_call(s->client, &SC__SCRIPT_findLostSchedulers, keys, SC__SCHEDULER_KEYS,
                              args.items, args.count, &opts, on_found, s);
    sc__arena_release(&arena);
    return err;
}

sc_err sc__sweep_start(sc__sweep *sweep, int64_t overdue_ms)
{
    sweep->overdue_ms = overdue_ms;
    sweep->from = 0;
    sweep->mended = 0;
    sweep->err = SC_OK;
    return find_slice(sweep);
}
