#include "scheduler_rezone.h"

#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "op_scheduler.h"
#include "redis/reply.h"
#include "scheduler_keys.h"
#include "scheduler_opts.h"
#include "scheduler_policy.h"
#include "scripts.h"

/* A schedule that moves changes its place in the list, and others may be passed over: once more then. */
enum { PASSES = 3 };

enum { SLICE = 100, FIELDS = 3, RULE_BYTES_MAX = 4 * 1024 * 1024, OPTS_BYTES_MAX = 128 * 1024 };

_Static_assert(SC__SCRIPT_KEYS_moveScheduler == SC__SCHEDULER_KEYS, "moveScheduler's keys");

struct sc__rezone {
    sc_client *client;
    const sc__queue_keys *keys;
    sc__ticker *ticker;
    sc__rezone_cb cb;
    void *user;
    char version[SC_TZDB_VERSION_MAX + 1];
    int64_t now_ms;
    int64_t from;            /* schedules looked at */
    bool is_last;            /* no slice after this one */
    int calls;               /* under way */
    int moved, moved_before; /* in all passes, and when this pass began */
    int passes;
    sc_err err;
};

/* An empty version: it can't be told. */
static void read_version(char version[SC_TZDB_VERSION_MAX + 1])
{
    if (sc_tzdb_version(version))
        version[0] = '\0';
}

sc_err sc__rezone_new(sc_client *client, const sc__queue_keys *keys,
                      const sc_repeat_strategy *strategy, sc__rezone_cb cb, void *user,
                      sc__rezone **ret_rezone)
{
    sc__rezone *r = sc__calloc(1, sizeof(*r));
    sc_err err;

    if (!r)
        return SC_ENOMEM;
    err = sc__ticker_new(client, keys, strategy, &r->ticker);
    if (err) {
        sc_free(r);
        return err;
    }
    r->client = client;
    r->keys = keys;
    r->cb = cb;
    r->user = user;
    read_version(r->version);
    *ret_rezone = r;
    return SC_OK;
}

void sc__rezone_free(sc__rezone *rezone)
{
    if (!rezone)
        return;
    sc__ticker_free(rezone->ticker);
    sc_free(rezone);
}

bool sc__rezone_is_due(sc__rezone *rezone)
{
    char version[SC_TZDB_VERSION_MAX + 1];

    read_version(version);
    if (!version[0] || !strcmp(version, rezone->version))
        return false;
    memcpy(rezone->version, version, sizeof(version));
    return true;
}

static sc_err list_slice(sc__rezone *r);

/* A call has ended; after the last one comes the next slice, or the end. */
static void call_ended(sc__rezone *r, sc_err err)
{
    if (err && !r->err)
        r->err = err;
    if (--r->calls > 0)
        return;
    if (r->is_last && r->moved > r->moved_before && ++r->passes < PASSES) {
        r->is_last = false;
        r->from = 0;
        r->moved_before = r->moved;
    }
    if (!r->is_last) {
        err = list_slice(r);
        if (!err)
            return;
        r->err = r->err ? r->err : err;
    }
    r->cb(r->user, r->err, r->moved);
}

static void on_moved(void *user, sc_err err, const sc_reply *reply)
{
    sc__rezone *r = user;
    int64_t moved = 0;

    if (!err)
        err = sc__reply_int(reply, &moved, NULL);
    r->moved += moved == 1;
    call_ended(r, err);
}

static void move_args(sc__rezone *r, const sc_scheduler_info *info, sc__args *args, sc_slice head,
                      int64_t next_ms, int64_t nominal_ms)
{
    sc__scheduler_opts opts;

    sc__scheduler_opts_read(info->opts, &opts);
    sc__scheduler_args(args, r->keys, info->id);
    sc__args_int(args, info->next_ms);
    sc__args_int(args, next_ms);
    sc__scheduler_number(args, info->is_guarded ? nominal_ms : 0);
    sc__args_slice(args, head);
    sc__args_int(args, opts.priority);
    sc__args_slice(args, opts.lifo ? SC_S("RPUSH") : SC_S("LPUSH"));
    sc__args_text(args, opts.dedup_id);
}

static sc_err move(sc__rezone *r, const sc_scheduler_info *info, int64_t next_ms,
                   int64_t nominal_ms, sc__arena *arena)
{
    AUTO_STR head = STR_MAX(OPTS_BYTES_MAX);
    const sc_repeat repeat = sc__scheduler_repeat(info);
    sc_slice keys[SC__SCHEDULER_KEYS];
    sc__args args;

    sc__scheduler_head_write(&head, info->id, info->opts, &repeat, info->iterations);
    if (head.err)
        return head.err;
    sc__args_init(&args, arena);
    move_args(r, info, &args, sc__str_slice(&head), next_ms, nominal_ms);
    if (args.err)
        return args.err;
    sc__scheduler_keys(r->keys, keys);
    return sc__script_call(r->client, &SC__SCRIPT_moveScheduler, keys, SC__SCHEDULER_KEYS,
                           args.items, args.count, NULL, on_moved, r);
}

/* `*ret_sent`: a call is under way. A rule that can't be read is left as it is: its next run tells why. */
static sc_err look_at(sc__rezone *r, const sc_reply *items, bool *ret_sent)
{
    int64_t after_ms, nominal_ms = 0, next_ms = 0;
    sc_scheduler_info info;
    sc__arena arena;
    sc_err err;

    sc__arena_init(&arena, RULE_BYTES_MAX);
    err = sc__scheduler_info_read(items, &arena, &info);
    if (!err && info.tz.len && !info.is_over && info.next_ms > r->now_ms) {
        after_ms = info.start_ms > r->now_ms ? info.start_ms : r->now_ms;
        if (!sc__rule_next(r->ticker, &info, 0, after_ms, &nominal_ms, NULL) &&
            !sc__rule_jittered(r->ticker, &info, nominal_ms, &next_ms, NULL) &&
            next_ms != info.next_ms) {
            err = move(r, &info, next_ms, nominal_ms, &arena);
            *ret_sent = !err;
        }
    }
    sc__arena_release(&arena);
    return err;
}

static sc_err look_at_all(sc__rezone *r, const sc_reply *reply)
{
    const sc_reply *items;
    int64_t looked_at = 0;
    size_t count;
    sc_err err = sc__reply_array(reply, &items, &count, NULL);

    if (!err)
        err = count ? sc__reply_int(&items[0], &looked_at, NULL) : SC_EPROTO;
    if (err)
        return err;
    r->from += looked_at;
    r->is_last = looked_at < SLICE;
    for (size_t i = 1; i + FIELDS <= count; i += FIELDS) {
        bool sent = false;

        r->calls++; /* before it is sent */
        err = look_at(r, &items[i], &sent);
        r->calls -= !sent;
        if (err && !r->err)
            r->err = err;
    }
    return SC_OK;
}

static void on_listed(void *user, sc_err err, const sc_reply *reply)
{
    sc__rezone *r = user;

    r->is_last = true;
    if (!err)
        err = look_at_all(r, reply);
    call_ended(r, err);
}

static sc_err list_slice(sc__rezone *r)
{
    const sc__send_opts opts = {.idempotent = true};
    char digits[2][SC__INT_LEN];
    const sc_slice args[] = {{digits[0], sc__int_text(r->from, digits[0])},
                             {digits[1], sc__int_text(r->from + SLICE - 1, digits[1])}};

    r->calls = 1;
    return sc__script_call(r->client, &SC__SCRIPT_listSchedulers, &r->keys->key[SC__KEY_REPEAT], 1,
                           args, 2, &opts, on_listed, r);
}

sc_err sc__rezone_start(sc__rezone *rezone, int64_t now_ms)
{
    rezone->now_ms = now_ms;
    rezone->from = 0;
    rezone->moved = rezone->moved_before = rezone->passes = 0;
    sc__ticker_forget_zones(rezone->ticker);
    rezone->err = SC_OK;
    sc__log(SC_LOG_INFO, "queue %.*s: time zones have new data (%s): its schedules are looked at",
            (int)rezone->keys->base.len - 1, rezone->keys->base.ptr, rezone->version);
    return list_slice(rezone);
}
