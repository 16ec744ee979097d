#include "lock.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "loop/waiter.h"

enum { HOLD_MS = 10000, HOLD_MIN_MS = 100 };

static sc__loop *loop_of(const sc_lock *lock)
{
    return sc__client_loop(lock->client);
}

static void free_lock(sc_lock *lock)
{
    pthread_mutex_destroy(&lock->mutex);
    sc_free(lock);
}

/* keeping it: on the I/O thread */

static void end_if_idle(sc_lock *lock);

static void tell_if_lost(sc_lock *lock)
{
    if (lock->told_lost || sc_lock_is_held(lock))
        return;
    lock->told_lost = true;
    pthread_mutex_lock(&lock->mutex);
    lock->is_lost = true;
    pthread_mutex_unlock(&lock->mutex);
    if (lock->opts.on_lost && !lock->ends)
        lock->opts.on_lost(lock->opts.user, lock);
}

/* What the server said to a call that keeps it. */
static sc_err note(sc__lock_keep *k, sc_err err, const sc_reply *reply)
{
    sc_lock *lock = k->lock;
    const int64_t until_ms = k->asked_ms + lock->opts.hold_ms;
    bool held = false;

    if (!err)
        err = sc__hold_lock_read(reply, &held);
    pthread_mutex_lock(&lock->mutex);
    lock->is_lost = lock->is_lost || (!err && !held);
    if (!err && !lock->is_lost && until_ms > lock->held_until)
        lock->held_until = until_ms;
    if (!err && lock->is_lost)
        err = SC_ELOCKLOST;
    pthread_mutex_unlock(&lock->mutex);
    return err;
}

/* The last thing that a call does with the lock: its release waits for it. */
static void end_asking(sc_lock *lock)
{
    pthread_mutex_lock(&lock->mutex);
    lock->asking--;
    pthread_mutex_unlock(&lock->mutex);
    end_if_idle(lock);
}

static void on_kept(void *user, sc_err err, const sc_reply *reply)
{
    sc__lock_keep *k = user;
    sc_lock *lock = k->lock;

    err = note(k, err, reply);
    tell_if_lost(lock);
    if (k == &lock->own) {
        lock->is_keeping = false;
    } else {
        k->cb(k->user, err);
        sc_free(k);
    }
    end_asking(lock);
}

/* Any thread. */
static sc_err ask(sc__lock_keep *k)
{
    sc_lock *lock = k->lock;
    sc_err err;

    pthread_mutex_lock(&lock->mutex);
    lock->asking++;
    pthread_mutex_unlock(&lock->mutex);
    k->asked_ms = sc__mono_ms();
    err = sc__op_keep_lock(lock->client, sc__lock_key(lock), sc__lock_token(lock),
                           lock->opts.hold_ms, on_kept, k);
    if (err) {
        pthread_mutex_lock(&lock->mutex);
        lock->asking--; /* it can't be ending: who asks still has it */
        pthread_mutex_unlock(&lock->mutex);
    }
    return err;
}

/* A lock that nobody could keep in time is lost, and is given up even if it is still there. */
static bool keep(void *arg)
{
    sc_lock *lock = arg;

    tell_if_lost(lock);
    if (lock->told_lost)
        return false;
    if (!lock->is_keeping)
        lock->is_keeping = ask(&lock->own) == SC_OK;
    return true;
}

/* taking */

static sc_err check(sc_slice key, const sc_lock_opts *opts, sc_reason *ret_reason)
{
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

static sc_err new_lock(sc_client *client, sc_slice key, const sc_lock_opts *opts,
                       sc_lock **ret_lock, sc_reason *ret_reason)
{
    const sc_lock_opts chosen = opts ? *opts : (sc_lock_opts){0};
    sc_err err = check(key, &chosen, ret_reason);
    sc_lock *lock;

    if (err)
        return err;
    lock = sc__calloc(1, sizeof(*lock) + key.len);
    if (!lock)
        return sc__because(ret_reason, SC_ENOMEM, "no memory for a lock");
    lock->client = client;
    lock->opts = chosen;
    if (!lock->opts.hold_ms)
        lock->opts.hold_ms = HOLD_MS;
    lock->own.lock = lock;
    sc__rand_token(lock->token);
    pthread_mutex_init(&lock->mutex, NULL);
    lock->key_len = key.len;
    memcpy(lock->key, key.ptr, key.len);
    *ret_lock = lock;
    return SC_OK;
}

static void on_taken(sc_lock *lock, sc_err err, const sc_reason *reason)
{
    sc_lock_acquire_cb cb = lock->take_cb;
    void *user = lock->user;

    if (!err) {
        sc__pulse_init(&lock->pulse, loop_of(lock), lock->opts.hold_ms / 4, keep, lock);
        sc__pulse_wake(&lock->pulse);
    } else {
        free_lock(lock);
        lock = NULL;
    }
    cb(user, err, lock, reason);
}

sc_err sc_lock_acquire_async(sc_client *client, sc_slice key, const sc_lock_opts *opts,
                             sc_lock_acquire_cb cb, void *user, sc_reason *ret_reason)
{
    sc_lock *lock = NULL;
    sc_err err = new_lock(client, key, opts, &lock, ret_reason);

    if (err)
        return err;
    lock->take_cb = cb;
    lock->user = user;
    err = sc__lock_take(lock, on_taken);
    if (err) {
        free_lock(lock);
        return sc__because(ret_reason, err, "no memory to wait for a lock");
    }
    return SC_OK;
}

/* A plain call that waits for its twin. */
struct wait {
    sc__waiter waiter;
    sc_err err;
    sc_lock *lock;
    sc_reason *reason; /* may be NULL */
};

static void wake_taken(void *user, sc_err err, sc_lock *lock, const sc_reason *reason)
{
    struct wait *wait = user;

    wait->err = err;
    wait->lock = lock;
    if (err && wait->reason)
        *wait->reason = *reason;
    sc__waiter_wake(&wait->waiter);
}

sc_err sc_lock_acquire(sc_client *client, sc_slice key, const sc_lock_opts *opts,
                       sc_lock **ret_lock, sc_reason *ret_reason)
{
    struct wait wait = {.reason = ret_reason};
    sc_err err;

    if (sc__loop_is_current(sc__client_loop(client)))
        return sc__because(ret_reason, SC_EDEADLK, "%s", sc_err_text(SC_EDEADLK));
    sc__waiter_init(&wait.waiter);
    err = sc_lock_acquire_async(client, key, opts, wake_taken, &wait, ret_reason);
    if (err)
        return err;
    sc__waiter_wait(&wait.waiter);
    if (!wait.err)
        *ret_lock = wait.lock;
    return wait.err;
}

/* having it */

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

sc_err sc_lock_extend_async(sc_lock *lock, sc_lock_done_cb cb, void *user)
{
    sc__lock_keep *k = sc__malloc(sizeof(*k));
    sc_err err;

    if (!k)
        return SC_ENOMEM;
    *k = (sc__lock_keep){.lock = lock, .cb = cb, .user = user};
    err = ask(k);
    if (err)
        sc_free(k);
    return err;
}

static void wake_done(void *user, sc_err err)
{
    wake_taken(user, err, NULL, NULL);
}

sc_err sc_lock_extend(sc_lock *lock)
{
    struct wait wait = {.reason = NULL};
    sc_err err;

    if (sc__loop_is_current(loop_of(lock)))
        return SC_EDEADLK;
    sc__waiter_init(&wait.waiter);
    err = sc_lock_extend_async(lock, wake_done, &wait);
    if (err)
        return err;
    sc__waiter_wait(&wait.waiter);
    return wait.err;
}

/* releasing: on the I/O thread */

static void end_with(sc_lock *lock, sc_err err)
{
    sc_lock_done_cb cb = lock->end_cb;
    void *user = lock->user;

    free_lock(lock);
    cb(user, err);
}

static void on_ended(void *user, sc_err err, const sc_reply *reply)
{
    sc_lock *lock = user;
    bool held = false;

    if (!err)
        err = sc__hold_lock_read(reply, &held);
    if (!err && (!held || !lock->was_held))
        err = SC_ELOCKLOST;
    end_with(lock, err);
}

static void end_if_idle(sc_lock *lock)
{
    bool is_idle;
    sc_err err;

    if (!lock->ends)
        return;
    pthread_mutex_lock(&lock->mutex);
    is_idle = lock->asking == 0;
    pthread_mutex_unlock(&lock->mutex);
    if (!is_idle)
        return;
    lock->was_held = sc_lock_is_held(lock);
    err = sc__op_end_lock(lock->client, sc__lock_key(lock), sc__lock_token(lock), on_ended, lock);
    if (err)
        end_with(lock, err);
}

static void end_on_loop(sc__task *task)
{
    sc_lock *lock = (sc_lock *)((char *)task - offsetof(sc_lock, ending));

    sc__pulse_release(&lock->pulse);
    lock->ends = true;
    end_if_idle(lock);
}

sc_err sc_lock_release_async(sc_lock *lock, sc_lock_done_cb cb, void *user)
{
    if (!lock)
        return SC_EINVAL;
    lock->end_cb = cb;
    lock->user = user;
    lock->ending.run = end_on_loop;
    sc__loop_post(loop_of(lock), &lock->ending);
    return SC_OK;
}

sc_err sc_lock_release(sc_lock *lock)
{
    struct wait wait = {.reason = NULL};
    sc_err err;

    if (!lock)
        return SC_OK;
    if (sc__loop_is_current(loop_of(lock)))
        return SC_EDEADLK;
    sc__waiter_init(&wait.waiter);
    err = sc_lock_release_async(lock, wake_done, &wait);
    if (err)
        return err;
    sc__waiter_wait(&wait.waiter);
    return wait.err;
}
