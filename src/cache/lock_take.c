/* The way to a lock:
 *
 *     ask -> taken
 *         -> another holds it: listen to its channel -> ask again, for it may have been freed before we listened
 *         -> wait until told, or until it ends unless it is renewed -> ask again
 *
 * It ends with the lock, with an error, or when its time is over. On the I/O thread. */
#include "lock.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "redis/pubsub.h"

struct take {
    sc__task start; /* first: a task is turned into its take */
    sc_lock *lock;
    void (*cb)(sc_lock *lock, sc_err err, const sc_reason *reason);
    int64_t until_ms, asked_ms; /* mono */
    sc__subscription subscription;
    sc__timer *timer;
    bool listens;
    bool is_asking;
    bool is_told; /* that it may be free, since it was asked last */
};

static void end(struct take *t, sc_err err, const sc_reason *reason)
{
    sc_lock *lock = t->lock;
    void (*cb)(sc_lock * lock, sc_err err, const sc_reason *reason) = t->cb;

    if (t->listens)
        sc__client_unsubscribe(lock->client, &t->subscription);
    sc__timer_free(t->timer);
    sc_free(t);
    cb(lock, err, reason);
}

static void end_busy(struct take *t)
{
    const sc_lock *lock = t->lock;
    sc_reason reason;
    sc_err err = sc__because(&reason, SC_EBUSY, "another holds the lock \"%.*s\"",
                             (int)(lock->key_len < 200 ? lock->key_len : 200), lock->key);

    end(t, err, &reason);
}

static void on_answer(void *user, sc_err err, const sc_reply *reply);

static void ask(struct take *t)
{
    sc_reason reason;
    sc_err err;

    t->is_asking = true;
    t->is_told = false;
    t->asked_ms = sc__mono_ms();
    err = sc__op_acquire_lock(t->lock->client, sc__lock_key(t->lock), sc__lock_token(t->lock),
                              t->lock->opts.hold_ms, on_answer, t);
    if (err)
        end(t, sc__because(&reason, err, "%s", sc_err_text(err)), &reason);
}

/* waiting */

static void on_heard(void *user)
{
    struct take *t = user;

    t->is_told = true;
    if (!t->is_asking)
        ask(t);
}

static void on_message(void *user, sc_slice message)
{
    (void)message;
    on_heard(user);
}

static void on_time(void *arg)
{
    struct take *t = arg;

    if (!t->is_asking)
        ask(t);
}

/* The client ends. What was asked is answered: with that. */
static void on_closed(void *user)
{
    struct take *t = user;
    sc_reason reason;

    t->listens = false;
    if (!t->is_asking)
        end(t, sc__because(&reason, SC_ECANCELED, "%s", sc_err_text(SC_ECANCELED)), &reason);
}

static void begin_to_listen(struct take *t)
{
    t->subscription = (sc__subscription){.channel = sc__lock_key(t->lock),
                                         .on_message = on_message,
                                         .on_heard = on_heard,
                                         .on_closed = on_closed,
                                         .user = t};
    t->listens = true;
    sc__client_subscribe(t->lock->client, &t->subscription);
}

/* `left_ms`: until the other's lock ends; -1: it doesn't. */
static void wait_a_turn(struct take *t, int64_t left_ms)
{
    int64_t ms = t->until_ms - sc__mono_ms();

    if (ms <= 0) {
        end_busy(t);
        return;
    }
    if (left_ms >= 0 && left_ms < ms)
        ms = left_ms + 1;
    sc__timer_start(t->timer, ms);
    if (!t->listens)
        begin_to_listen(t);
    else if (t->is_told)
        ask(t);
}

static void on_answer(void *user, sc_err err, const sc_reply *reply)
{
    struct take *t = user;
    sc__lock_try last;
    sc_reason reason;

    t->is_asking = false;
    err = err ? sc__because(&reason, err, "%s", sc_err_text(err))
              : sc__acquire_lock_read(reply, &last, &reason);
    if (err) {
        end(t, err, &reason);
    } else if (last.taken) {
        t->lock->number = last.number;
        t->lock->held_until = t->asked_ms + t->lock->opts.hold_ms;
        end(t, SC_OK, NULL);
    } else {
        wait_a_turn(t, last.left_ms);
    }
}

static void start_on_loop(sc__task *task)
{
    struct take *t = (struct take *)task;
    sc_reason reason;

    if (sc__timer_new(sc__client_loop(t->lock->client), on_time, t, &t->timer)) {
        t->timer = NULL;
        end(t, sc__because(&reason, SC_ENOMEM, "no memory to wait for a lock"), &reason);
        return;
    }
    ask(t);
}

sc_err sc__lock_take(sc_lock *lock, void (*cb)(sc_lock *lock, sc_err err, const sc_reason *reason))
{
    struct take *t = sc__calloc(1, sizeof(*t));

    if (!t)
        return SC_ENOMEM;
    t->start.run = start_on_loop;
    t->lock = lock;
    t->cb = cb;
    t->until_ms = sc__mono_ms() + lock->opts.wait_ms;
    sc__loop_post(sc__client_loop(lock->client), &t->start);
    return SC_OK;
}
