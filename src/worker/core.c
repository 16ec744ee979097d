#include "core.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "telling.h"

/* A take that waits for the marker may wait long: threads that ask don't count on it. */
static size_t room_by_hand(const sc__core *core)
{
    size_t coming = core->asked - core->watched;
    size_t room = core->takers > coming ? core->takers - coming : 0;

    if (!core->taking || sc__mono_ms() < core->rest_until)
        return 0;
    return room < SC__WORK_MAX ? room : SC__WORK_MAX;
}

/* Slots that are taken by jobs in hand, and by late ones that were not replaced. */
static size_t taken_slots(const sc__core *core)
{
    size_t most_late = (size_t)core->opts.max_late;

    return core->running + (core->late > most_late ? core->late - most_late : 0);
}

size_t sc__core_room(const sc__core *core)
{
    size_t used = taken_slots(core) - core->leaving + core->asked;
    size_t all = (size_t)core->opts.concurrency;

    if (core->by_hand)
        return room_by_hand(core);
    if (!core->taking || used >= all || sc__mono_ms() < core->rest_until)
        return 0;
    return all - used < SC__WORK_MAX ? all - used : SC__WORK_MAX;
}

bool sc__core_is_full(const sc__core *core)
{
    return taken_slots(core) >= (size_t)core->opts.concurrency;
}

void sc__core_run_left(sc__core *core)
{
    core->running--;
    atomic_fetch_sub_explicit(&core->stats.running, 1, memory_order_relaxed);
}

void sc__core_next_token(sc__core *core, sc__lock_token *ret_token)
{
    if (!core->token_base[0])
        sc__rand_token(core->token_base);
    ret_token->len = (size_t)snprintf(ret_token->text, sizeof(ret_token->text), "sc:%s:%llu",
                                      core->token_base, (unsigned long long)core->token_count++);
}

void sc__core_call_ended(sc__core *core)
{
    core->calls--;
    core->on_change(core);
}

void sc__core_heard(sc__core *core, const sc__taken *taken)
{
    int64_t now = sc__mono_ms();
    int64_t most = core->opts.max_rest_ms; /* delayed jobs are promoted at least so often */
    int64_t rest = taken->rest_ms < most ? taken->rest_ms : most;

    core->server_lead = taken->now_ms - now;
    if (rest > 0)
        core->rest_until = now + rest;
}

void sc__core_log(const sc__core *core, sc_log_level level, const char *fmt, ...)
{
    char text[512];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    sc__log(level, "worker of queue %.*s: %s", (int)core->queue_name.len, core->queue_name.ptr,
            text);
    if (level >= SC_LOG_WARN)
        sc__tell(core, (sc_worker_event){.kind = SC_WORKER_ERROR, .text = sc_slice_of(text)});
}
