/* A sweep over the overdue schedulers of a queue: chains of jobs that are broken are mended. On the I/O thread only.
 *
 * A scheduler lives by its one pending job. If that is lost (a failover, a client that removed it), or its worker died
 * before it made the next one, the schedule stands still. */
#ifndef SC_OPS_SCHEDULER_SWEEP_H
#define SC_OPS_SCHEDULER_SWEEP_H

#include <storychain/scheduler.h>

#include "keys.h"

typedef struct sc__sweep sc__sweep;

/* `mended`: jobs made again. `err`: the first that was met, SC_OK without. */
typedef void (*sc__sweep_cb)(void *user, sc_err err, int mended);

/* `client` and `keys` must outlive it; `strategy` as for the ticker. Any thread. */
SC_MUST_USE sc_err sc__sweep_new(sc_client *client, const sc__queue_keys *keys,
                                 const sc_repeat_strategy *strategy, sc__sweep_cb cb, void *user,
                                 sc__sweep **ret_sweep);

/* Not while one is under way. NULL is fine. */
void sc__sweep_free(sc__sweep *sweep);

/* Looks at all schedulers that are overdue by `overdue_ms`, in slices. SC_OK: `cb` comes once. */
SC_MUST_USE sc_err sc__sweep_start(sc__sweep *sweep, int64_t overdue_ms);

#endif
