/* Guarded schedulers: reading and storing them. */
#include "op_scheduler.h"

#include "base/error.h"
#include "base/str.h"
#include "redis/reply.h"
#include "scheduler_keys.h"
#include "scheduler_opts.h"
#include "scheduler_policy.h"
#include "scripts.h"

enum { ARGS_BYTES_MAX = 256 * 1024, OPTS_BYTES_MAX = 128 * 1024 };

_Static_assert(SC__SCRIPT_KEYS_storeScheduler == SC__SCHEDULER_KEYS, "storeScheduler's keys");
_Static_assert(SC__SCRIPT_KEYS_getScheduler == 1, "getScheduler's keys");

static sc_err state_reply(const sc_reply *reply, sc_slice id, sc__arena *arena,
                          sc__scheduler_state *ret_state, sc_reason *ret_reason)
{
    sc__scheduler_state state = {.exists = false};
    const sc_reply *items;
    sc_reply three[3];
    size_t count;
    sc_err err = sc__reply_array(reply, &items, &count, ret_reason);

    if (err)
        return err;
    if (count != 3 || !sc__int_parse(items[0].str, &state.now_ms))
        return sc__because(ret_reason, SC_EPROTO, "the server's reply has not the shape expected");
    three[0] = (sc_reply){.type = SC_REPLY_STRING, .str = id};
    three[1] = items[1];
    three[2] = items[2];
    err = sc__scheduler_info_read(three, arena, &state.info);
    state.score.ptr = sc__arena_dup(arena, items[1].str);
    state.score.len = items[1].str.len;
    state.exists = items[2].count > 0;
    if (!err && !state.score.ptr)
        err = SC_ENOMEM;
    if (err)
        return sc__because(ret_reason, err, "%s", sc_err_text(err));
    *ret_state = state;
    return SC_OK;
}

sc_err sc__op_scheduler_get(sc_client *client, const sc__queue_keys *keys, sc_slice id,
                            sc__arena *arena, sc__scheduler_state *ret_state, sc_reason *ret_reason)
{
    const sc__send_opts opts = {.idempotent = true};
    sc_reply *reply = NULL;
    sc_err err = sc__script_call_wait(client, &SC__SCRIPT_getScheduler, &keys->key[SC__KEY_REPEAT],
                                      1, &id, 1, &opts, &reply);

    if (err)
        return sc__because(ret_reason, err, "%s", sc_err_text(err));
    err = state_reply(reply, id, arena, ret_state, ret_reason);
    sc_reply_free(reply);
    return err;
}

static void add_text(sc__args *args, const char *name, sc_slice value)
{
    if (!value.len)
        return;
    sc__args_text(args, name);
    sc__args_slice(args, value);
}

static void add_number(sc__args *args, const char *name, int64_t value)
{
    if (!value)
        return;
    sc__args_text(args, name);
    sc__args_int(args, value);
}

static void policy_fields(sc__args *args, const sc_repeat *repeat, bool was_plain)
{
    add_text(args, "sc:overlap", sc_slice_of(sc__overlap_text(repeat->overlap)));
    add_text(args, "sc:catchup", sc_slice_of(sc__catchup_text(repeat->catchup)));
    add_number(args, "sc:window", repeat->catchup_window_ms);
    add_number(args, "sc:jitter", repeat->jitter_ms);
    add_text(args, "sc:exclude", repeat->exclude);
    add_text(args, "sc:dst", sc_slice_of(sc__dst_text(repeat->dst)));
    add_number(args, "sc:paused", repeat->paused);
    add_number(args, "sc:plain", was_plain);
}

static void store_args(sc__args *args, const sc__queue_keys *keys, const sc__scheduler_rule *rule,
                       sc_slice score, int64_t next_ms, int64_t nominal_ms)
{
    const sc_repeat *repeat = rule->repeat;
    int64_t phase = repeat->every_ms ? nominal_ms % repeat->every_ms : 0;

    sc__scheduler_args(args, keys, rule->id);
    sc__args_slice(args, score);
    sc__args_int(args, next_ms);
    sc__args_text(args, "name");
    sc__args_slice(args, rule->name);
    sc__args_text(args, "offset");
    sc__args_int(args, repeat->offset_ms > 0 ? repeat->offset_ms : phase);
    sc__args_text(args, "sc:nominal");
    sc__args_int(args, nominal_ms);
    if (!sc_slice_eq(rule->data, SC_S("{}")))
        add_text(args, "data", rule->data);
    sc__scheduler_rule_fields(args, repeat);
}

sc_err sc__op_scheduler_store(sc_client *client, const sc__queue_keys *keys,
                              const sc__scheduler_rule *rule, sc_slice score, int64_t next_ms,
                              int64_t nominal_ms, bool was_plain, sc_reason *ret_reason)
{
    AUTO_STR template = STR_MAX(OPTS_BYTES_MAX);
    sc_reply *reply = NULL;
    sc__arena arena;
    sc__args args;
    sc_err err;

    sc__scheduler_template_write(&template, rule->opts);
    if (template.err)
        return sc__because(ret_reason, template.err,
                           "the options of the scheduler's jobs are too large");
    sc__arena_init(&arena, ARGS_BYTES_MAX);
    sc__args_init(&args, &arena);
    store_args(&args, keys, rule, score, next_ms, nominal_ms);
    add_text(&args, "opts", sc__str_slice(&template));
    policy_fields(&args, rule->repeat, was_plain);
    err = sc__scheduler_call(client, keys, &SC__SCRIPT_storeScheduler, &args, &reply, ret_reason);
    sc_reply_free(reply);
    sc__arena_release(&arena);
    return err;
}
