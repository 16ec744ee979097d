/* New data of time zones: the next runs of all schedules in a zone are computed anew. On the I/O thread only. */
#ifndef SC_OPS_SCHEDULER_REZONE_H
#define SC_OPS_SCHEDULER_REZONE_H

#include "scheduler_walk.h"

typedef struct sc__rezone {
    sc__walk walk;
    char version[SC_TZDB_VERSION_MAX + 1];
    int64_t now_ms;
    int moved, moved_before; /* schedules, in all passes, and when this pass began */
    int passes;
} sc__rezone;

/* `client`, `keys` and `ticker` must outlive it. There is nothing to release. */
void sc__rezone_init(sc__rezone *rezone, sc_client *client, const sc__queue_keys *keys,
                     sc__ticker *ticker, sc__walk_cb cb, void *user);

/* Has the version of the zones' data changed since the last call, or since it was made? */
bool sc__rezone_is_due(sc__rezone *rezone);
void sc__rezone_again(sc__rezone *rezone); /* it has, for the next call */

/* Goes over all schedules. `now_ms`: the server's date. SC_OK: `cb` comes once. */
SC_MUST_USE sc_err sc__rezone_start(sc__rezone *rezone, int64_t now_ms);

#endif
