#include "scheduler_due.h"

#include "base/clock.h"
#include "base/mem.h"
#include "op_scheduler.h"
#include "redis/reply.h"
#include "scheduler_keys.h"
#include "scheduler_make.h"
#include "scripts.h"

enum {
    SLICE = 100,
    HEAD = 3,
    FIELDS = 3,
    ARGS_BYTES_MAX = 16 * 1024,
    RULE_BYTES_MAX = 4 * 1024 * 1024
};

_Static_assert(SC__SCRIPT_KEYS_findDueSchedulers == SC__SCHEDULER_KEYS, "findDueSchedulers' keys");

struct sc__due {
    sc_client *client;
    const sc__queue_keys *keys;
    sc__ticker *ticker;
    sc__due_cb cb;
    void *user;
    int64_t back_ms;
    int64_t from;     /* due schedulers looked at */
    int64_t since_ms; /* the date of the first slice; 0: that is still to come */
    int64_t now_ms;   /* of the newest slice */
    int64_t seen_ms;  /* when that came, by our monotonic clock */
    int64_t wait_ms;  /* as for the callback */
    bool is_last;     /* no slice after this one */
    bool has_ticked;  /* so the next run has changed, and is asked for at the end */
    int calls;        /* under way */
    sc_err err;
};

sc_err sc__due_new(sc_client *client, const sc__queue_keys *keys,
                   const sc_repeat_strategy *strategy, sc__due_cb cb, void *user, sc__due **ret_due)
{
    sc__due *d = sc__calloc(1, sizeof(*d));
    sc_err err;

    if (!d)
        return SC_ENOMEM;
    err = sc__ticker_new(client, keys, strategy, &d->ticker);
    if (err) {
        sc_free(d);
        return err;
    }
    d->client = client;
    d->keys = keys;
    d->cb = cb;
    d->user = user;
    *ret_due = d;
    return SC_OK;
}

void sc__due_free(sc__due *due)
{
    if (!due)
        return;
    sc__ticker_free(due->ticker);
    sc_free(due);
}

static sc_err find_slice(sc__due *d, int count);

/* A call has ended; after the last one comes the next slice, or the end. */
static void call_ended(sc__due *d, sc_err err)
{
    bool asks = d->is_last && d->has_ticked;

    if (err && !d->err)
        d->err = err;
    if (--d->calls > 0)
        return;
    /* Those that have another next run now are due no more, and not to be passed over. */
    d->from -= sc__ticker_take_advanced(d->ticker);
    if (d->from < 0)
        d->from = 0;
    if (!d->is_last || asks) {
        d->has_ticked &= !asks;
        err = find_slice(d, asks ? 0 : SLICE);
        if (!err)
            return;
        d->err = d->err ? d->err : err;
    }
    d->cb(d->user, d->err, sc__ticker_take_due(d->ticker) ? 0 : d->wait_ms);
}

static void on_ticked(void *user, sc_err err)
{
    call_ended(user, err);
}

static sc_err make(sc__due *d, const sc_reply *items)
{
    sc_scheduler_info rule;
    sc__arena arena;
    sc_err err;

    sc__arena_init(&arena, RULE_BYTES_MAX);
    err = sc__scheduler_info_read(items, &arena, &rule);
    if (!err)
        err = sc__scheduler_make(d->client, d->keys, d->ticker, &rule, d->now_ms, on_ticked, d);
    sc__arena_release(&arena);
    return err;
}

/* `items`: id, its run, options of its job or its rule. */
static sc_err tick(sc__due *d, const sc_reply *items)
{
    sc__arena arena;
    const char *job_id;
    sc_err err = SC_ENOMEM;

    if (items[2].type != SC_REPLY_STRING)
        return make(d, items);
    sc__arena_init(&arena, ARGS_BYTES_MAX);
    job_id = sc__arena_printf(&arena, "repeat:%.*s:%.*s", (int)items[0].str.len, items[0].str.ptr,
                              (int)items[1].str.len, items[1].str.ptr);
    if (job_id)
        err = sc__ticker_tick(d->ticker, items[0].str, sc_slice_of(job_id), items[2].str, on_ticked,
                              d);
    sc__arena_release(&arena);
    return err;
}

static sc_err read_head(sc__due *d, const sc_reply *items)
{
    int64_t now_ms = 0, next_ms = 0, looked_at = 0;
    sc_err err = sc__reply_int(&items[0], &now_ms, NULL);

    if (!err)
        err = sc__reply_int(&items[1], &next_ms, NULL);
    if (!err)
        err = sc__reply_int(&items[2], &looked_at, NULL);
    if (err)
        return err;
    d->now_ms = now_ms;
    d->seen_ms = sc__mono_ms();
    d->is_last = looked_at >= 0 && looked_at < SLICE;
    d->from += looked_at > 0 ? looked_at : 0;
    if (!d->since_ms)
        d->since_ms = now_ms;
    d->wait_ms = !next_ms ? -1 : next_ms > now_ms ? next_ms - now_ms : 0;
    return SC_OK;
}

static sc_err read_slice(sc__due *d, const sc_reply *reply)
{
    const sc_reply *items;
    size_t count;
    sc_err err = sc__reply_array(reply, &items, &count, NULL);

    if (!err)
        err = count < HEAD ? SC_EPROTO : read_head(d, items);
    for (size_t i = HEAD; !err && i + FIELDS <= count; i += FIELDS) {
        sc_err failed;

        d->calls++;
        d->has_ticked = true;
        failed = tick(d, &items[i]);
        if (failed) {
            d->calls--;
            d->err = d->err ? d->err : failed; /* the others are looked after all the same */
        }
    }
    return err;
}

static void on_found(void *user, sc_err err, const sc_reply *reply)
{
    sc__due *d = user;

    d->is_last = true;
    if (!err)
        err = read_slice(d, reply);
    call_ended(d, err);
}

static sc_err find_slice(sc__due *d, int count)
{
    const sc__send_opts opts = {.idempotent = true};
    sc_slice keys[SC__SCHEDULER_KEYS];
    sc__arena arena;
    sc__args args;
    sc_err err;

    sc__arena_init(&arena, ARGS_BYTES_MAX);
    sc__args_init(&args, &arena);
    sc__scheduler_args(&args, d->keys, SC_S(""));
    sc__args_int(&args, d->back_ms);
    sc__args_int(&args, d->from);
    sc__args_int(&args, count);
    sc__scheduler_number(&args, d->since_ms);
    sc__scheduler_keys(d->keys, keys);
    d->calls = 1;
    err = args.err;
    if (!err)
        err = sc__script_call(d->client, &SC__SCRIPT_findDueSchedulers, keys, SC__SCHEDULER_KEYS,
                              args.items, args.count, &opts, on_found, d);
    sc__arena_release(&arena);
    return err;
}

sc_err sc__due_look(sc__due *due, int64_t back_ms)
{
    due->back_ms = back_ms;
    due->from = 0;
    (void)sc__ticker_take_advanced(due->ticker);
    due->since_ms = 0;
    due->wait_ms = -1;
    due->has_ticked = false;
    due->err = SC_OK;
    return find_slice(due, SLICE);
}

int64_t sc__due_server_now(const sc__due *due)
{
    return due->now_ms ? due->now_ms + sc__mono_ms() - due->seen_ms : 0;
}
