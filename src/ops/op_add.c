#include "op_add.h"

#include "base/error.h"
#include "redis/reply.h"
#include "scripts.h"

enum {
    JOBS_MAX = 250, /* about 1.5 ms of the server */
    BYTES_MAX = 1024 * 1024,
    ARGS_BYTES_MAX = 1024 * 1024 /* for the list of arguments and their numbers */
};

void sc__add_batch_init(sc__add_batch *batch)
{
    *batch = (sc__add_batch){0};
    sc__arena_init(&batch->arena, ARGS_BYTES_MAX);
    sc__add_batch_reset(batch);
}

void sc__add_batch_release(sc__add_batch *batch)
{
    sc__arena_release(&batch->arena);
}

void sc__add_batch_reset(sc__add_batch *batch)
{
    sc__arena_reset(&batch->arena);
    sc__args_init(&batch->args, &batch->arena);
    batch->last = NULL;
    batch->group_count = batch->count = batch->bytes = 0;
    /* The base and the number of jobs are known when the batch is sent. */
    sc__args_slice(&batch->args, SC_S(""));
    sc__args_slice(&batch->args, SC_S(""));
}

static bool same_group(const sc__add_job *a, const sc__add_job *b)
{
    return a->timestamp_ms == b->timestamp_ms && a->delay_ms == b->delay_ms &&
           a->priority == b->priority && a->lifo == b->lifo && !a->id.len == !b->id.len &&
           a->dedup == b->dedup && sc_slice_eq(a->name, b->name) &&
           sc_slice_eq(a->parent_key, b->parent_key) && sc_slice_eq(a->parent, b->parent) &&
           (a->opts.ptr == b->opts.ptr || sc_slice_eq(a->opts, b->opts));
}

static sc_slice number(sc__add_batch *batch, int64_t value)
{
    char *digits = sc__arena_alloc(&batch->arena, SC__INT_LEN);

    if (!digits) {
        batch->args.err = SC_ETOOBIG;
        return SC_S("");
    }
    return (sc_slice){digits, sc__int_text(value, digits)};
}

static void close_group(sc__add_batch *batch)
{
    if (batch->last && !batch->args.err)
        batch->args.items[batch->group_at] = number(batch, (int64_t)batch->group_count);
}

/* Delayed goes before prioritized: such a job gets its priority when its time has come. */
const char *sc__add_state_of(const sc__add_job *job)
{
    if (job->delay_ms > 0)
        return "D";
    if (job->priority > 0)
        return "P";
    return job->lifo ? "H" : "W";
}

static const char *flags_of(const sc__add_job *job)
{
    if (job->parent_key.len)
        return job->id.len ? "ip" : "p";
    if (job->id.len)
        return job->dedup ? "id" : "i";
    return job->dedup ? "d" : "";
}

static void open_group(sc__add_batch *batch, const sc__add_job *job)
{
    sc__args *args = &batch->args;

    close_group(batch);
    sc__args_text(args, sc__add_state_of(job));
    sc__args_slice(args, job->name);
    sc__args_slice(args, job->opts);
    sc__args_int(args, job->timestamp_ms);
    sc__args_int(args, job->delay_ms);
    sc__args_int(args, job->priority);
    sc__args_text(args, flags_of(job));
    batch->group_at = args->count;
    batch->group_count = 0;
    sc__args_slice(args, SC_S(""));
    if (job->parent_key.len) {
        sc__args_slice(args, job->parent_key);
        sc__args_slice(args, job->parent);
    }
    batch->bytes += job->name.len + job->opts.len + job->parent_key.len + job->parent.len + 64;
}

bool sc__add_batch_put(sc__add_batch *batch, const sc__add_job *job)
{
    if (batch->count == JOBS_MAX || (batch->count && batch->bytes + job->data.len > BYTES_MAX))
        return false;
    if (!batch->last || !same_group(batch->last, job))
        open_group(batch, job);
    batch->last = job;
    if (job->id.len)
        sc__args_slice(&batch->args, job->id);
    sc__args_slice(&batch->args, job->data);
    batch->group_count++;
    batch->count++;
    batch->bytes += job->id.len + job->data.len + 16;
    return true;
}

static bool is_standard(const sc__add_job *job)
{
    return job->delay_ms <= 0 && job->priority <= 0 && !job->id.len && !job->dedup &&
           !job->parent_key.len;
}

/* A job that comes alone, and is of the kind that most are. */
static sc_err add_one(sc_client *client, const sc__queue_keys *keys, const sc__add_job *job,
                      sc_reply_cb cb, void *user)
{
    const sc_slice *k = keys->key;
    const sc_slice script_keys[] = {k[SC__KEY_ID],     k[SC__KEY_META],   k[SC__KEY_WAIT],
                                    k[SC__KEY_ACTIVE], k[SC__KEY_EVENTS], k[SC__KEY_MARKER]};
    char digits[SC__INT_LEN];
    const sc_slice args[] = {keys->base,
                             job->name,
                             job->data,
                             job->opts,
                             {digits, sc__int_text(job->timestamp_ms, digits)},
                             job->lifo ? SC_S("RPUSH") : SC_S("LPUSH")};

    SC__SCRIPT_CHECK_KEYS(addJob, script_keys);
    return sc__script_call(client, &SC__SCRIPT_addJob, script_keys, SC__SCRIPT_KEYS_addJob, args,
                           sizeof(args) / sizeof(*args), NULL, cb, user);
}

sc_err sc__op_add(sc_client *client, const sc__queue_keys *keys, sc__add_batch *batch,
                  sc_reply_cb cb, void *user)
{
    const sc_slice *k = keys->key;
    const sc_slice script_keys[] = {
        k[SC__KEY_ID],          k[SC__KEY_META],    k[SC__KEY_WAIT],
        k[SC__KEY_PRIORITIZED], k[SC__KEY_DELAYED], k[SC__KEY_ACTIVE],
        k[SC__KEY_EVENTS],      k[SC__KEY_MARKER],  k[SC__KEY_PC],
    };

    SC__SCRIPT_CHECK_KEYS(addJobs, script_keys);
    if (batch->count == 1 && is_standard(batch->last))
        return add_one(client, keys, batch->last, cb, user);
    close_group(batch);
    if (batch->args.err)
        return batch->args.err;
    batch->args.items[0] = keys->base;
    batch->args.items[1] = number(batch, (int64_t)batch->count);
    if (batch->args.err)
        return batch->args.err;
    return sc__script_call(client, &SC__SCRIPT_addJobs, script_keys, SC__SCRIPT_KEYS_addJobs,
                           batch->args.items, batch->args.count, NULL, cb, user);
}

static sc_err check_owner(const sc_reply *owner, sc_reason *ret_reason)
{
    sc_slice id;

    return owner->type == SC_REPLY_INT ? SC_OK : sc__reply_str(owner, &id, ret_reason);
}

/* [number, place, owner, place, code, …] */
static sc_err read_owners(const sc_reply *reply, sc__add_answer *ret_answer, sc_reason *ret_reason)
{
    const sc_reply *items;
    size_t count;
    int64_t place;
    sc_err err = sc__reply_array(reply, &items, &count, ret_reason);

    if (err)
        return err;
    if (count % 2 == 0)
        return sc__because(ret_reason, SC_EPROTO, "adding jobs: an answer of %zu parts", count);
    err = sc__reply_int(&items[0], &ret_answer->number, ret_reason);
    for (size_t i = 1; !err && i < count; i += 2) {
        err = sc__reply_int(&items[i], &place, ret_reason);
        if (!err)
            err = check_owner(&items[i + 1], ret_reason);
    }
    ret_answer->owners = items + 1;
    ret_answer->owner_count = count / 2;
    return err;
}

sc_err sc__op_add_reply(sc_err err, const sc_reply *reply, sc__add_answer *ret_answer,
                        sc_reason *ret_reason)
{
    *ret_answer = (sc__add_answer){.number = 0};
    if (err)
        return sc__because(ret_reason, err, "adding jobs: %s", sc_err_text(err));
    if (reply->type == SC_REPLY_ARRAY)
        return read_owners(reply, ret_answer, ret_reason);
    return sc__reply_int(reply, &ret_answer->number, ret_reason);
}

int64_t sc__add_answer_next(sc__add_answer *answer, sc_slice *ret_owner)
{
    int64_t number = answer->number++;

    *ret_owner = (sc_slice){NULL, 0};
    if (answer->owner_count && answer->owners[0].integer == answer->place) {
        if (answer->owners[1].type == SC_REPLY_INT)
            number = answer->owners[1].integer;
        else
            *ret_owner = answer->owners[1].str;
        answer->owners += 2;
        answer->owner_count--;
    }
    answer->place++;
    return number;
}
