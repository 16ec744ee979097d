/* A walk over the schedules of a queue: a script finds a slice of them, each is visited, which may take calls, and then come the
 * next slices. A few of either are under way at a time, so that the server needn't wait for us. On the I/O thread only. */
#ifndef SC_OPS_SCHEDULER_WALK_H
#define SC_OPS_SCHEDULER_WALK_H

#include "keys.h"
#include "op_scheduler.h"
#include "scheduler_make.h"
#include "script.h"

enum { SC__WALK_SLICE = SC__MAKING_MAX };

typedef struct sc__walk sc__walk;

/* What walks differ in. The script's keys are the first ones of lua/includes/schedulerKeys; its reply begins with the number of schedules
 * that it looked at, less than a slice at the end. */
typedef struct sc__walk_kind {
    const sc__script *script;
    size_t head;   /* items of the reply before the first schedule */
    size_t fields; /* items of each schedule */
    /* `from`: schedules to pass over */
    void (*add_args)(const sc__walk *walk, sc__args *args, int64_t from);
    sc_err (*read_head)(sc__walk *walk, const sc_reply *items); /* may be NULL */
    /* A call that it sends counts in `calls` before it is sent, and ends with sc__walk_call_ended(). */
    sc_err (*visit)(sc__walk *walk, const sc_reply *items);
    /* Behind the last slice: again, from the first one? May be NULL */
    bool (*is_to_go_on)(sc__walk *walk);
} sc__walk_kind;

/* `err`: the first that was met; the others were looked after all the same. */
typedef void (*sc__walk_cb)(void *user, sc_err err);

/* The first member of each walk. */
struct sc__walk {
    const sc__walk_kind *kind;
    sc_client *client;
    const sc__queue_keys *keys;
    sc__ticker *ticker;
    sc__walk_cb cb;
    void *user;
    int64_t from;     /* schedules to pass over; a call under way is expected to bring its own on */
    int finds;        /* slices under way */
    bool is_last;     /* there are no schedules behind them */
    int calls;        /* under way */
    int64_t advanced; /* schedules that have another next run now */
    sc__making *making;    /* guarded schedules of this slice; NULL: none */
    int64_t now_ms;        /* they were read then */
    sc__moved_cb on_moved; /* of guarded schedules; may be NULL */
    void *moved_user;
    sc_err err;
};

/* One that rests. `client`, `keys` and `ticker` must outlive it; there is nothing to release. */
static inline sc__walk sc__walk_of(const sc__walk_kind *kind, sc_client *client,
                                   const sc__queue_keys *keys, sc__ticker *ticker, sc__walk_cb cb,
                                   void *user)
{
    return (sc__walk){
        .kind = kind, .client = client, .keys = keys, .ticker = ticker, .cb = cb, .user = user};
}

/* From the first schedule on. SC_OK: the walk's `cb` comes once. */
SC_MUST_USE sc_err sc__walk_start(sc__walk *walk);

/* For a visit. The next job of a schedule is made: its job of `run` (text) was taken or is due, and has the options `job_opts`. */
SC_MUST_USE sc_err sc__walk_tick(sc__walk *walk, sc_slice scheduler_id, sc_slice run,
                                 sc_slice job_opts);

/* For a visit. What is due of a guarded schedule is made, together with that of others. `rule` is borrowed; it was read at `now_ms`. */
SC_MUST_USE sc_err sc__walk_make(sc__walk *walk, const sc_scheduler_info *rule, int64_t now_ms);

/* For a visit. `act` gets the rule of `items`, as sc__scheduler_rule_read() reads it, borrowed. */
SC_MUST_USE sc_err sc__walk_rule(sc__walk *walk, const sc_reply *items,
                                 sc_err (*act)(sc__walk *walk, const sc_scheduler_info *rule));

void sc__walk_call_ended(sc__walk *walk, sc_err err);

#endif
