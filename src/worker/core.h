/* What the roles of one worker share: whom they talk to, the jobs in hand, and how many more may be taken.
 *
 * On the client's I/O thread only, but for what says otherwise. The roles don't know each other; the
 * owner (worker.c) sets the callbacks that join them. */
#ifndef SC_WORKER_CORE_H
#define SC_WORKER_CORE_H

#include <storychain/worker.h>

#include <stdatomic.h>

#include "base/rand.h"
#include "handlers.h"
#include "loop/loop.h"
#include "ops/op_work.h"

#define SC__LOCK_TOKEN_MAX (SC__TOKEN_LEN + 28)

/* The token of one take call: no one can guess it, and no two calls share it. It begins with "sc:", by which cancelJob knows
 * that the job is in a worker of ours. */
typedef struct sc__lock_token {
    char text[SC__LOCK_TOKEN_MAX];
    size_t len;
} sc__lock_token;

static inline sc_slice sc__lock_token_slice(const sc__lock_token *token)
{
    return (sc_slice){token->text, token->len};
}

typedef struct sc__core {
    sc_worker *owner;
    sc_client *client;
    sc__loop *loop;
    sc__queue_keys keys;
    sc__work_opts work;
    sc_slice queue_name;   /* for sentences */
    sc_worker_opts opts;   /* defaults filled in; its slices live as long */
    sc__handlers handlers; /* any thread */

    sc_run *runs;        /* jobs in hand, newest first */
    size_t running;      /* how many, but for those that are late */
    size_t late;         /* runs past their hard limit whose processors have not returned */
    size_t asked;        /* jobs that calls under way may bring */
    size_t leaving;      /* jobs in hand that end with calls under way */
    size_t watched;      /* of these, by the take behind the wait for the marker */
    bool by_hand;        /* runs go to threads that ask for them: see by_hand.h */
    size_t takers;       /* such threads that wait */
    size_t calls;        /* calls whose callback is still to come */
    bool taking;         /* started, not paused, not closing */
    bool is_ready;       /* the server has answered once */
    bool is_drained;     /* the last answer brought no job, or not as many as it might */
    int64_t rest_until;  /* mono ms; the rate limit gives nothing before; 0: it does not rest */
    int64_t server_lead; /* the server's date minus our mono clock, as of its last answer */
    char token_base[SC__TOKEN_LEN + 1];
    uint64_t token_count;

    /* Something that closing waits for may have come: a call ended, or a run was put back. */
    void (*on_change)(struct sc__core *core);

    /* A late run's processor has returned. */
    void (*on_late_end)(struct sc__core *core);

    struct { /* any thread */
        _Atomic uint64_t started, completed, failed, retried, stalled, locks_lost;
        _Atomic uint64_t delayed, returned, waiting_children;
        _Atomic uint64_t expired, timed_out, cancelled, dropped_late;
        _Atomic int running, concurrency, late;
    } stats;
} sc__core;

/* How many jobs a call may ask for now: at most SC__WORK_MAX, and 0 while nothing may be taken. */
size_t sc__core_room(const sc__core *core);

/* All slots are taken, by jobs in hand: no call can bring more. */
bool sc__core_is_full(const sc__core *core);

/* One run less in hand. */
void sc__core_run_left(sc__core *core);

void sc__core_next_token(sc__core *core, sc__lock_token *ret_token);

/* The callback of a call that was counted in core->calls has come. */
void sc__core_call_ended(sc__core *core);

/* An answer came: what it tells of the server's clock and the rate limit. */
void sc__core_heard(sc__core *core, const sc__taken *taken);

/* A line to the log that names the queue. */
void sc__core_log(const sc__core *core, sc_log_level level, const char *fmt, ...) SC_PRINTF(3, 4);

/* True when a call that ended like this may have run on the server, though no answer came. */
static inline bool sc__may_have_run(sc_err err)
{
    return err == SC_ECONNLOST || err == SC_ETIMEDOUT || err == SC_ECANCELED || err == SC_EPROTO;
}

#endif
