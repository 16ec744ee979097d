/* A look at the job schedulers of a queue whose run is due: their jobs are made ready, and their next jobs are made, whether or not a
 * worker is free to take any. On the I/O thread only.
 *
 * A worker that takes a scheduler's job makes the next one, too. One script decides which of them it was: see tickScheduler. */
#ifndef SC_OPS_SCHEDULER_DUE_H
#define SC_OPS_SCHEDULER_DUE_H

#include <storychain/scheduler.h>

#include "keys.h"

typedef struct sc__due sc__due;

/* `wait_ms`: until the first run that is still to come, by the server's clock; -1: none is known. `err`: the first that was met,
 * SC_OK without. */
typedef void (*sc__due_cb)(void *user, sc_err err, int64_t wait_ms);

/* `client` and `keys` must outlive it; `strategy` as for the ticker. Any thread. */
SC_MUST_USE sc_err sc__due_new(sc_client *client, const sc__queue_keys *keys,
                               const sc_repeat_strategy *strategy, sc__due_cb cb, void *user,
                               sc__due **ret_due);

/* Not while a look is under way. NULL is fine. */
void sc__due_free(sc__due *due);

/* Looks at what became due in the last `back_ms`, in slices. SC_OK: `cb` comes once. */
SC_MUST_USE sc_err sc__due_look(sc__due *due, int64_t back_ms);

/* The server's date, as the last look saw it and our clock went on since; 0 before the first. */
int64_t sc__due_server_now(const sc__due *due);

#endif
