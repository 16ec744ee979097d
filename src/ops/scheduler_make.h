/* The runs of a guarded schedule, made when they are due. On the I/O thread only. */
#ifndef SC_OPS_SCHEDULER_MAKE_H
#define SC_OPS_SCHEDULER_MAKE_H

#include "op_scheduler.h"

/* Makes the run that is due and those that were missed, by the schedule's policies, one script each; several nodes that do so at a time make each
 * once. `rule` is borrowed for the call; it was read at `now_ms`, the server's date. SC_OK: `cb` comes once. Errors of the rule were
 * logged, once. */
SC_MUST_USE sc_err sc__scheduler_make(sc_client *client, const sc__queue_keys *keys,
                                      sc__ticker *ticker, const sc_scheduler_info *rule,
                                      int64_t now_ms, sc__ticker_cb cb, void *user);

#endif
