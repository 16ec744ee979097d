/* cache/lock.c against a real server */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include <storychain/lock.h>

#include "support/server.h"
#include "support/test.h"

struct fixture {
    struct test_server server;
    sc_client *client;
    atomic_int lost;
};

static void set_up(struct fixture *f)
{
    test_server_start(&f->server);
    f->client = test_server_client(&f->server);
    atomic_init(&f->lost, 0);
}

static void tear_down(struct fixture *f)
{
    sc_client_free(f->client);
    test_server_kill(&f->server, SIGKILL);
}

static void on_lost(void *user, sc_lock *lock)
{
    struct fixture *f = user;

    assert_false(sc_lock_is_held(lock));
    atomic_fetch_add(&f->lost, 1);
}

static sc_lock *acquire(struct fixture *f, const char *key, int64_t hold_ms)
{
    const sc_lock_opts opts = {.hold_ms = hold_ms, .on_lost = on_lost, .user = f};
    sc_lock *lock;

    assert_ok(sc_lock_acquire(f->client, sc_slice_of(key), &opts, &lock, NULL));
    return lock;
}

/* How often the server ran a command. */
static int calls_of(struct fixture *f, const char *command)
{
    const char *at;
    char head[64];

    snprintf(head, sizeof(head), "cmdstat_%s:calls=", command);
    at = strstr(test_redis(&f->server, "INFO commandstats"), head);
    return at ? atoi(at + strlen(head)) : 0;
}

TEST(one_at_a_time_holds_a_lock)
{
    struct fixture f;
    sc_lock *lock, *other;
    sc_reason why;
    int64_t number;

    set_up(&f);
    assert_ok(sc_lock_acquire(f.client, SC_S("nightly"), NULL, &lock, NULL));
    assert_true(sc_lock_is_held(lock));
    assert_err(sc_lock_acquire(f.client, SC_S("nightly"), NULL, &other, &why), SC_EBUSY);
    assert_non_null(strstr(why.text, "\"nightly\""));
    number = sc_lock_number(lock);
    assert_true(number > 0);
    assert_ok(sc_lock_release(lock));
    assert_string_equal(test_redis(&f.server, "EXISTS nightly"), "0");

    assert_ok(sc_lock_acquire(f.client, SC_S("nightly"), NULL, &other, NULL));
    assert_true(sc_lock_number(other) > number);
    assert_ok(sc_lock_release(other));
    assert_ok(sc_lock_release(NULL));
    tear_down(&f);
}

TEST(numbers_grow_even_when_the_counter_is_lost)
{
    struct fixture f;
    sc_lock *lock;
    int64_t last = 0;

    set_up(&f);
    for (int i = 0; i < 4; i++) {
        lock = acquire(&f, "l", 0);
        assert_true(sc_lock_number(lock) > last);
        last = sc_lock_number(lock);
        assert_ok(sc_lock_release(lock));
        if (i % 2)
            test_redis(&f.server, "FLUSHALL");
    }
    tear_down(&f);
}

TEST(a_counter_lies_in_its_locks_slot)
{
    struct fixture f;

    set_up(&f);
    assert_ok(sc_lock_release(acquire(&f, "plain", 0)));
    assert_ok(sc_lock_release(acquire(&f, "{tag}x", 0)));
    assert_ok(sc_lock_release(acquire(&f, "{}x", 0)));
    assert_string_equal(test_redis(&f.server, "EXISTS {plain}:fence {tag}x:fence {{}x}:fence"),
                        "3");
    tear_down(&f);
}

/* Someone who waits for "l". */
struct waiter {
    pthread_t thread;
    struct fixture *f;
    int64_t wait_ms;
    sc_lock *lock;
    sc_err err;
};

static void *wait_for_it(void *arg)
{
    struct waiter *w = arg;

    w->err = sc_lock_acquire(w->f->client, SC_S("l"), &(sc_lock_opts){.wait_ms = w->wait_ms},
                             &w->lock, NULL);
    return NULL;
}

TEST(who_waits_is_told_and_does_not_poll)
{
    struct fixture f;
    struct waiter waiter = {.f = &f, .wait_ms = 3600000};
    sc_lock *lock;

    set_up(&f);
    lock = acquire(&f, "l", 3600000);
    assert_int_equal(pthread_create(&waiter.thread, NULL, wait_for_it, &waiter), 0);
    wait_until(strcmp(test_redis(&f.server, "PUBSUB NUMSUB l"), "l 1") == 0);
    wait_until(calls_of(&f, "get") == 3); /* ours, its first, its second when it listened */
    assert_ok(sc_lock_release(lock));
    pthread_join(waiter.thread, NULL);

    assert_ok(waiter.err);
    assert_true(sc_lock_is_held(waiter.lock));
    assert_int_equal(calls_of(&f, "get"), 5); /* the release, its third */
    assert_ok(sc_lock_release(waiter.lock));
    tear_down(&f);
}

TEST(a_dead_holders_lock_ends_by_itself)
{
    struct fixture f;
    struct waiter waiter = {.f = &f, .wait_ms = 60000};

    set_up(&f);
    test_redis(&f.server, "SET l of-the-dead PX 300");
    wait_for_it(&waiter);
    assert_ok(waiter.err);
    assert_ok(sc_lock_release(waiter.lock));
    tear_down(&f);
}

TEST(a_wait_has_an_end)
{
    struct fixture f;
    struct waiter waiter = {.f = &f, .wait_ms = 200};

    set_up(&f);
    test_redis(&f.server, "SET l forever");
    wait_for_it(&waiter);
    assert_err(waiter.err, SC_EBUSY);
    assert_string_equal(test_redis(&f.server, "GET l"), "forever");
    tear_down(&f);
}

/* False when it is lost, as a lock is whose holder stands still for longer than it holds. */
static bool is_kept_for_two_lives(struct fixture *f)
{
    sc_lock *lock = acquire(f, "l", 1600);
    int before = calls_of(f, "pexpire"), lost = f->lost;
    bool is_kept;

    wait_until(calls_of(f, "pexpire") >= before + 5 || f->lost > lost);
    is_kept = sc_lock_is_held(lock);
    assert_err(sc_lock_release(lock), is_kept && f->lost == lost ? SC_OK : SC_ELOCKLOST);
    return is_kept;
}

TEST(a_lock_is_kept_while_its_holder_lives)
{
    struct fixture f;

    set_up(&f);
    wait_until(is_kept_for_two_lives(&f));
    tear_down(&f);
}

TEST(a_lock_that_another_took_is_lost)
{
    struct fixture f;
    sc_lock *lock;

    set_up(&f);
    lock = acquire(&f, "l", 2000);
    test_redis(&f.server, "SET l another");
    wait_until(f.lost == 1);
    assert_false(sc_lock_is_held(lock));
    assert_err(sc_lock_release(lock), SC_ELOCKLOST);
    assert_string_equal(test_redis(&f.server, "GET l"), "another");
    assert_int_equal(f.lost, 1);
    tear_down(&f);
}

TEST(a_lock_that_can_not_be_kept_is_lost)
{
    struct fixture f;
    sc_lock *lock;

    set_up(&f);
    lock = acquire(&f, "l", 1000);
    kill(f.server.pid, SIGSTOP);
    wait_until(f.lost == 1);
    assert_false(sc_lock_is_held(lock));
    kill(f.server.pid, SIGCONT);
    assert_err(sc_lock_release(lock), SC_ELOCKLOST);
    assert_int_equal(f.lost, 1);
    tear_down(&f);
}

TEST(a_key_of_another_type_is_an_error)
{
    struct fixture f;
    sc_lock *lock;
    sc_reason why;

    set_up(&f);
    test_redis(&f.server, "HSET l field value");
    assert_err(sc_lock_acquire(f.client, SC_S("l"), NULL, &lock, &why), SC_EREPLY);
    assert_non_null(strstr(why.text, "WRONGTYPE"));
    tear_down(&f);
}

TEST(wrong_arguments_are_refused)
{
    static char long_key[1025];
    const sc_lock_opts wrong[] = {
        {.hold_ms = 99}, {.hold_ms = -1}, {.wait_ms = -1}, {.hold_ms = INT64_MAX}};
    struct fixture f;
    sc_lock *lock;

    set_up(&f);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        assert_err(sc_lock_acquire(f.client, SC_S("l"), &wrong[i], &lock, NULL), SC_EINVAL);
    assert_err(sc_lock_acquire(f.client, SC_S(""), NULL, &lock, NULL), SC_EINVAL);
    assert_err(sc_lock_acquire(f.client, (sc_slice){long_key, sizeof(long_key)}, NULL, &lock, NULL),
               SC_EINVAL);
    tear_down(&f);
}

struct on_loop {
    struct fixture *f;
    sc_lock *held;
    sc_err acquired, released;
    atomic_bool done;
};

static void try_on_loop(void *user, sc_err err, const sc_reply *reply)
{
    struct on_loop *o = user;
    sc_lock *lock;

    (void)err, (void)reply;
    o->acquired = sc_lock_acquire(o->f->client, SC_S("l"), NULL, &lock, NULL);
    o->released = sc_lock_release(o->held);
    atomic_store(&o->done, true);
}

TEST(nothing_waits_on_the_io_thread)
{
    struct fixture f;
    struct on_loop o = {.f = &f};

    set_up(&f);
    o.held = acquire(&f, "held", 0);
    assert_ok(sc_client_call_async(f.client, &SC_S("PING"), 1, try_on_loop, &o));
    wait_until(atomic_load(&o.done));
    assert_err(o.acquired, SC_EDEADLK);
    assert_err(o.released, SC_EDEADLK);
    assert_ok(sc_lock_release(o.held));
    tear_down(&f);
}

/* Threads that count under the lock. */
struct counter {
    struct fixture *f;
    int inside, total;
    int64_t last_number;
};

static void *count_up(void *arg)
{
    const sc_lock_opts opts = {.wait_ms = 60000};
    struct counter *c = arg;

    for (int i = 0; i < 25; i++) {
        sc_lock *lock;

        assert_ok(sc_lock_acquire(c->f->client, SC_S("l"), &opts, &lock, NULL));
        assert_int_equal(++c->inside, 1);
        assert_true(sc_lock_number(lock) > c->last_number);
        c->last_number = sc_lock_number(lock);
        c->total++;
        assert_int_equal(--c->inside, 0);
        assert_ok(sc_lock_release(lock));
    }
    return NULL;
}

TEST(many_threads_take_turns)
{
    pthread_t threads[8];
    struct fixture f;
    struct counter c = {.f = &f};

    set_up(&f);
    for (int i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_up, &c), 0);
    for (int i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(c.total, 200);
    tear_down(&f);
}
