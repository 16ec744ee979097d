#include "scheduler_make.h"

#include "base/mem.h"
#include "base/str.h"
#include "redis/reply.h"
#include "scheduler_keys.h"
#include "scheduler_opts.h"
#include "scheduler_policy.h"
#include "scripts.h"

enum {
    ARGS_BYTES_MAX = 256 * 1024,
    OPTS_BYTES_MAX = 128 * 1024,
    RULE_BYTES_MAX = 4 * 1024 * 1024,
    ROUNDS = 500 /* runs at most; the next look goes on with the others */
};

_Static_assert(SC__SCRIPT_KEYS_makeSchedulerRun == SC__SCHEDULER_KEYS, "makeSchedulerRun's keys");

/* One schedule that is brought up to date. */
struct making {
    sc_client *client;
    const sc__queue_keys *keys;
    sc__ticker *ticker;
    sc_scheduler_info rule;
    sc__plan plan;
    int64_t now_ms;
    int rounds;
    sc__ticked what;
    sc__ticker_cb cb;
    void *user;
    sc__arena texts;
};

static void making_free(struct making *m)
{
    sc__arena_release(&m->texts);
    sc_free(m);
}

static sc_err keep_texts(struct making *m)
{
    sc_scheduler_info *rule = &m->rule;
    sc_slice *texts[] = {&rule->id,   &rule->pattern, &rule->tz,
                         &rule->opts, &rule->exclude, &rule->revision};

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        texts[i]->ptr = sc__arena_dup(&m->texts, *texts[i]);
        if (!texts[i]->ptr)
            return SC_ENOMEM;
    }
    return SC_OK;
}

static void make_args(struct making *m, sc__args *args, sc_slice head)
{
    sc__scheduler_opts opts;

    sc__scheduler_opts_read(m->rule.opts, &opts);
    sc__scheduler_args(args, m->keys, m->rule.id);
    sc__args_int(args, m->rule.next_ms);
    sc__args_slice(args, m->rule.revision);
    sc__scheduler_number(args, m->plan.run_ms);
    sc__scheduler_number(args, m->plan.next_ms);
    sc__args_int(args, m->plan.next_nominal_ms);
    sc__args_int(args, m->plan.missed);
    sc__args_slice(args, head);
    sc__args_int(args, opts.priority);
    sc__args_slice(args, opts.lifo ? SC_S("RPUSH") : SC_S("LPUSH"));
    sc__args_bool(args, m->rule.pattern.len > 0);
}

static void on_made(void *user, sc_err err, const sc_reply *reply);

static sc_err send_script(struct making *m)
{
    AUTO_STR head = STR_MAX(OPTS_BYTES_MAX);
    const sc__send_opts opts = {.idempotent = true};
    sc_slice keys[SC__SCHEDULER_KEYS];
    sc__arena arena;
    sc__args args;
    sc_err err;

    sc__scheduler_run_head_write(&head, &m->rule, m->rule.iterations + 1, m->plan.run_nominal_ms);
    if (head.err)
        return head.err;
    sc__arena_init(&arena, ARGS_BYTES_MAX);
    sc__args_init(&args, &arena);
    make_args(m, &args, sc__str_slice(&head));
    sc__scheduler_keys(m->keys, keys);
    err = args.err;
    if (!err)
        err = sc__script_call(m->client, &SC__SCRIPT_makeSchedulerRun, keys, SC__SCHEDULER_KEYS,
                              args.items, args.count, &opts, on_made, m);
    sc__arena_release(&arena);
    return err;
}

static sc_err advance(struct making *m)
{
    sc_reason why = {""};
    sc_err err = sc__rule_plan(m->ticker, &m->rule, m->now_ms, &m->plan, &why);

    if (!err)
        err = send_script(m);
    if (err)
        sc__ticker_complain(m->ticker, m->rule.id, err, &why);
    return err;
}

/* `*ret_done`: it changed meanwhile, or no run is due any more. */
static sc_err read_reply(struct making *m, const sc_reply *reply, bool *ret_done)
{
    const sc_reply *items;
    int64_t code = 0;
    size_t count;
    sc_err err = sc__reply_array(reply, &items, &count, NULL);

    if (!err)
        err = count ? sc__reply_int(&items[0], &code, NULL) : SC_EPROTO;
    if (!err && code == 1 && count != 3)
        err = SC_EPROTO;
    if (!err && code == 1)
        err = sc__reply_int(&items[1], &m->rule.iterations, NULL);
    if (!err && code == 1)
        err = sc__reply_int(&items[2], &m->now_ms, NULL);
    if (err)
        return err;
    if (code == 1 && !m->rounds)
        m->what.advanced = 1;
    m->rule.next_ms = m->plan.next_ms;
    m->rule.nominal_ms = m->plan.next_nominal_ms;
    *ret_done = code != 1 || !m->plan.next_ms || m->plan.next_ms > m->now_ms ||
                (m->rule.limit && m->rule.iterations >= m->rule.limit) || ++m->rounds == ROUNDS;
    return SC_OK;
}

static void on_made(void *user, sc_err err, const sc_reply *reply)
{
    struct making *m = user;
    bool done = true;

    if (!err)
        err = read_reply(m, reply, &done);
    if (!err && !done) {
        err = advance(m);
        if (!err)
            return;
    }
    m->cb(m->user, err, m->what);
    making_free(m);
}

sc_err sc__scheduler_make(sc_client *client, const sc__queue_keys *keys, sc__ticker *ticker,
                          const sc_scheduler_info *rule, int64_t now_ms, sc__ticker_cb cb,
                          void *user)
{
    struct making *m = sc__calloc(1, sizeof(*m));
    sc_err err;

    if (!m)
        return SC_ENOMEM;
    m->client = client;
    m->keys = keys;
    m->ticker = ticker;
    m->rule = *rule;
    m->now_ms = now_ms;
    m->cb = cb;
    m->user = user;
    sc__arena_init(&m->texts, RULE_BYTES_MAX);
    err = keep_texts(m);
    if (!err)
        err = advance(m);
    if (err)
        making_free(m);
    return err;
}
