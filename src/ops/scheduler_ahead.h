/* Guarded schedules that are due soon: their rules are read ahead, so that their runs are made by one script when they are due, without a look
 * for them. On the I/O thread only.
 *
 * What is held is a guess: the script that makes a run finds out whether its schedule has changed since. */
#ifndef SC_OPS_SCHEDULER_AHEAD_H
#define SC_OPS_SCHEDULER_AHEAD_H

#include "scheduler_walk.h"

enum { SC__AHEAD_BATCHES = 256 };

/* Schedules of one due date, SC__MAKING_MAX at most. */
typedef struct sc__ahead_batch {
    int64_t due_ms;
    sc__making *making;
} sc__ahead_batch;

typedef struct sc__ahead {
    sc__walk walk;
    sc__ahead_batch batches[SC__AHEAD_BATCHES]; /* by due date */
    size_t count;
    int64_t from_ms, until_ms; /* what was due in between is read; what comes after is not known */
} sc__ahead;

/* `client`, `keys` and `ticker` must outlive it. */
void sc__ahead_init(sc__ahead *ahead, sc_client *client, const sc__queue_keys *keys,
                    sc__ticker *ticker, sc__walk_cb cb, void *user);
void sc__ahead_release(sc__ahead *ahead); /* what it holds; while it reads nothing */

/* Is it time to read on, at `now_ms`, when the next run of all schedules is at `next_ms`? */
bool sc__ahead_is_due(const sc__ahead *ahead, int64_t now_ms, int64_t next_ms);

/* Reads what is due in the next 2 s and was not read yet. SC_OK: `cb` comes once. */
SC_MUST_USE sc_err sc__ahead_read(sc__ahead *ahead, int64_t now_ms);

/* A sc__moved_cb, for an ahead: the rule of a schedule that will be due soon again is kept. */
void sc__ahead_keep(void *ahead, const sc_scheduler_info *rule);

/* Schedules that are due at `now_ms`: the caller's, to be started or freed. NULL: none are. */
sc__making *sc__ahead_take(sc__ahead *ahead, int64_t now_ms);

/* When the first one is due; INT64_MAX: there is none. */
int64_t sc__ahead_first(const sc__ahead *ahead);

#endif
