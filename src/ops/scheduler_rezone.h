/* New data of time zones: the next runs of all schedules in a zone are computed anew. On the I/O thread only. */
#ifndef SC_OPS_SCHEDULER_REZONE_H
#define SC_OPS_SCHEDULER_REZONE_H

#include <storychain/scheduler.h>

#include "keys.h"

typedef struct sc__rezone sc__rezone;

/* `moved`: schedules that have another next run now. `err`: the first that was met, SC_OK without. */
typedef void (*sc__rezone_cb)(void *user, sc_err err, int moved);

/* `client` and `keys` must outlive it; `strategy` as for the ticker. Any thread. */
SC_MUST_USE sc_err sc__rezone_new(sc_client *client, const sc__queue_keys *keys,
                                  const sc_repeat_strategy *strategy, sc__rezone_cb cb, void *user,
                                  sc__rezone **ret_rezone);

/* Not while one is under way. NULL is fine. */
void sc__rezone_free(sc__rezone *rezone);

/* Has the version of the zones' data changed since the last call, or since it was made? */
bool sc__rezone_is_due(sc__rezone *rezone);

/* Goes over all schedules, in slices. `now_ms`: the server's date. SC_OK: `cb` comes once. */
SC_MUST_USE sc_err sc__rezone_start(sc__rezone *rezone, int64_t now_ms);

#endif
