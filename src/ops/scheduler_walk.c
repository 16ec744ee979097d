#include "scheduler_walk.h"

#include "redis/reply.h"
#include "scheduler_keys.h"

enum {
    WIDTH = 5,
    CALLS_MAX = 2 * WIDTH,
    ARGS_BYTES_MAX = 16 * 1024,
    RULE_BYTES_MAX = 4 * 1024 * 1024
};

static void note(sc__walk *walk, sc_err err)
{
    if (!walk->err)
        walk->err = err;
}

/* A call is to bring on so many schedules, which need not be passed over then. */
static void expect(sc__walk *walk, int64_t count)
{
    walk->calls++;
    walk->from -= count;
}

static void on_ticked(void *user, sc_err err, sc__ticked ticked)
{
    sc__walk *walk = user;

    walk->from += ticked.stayed;
    walk->advanced += ticked.advanced;
    sc__walk_call_ended(walk, err);
}

sc_err sc__walk_tick(sc__walk *walk, sc_slice scheduler_id, sc_slice run, sc_slice job_opts)
{
    sc__arena arena;
    const char *job_id;
    sc_err err = SC_ENOMEM;

    sc__arena_init(&arena, ARGS_BYTES_MAX);
    job_id = sc__arena_printf(&arena, "repeat:%.*s:%.*s", (int)scheduler_id.len, scheduler_id.ptr,
                              (int)run.len, run.ptr);
    if (job_id)
        err = sc__ticker_tick(walk->ticker, scheduler_id, sc_slice_of(job_id), job_opts, on_ticked,
                              walk);
    if (!err)
        expect(walk, 1);
    sc__arena_release(&arena);
    return err;
}

sc_err sc__walk_make(sc__walk *walk, const sc_scheduler_info *rule, int64_t now_ms)
{
    sc_err err = SC_OK;

    if (!walk->making)
        err = sc__making_new(walk->client, walk->keys, walk->ticker, &walk->making);
    walk->now_ms = now_ms;
    return err ? err : sc__making_add(walk->making, rule);
}

sc_err sc__walk_rule(sc__walk *walk, const sc_reply *items,
                     sc_err (*act)(sc__walk *walk, const sc_scheduler_info *rule))
{
    sc_scheduler_info rule;
    sc__arena arena;
    sc_err err;

    sc__arena_init(&arena, RULE_BYTES_MAX);
    err = sc__scheduler_rule_read(items, &arena, &rule);
    if (!err)
        err = act(walk, &rule);
    sc__arena_release(&arena);
    return err;
}

static void make_all(sc__walk *walk)
{
    sc__making *making = walk->making;

    if (!making)
        return;
    walk->making = NULL;
    expect(walk, sc__making_count(making));
    sc__making_on_moved(making, walk->on_moved, walk->moved_user);
    sc__making_start(making, walk->now_ms, on_ticked, walk);
}

static sc_err read_slice(sc__walk *walk, const sc_reply *reply)
{
    const sc__walk_kind *kind = walk->kind;
    const sc_reply *items;
    int64_t looked_at = 0;
    size_t count;
    sc_err err = sc__reply_array(reply, &items, &count, NULL);

    if (!err)
        err = count < kind->head ? SC_EPROTO : sc__reply_int(&items[0], &looked_at, NULL);
    if (!err && kind->read_head)
        err = kind->read_head(walk, items);
    if (err)
        return err;
    walk->is_last |= looked_at >= 0 && looked_at < SC__WALK_SLICE;
    walk->from += looked_at > 0 ? looked_at : 0;
    for (size_t i = kind->head; i + kind->fields <= count; i += kind->fields)
        note(walk, kind->visit(walk, &items[i]));
    make_all(walk);
    return SC_OK;
}

static void go_on(sc__walk *walk);

static void on_found(void *user, sc_err err, const sc_reply *reply)
{
    sc__walk *walk = user;

    if (!err)
        err = read_slice(walk, reply);
    walk->is_last |= err != SC_OK;
    walk->finds--;
    note(walk, err);
    go_on(walk);
}

static sc_err find_slice(sc__walk *walk, int64_t from)
{
    const sc__script *script = walk->kind->script;
    const sc__send_opts opts = {.idempotent = true};
    sc_slice keys[SC__SCHEDULER_KEYS];
    sc__arena arena;
    sc__args args;
    sc_err err;

    sc__arena_init(&arena, ARGS_BYTES_MAX);
    sc__args_init(&args, &arena);
    walk->kind->add_args(walk, &args, from);
    sc__scheduler_keys(walk->keys, keys);
    err = args.err;
    if (!err)
        err = sc__script_call(walk->client, script, keys, script->key_count, args.items, args.count,
                              &opts, on_found, walk);
    walk->finds += !err;
    sc__arena_release(&arena);
    return err;
}

static void find_slices(sc__walk *walk, int count)
{
    sc_err err = SC_OK;

    for (int i = 0; i < count && !err; i++)
        err = find_slice(walk, walk->from + (int64_t)i * SC__WALK_SLICE);
    walk->is_last = err != SC_OK;
    note(walk, err);
}

/* One slice first: mostly there are no more. */
static void begin(sc__walk *walk)
{
    walk->from = 0;
    find_slices(walk, 1);
}

sc_err sc__walk_start(sc__walk *walk)
{
    walk->advanced = 0;
    walk->err = SC_OK;
    begin(walk);
    return walk->finds ? SC_OK : walk->err;
}

/* After each answer: more slices, or the end. */
static void go_on(sc__walk *walk)
{
    const sc__walk_kind *kind = walk->kind;

    if (!walk->finds && !walk->is_last && walk->calls < CALLS_MAX)
        find_slices(walk, WIDTH);
    if (!walk->finds && !walk->calls && walk->is_last && kind->is_to_go_on &&
        kind->is_to_go_on(walk))
        begin(walk);
    if (!walk->finds && !walk->calls)
        walk->cb(walk->user, walk->err);
}

void sc__walk_call_ended(sc__walk *walk, sc_err err)
{
    note(walk, err);
    walk->calls--;
    go_on(walk);
}
