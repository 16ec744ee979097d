/* The runs of guarded schedules, made when they are due. On the I/O thread only. */
#ifndef SC_OPS_SCHEDULER_MAKE_H
#define SC_OPS_SCHEDULER_MAKE_H

#include "op_scheduler.h"

enum { SC__MAKING_MAX = 100 };

/* Schedules that are brought up to date together. */
typedef struct sc__making sc__making;

/* `client`, `keys` and `ticker` must outlive it. */
SC_MUST_USE sc_err sc__making_new(sc_client *client, const sc__queue_keys *keys, sc__ticker *ticker,
                                  sc__making **ret_making);

/* One that is not to be started. */
void sc__making_free(sc__making *making);

/* One more, SC__MAKING_MAX at most. `rule` is copied. */
SC_MUST_USE sc_err sc__making_add(sc__making *making, const sc_scheduler_info *rule);
int64_t sc__making_count(const sc__making *making);

/* Told of each schedule that was brought on and has a next run, which is still to come. `rule` is borrowed, and names that run. */
typedef void (*sc__moved_cb)(void *user, const sc_scheduler_info *rule);
void sc__making_on_moved(sc__making *making, sc__moved_cb cb, void *user);

/* Makes the run of each that is due and those that were missed, by the schedules' policies: one run of each in a script, and as many scripts as it
 * takes. `now_ms` is the server's date, or what it is thought to be. Several nodes that do so at a time make each run once. Takes the making; `cb` comes
 * once, perhaps at once, with the first error that was met. Errors of rules were logged, once. */
void sc__making_start(sc__making *making, int64_t now_ms, sc__ticker_cb cb, void *user);

#endif
