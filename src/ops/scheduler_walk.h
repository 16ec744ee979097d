/* A walk over the schedules of a queue: a script finds a slice of them, each is visited, and when the calls that this took have ended
 * comes the next slice. On the I/O thread only. */
#ifndef SC_OPS_SCHEDULER_WALK_H
#define SC_OPS_SCHEDULER_WALK_H

#include "keys.h"
#include "op_scheduler.h"
#include "script.h"

enum { SC__WALK_SLICE = 100 };

typedef struct sc__walk sc__walk;

/* What walks differ in. The script's keys are the first ones of lua/includes/schedulerKeys; its reply begins with the number of schedules
 * that it looked at, less than a slice at the end. */
typedef struct sc__walk_kind {
    const sc__script *script;
    size_t head;   /* items of the reply before the first schedule */
    size_t fields; /* items of each schedule */
    void (*add_args)(const sc__walk *walk, sc__args *args);
    sc_err (*read_head)(sc__walk *walk, const sc_reply *items); /* may be NULL */
    /* A call that it sends counts in `calls` before it is sent, and ends with sc__walk_call_ended(). */
    sc_err (*visit)(sc__walk *walk, const sc_reply *items);
    bool (*is_to_go_on)(
        sc__walk *walk); /* behind the last slice: once more, from `from` on? May be NULL */
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
    int64_t from; /* schedules that the next slice passes over */
    bool is_last; /* no slice after this one */
    int calls;    /* under way */
    sc_err err;
};

/* From the first schedule on. SC_OK: the walk's `cb` comes once. */
SC_MUST_USE sc_err sc__walk_start(sc__walk *walk);

void sc__walk_call_ended(sc__walk *walk, sc_err err);

#endif
