/* Locks that programs take by name, one call each. */
#ifndef SC_OPS_OP_NAMED_LOCK_H
#define SC_OPS_OP_NAMED_LOCK_H

#include "redis/client.h"

enum { SC__NAMED_LOCK_KEY_MAX = 1024 };

typedef struct sc__lock_try {
    bool taken;
    int64_t number;  /* taken: greater than those of all holders before */
    int64_t left_ms; /* not taken: until it ends unless it is renewed; -1: it has no end */
} sc__lock_try;

/* Takes the lock at `key` (up to SC__NAMED_LOCK_KEY_MAX bytes) for `hold_ms`, if nobody has it. The answer is read by
 * sc__acquire_lock_read(). */
SC_MUST_USE sc_err sc__op_acquire_lock(sc_client *client, sc_slice key, sc_slice token,
                                       int64_t hold_ms, sc_reply_cb cb, void *user);
SC_MUST_USE sc_err sc__acquire_lock_read(const sc_reply *reply, sc__lock_try *ret_try,
                                         sc_reason *ret_reason);

/* Keeps it for `hold_ms` from now. The answer is read by sc__hold_lock_read(). */
SC_MUST_USE sc_err sc__op_keep_lock(sc_client *client, sc_slice key, sc_slice token,
                                    int64_t hold_ms, sc_reply_cb cb, void *user);

/* False: it is another's, or nobody's. */
SC_MUST_USE sc_err sc__hold_lock_read(const sc_reply *reply, bool *ret_held);

/* Ends it, and tells the channel `key`. The answer is read likewise. */
SC_MUST_USE sc_err sc__op_end_lock(sc_client *client, sc_slice key, sc_slice token, sc_reply_cb cb,
                                   void *user);

#endif
