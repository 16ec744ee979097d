#include "op_scheduler.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/str.h"
#include "codes.h"
#include "redis/reply.h"
#include "scheduler_keys.h"
#include "scheduler_opts.h"
#include "script.h"
#include "scripts.h"

enum { ARGS_BYTES_MAX = 256 * 1024, OPTS_BYTES_MAX = 128 * 1024, LIST_SLICE = 100 };

void sc__scheduler_keys(const sc__queue_keys *keys, sc_slice out[SC__SCHEDULER_KEYS])
{
    static const sc__queue_key order[SC__SCHEDULER_KEYS] = {
        SC__KEY_REPEAT, SC__KEY_DELAYED, SC__KEY_WAIT,   SC__KEY_PRIORITIZED, SC__KEY_ACTIVE,
        SC__KEY_META,   SC__KEY_MARKER,  SC__KEY_EVENTS, SC__KEY_ID,          SC__KEY_PC,
    };

    for (size_t i = 0; i < SC__SCHEDULER_KEYS; i++)
        out[i] = keys->key[order[i]];
}

_Static_assert(SC__SCRIPT_KEYS_upsertScheduler == SC__SCHEDULER_KEYS, "upsertScheduler's keys");
_Static_assert(SC__SCRIPT_KEYS_tickScheduler == SC__SCHEDULER_KEYS, "tickScheduler's keys");
_Static_assert(SC__SCRIPT_KEYS_removeScheduler == SC__SCHEDULER_KEYS, "removeScheduler's keys");
_Static_assert(SC__SCRIPT_KEYS_listSchedulers == 1, "listSchedulers' keys");

void sc__scheduler_id_args(sc__args *args, sc_slice id)
{
    AUTO_STR quoted = STR_MAX(SIZE_MAX / 4);
    const char *escaped = NULL;

    sc__str_json(&quoted, id);
    if (!quoted.err)
        escaped = sc__arena_dup(args->arena, (sc_slice){quoted.ptr + 1, quoted.len - 2});
    if (!escaped && !args->err)
        args->err = SC_ENOMEM;
    sc__args_slice(args, id);
    sc__args_slice(args, escaped ? (sc_slice){escaped, quoted.len - 2} : id);
}

void sc__scheduler_args(sc__args *args, const sc__queue_keys *keys, sc_slice id)
{
    sc__args_slice(args, keys->base);
    sc__scheduler_id_args(args, id);
}

void sc__scheduler_number(sc__args *args, int64_t number)
{
    if (number > 0)
        sc__args_int(args, number);
    else
        sc__args_slice(args, SC_S(""));
}

void sc__scheduler_rule_fields(sc__args *args, const sc_repeat *repeat)
{
    const struct {
        const char *name;
        int64_t value;
    } numbers[] = {{"limit", repeat->limit},
                   {"startDate", repeat->start_ms},
                   {"endDate", repeat->end_ms},
                   {"every", repeat->every_ms}};

    if (repeat->tz.len) {
        sc__args_slice(args, SC_S("tz"));
        sc__args_slice(args, repeat->tz);
    }
    if (repeat->pattern.len) {
        sc__args_slice(args, SC_S("pattern"));
        sc__args_slice(args, repeat->pattern);
    }
    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
        if (!numbers[i].value)
            continue;
        sc__args_text(args, numbers[i].name);
        sc__args_int(args, numbers[i].value);
    }
}

static void upsert_args(sc__args *args, const sc__queue_keys *keys, const sc__scheduler_rule *rule,
                        const sc__scheduler_opts *opts, sc_slice head, sc_slice template)
{
    const sc_repeat *repeat = rule->repeat;

    sc__scheduler_args(args, keys, rule->id);
    sc__scheduler_number(args, repeat->every_ms);
    if (repeat->immediately)
        sc__args_slice(args, SC_S("now"));
    else
        sc__scheduler_number(args, rule->next_ms);
    sc__scheduler_number(args, repeat->offset_ms);
    sc__scheduler_number(args, repeat->start_ms);
    sc__args_slice(args, rule->name);
    sc__args_slice(args, rule->data);
    sc__args_slice(args, head);
    sc__args_int(args, opts->priority);
    sc__args_slice(args, opts->lifo ? SC_S("RPUSH") : SC_S("LPUSH"));
    sc__args_slice(args, template);
    sc__args_text(args, opts->dedup_id);
    sc__scheduler_rule_fields(args, repeat);
}

sc_err sc__scheduler_call(sc_client *client, const sc__queue_keys *keys, const sc__script *script,
                          const sc__args *args, sc_reply **ret_reply, sc_reason *ret_reason)
{
    sc_slice names[SC__SCHEDULER_KEYS];
    sc_reply *reply = NULL;
    sc_err err = args->err;

    sc__scheduler_keys(keys, names);
    if (!err)
        err = sc__script_call_wait(client, script, names, SC__SCHEDULER_KEYS, args->items,
                                   args->count, NULL, &reply);
    if (err)
        return sc__because(ret_reason, err, "%s", sc_err_text(err));
    err = sc__reply_check(reply, ret_reason);
    if (!err && reply->type == SC_REPLY_INT)
        err = sc__code_err(reply->integer, ret_reason);
    if (err) {
        sc_reply_free(reply);
        return err;
    }
    *ret_reply = reply;
    return SC_OK;
}

static sc_err odd_reply(sc_reason *ret_reason)
{
    return sc__because(ret_reason, SC_EPROTO, "the server's reply has not the shape expected");
}

static sc_err upsert_reply(const sc_reply *reply, char **ret_id, int64_t *ret_next_ms,
                           sc_reason *ret_reason)
{
    const sc_reply *items;
    size_t count;
    int64_t next_ms;
    char *id = NULL;
    sc_err err = sc__reply_array(reply, &items, &count, ret_reason);

    if (err)
        return err;
    if (count != 2 || !sc__int_parse(items[1].str, &next_ms))
        return odd_reply(ret_reason);
    if (ret_id) {
        id = sc__slice_dup(items[0].str);
        if (!id)
            return sc__because(ret_reason, SC_ENOMEM, "out of memory");
        *ret_id = id;
    }
    if (ret_next_ms)
        *ret_next_ms = next_ms;
    return SC_OK;
}

sc_err sc__op_scheduler_upsert(sc_client *client, const sc__queue_keys *keys,
                               const sc__scheduler_rule *rule, char **ret_id, int64_t *ret_next_ms,
                               sc_reason *ret_reason)
{
    AUTO_STR head = STR_MAX(OPTS_BYTES_MAX);
    AUTO_STR template = STR_MAX(OPTS_BYTES_MAX);
    sc__scheduler_opts opts;
    sc_reply *reply = NULL;
    sc__arena arena;
    sc__args args;
    sc_err err;

    sc__scheduler_opts_read(rule->opts, &opts);
    sc__scheduler_head_write(&head, rule->id, rule->opts, rule->repeat,
                             rule->count ? rule->count : 1);
    sc__scheduler_template_write(&template, rule->opts);
    if (head.err || template.err)
        return sc__because(ret_reason, head.err ? head.err : template.err,
                           "the options of the scheduler's jobs are too large");
    sc__arena_init(&arena, ARGS_BYTES_MAX);
    sc__args_init(&args, &arena);
    upsert_args(&args, keys, rule, &opts, sc__str_slice(&head), sc__str_slice(&template));
    err = sc__scheduler_call(client, keys, &SC__SCRIPT_upsertScheduler, &args, &reply, ret_reason);
    if (!err)
        err = upsert_reply(reply, ret_id, ret_next_ms, ret_reason);
    sc_reply_free(reply);
    sc__arena_release(&arena);
    return err;
}

sc_err sc__op_scheduler_remove(sc_client *client, const sc__queue_keys *keys, sc_slice id,
                               sc_reason *ret_reason)
{
    sc_reply *reply = NULL;
    int64_t removed = 0;
    sc__arena arena;
    sc__args args;
    sc_err err;

    sc__arena_init(&arena, ARGS_BYTES_MAX);
    sc__args_init(&args, &arena);
    sc__scheduler_args(&args, keys, id);
    err = sc__scheduler_call(client, keys, &SC__SCRIPT_removeScheduler, &args, &reply, ret_reason);
    if (!err)
        err = sc__reply_int(reply, &removed, ret_reason);
    sc_reply_free(reply);
    sc__arena_release(&arena);
    if (!err && !removed)
        err = sc__because(ret_reason, SC_ENOTFOUND, "there is no job scheduler \"%.*s\"",
                          id.len < 64 ? (int)id.len : 64, id.ptr);
    return err;
}

/* `*ret_looked_at` is 0 behind the last scheduler. */
static sc_err list_reply(const sc_reply *reply, size_t most, sc__arena *arena,
                         sc_scheduler_info *ret_items, size_t *ret_count, int64_t *ret_looked_at,
                         sc_reason *ret_reason)
{
    const sc_reply *items;
    size_t count;
    sc_err err = sc__reply_array(reply, &items, &count, ret_reason);

    if (!err && !count)
        err = odd_reply(ret_reason);
    if (!err)
        err = sc__reply_int(&items[0], ret_looked_at, ret_reason);
    for (size_t i = 1; !err && i + 2 < count && *ret_count < most; i += 3) {
        err = sc__scheduler_info_read(&items[i], arena, &ret_items[*ret_count]);
        if (err)
            return sc__because(ret_reason, err, "the list of job schedulers: %s", sc_err_text(err));
        ++*ret_count;
    }
    return err;
}

static sc_err list_slice(sc_client *client, const sc__queue_keys *keys, int64_t first, int64_t last,
                         sc_reply **ret_reply, sc_reason *ret_reason)
{
    char digits[2][SC__INT_LEN];
    const sc_slice args[] = {{digits[0], sc__int_text(first, digits[0])},
                             {digits[1], sc__int_text(last, digits[1])}};
    const sc__send_opts opts = {.idempotent = true};
    sc_err err = sc__script_call_wait(client, &SC__SCRIPT_listSchedulers,
                                      &keys->key[SC__KEY_REPEAT], 1, args, 2, &opts, ret_reply);

    return err ? sc__because(ret_reason, err, "%s", sc_err_text(err)) : SC_OK;
}

sc_err sc__op_scheduler_list(sc_client *client, const sc__queue_keys *keys, int64_t start,
                             int64_t end, sc__arena *arena, sc_scheduler_info *ret_items,
                             size_t *ret_count, sc_reason *ret_reason)
{
    int64_t looked_at = 1;
    sc_err err = SC_OK;

    *ret_count = 0;
    for (int64_t first = start; first <= end && looked_at > 0 && !err; first += LIST_SLICE) {
        int64_t last = first + LIST_SLICE - 1 < end ? first + LIST_SLICE - 1 : end;
        sc_reply *reply = NULL;

        err = list_slice(client, keys, first, last, &reply, ret_reason);
        if (!err)
            err = list_reply(reply, (size_t)(end - start + 1), arena, ret_items, ret_count,
                             &looked_at, ret_reason);
        sc_reply_free(reply);
    }
    return err;
}

sc_err sc__op_server_time(sc_client *client, int64_t *ret_wall_ms, sc_reason *ret_reason)
{
    const sc_slice argv[] = {SC_S("TIME")};
    const sc__send_opts opts = {.idempotent = true};
    int64_t seconds, microseconds;
    const sc_reply *items;
    sc_reply *reply = NULL;
    size_t count;
    sc_err err = sc__client_send_wait(client, argv, 1, &opts, &reply);

    if (err)
        return sc__because(ret_reason, err, "%s", sc_err_text(err));
    err = sc__reply_array(reply, &items, &count, ret_reason);
    if (!err && (count != 2 || !sc__int_parse(items[0].str, &seconds) ||
                 !sc__int_parse(items[1].str, &microseconds)))
        err = odd_reply(ret_reason);
    if (!err)
        *ret_wall_ms = seconds * 1000 + microseconds / 1000;
    sc_reply_free(reply);
    return err;
}

void sc__scheduler_channel(sc__str *out, const sc__queue_keys *keys)
{
    sc__str_append(out, keys->base);
    sc__str_text(out, "sc:schedules");
}
