/* One job on its way through a worker.
 *
 * In the hands of three, one after the other: the I/O thread takes it, a thread of the pool runs it, the I/O thread
 * records its outcome. What the I/O thread may touch meanwhile is marked. */
#ifndef SC_WORKER_RUN_H
#define SC_WORKER_RUN_H

#include <storychain/tracer.h>
#include <storychain/worker.h>

#include "base/arena.h"
#include "core.h"
#include "loop/pool.h"

/* What made the end of a run, for the counters. */
typedef enum sc__end_cause {
    SC__END_PROCESSOR,
    SC__END_EXPIRED,   /* it came too late to be run */
    SC__END_TIMED_OUT, /* its hard limit was over */
    SC__END_CANCELLED  /* its job was cancelled */
} sc__end_cause;

struct sc_run {
    sc__work work; /* for the pool */
    sc__core *core;
    sc_run *next;     /* in a list: of spare runs, or of ended ones */
    sc__arena words;  /* the job, and what is said about its end */
    sc__arena memory; /* the processor's */
    sc_job *job;
    sc_job_opts opts; /* of the job; slices point into it */
    sc__lock_token token;
    void (*on_end)(sc_run *run); /* on the pool's thread, when it is through */

    /* Of a run by hand. */
    struct sc__taker *taker;       /* who gets it, until it has it */
    struct sc__settling *settling; /* who waits for its end to be recorded */
    void (*on_settled)(
        sc_run *run); /* its end is, or is not: `settled` says so. NULL: nobody waits */
    sc_err settled;

    /* What the processor says. */
    sc_slice result, reason;
    sc_slice child_key; /* of the child that it waits for; empty: all */
    int64_t delay_ms;
    sc__ended ended; /* what is to be recorded */
    sc__end_cause end_cause;
    void *span; /* of the worker's tracer; NULL: none */

    /* Set by the I/O thread, read by the processor. */
    int64_t server_lead;           /* the server's date minus our mono clock, when it was taken */
    _Atomic sc_cancel_cause cause; /* see cancel.h */
    _Atomic bool job_cancelled;
    char *_Atomic cancel_text[2]; /* of SC_CANCEL_RUN and SC_CANCEL_JOB */
    _Atomic bool given_back;      /* its outcome doesn't count any more */

    /* Set by the processor's thread, read by the I/O thread: when its limits are over, mono ms; 0: never. */
    _Atomic int64_t soft_at, hard_at;
    int64_t hard_ms;      /* how long the hard limit is */
    _Atomic bool decided; /* by whoever was first, its processor or its hard limit */

    /* The I/O thread's, at any time. */
    sc_run *newer, *older; /* in core->runs */
    uint64_t serial;       /* of this use of the memory */
    bool is_ended;         /* the processor is through */
    bool lingers;          /* waits for its batch to begin */
    bool is_late;          /* past its hard limit, and still with its processor */
    bool lock_lost;
    bool in_call;  /* its outcome is on the way to the server */
    bool in_doubt; /* it was, and no answer came */
};

/* A run, made or used again, as the newest in core->runs; its lock holds `token`. NULL without memory. */
SC_MUST_USE sc_run *sc__run_take(sc__core *core, sc_run **spares, const sc__lock_token *token);

/* Done with: out of core->runs, to the spares. */
void sc__run_put_back(sc_run *run, sc_run **spares);

void sc__run_free_spares(sc_run *spares);

#endif
