#include "op_work.h"

#include <stdio.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"
#include "codes.h"
#include "redis/reply.h"
#include "script.h"
#include "scripts.h"

enum { FAILED_CHILDREN = -9 };

enum { HEAD_ITEMS = 4, ARGS_BYTES_MAX = 256 * 1024 };

static const char *const kinds[] = {"completed", "failed",   "retry", "backoff",
                                    "delay",     "children", "return"};

void sc__work_keys(const sc__queue_keys *keys, sc_slice out[SC__WORK_KEYS])
{
    static const sc__queue_key order[SC__WORK_KEYS] = {
        SC__KEY_WAIT,   SC__KEY_ACTIVE,  SC__KEY_PRIORITIZED, SC__KEY_DELAYED,
        SC__KEY_EVENTS, SC__KEY_STALLED, SC__KEY_LIMITER,     SC__KEY_META,
        SC__KEY_PC,     SC__KEY_MARKER,  SC__KEY_COMPLETED,   SC__KEY_FAILED,
    };

    for (size_t i = 0; i < SC__WORK_KEYS; i++)
        out[i] = keys->key[order[i]];
}

_Static_assert(SC__SCRIPT_KEYS_takeJobs == SC__WORK_KEYS, "takeJobs' keys");
_Static_assert(SC__SCRIPT_KEYS_finishJobs == SC__WORK_KEYS, "finishJobs' keys");

static void work_head(sc__args *args, const sc__work_opts *opts, sc_slice token, size_t wanted)
{
    bool limited = opts->limit_max > 0 && opts->limit_ms > 0;

    sc__args_slice(args, opts->keys->base);
    sc__args_int(args, (int64_t)wanted);
    sc__args_slice(args, token);
    sc__args_int(args, opts->lock_ms);
    if (limited) {
        sc__args_int(args, opts->limit_max);
        sc__args_int(args, opts->limit_ms);
    } else {
        sc__args_slice(args, SC_S(""));
        sc__args_slice(args, SC_S(""));
    }
    sc__args_slice(args, opts->worker_name);
    sc__args_int(args, opts->data_max);
}

static sc_err call_script(sc_client *client, const sc__script *script, const sc__work_opts *opts,
                          const sc__args *args, sc_reply_cb cb, void *user)
{
    sc_slice keys[SC__WORK_KEYS];

    if (args->err)
        return args->err;
    sc__work_keys(opts->keys, keys);
    return sc__script_call(client, script, keys, SC__WORK_KEYS, args->items, args->count, NULL, cb,
                           user);
}

static void take_args(sc__args *args, sc__arena *arena, const sc__work_opts *opts, sc_slice token,
                      size_t wanted, bool leave_delay_marker)
{
    sc__arena_init(arena, ARGS_BYTES_MAX);
    sc__args_init(args, arena);
    work_head(args, opts, token, wanted);
    sc__args_bool(args, leave_delay_marker);
}

sc_err sc__op_take(sc_client *client, const sc__work_opts *opts, sc_slice token, size_t wanted,
                   bool leave_delay_marker, sc_reply_cb cb, void *user)
{
    sc__arena arena;
    sc__args args;
    sc_err err;

    take_args(&args, &arena, opts, token, wanted, leave_delay_marker);
    err = call_script(client, &SC__SCRIPT_takeJobs, opts, &args, cb, user);
    sc__arena_release(&arena);
    return err;
}

enum { SECONDS_LEN = 32 };

/* As blocking commands take a time. */
static sc_slice seconds_of(int64_t ms, char text[SECONDS_LEN])
{
    int len =
        snprintf(text, SECONDS_LEN, "%lld.%03lld", (long long)(ms / 1000), (long long)(ms % 1000));

    return (sc_slice){text, (size_t)len};
}

sc_err sc__op_watch_many(sc__blocking *blocking, sc_slice *argv, size_t count, int64_t block_ms,
                         sc_reply_cb cb, void *user)
{
    char seconds[SECONDS_LEN];

    argv[0] = SC_S("BZPOPMIN");
    argv[count + 1] = seconds_of(block_ms, seconds);
    return sc__blocking_call(blocking, argv, count + 2, block_ms, cb, user);
}

sc_err sc__op_watch(sc__blocking *blocking, const sc__work_opts *opts, sc_slice token,
                    size_t wanted, int64_t block_ms, sc_reply_cb cb, void *user)
{
    sc_slice keys[SC__WORK_KEYS], pop[] = {SC_S("BZPOPMIN"), opts->keys->key[SC__KEY_MARKER], {0}};
    char seconds[SECONDS_LEN];
    sc__arena arena;
    sc__args args;
    sc_err err;

    pop[2] = seconds_of(block_ms, seconds);
    take_args(&args, &arena, opts, token, wanted, false);
    sc__work_keys(opts->keys, keys);
    err = args.err;
    if (!err)
        err =
            sc__script_call_behind(blocking, &(sc__command){pop, 3}, block_ms, &SC__SCRIPT_takeJobs,
                                   keys, SC__WORK_KEYS, args.items, args.count, cb, user);
    sc__arena_release(&arena);
    return err;
}

/* BZPOPMIN gives key, member, score. */
sc_err sc__marker_read(const sc_reply *reply, sc__marker *ret_marker, sc_reason *ret_reason)
{
    sc__marker marker = {.popped = false};
    const sc_reply *items;
    sc_slice member;
    double score;
    size_t count;
    sc_err err = sc__reply_check(reply, ret_reason);

    if (err)
        return err;
    if (reply->type != SC_REPLY_NIL && !sc__reply_array(reply, &items, &count, NULL) &&
        count == 3 && !sc__reply_str(&items[1], &member, NULL) &&
        !sc__reply_double(&items[2], &score, NULL)) {
        marker.popped = true;
        if (sc__reply_str(&items[0], &marker.key, NULL))
            marker.key = SC_S("");
        if (sc_slice_eq(member, SC_S("1")) && score > 0 && score < 9e15)
            marker.due_ms = (int64_t)score;
    }
    *ret_marker = marker;
    return SC_OK;
}

/* "count:age:limit", each empty when it is no bound; "" keeps all. */
static void keep_arg(sc__args *args, const sc_keep *keep)
{
    char count[SC__INT_LEN] = "", age[SC__INT_LEN] = "", limit[SC__INT_LEN] = "";
    size_t count_len = 0, age_len = 0, limit_len = 0;
    const char *text;

    if (keep->kind == SC_KEEP_NONE || (keep->kind == SC_KEEP_SOME && keep->count == 0)) {
        sc__args_slice(args, SC_S("0::"));
        return;
    }
    if (keep->kind != SC_KEEP_SOME) {
        sc__args_slice(args, SC_S(""));
        return;
    }
    if (keep->count > 0)
        count_len = sc__int_text(keep->count, count);
    if (keep->age_s >= 0)
        age_len = sc__int_text(keep->age_s, age);
    if (keep->limit > 0)
        limit_len = sc__int_text(keep->limit, limit);
    text = sc__arena_printf(args->arena, "%.*s:%.*s:%.*s", (int)count_len, count, (int)age_len, age,
                            (int)limit_len, limit);
    if (!text && !args->err)
        args->err = SC_ENOMEM;
    sc__args_text(args, text);
}

static bool is_traced(const sc__ended *ended)
{
    return ended->kind == SC__ENDED_FAILED || ended->kind == SC__ENDED_RETRY ||
           ended->kind == SC__ENDED_BACKOFF;
}

static bool keeps_alike(const sc_keep *a, const sc_keep *b)
{
    return a->kind == b->kind &&
           (a->kind != SC_KEEP_SOME ||
            (a->count == b->count && a->age_s == b->age_s && a->limit == b->limit));
}

/* What outcomes in a row share is sent, converted and looked at once. */
static bool in_one_group(const sc__ended *a, const sc__ended *b)
{
    return a->kind == b->kind && a->number == b->number && sc_slice_eq(a->token, b->token) &&
           keeps_alike(&a->keep, &b->keep);
}

static size_t group_args(sc__args *args, const sc__ended *ended, size_t count)
{
    size_t n = 1;

    while (n < count && in_one_group(&ended[n], ended))
        n++;
    sc__args_slice(args, ended->token);
    sc__args_text(args, kinds[ended->kind]);
    sc__args_int(args, ended->number);
    keep_arg(args, &ended->keep);
    sc__args_int(args, (int64_t)n);
    for (size_t i = 0; i < n; i++) {
        sc__args_slice(args, ended[i].id);
        sc__args_slice(args, ended[i].text);
        if (is_traced(ended))
            sc__args_slice(args, ended[i].traces);
    }
    return n;
}

sc_err sc__op_finish(sc_client *client, const sc__work_opts *opts, const sc__ended *ended,
                     size_t count, sc_slice token, size_t wanted, sc_reply_cb cb, void *user)
{
    sc__arena arena;
    sc__args args;
    sc_err err;

    sc__arena_init(&arena, ARGS_BYTES_MAX);
    sc__args_init(&args, &arena);
    work_head(&args, opts, token, wanted);
    sc__args_int(&args, opts->metrics_points);
    for (size_t i = 0; i < count;)
        i += group_args(&args, &ended[i], count - i);
    err = call_script(client, &SC__SCRIPT_finishJobs, opts, &args, cb, user);
    sc__arena_release(&arena);
    return err;
}

sc_err sc__op_find_taken(sc_client *client, const sc__work_opts *opts, sc_slice token,
                         sc_reply_cb cb, void *user)
{
    const sc_slice keys[] = {opts->keys->key[SC__KEY_ACTIVE]};
    const sc_slice args[] = {opts->keys->base, token};
    const sc__send_opts again = {.idempotent = true};

    return sc__script_call(client, &SC__SCRIPT_findTakenJobs, keys, 1, args, 2, &again, cb, user);
}

sc_err sc__taken_read(const sc_reply *reply, sc__taken *ret_taken, sc_reason *ret_reason)
{
    const sc_reply *items;
    sc__taken taken;
    size_t count;
    sc_err err = sc__reply_array(reply, &items, &count, ret_reason);

    if (err)
        return err;
    if (count < HEAD_ITEMS || count % 2)
        return sc__because(ret_reason, SC_EPROTO, "a take answered with %zu values", count);
    err = sc__reply_array(&items[0], &taken.ended, &taken.ended_count, ret_reason);
    if (!err)
        err = sc__reply_int(&items[1], &taken.now_ms, ret_reason);
    if (!err)
        err = sc__reply_int(&items[2], &taken.rest_ms, ret_reason);
    if (!err)
        err = sc__reply_int(&items[3], &taken.due_ms, ret_reason);
    if (err)
        return err;
    taken.items = items + HEAD_ITEMS;
    taken.count = (count - HEAD_ITEMS) / 2;
    *ret_taken = taken;
    return SC_OK;
}

sc_err sc__taken_job(const sc__taken *taken, size_t i, sc_slice *ret_id,
                     const sc_reply **ret_fields, sc_reason *ret_reason)
{
    const sc_reply *fields = &taken->items[2 * i + 1];
    sc_slice id;
    sc_err err = sc__reply_str(&taken->items[2 * i], &id, ret_reason);

    if (err)
        return err;
    if (fields->type == SC_REPLY_STRING)
        return sc__because(ret_reason, SC_ELAYOUT, "job %.*s can't be run and was dropped: %.*s",
                           (int)(id.len < 64 ? id.len : 64), id.ptr,
                           (int)(fields->str.len < 160 ? fields->str.len : 160), fields->str.ptr);
    *ret_id = id;
    *ret_fields = fields;
    return SC_OK;
}

sc_err sc__taken_ended(const sc__taken *taken, size_t i, sc_reason *ret_reason)
{
    const sc_reply *code;

    if (i >= taken->ended_count)
        return sc__because(ret_reason, SC_EPROTO, "an outcome was not answered");
    code = &taken->ended[i];
    if (code->type == SC_REPLY_STRING)
        return sc__because(ret_reason, SC_ELAYOUT, "%.*s",
                           (int)(code->str.len < 300 ? code->str.len : 300), code->str.ptr);
    if (code->type != SC_REPLY_INT)
        return sc__because(ret_reason, SC_EPROTO, "an outcome was answered with another type");
    return sc__code_err(code->integer, ret_reason);
}

bool sc__taken_has_failed_children(const sc__taken *taken, size_t i)
{
    return i < taken->ended_count && taken->ended[i].integer == FAILED_CHILDREN;
}
