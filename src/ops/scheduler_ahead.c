#include "scheduler_ahead.h"

#include <string.h>

#include "redis/reply.h"
#include "scheduler_keys.h"
#include "scripts.h"

enum { AHEAD_MS = 2000 };

_Static_assert(SC__SCRIPT_KEYS_findNextSchedulers == SC__SCHEDULER_KEYS,
               "findNextSchedulers' keys");

static void add_args(const sc__walk *walk, sc__args *args, int64_t from)
{
    const sc__ahead *a = (const sc__ahead *)walk;

    sc__scheduler_args(args, walk->keys, SC_S(""));
    sc__args_int(args, a->from_ms);
    sc__args_int(args, a->until_ms);
    sc__args_int(args, from);
    sc__args_int(args, SC__WALK_SLICE);
    sc__scheduler_field_args(args);
}

static sc_err keep(sc__walk *walk, const sc_scheduler_info *rule)
{
    sc__ahead_keep(walk, rule);
    return SC_OK;
}

/* `items`: id, its run, its rule. */
static sc_err visit(sc__walk *walk, const sc_reply *items)
{
    return sc__walk_rule(walk, items, keep);
}

void sc__ahead_init(sc__ahead *ahead, sc_client *client, const sc__queue_keys *keys,
                    sc__ticker *ticker, sc__walk_cb cb, void *user)
{
    static const sc__walk_kind kind = {
        .script = &SC__SCRIPT_findNextSchedulers,
        .head = 1,
        .fields = 3,
        .add_args = add_args,
        .visit = visit,
    };

    *ahead = (sc__ahead){.walk = sc__walk_of(&kind, client, keys, ticker, cb, user)};
}

void sc__ahead_release(sc__ahead *ahead)
{
    while (ahead->count)
        sc__making_free(ahead->batches[--ahead->count].making);
}

bool sc__ahead_is_due(const sc__ahead *ahead, int64_t now_ms, int64_t next_ms)
{
    return next_ms <= now_ms + AHEAD_MS &&
           (next_ms > ahead->until_ms || now_ms + AHEAD_MS < ahead->from_ms);
}

sc_err sc__ahead_read(sc__ahead *ahead, int64_t now_ms)
{
    bool goes_on = ahead->until_ms > now_ms && ahead->until_ms < now_ms + AHEAD_MS;

    if (!goes_on)
        sc__ahead_release(ahead); /* the server's clock may have been put back */
    ahead->from_ms = goes_on ? ahead->until_ms : now_ms;
    ahead->until_ms = now_ms + AHEAD_MS;
    return sc__walk_start(&ahead->walk);
}

/* The first batch that is due after `due_ms`. */
static size_t place_after(const sc__ahead *a, int64_t due_ms)
{
    size_t at = a->count;

    while (at && a->batches[at - 1].due_ms > due_ms)
        at--;
    return at;
}

static sc__making *begin_batch(sc__ahead *a, size_t at, int64_t due_ms)
{
    sc__making *making;

    if (a->count == SC__AHEAD_BATCHES ||
        sc__making_new(a->walk.client, a->walk.keys, a->walk.ticker, &making))
        return NULL;
    sc__making_on_moved(making, sc__ahead_keep, a);
    memmove(&a->batches[at + 1], &a->batches[at], (a->count - at) * sizeof(*a->batches));
    a->batches[at] = (sc__ahead_batch){due_ms, making};
    a->count++;
    return making;
}

static bool add(sc__making *making, const sc_scheduler_info *rule)
{
    return making && !sc__making_add(making, rule);
}

/* What there is no room for is looked for when it is due. */
void sc__ahead_keep(void *ahead, const sc_scheduler_info *rule)
{
    sc__ahead *a = ahead;
    size_t at = place_after(a, rule->next_ms);
    bool has_batch = at && a->batches[at - 1].due_ms == rule->next_ms;

    if (rule->next_ms > a->until_ms || (has_batch && add(a->batches[at - 1].making, rule)))
        return;
    (void)add(begin_batch(a, at, rule->next_ms), rule);
}

sc__making *sc__ahead_take(sc__ahead *ahead, int64_t now_ms)
{
    sc__making *making;

    if (!ahead->count || ahead->batches[0].due_ms > now_ms)
        return NULL;
    making = ahead->batches[0].making;
    memmove(&ahead->batches[0], &ahead->batches[1], --ahead->count * sizeof(*ahead->batches));
    return making;
}

int64_t sc__ahead_first(const sc__ahead *ahead)
{
    return ahead->count ? ahead->batches[0].due_ms : INT64_MAX;
}
