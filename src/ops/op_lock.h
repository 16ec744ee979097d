/* Locks of running jobs, and jobs whose lock was lost. */
#ifndef SC_OPS_OP_LOCK_H
#define SC_OPS_OP_LOCK_H

#include <storychain/client.h>

#include "keys.h"

/* Jobs of one call at most. */
#define SC__LOCKS_MAX 500

typedef struct sc__lock {
    sc_slice id, token;
} sc__lock;

/* Renews up to SC__LOCKS_MAX locks for `lock_ms` from now. Everything is copied. */
SC_MUST_USE sc_err sc__op_extend_locks(sc_client *client, const sc__queue_keys *keys,
                                       const sc__lock *locks, size_t count, int64_t lock_ms,
                                       sc_reply_cb cb, void *user);

/* The hash of a job whose lock has this token; free with sc_reply_free. SC_ENOJOB, SC_ELOCKLOST. Waits; SC_EDEADLK on the I/O
 * thread. */
SC_MUST_USE sc_err sc__op_get_locked(sc_client *client, const sc__queue_keys *keys, sc_slice id,
                                     sc_slice token, sc_reply **ret_reply, sc_reason *ret_reason);

/* What the answer tells, borrowed from it. */
typedef struct sc__lock_news {
    size_t lost_count;
    const sc_reply *lost; /* places in `locks` of those that are lost: integers */
    size_t cancelled_count;
    const sc_reply *cancelled; /* for each job that was cancelled: its place, and why (a string) */
} sc__lock_news;

SC_MUST_USE sc_err sc__extend_locks_read(const sc_reply *reply, sc__lock_news *ret_news,
                                         sc_reason *ret_reason);

enum { SC__STALLED_BEGIN = -1, SC__STALLED_END = -1 };

/* Gives stalled jobs back to the head of `wait`, a slice a call: begin with SC__STALLED_BEGIN, go on with the place that
 * the answer says until that is SC__STALLED_END. Nothing happens when another worker has checked within `interval_ms`. */
SC_MUST_USE sc_err sc__op_move_stalled(sc_client *client, const sc__queue_keys *keys,
                                       int64_t max_stalled, int64_t interval_ms, int64_t place,
                                       sc_reply_cb cb, void *user);

/* Where to go on, and the ids that were given back (strings). */
SC_MUST_USE sc_err sc__move_stalled_read(const sc_reply *reply, int64_t *ret_place,
                                         const sc_reply **ret_ids, size_t *ret_count,
                                         sc_reason *ret_reason);

#endif
