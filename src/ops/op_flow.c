#include "op_flow.h"

#include "base/error.h"
#include "codes.h"
#include "redis/reply.h"
#include "scripts.h"

enum { ARGS_BYTES_MAX = 4 * 1024 * 1024 /* for the list of arguments and their numbers */ };

static const char *state_of(const sc__flow_job *flow_job)
{
    return flow_job->has_children ? "C" : sc__add_state_of(&flow_job->job);
}

static void put_job(sc__args *args, const sc__flow_job *flow_job)
{
    const sc__add_job *job = &flow_job->job;

    sc__args_slice(args, flow_job->base);
    sc__args_slice(args, job->id);
    sc__args_bool(args, flow_job->own_id);
    sc__args_text(args, state_of(flow_job));
    sc__args_slice(args, job->name);
    sc__args_slice(args, job->opts);
    sc__args_slice(args, job->data);
    sc__args_int(args, job->timestamp_ms);
    sc__args_int(args, job->delay_ms);
    sc__args_int(args, job->priority);
    sc__args_slice(args, job->parent_key);
    sc__args_slice(args, job->parent);
}

/* 0, or [code, key] */
sc_err sc__op_add_flow_reply(sc_err err, const sc_reply *reply, sc_reason *ret_reason)
{
    const sc_reply *parts;
    int64_t code;
    size_t count;
    sc_slice key;
    sc_reason why;

    if (err)
        return sc__because(ret_reason, err, "adding a flow: %s", sc_err_text(err));
    if (reply->type == SC_REPLY_INT)
        return SC_OK;
    err = sc__reply_array(reply, &parts, &count, ret_reason);
    if (!err && count != 2)
        err = sc__because(ret_reason, SC_EPROTO, "adding a flow: an answer of %zu parts", count);
    if (!err)
        err = sc__reply_int(&parts[0], &code, ret_reason);
    if (!err)
        err = sc__reply_str(&parts[1], &key, ret_reason);
    if (err)
        return err;
    err = sc__code_err(code, &why);
    return sc__because(ret_reason, err ? err : SC_EPROTO, "%s: %.*s", why.text,
                       (int)(key.len < 128 ? key.len : 128), key.ptr);
}

sc_err sc__op_add_flow(sc_client *client, const sc__flow_job *jobs, size_t count, sc_reply_cb cb,
                       void *user)
{
    AUTO_STR first = STR_MAX(SC__JOB_KEY_MAX);
    sc__arena arena;
    sc__args args;
    sc_err err;

    sc__str_append(&first, jobs[0].base);
    sc__str_append(&first, jobs[0].job.id);

    const sc_slice script_keys[] = {sc__str_slice(&first)};

    SC__SCRIPT_CHECK_KEYS(addFlow, script_keys);
    sc__arena_init(&arena, ARGS_BYTES_MAX);
    sc__args_init(&args, &arena);
    for (size_t i = 0; i < count; i++)
        put_job(&args, &jobs[i]);
    err = first.err ? first.err : args.err;
    if (!err)
        err = sc__script_call(client, &SC__SCRIPT_addFlow, script_keys, SC__SCRIPT_KEYS_addFlow,
                              args.items, args.count, NULL, cb, user);
    sc__arena_release(&arena);
    return err;
}
