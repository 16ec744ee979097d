#include "scheduler_rezone.h"

#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "redis/reply.h"
#include "scheduler_keys.h"
#include "scheduler_opts.h"
#include "scheduler_policy.h"
#include "scripts.h"

/* A schedule that moves changes its place in the list, and others may be passed over: once more then. */
enum { PASSES = 3 };

enum { RULE_BYTES_MAX = 4 * 1024 * 1024, OPTS_BYTES_MAX = 128 * 1024 };

_Static_assert(SC__SCRIPT_KEYS_moveScheduler == SC__SCHEDULER_KEYS, "moveScheduler's keys");

/* An empty version: it can't be told. */
static void read_version(char version[SC_TZDB_VERSION_MAX + 1])
{
    if (sc_tzdb_version(version))
        version[0] = '\0';
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

static void on_moved(void *user, sc_err err, const sc_reply *reply)
{
    sc__rezone *r = user;
    int64_t moved = 0;

    if (!err)
        err = sc__reply_int(reply, &moved, NULL);
    r->moved += moved == 1;
    sc__walk_call_ended(&r->walk, err);
}

static void move_args(const sc__walk *walk, const sc_scheduler_info *info, sc__args *args,
                      sc_slice head, int64_t next_ms, int64_t nominal_ms)
{
    sc__scheduler_opts opts;

    sc__scheduler_opts_read(info->opts, &opts);
    sc__scheduler_args(args, walk->keys, info->id);
    sc__args_int(args, info->next_ms);
    sc__args_int(args, next_ms);
    sc__scheduler_number(args, info->is_guarded ? nominal_ms : 0);
    sc__args_slice(args, head);
    sc__args_int(args, opts.priority);
    sc__args_slice(args, opts.lifo ? SC_S("RPUSH") : SC_S("LPUSH"));
    sc__args_text(args, opts.dedup_id);
}

static sc_err move(sc__walk *walk, const sc_scheduler_info *info, int64_t next_ms,
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
    move_args(walk, info, &args, sc__str_slice(&head), next_ms, nominal_ms);
    if (args.err)
        return args.err;
    sc__scheduler_keys(walk->keys, keys);
    return sc__script_call(walk->client, &SC__SCRIPT_moveScheduler, keys, SC__SCHEDULER_KEYS,
                           args.items, args.count, NULL, on_moved, walk);
}

/* A rule that can't be read is left as it is: its next run tells why. */
static bool find_new_time(const sc__rezone *r, const sc_scheduler_info *info, int64_t *ret_next_ms,
                          int64_t *ret_nominal_ms)
{
    int64_t after_ms = info->start_ms > r->now_ms ? info->start_ms : r->now_ms;

    if (!info->tz.len || info->is_over || info->next_ms <= r->now_ms)
        return false;
    return !sc__rule_next(r->walk.ticker, info, 0, after_ms, ret_nominal_ms, NULL) &&
           !sc__rule_jittered(r->walk.ticker, info, *ret_nominal_ms, ret_next_ms, NULL) &&
           *ret_next_ms != info->next_ms;
}

/* A rule that can't be read or moved by us is not an error: it would be one each time. */
static sc_err visit(sc__walk *walk, const sc_reply *items)
{
    int64_t next_ms = 0, nominal_ms = 0;
    sc_scheduler_info info;
    sc__arena arena;

    sc__arena_init(&arena, RULE_BYTES_MAX);
    if (!sc__scheduler_info_read(items, &arena, &info) &&
        find_new_time((const sc__rezone *)walk, &info, &next_ms, &nominal_ms)) {
        walk->calls++;
        walk->calls -= move(walk, &info, next_ms, nominal_ms, &arena) != SC_OK;
    }
    sc__arena_release(&arena);
    return SC_OK;
}

static void add_args(const sc__walk *walk, sc__args *args, int64_t from)
{
    (void)walk;
    sc__args_int(args, from);
    sc__args_int(args, from + SC__WALK_SLICE - 1);
}

static bool begins_next_pass(sc__walk *walk)
{
    sc__rezone *r = (sc__rezone *)walk;

    if (r->moved == r->moved_before || ++r->passes == PASSES)
        return false;
    r->moved_before = r->moved;
    return true;
}

void sc__rezone_init(sc__rezone *rezone, sc_client *client, const sc__queue_keys *keys,
                     sc__ticker *ticker, sc__walk_cb cb, void *user)
{
    static const sc__walk_kind kind = {
        .script = &SC__SCRIPT_listSchedulers,
        .head = 1,
        .fields = 3,
        .add_args = add_args,
        .visit = visit,
        .is_to_go_on = begins_next_pass,
    };

    *rezone = (sc__rezone){.walk = sc__walk_of(&kind, client, keys, ticker, cb, user)};
    read_version(rezone->version);
}

void sc__rezone_again(sc__rezone *rezone)
{
    rezone->version[0] = '\0';
}

sc_err sc__rezone_start(sc__rezone *rezone, int64_t now_ms)
{
    const sc_slice base = rezone->walk.keys->base;

    rezone->now_ms = now_ms;
    rezone->moved = rezone->moved_before = rezone->passes = 0;
    sc__ticker_forget_zones(rezone->walk.ticker);
    sc__log(SC_LOG_INFO, "queue %.*s: time zones have new data (%s): its schedules are looked at",
            (int)base.len - 1, base.ptr, rezone->version);
    return sc__walk_start(&rezone->walk);
}
