/* A lock that is held, and the way to it. All of it happens on the I/O thread; plain calls wait for that. */
#ifndef SC_CACHE_LOCK_H
#define SC_CACHE_LOCK_H

#include <pthread.h>

#include <storychain/lock.h>

#include "base/rand.h"
#include "ops/op_named_lock.h"
#include "pulse.h"

/* A call that keeps it. */
typedef struct sc__lock_keep {
    sc_lock *lock;
    int64_t asked_ms;   /* mono */
    sc_lock_done_cb cb; /* NULL: it is the lock's own */
    void *user;
} sc__lock_keep;

struct sc_lock {
    sc_client *client;
    sc_lock_opts opts; /* defaults filled in */
    int64_t number;
    char token[SC__TOKEN_LEN + 1];

    /* the I/O thread's */
    sc__pulse pulse;
    sc__lock_keep own;
    bool is_keeping; /* by its own call */
    bool told_lost;
    bool ends; /* it is being released */
    bool was_held;

    sc__task ending;
    sc_lock_acquire_cb take_cb; /* who is told when it is taken, */
    sc_lock_done_cb end_cb;     /* … or has ended */
    void *user;

    pthread_mutex_t mutex;
    int asking;         /* calls under way that keep it */
    bool is_lost;       /* to another, or to time; for good */
    int64_t held_until; /* mono ms: the server keeps it at least so long */

    size_t key_len;
    char key[];
};

static inline sc_slice sc__lock_key(const sc_lock *lock)
{
    return (sc_slice){lock->key, lock->key_len};
}

static inline sc_slice sc__lock_token(const sc_lock *lock)
{
    return (sc_slice){lock->token, SC__TOKEN_LEN};
}

/* Goes for the lock: asks, and while another holds it waits to be told, or for its end, or for opts.wait_ms. `cb` comes on the I/O
 * thread, once; on SC_OK `number` and `held_until` are set. SC_ENOMEM. */
SC_MUST_USE sc_err sc__lock_take(sc_lock *lock,
                                 void (*cb)(sc_lock *lock, sc_err err, const sc_reason *reason));

#endif
