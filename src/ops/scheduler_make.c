#include "scheduler_make.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/str.h"
#include "redis/reply.h"
#include "scheduler_keys.h"
#include "scheduler_opts.h"
#include "scheduler_policy.h"
#include "scripts.h"

enum {
    ARGS_BYTES_MAX = 32 * 1024 * 1024,
    OPTS_BYTES_MAX = 128 * 1024,
    MORE_BYTES_MAX = 256,
    RULES_BYTES_MAX = 32 * 1024 * 1024,
    ROUNDS = 500 /* scripts at most; the next look goes on with what is left */
};

/* What the script says of a schedule that it did not bring on. */
enum { NOTHING_TO_DO = -1, NOT_LOOKED_AT = -2 };

_Static_assert(SC__SCRIPT_KEYS_makeSchedulerRuns == SC__SCHEDULER_KEYS, "makeSchedulerRuns' keys");

struct item {
    sc_scheduler_info rule; /* with the next run that is to be made */
    sc__plan plan;          /* of the script under way */
    bool has_advanced;
};

struct sc__making {
    sc_client *client;
    const sc__queue_keys *keys;
    sc__ticker *ticker;
    size_t count, cap;
    struct item *items; /* `count` that are not up to date yet */
    int64_t now_ms;
    int rounds;
    sc__ticked ticked;
    sc_err err;
    sc__ticker_cb cb;
    void *user;
    sc__moved_cb on_moved; /* may be NULL */
    void *moved_user;
    sc__arena texts;
};

sc_err sc__making_new(sc_client *client, const sc__queue_keys *keys, sc__ticker *ticker,
                      sc__making **ret_making)
{
    sc__making *m = sc__calloc(1, sizeof(*m));

    if (!m)
        return SC_ENOMEM;
    m->client = client;
    m->keys = keys;
    m->ticker = ticker;
    sc__arena_init(&m->texts, RULES_BYTES_MAX);
    *ret_making = m;
    return SC_OK;
}

void sc__making_free(sc__making *making)
{
    sc__arena_release(&making->texts);
    sc_free(making->items);
    sc_free(making);
}

static sc_err make_room(sc__making *m)
{
    size_t cap = m->cap ? m->cap * 2 : 4;
    struct item *items;

    if (m->count == SC__MAKING_MAX)
        return SC_ETOOBIG;
    if (m->count < m->cap)
        return SC_OK;
    items = sc__realloc(m->items, cap * sizeof(*items));
    if (!items)
        return SC_ENOMEM;
    m->items = items;
    m->cap = cap;
    return SC_OK;
}

sc_err sc__making_add(sc__making *making, const sc_scheduler_info *rule)
{
    sc_scheduler_info copy = *rule;
    sc_slice *texts[] = {&copy.id,   &copy.pattern, &copy.tz,
                         &copy.opts, &copy.exclude, &copy.revision};
    sc_err err = make_room(making);

    for (size_t i = 0; !err && i < sizeof(texts) / sizeof(*texts); i++) {
        texts[i]->ptr = sc__arena_dup(&making->texts, *texts[i]);
        if (!texts[i]->ptr)
            err = SC_ENOMEM;
    }
    if (!err)
        making->items[making->count++] = (struct item){.rule = copy};
    return err;
}

int64_t sc__making_count(const sc__making *making)
{
    return (int64_t)making->count;
}

void sc__making_on_moved(sc__making *making, sc__moved_cb cb, void *user)
{
    making->on_moved = cb;
    making->moved_user = user;
}

static void note(sc__making *m, sc_err err)
{
    if (!m->err)
        m->err = err;
}

static void complain(sc__making *m, const struct item *item, sc_err err, const sc_reason *why)
{
    sc__ticker_complain(m->ticker, item->rule.id, err, why);
    note(m, err);
}

static bool is_last(const struct item *item)
{
    return item->rule.limit > 0 && item->rule.iterations + 1 >= item->rule.limit;
}

static void add_member(sc__str *out, const char *key, sc_slice text)
{
    if (text.len)
        sc__str_printf(out, "%s\"%s\":\"%.*s\"", out->len ? "," : "{", key, (int)text.len,
                       text.ptr);
}

static void add_count(sc__str *out, const char *key, int64_t count)
{
    char digits[SC__INT_LEN];

    add_member(out, key, (sc_slice){digits, count > 0 ? sc__int_text(count, digits) : 0});
}

/* What few runs have; nothing otherwise. */
static void write_more(sc__str *out, const struct item *item)
{
    sc__scheduler_opts opts;

    sc__scheduler_opts_read(item->rule.opts, &opts);
    add_count(out, "priority", opts.priority);
    add_member(out, "push", opts.lifo ? SC_S("RPUSH") : SC_S(""));
    add_member(out, "overlap", sc_slice_of(sc__overlap_text(item->rule.overlap)));
    add_count(out, "missed", item->plan.missed);
    add_count(out, "last", is_last(item));
    if (out->len)
        sc__str_char(out, '}');
}

static sc_err add_text(sc__args *args, const sc__str *text)
{
    const char *bytes = text->err ? NULL : sc__arena_dup(args->arena, sc__str_slice(text));

    if (bytes)
        sc__args_slice(args, (sc_slice){bytes, text->len});
    return text->err || bytes ? text->err : SC_ENOMEM;
}

static sc_err add_args(struct item *item, sc__args *args)
{
    AUTO_STR head = STR_MAX(OPTS_BYTES_MAX);
    AUTO_STR more = STR_MAX(MORE_BYTES_MAX);
    const sc_scheduler_info *rule = &item->rule;
    sc_err err;

    sc__scheduler_run_head_write(&head, rule, rule->iterations + 1, item->plan.run_nominal_ms);
    write_more(&more, item);
    sc__scheduler_id_args(args, rule->id);
    sc__args_int(args, rule->next_ms);
    sc__args_slice(args, rule->revision);
    sc__scheduler_number(args, item->plan.run_ms);
    sc__scheduler_number(args, item->plan.next_ms);
    sc__args_int(args, item->plan.next_nominal_ms);
    sc__args_int(args, rule->iterations + 1);
    err = add_text(args, &head);
    sc__args_bool(args, rule->pattern.len > 0);
    return err ? err : add_text(args, &more);
}

/* One that has made all the runs of its limit ends without another. */
static void heed_limit(struct item *item)
{
    if (item->rule.limit > 0 && item->rule.iterations >= item->rule.limit)
        item->plan.run_ms = item->plan.next_ms = 0;
}

/* False when it can't be brought on. */
static bool prepare(sc__making *m, struct item *item, sc__args *args)
{
    sc_reason why = {""};
    sc_err err = sc__rule_plan(m->ticker, &item->rule, m->now_ms, &item->plan, &why);

    heed_limit(item);
    if (!err)
        err = add_args(item, args);
    if (err)
        complain(m, item, err, &why);
    return !err;
}

/* `*ret_left`: another run of it is due. */
static sc_err read_item(sc__making *m, struct item *item, const sc_reply *reply, bool *ret_left)
{
    const sc__plan *plan = &item->plan;
    sc_reason why = {""};
    int64_t made = 0;
    bool is_over;
    sc_err err;

    *ret_left = false;
    if (reply->type == SC_REPLY_STRING) {
        snprintf(why.text, sizeof(why.text), "%.*s", (int)reply->str.len, reply->str.ptr);
        complain(m, item, SC_ELAYOUT, &why);
        return SC_OK;
    }
    err = sc__reply_int(reply, &made, NULL);
    if (err || made == NOTHING_TO_DO)
        return err;
    if (made == NOT_LOOKED_AT) {
        *ret_left = true;
        return SC_OK;
    }
    if (!item->has_advanced)
        m->ticked = (sc__ticked){m->ticked.advanced + 1, m->ticked.stayed - 1};
    item->has_advanced = true;
    is_over = !plan->next_ms || (made && is_last(item));
    item->rule.iterations += made;
    item->rule.next_ms = plan->next_ms;
    item->rule.nominal_ms = plan->next_nominal_ms;
    *ret_left = !is_over && plan->next_ms <= m->now_ms;
    if (!is_over && !*ret_left && m->on_moved)
        m->on_moved(m->moved_user, &item->rule);
    return SC_OK;
}

static sc_err read_reply(sc__making *m, const sc_reply *reply)
{
    const sc_reply *items;
    size_t count, kept = 0;
    sc_err err = sc__reply_array(reply, &items, &count, NULL);

    if (!err)
        err = count == m->count + 1 ? sc__reply_int(&items[0], &m->now_ms, NULL) : SC_EPROTO;
    for (size_t i = 0; !err && i < m->count; i++) {
        bool is_left;

        err = read_item(m, &m->items[i], &items[i + 1], &is_left);
        if (!err && is_left)
            m->items[kept++] = m->items[i];
    }
    m->count = kept;
    return err;
}

static void advance(sc__making *m);

static void on_made(void *user, sc_err err, const sc_reply *reply)
{
    sc__making *m = user;

    if (!err)
        err = read_reply(m, reply);
    note(m, err);
    if (err || ++m->rounds == ROUNDS)
        m->count = 0;
    advance(m);
}

static sc_err send_script(sc__making *m, const sc__args *args)
{
    const sc__send_opts opts = {.idempotent = true};
    sc_slice keys[SC__SCHEDULER_KEYS];

    if (args->err)
        return args->err;
    sc__scheduler_keys(m->keys, keys);
    return sc__script_call(m->client, &SC__SCRIPT_makeSchedulerRuns, keys, SC__SCHEDULER_KEYS,
                           args->items, args->count, &opts, on_made, m);
}

/* Sends a script for those that are left; when there are none it is the end. */
static void advance(sc__making *m)
{
    size_t kept = 0;
    sc__arena arena;
    sc__args args;
    sc_err err;

    sc__arena_init(&arena, ARGS_BYTES_MAX);
    sc__args_init(&args, &arena);
    sc__args_slice(&args, m->keys->base);
    for (size_t i = 0; i < m->count; i++)
        if (prepare(m, &m->items[i], &args))
            m->items[kept++] = m->items[i];
    m->count = kept;
    err = kept ? send_script(m, &args) : SC_OK;
    sc__arena_release(&arena);
    if (kept && !err)
        return;
    note(m, err);
    m->cb(m->user, m->err, m->ticked);
    sc__making_free(m);
}

void sc__making_start(sc__making *making, int64_t now_ms, sc__ticker_cb cb, void *user)
{
    making->now_ms = now_ms;
    making->cb = cb;
    making->user = user;
    making->ticked.stayed = (int64_t)making->count;
    advance(making);
}
