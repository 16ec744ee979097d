#include <storychain/lock.h>

#include <pthread.h>

#include "base/clock.h"
#include "base/cond.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/rand.h"
#include "ops/op_named_lock.h"
#include "pulse.h"
#include "redis/pubsub.h"

enum { HOLD_MS = 10000, HOLD_MIN_MS = 100 };

struct sc_lock {
    sc_client *client;
    sc_lock_opts opts; /* defaults filled in */
    int64_t number;
    char token[SC__TOKEN_LEN + 1];
    sc__pulse pulse;
    bool told_lost; /* the I/O thread's */

    pthread_mutex_t mutex;
    pthread_cond_t idle;
    bool is_asking;     /* a call that keeps it is under way */
    bool is_lost;       /* to another */
    int64_t asked_ms;   /* mono; of that call */
    int64_t held_until; /* mono ms: the server keeps it at least so long */

    size_t key_len;
    char key[];
};

static sc_slice key_of(const sc_lock *lock)
{
    return (sc_slice){lock->key, lock->key_len};
}

static sc_slice token_of(const sc_lock *lock)
{
    return (sc_slice){lock->token, SC__TOKEN_LEN};
}

/* keeping it: on the I/O thread */

static void tell_if_lost(sc_lock *lock)
{
    if (lock->told_lost || sc_lock_is_held(lock))
        return;
    lock->told_lost = true;
    if (lock->opts.on_lost)
        lock->opts.on_lost(lock->opts.user, lock);
}

/* The last thing that a call does with the lock: release() waits for it, and frees. */
static void end_asking(sc_lock *lock)
{
    pthread_mutex_lock(&lock->mutex);
    lock->is_asking = false;
    pthread_cond_signal(&lock->idle);
    pthread_mutex_unlock(&lock->mutex);
}

static void on_kept(void *user, sc_err err, const sc_reply *reply)
{
    sc_lock *lock = user;
    bool held = false;

    if (!err)
        err = sc__hold_lock_read(reply, &held);
    pthread_mutex_lock(&lock->mutex);
    if (!err && held)
        lock->held_until = lock->asked_ms + lock->opts.hold_ms;
    lock->is_lost = lock->is_lost || (!err && !held);
    pthread_mutex_unlock(&lock->mutex);
    tell_if_lost(lock);
    end_asking(lock);
}

static bool begin_asking(sc_lock *lock)
{
    bool may;

    pthread_mutex_lock(&lock->mutex);
    may = !lock->is_asking && !lock->is_lost;
    lock->is_asking = lock->is_asking || may;
    if (may)
        lock->asked_ms = sc__mono_ms();
    pthread_mutex_unlock(&lock->mutex);
    return may;
}

/* A lock that nobody could keep in time is lost, and is given up even if it is still there. */
static bool keep(void *arg)
{
    sc_lock *lock = arg;

    tell_if_lost(lock);
    if (lock->told_lost)
        return false;
    if (begin_asking(lock) && sc__op_keep_lock(lock->client, key_of(lock), token_of(lock),
                                               lock->opts.hold_ms, on_kept, lock))
        end_asking(lock);
    return true;
}

/* waiting for it */

struct wait {
    sc__subscription subscription;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool may_be_free;
    int64_t until_ms; /* mono */
};

static void on_heard(void *user)
{
    struct wait *wait = user;

    pthread_mutex_lock(&wait->mutex);
    wait->may_be_free = true;
    pthread_cond_signal(&wait->changed);
    pthread_mutex_unlock(&wait->mutex);
}

static void on_message(void *user, sc_slice message)
{
    (void)message;
    on_heard(user);
}

static void begin_wait(struct wait *wait, sc_client *client, sc_slice key)
{
    pthread_mutex_init(&wait->mutex, NULL);
    sc__cond_init(&wait->changed);
    wait->subscription = (sc__subscription){
        .channel = key, .on_message = on_message, .on_heard = on_heard, .user = wait};
    sc__client_subscribe(client, &wait->subscription);
}

static void end_wait(struct wait *wait, sc_client *client)
{
    sc__client_unsubscribe(client, &wait->subscription);
    pthread_cond_destroy(&wait->changed);
    pthread_mutex_destroy(&wait->mutex);
}

/* Until the lock may be free: someone said so, or its holder has not renewed it; but not beyond the wait's end. */
static void wait_a_turn(struct wait *wait, int64_t left_ms)
{
    int64_t ms = wait->until_ms - sc__mono_ms();
    struct timespec at;

    if (left_ms >= 0 && left_ms < ms)
        ms = left_ms + 1;
    if (ms < 0)
        ms = 0;
    at = sc__cond_after(ms);
    pthread_mutex_lock(&wait->mutex);
    while (!wait->may_be_free && !pthread_cond_timedwait(&wait->changed, &wait->mutex, &at))
        ;
    wait->may_be_free = false;
    pthread_mutex_unlock(&wait->mutex);
}

static sc_err try_once(sc_lock *lock, sc__lock_try *ret_try, sc_reason *ret_reason)
{
    const int64_t asked_ms = sc__mono_ms();
    sc_err err = sc__op_acquire_lock(lock->client, key_of(lock), token_of(lock), lock->opts.hold_ms,
                                     ret_try, ret_reason);

    if (!err && ret_try->taken) {
        lock->number = ret_try->number;
        lock->held_until = asked_ms + lock->opts.hold_ms;
    }
    return err;
}

static sc_err take(sc_lock *lock, sc_reason *ret_reason)
{
    struct wait wait = {.until_ms = sc__mono_ms() + lock->opts.wait_ms};
    sc__lock_try last;
    sc_err err = try_once(lock, &last, ret_reason);

    if (!err && !last.taken && lock->opts.wait_ms > 0) {
        begin_wait(&wait, lock->client, key_of(lock));
        while (!err && !last.taken && sc__mono_ms() < wait.until_ms) {
            wait_a_turn(&wait, last.left_ms);
            err = try_once(lock, &last, ret_reason);
        }
        end_wait(&wait, lock->client);
    }
    if (!err && !last.taken)
        err = sc__because(ret_reason, SC_EBUSY, "another holds the lock \"%.*s\"",
                          (int)(lock->key_len < 200 ? lock->key_len : 200), lock->key);
    return err;
}

/* the plain functions */

static sc_err check(sc_client *client, sc_slice key, const sc_lock_opts *opts,
                    sc_reason *ret_reason)
{
    if (sc__loop_is_current(sc__client_loop(client)))
        return sc__because(ret_reason, SC_EDEADLK, "%s", sc_err_text(SC_EDEADLK));
    if (!key.len || key.len > SC__NAMED_LOCK_KEY_MAX)
        return sc__because(ret_reason, SC_EINVAL, "a lock's key has %zu bytes; 1 to %d", key.len,
                           SC__NAMED_LOCK_KEY_MAX);
    if (opts->wait_ms < 0 || (opts->hold_ms && opts->hold_ms < HOLD_MIN_MS) ||
        opts->hold_ms > SC__TIMEOUT_MAX_MS || opts->wait_ms > SC__TIMEOUT_MAX_MS)
        return sc__because(ret_reason, SC_EINVAL,
                           "a lock is held for %d ms to 24 days, and waited for up to 24 days",
                           HOLD_MIN_MS);
    return SC_OK;
}

static void free_lock(sc_lock *lock)
{
    pthread_cond_destroy(&lock->idle);
    pthread_mutex_destroy(&lock->mutex);
    sc_free(lock);
}

sc_err sc_lock_acquire(sc_client *client, sc_slice key, const sc_lock_opts *opts,
                       sc_lock **ret_lock, sc_reason *ret_reason)
{
    const sc_lock_opts chosen = opts ? *opts : (sc_lock_opts){0};
    sc_lock *lock;
    sc_err err = check(client, key, &chosen, ret_reason);

    if (err)
        return err;
    lock = sc__calloc(1, sizeof(*lock) + key.len);
    if (!lock)
        return sc__because(ret_reason, SC_ENOMEM, "no memory for a lock");
    lock->client = client;
    lock->opts = chosen;
    if (!lock->opts.hold_ms)
        lock->opts.hold_ms = HOLD_MS;
    sc__rand_token(lock->token);
    pthread_mutex_init(&lock->mutex, NULL);
    pthread_cond_init(&lock->idle, NULL);
    lock->key_len = key.len;
    memcpy(lock->key, key.ptr, key.len);
    err = take(lock, ret_reason);
    if (err) {
        free_lock(lock);
        return err;
    }
    *ret_lock = lock;
    sc__pulse_init(&lock->pulse, sc__client_loop(client), lock->opts.hold_ms / 4, keep, lock);
    sc__pulse_wake(&lock->pulse);
    return SC_OK;
}

int64_t sc_lock_number(const sc_lock *lock)
{
    return lock->number;
}

bool sc_lock_is_held(const sc_lock *lock)
{
    pthread_mutex_t *mutex = (pthread_mutex_t *)&lock->mutex;
    bool held;

    pthread_mutex_lock(mutex);
    held = !lock->is_lost && sc__mono_ms() < lock->held_until;
    pthread_mutex_unlock(mutex);
    return held;
}

sc_err sc_lock_release(sc_lock *lock)
{
    bool held, was_held;
    sc_err err;

    if (!lock)
        return SC_OK;
    if (sc__loop_is_current(sc__client_loop(lock->client)))
        return SC_EDEADLK;
    sc__pulse_release(&lock->pulse);
    pthread_mutex_lock(&lock->mutex);
    while (lock->is_asking)
        pthread_cond_wait(&lock->idle, &lock->mutex);
    pthread_mutex_unlock(&lock->mutex);
    was_held = sc_lock_is_held(lock);
    err = sc__op_end_lock(lock->client, key_of(lock), token_of(lock), &held, NULL);
    if (!err && (!held || !was_held))
        err = SC_ELOCKLOST;
    free_lock(lock);
    return err;
}
