/* Runs of a scheduler beside its rule, and the last ones with their ends. */
#include "op_scheduler.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/str.h"
#include "redis/reply.h"
#include "scheduler_keys.h"
#include "scheduler_opts.h"
#include "scripts.h"

enum { ARGS_BYTES_MAX = 16 * 1024 * 1024, OPTS_BYTES_MAX = 128 * 1024, RUN_FIELDS = 5 };

_Static_assert(SC__SCRIPT_KEYS_addSchedulerRuns == SC__SCHEDULER_KEYS, "addSchedulerRuns' keys");
_Static_assert(SC__SCRIPT_KEYS_getSchedulerRuns == SC__SCHEDULER_KEYS, "getSchedulerRuns' keys");

static sc_err odd_reply(sc_reason *ret_reason)
{
    return sc__because(ret_reason, SC_EPROTO, "the server's reply has not the shape expected");
}

static void add_run_args(sc__args *args, const sc_scheduler_info *info, const sc__extra_run *run)
{
    /* It is beside the rule: no policy concerns it. */
    const sc_scheduler_info alone = {.id = info->id,
                                     .pattern = info->pattern,
                                     .tz = info->tz,
                                     .every_ms = info->every_ms,
                                     .opts = info->opts,
                                     .offset_ms = -1};
    AUTO_STR head = STR_MAX(OPTS_BYTES_MAX);
    const char *copy;

    sc__scheduler_run_head_write(&head, &alone, info->iterations, run->nominal_ms);
    copy = head.err ? NULL : sc__arena_dup(args->arena, sc__str_slice(&head));
    if (!copy && !args->err)
        args->err = head.err ? head.err : SC_ENOMEM;
    sc__scheduler_number(args, run->run_ms);
    sc__args_int(args, run->delay_ms);
    sc__args_slice(args, (sc_slice){copy, copy ? head.len : 0});
}

static sc_err added_reply(const sc_reply *reply, size_t *ret_added, char **ret_first_id,
                          sc_reason *ret_reason)
{
    const sc_reply *items;
    char *id = NULL;
    size_t count;
    sc_err err = sc__reply_array(reply, &items, &count, ret_reason);

    if (err)
        return err;
    if (ret_first_id && count) {
        id = sc__slice_dup(items[0].str);
        if (!id)
            return sc__because(ret_reason, SC_ENOMEM, "out of memory");
    }
    if (ret_first_id)
        *ret_first_id = id;
    *ret_added = count;
    return SC_OK;
}

sc_err sc__op_scheduler_add_runs(sc_client *client, const sc__queue_keys *keys,
                                 const sc_scheduler_info *info, const sc__extra_run *runs,
                                 size_t count, size_t *ret_added, char **ret_first_id,
                                 sc_reason *ret_reason)
{
    sc__scheduler_opts opts;
    sc_reply *reply = NULL;
    sc__arena arena;
    sc__args args;
    sc_err err;

    sc__scheduler_opts_read(info->opts, &opts);
    sc__arena_init(&arena, ARGS_BYTES_MAX);
    sc__args_init(&args, &arena);
    sc__scheduler_args(&args, keys, info->id);
    sc__args_int(&args, opts.priority);
    sc__args_slice(&args, opts.lifo ? SC_S("RPUSH") : SC_S("LPUSH"));
    sc__args_bool(&args, info->pattern.len > 0);
    for (size_t i = 0; i < count; i++)
        add_run_args(&args, info, &runs[i]);
    err = sc__scheduler_call(client, keys, &SC__SCRIPT_addSchedulerRuns, &args, &reply, ret_reason);
    if (!err)
        err = added_reply(reply, ret_added, ret_first_id, ret_reason);
    sc_reply_free(reply);
    sc__arena_release(&arena);
    return err;
}

static sc_scheduler_run_state state_of(sc_slice text)
{
    static const char letters[] = {'w', 'd', 'f', 'g', 's'};

    for (size_t i = 0; i < sizeof(letters); i++)
        if (text.len == 1 && text.ptr[0] == letters[i])
            return (sc_scheduler_run_state)i;
    return SC_SCHEDULER_RUN_GONE;
}

/* A date that some other program wrote oddly is none. */
static int64_t date_of(sc_slice text)
{
    int64_t ms;

    return sc__int_parse(text, &ms) && ms > 0 ? ms : 0;
}

static sc_err runs_reply(const sc_reply *reply, sc__arena *arena, sc_scheduler_run *ret_items,
                         size_t most, size_t *ret_count, sc_reason *ret_reason)
{
    const sc_reply *items;
    size_t count, n = 0;
    sc_err err = sc__reply_array(reply, &items, &count, ret_reason);

    if (err)
        return err;
    for (size_t i = 0; i + RUN_FIELDS <= count && n < most; i += RUN_FIELDS, n++) {
        const char *text = sc__arena_dup(arena, items[i + 4].str);

        if (!text)
            return sc__because(ret_reason, SC_ENOMEM, "out of memory");
        ret_items[n] = (sc_scheduler_run){
            .run_ms = date_of(items[i].str),
            .state = state_of(items[i + 1].str),
            .finished_ms = date_of(items[i + 2].str),
            .started_ms = date_of(items[i + 3].str),
            .text = {text, items[i + 4].str.len},
        };
    }
    if (n * RUN_FIELDS != count)
        return odd_reply(ret_reason);
    *ret_count = n;
    return SC_OK;
}

sc_err sc__op_scheduler_runs(sc_client *client, const sc__queue_keys *keys, sc_slice id,
                             sc__arena *arena, sc_scheduler_run *ret_items, size_t most,
                             size_t *ret_count, sc_reason *ret_reason)
{
    sc_reply *reply = NULL;
    sc__arena args_arena;
    sc__args args;
    sc_err err;

    sc__arena_init(&args_arena, ARGS_BYTES_MAX);
    sc__args_init(&args, &args_arena);
    sc__scheduler_args(&args, keys, id);
    err = sc__scheduler_call(client, keys, &SC__SCRIPT_getSchedulerRuns, &args, &reply, ret_reason);
    if (!err)
        err = runs_reply(reply, arena, ret_items, most, ret_count, ret_reason);
    sc_reply_free(reply);
    sc__arena_release(&args_arena);
    return err;
}
