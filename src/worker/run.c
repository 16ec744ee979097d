#include "run.h"

#include <stdio.h>

#include "base/error.h"
#include "base/json_scan.h"
#include "base/mem.h"
#include "base/str.h"
#include "cancel.h"
#include "ops/op_job_note.h"
#include "telling.h"

enum {
    RUN_BYTES_MAX = 64 * 1024 * 1024, /* what a processor may take from its run */
    WORDS_BYTES_MAX =
        512 * 1024 * 1024,       /* a job, its result or reason: Redis' own limit of a value */
    SPARE_BYTES_MAX = 16 * 1024, /* what a run that waits for its next use may hold */
    LOG_ROW_MAX = 64 * 1024
};

sc_run *sc__run_take(sc__core *core, sc_run **spares, const sc__lock_token *token)
{
    sc_run *run = *spares;

    if (run) {
        *spares = run->next;
    } else {
        run = sc__calloc(1, sizeof(*run));
        if (!run)
            return NULL;
        run->core = core;
        sc__arena_init(&run->words, WORDS_BYTES_MAX);
        sc__arena_init(&run->memory, RUN_BYTES_MAX);
    }
    run->token = *token;
    run->older = core->runs;
    if (core->runs)
        core->runs->newer = run;
    core->runs = run;
    core->running++;
    atomic_fetch_add_explicit(&core->stats.running, 1, memory_order_relaxed);
    return run;
}

static void spare_arena(sc__arena *arena)
{
    if (arena->used > SPARE_BYTES_MAX)
        sc__arena_release(arena);
    else
        sc__arena_reset(arena);
}

void sc__run_put_back(sc_run *run, sc_run **spares)
{
    sc__core *core = run->core;
    sc__arena words, memory;
    uint64_t serial = run->serial + 1;

    if (run->newer)
        run->newer->older = run->older;
    else
        core->runs = run->older;
    if (run->older)
        run->older->newer = run->newer;
    if (run->is_late)
        core->on_late_end(core);
    else
        sc__core_run_left(core);
    sc__run_forget_cancel(run);
    spare_arena(&run->words);
    spare_arena(&run->memory);
    words = run->words;
    memory = run->memory;
    memset(run, 0, sizeof(*run));
    run->core = core;
    run->words = words;
    run->memory = memory;
    run->serial = serial;
    run->next = *spares;
    *spares = run;
    core->on_change(core);
}

void sc__run_free_spares(sc_run *spares)
{
    while (spares) {
        sc_run *next = spares->next;

        sc__arena_release(&spares->words);
        sc__arena_release(&spares->memory);
        sc_free(spares);
        spares = next;
    }
}

static sc_slice copy(sc_run *run, sc_slice text)
{
    char *copied = sc__arena_dup(&run->words, text);

    return copied ? (sc_slice){copied, text.len} : (sc_slice){NULL, 0};
}

sc_outcome sc_run_return(sc_run *run, sc_slice json)
{
    sc_reason why;

    if (sc__json_check(json, &why))
        return sc_run_fail(run, SC_GIVE_UP, "the processor's result is not JSON: %s", why.text);
    run->result = copy(run, json);
    if (!run->result.ptr)
        return sc_run_fail(run, SC_FAILED, "the result of %zu bytes does not fit into memory",
                           json.len);
    return SC_DONE;
}

sc_outcome sc_run_fail(sc_run *run, sc_outcome failed_or_give_up, const char *fmt, ...)
{
    char text[4096];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    run->reason = copy(run, sc_slice_of(text));
    return failed_or_give_up == SC_GIVE_UP ? SC_GIVE_UP : SC_FAILED;
}

sc_outcome sc_run_delay(sc_run *run, int64_t delay_ms)
{
    run->delay_ms = delay_ms > 0 ? delay_ms : 0;
    return SC_DELAY;
}

sc_outcome sc_run_limit(sc_run *run, int64_t delay_ms)
{
    run->delay_ms = delay_ms > 0 ? delay_ms : 0;
    return SC_LIMITED;
}

void *sc_run_alloc(sc_run *run, size_t size)
{
    return sc__arena_alloc(&run->memory, size);
}

sc_err sc_run_progress(sc_run *run, sc_slice json)
{
    const sc__core *core = run->core;
    sc_err err;

    if (sc__json_check(json, NULL))
        return SC_ESYNTAX;
    err = sc__op_job_progress(core->client, &core->keys, run->job->id, json, NULL);
    if (!err)
        sc__tell(core,
                 (sc_worker_event){.kind = SC_WORKER_PROGRESS, .job = run->job, .text = json});
    return err;
}

sc_err sc_run_log(sc_run *run, const char *fmt, ...)
{
    AUTO_STR row = STR_MAX(LOG_ROW_MAX);
    va_list args;
    int len;

    va_start(args, fmt);
    len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (len < 0)
        return SC_EINVAL;
    if (sc__str_reserve(&row, (size_t)len + 1))
        return row.err ? row.err : SC_ETOOBIG;
    va_start(args, fmt);
    vsnprintf(row.ptr, (size_t)len + 1, fmt, args);
    va_end(args);
    return sc__op_job_log(run->core->client, &run->core->keys, run->job->id,
                          (sc_slice){row.ptr, (size_t)len}, run->opts.keep_logs, NULL);
}
