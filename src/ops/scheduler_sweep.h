/* A sweep over the overdue schedulers of a queue: chains of jobs that are broken are mended. On the I/O thread only.
 *
 * A scheduler lives by its one pending job. If that is lost (a failover, a client that removed it), or its worker died
 * before it made the next one, the schedule stands still. */
#ifndef SC_OPS_SCHEDULER_SWEEP_H
#define SC_OPS_SCHEDULER_SWEEP_H

#include "scheduler_walk.h"

typedef struct sc__sweep {
    sc__walk walk;
    int64_t overdue_ms;
} sc__sweep;

/* `client`, `keys` and `ticker` must outlive it. There is nothing to release. */
void sc__sweep_init(sc__sweep *sweep, sc_client *client, const sc__queue_keys *keys,
                    sc__ticker *ticker, sc__walk_cb cb, void *user);

/* Looks at all schedulers that are overdue by `overdue_ms`. SC_OK: `cb` comes once. */
SC_MUST_USE sc_err sc__sweep_start(sc__sweep *sweep, int64_t overdue_ms);

#endif
