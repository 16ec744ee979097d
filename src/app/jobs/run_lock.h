/* A lock in Redis by which a scheduled job never runs twice at the same time, on whatever nodes.
 *
 * It ends by itself after RUN_LOCK_MS unless it is kept, so that a node that died holds nobody up
 * for long. */
#ifndef APP_JOBS_RUN_LOCK_H
#define APP_JOBS_RUN_LOCK_H

#include <storychain/client.h>

enum { RUN_LOCK_MS = 60000 };

/* `key` and `token` are borrowed until release. The same token gets the lock again: a job that was
 * interrupted with its node goes on elsewhere. */
struct run_lock {
    sc_client *client;
    sc_slice key, token;
    int64_t kept_ms; /* when it was last taken or kept; monotonic */
};

/* SC_EBUSY: another has it. */
SC_MUST_USE sc_err run_lock_take(struct run_lock *lock);

/* Extends it if a third of its time has passed. False when it is lost, or can't be known to be held. */
bool run_lock_keep(struct run_lock *lock);
void run_lock_release(struct run_lock *lock);

#endif
