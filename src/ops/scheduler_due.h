/* A look at the job schedulers of a queue whose run is due: their jobs are made ready, and their next jobs are made, whether or not a
 * worker is free to take any. First come the guarded ones that were read ahead.
 *
 * A worker that takes a scheduler's job makes the next one, too. One script decides which of them it was: see tickScheduler. */
#ifndef SC_OPS_SCHEDULER_DUE_H
#define SC_OPS_SCHEDULER_DUE_H

#include "scheduler_ahead.h"
#include "scheduler_walk.h"

typedef struct sc__due {
    sc__walk walk;
    sc__ahead *ahead;
    sc__walk_cb cb;
    void *user;
    int makings;    /* of those read ahead, under way */
    bool has_begun; /* the walk */
    bool has_ended;
    int64_t advanced; /* schedules that a making brought on after the walk's end */
    sc_err err;
    int64_t back_ms;
    int64_t since_ms; /* the date of the first slice; 0: that is still to come */
    int64_t now_ms;   /* the server's date at the newest slice; 0: none came yet */
    int64_t seen_ns;  /* when that came, by our monotonic clock */
    int64_t
        next_ms; /* the first run that is still to come, by the server's clock; -1: none is known */
    bool has_none; /* the queue had no schedules at all */
} sc__due;

/* `client`, `keys`, `ticker` and `ahead` must outlive it. There is nothing to release. */
void sc__due_init(sc__due *due, sc_client *client, const sc__queue_keys *keys, sc__ticker *ticker,
                  sc__ahead *ahead, sc__walk_cb cb, void *user);

/* Looks at what became due in the last `back_ms`; only whether there are any schedules, when there were none. SC_OK: `cb` comes once. */
SC_MUST_USE sc_err sc__due_look(sc__due *due, int64_t back_ms);

/* How long to wait then until the next look: until the first run that is still to come, by the server's clock; -1: none is known. */
int64_t sc__due_wait(const sc__due *due);

/* Is there a run soon, of which is to be read ahead? */
bool sc__due_is_to_read_ahead(const sc__due *due);

/* The server's date, as the last look saw it and our clock went on since; 0 before the first. */
int64_t sc__due_server_now(const sc__due *due);

#endif
