#include "batcher.h"

#include "base/clock.h"
#include "base/mem.h"
#include "batch.h"

/* What waits for one handler, the oldest first. */
struct sc__batch_group {
    struct sc__batch_group *next;
    sc__handler_def def; /* as it was for the newest of them */
    sc_run *first, *last;
    size_t count;
    int64_t due_at; /* mono ms: the first of them has waited long enough */
};

static struct sc__batch_group *group_of(sc__batcher *b, const sc__handler_def *def)
{
    struct sc__batch_group *group = b->groups;

    while (group && group->def.key != def->key)
        group = group->next;
    if (!group) {
        group = sc__calloc(1, sizeof(*group));
        if (!group)
            return NULL;
        group->next = b->groups;
        b->groups = group;
    }
    group->def = *def;
    return group;
}

static sc_run *take_first(struct sc__batch_group *group)
{
    sc_run *run = group->first;

    group->first = run->next;
    if (!group->first)
        group->last = NULL;
    group->count--;
    run->lingers = false;
    run->next = NULL;
    return run;
}

/* The first of them, at most as many as a batch may have. Without memory for one they are run one by one. */
static void begin(sc__batcher *b, struct sc__batch_group *group)
{
    size_t count = group->count < group->def.max ? group->count : group->def.max;
    sc__batch *batch = sc__batch_new(&group->def, count);

    for (size_t i = 0; i < count; i++) {
        sc_run *run = take_first(group);

        if (run->lock_lost)
            run->on_end(run); /* to be dropped */
        else if (batch)
            sc__batch_add(batch, run);
        else
            b->on_ready(b->core, &run->work);
    }
    if (batch)
        b->on_ready(b->core, &batch->work);
}

static bool need_not_wait(const sc__batcher *b, const struct sc__batch_group *group)
{
    return group->count >= group->def.min || group->due_at <= sc__mono_ms() ||
           sc__core_is_full(b->core) || !b->core->taking;
}

void sc__batcher_flush(sc__batcher *b)
{
    int64_t next = INT64_MAX;

    if (!b->groups)
        return;
    for (struct sc__batch_group *group = b->groups; group; group = group->next) {
        while (group->count && need_not_wait(b, group))
            begin(b, group);
        if (group->count && group->due_at < next)
            next = group->due_at;
    }
    if (next == INT64_MAX)
        sc__timer_stop(b->timer);
    else
        sc__timer_start(b->timer, next - sc__mono_ms());
}

bool sc__batcher_take(sc__batcher *b, sc_run *run)
{
    struct sc__batch_group *group;
    sc__handler_def def;

    if (!atomic_load_explicit(&b->core->handlers.has_batches, memory_order_relaxed) || b->stopped ||
        !sc__handlers_find(&b->core->handlers, run->job->name, &def) || !def.batch)
        return false;
    group = group_of(b, &def);
    if (!group)
        return false;
    if (!group->count)
        group->due_at = sc__mono_ms() + def.linger_ms;
    run->lingers = true;
    run->next = NULL;
    if (group->last)
        group->last->next = run;
    else
        group->first = run;
    group->last = run;
    group->count++;
    if (group->count >= def.max)
        begin(b, group);
    return true;
}

void sc__batcher_stop(sc__batcher *b)
{
    b->stopped = true;
    sc__timer_stop(b->timer);
    for (struct sc__batch_group *group = b->groups; group; group = group->next) {
        group->first = group->last = NULL;
        group->count = 0;
    }
}

static void on_due(void *arg)
{
    sc__batcher_flush(arg);
}

sc_err sc__batcher_init(sc__batcher *b, sc__core *core)
{
    *b = (sc__batcher){.core = core};
    return sc__timer_new(core->loop, on_due, b, &b->timer);
}

void sc__batcher_release(sc__batcher *b)
{
    while (b->groups) {
        struct sc__batch_group *next = b->groups->next;

        sc_free(b->groups);
        b->groups = next;
    }
    sc__timer_free(b->timer);
    b->timer = NULL;
}
