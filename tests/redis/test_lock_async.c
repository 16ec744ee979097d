/* cache/lock.c, cache/lock_take.c: locks without waiting */
#include <signal.h>
#include <stdatomic.h>

#include <storychain/lock.h>

#include "support/server.h"
#include "support/test.h"

enum { LONG_MS = 3600000 };

/* What the callbacks told. */
struct told {
    sc_lock *lock;
    sc_err err, done_err;
    char reason[sizeof(((sc_reason *)NULL)->text)];
    atomic_int takes, dones;
};

struct fixture {
    struct test_server server;
    sc_client *client;
    struct told told;
};

static void set_up(struct fixture *f)
{
    memset(&f->told, 0, sizeof(f->told));
    test_server_start(&f->server);
    f->client = test_server_client(&f->server);
}

static void tear_down(struct fixture *f)
{
    sc_client_free(f->client);
    test_server_kill(&f->server, SIGKILL);
}

static void on_taken(void *user, sc_err err, sc_lock *lock, const sc_reason *reason)
{
    struct told *told = user;

    told->err = err;
    told->lock = lock;
    if (reason)
        snprintf(told->reason, sizeof(told->reason), "%s", reason->text);
    atomic_fetch_add(&told->takes, 1);
}

static void on_done(void *user, sc_err err)
{
    struct told *told = user;

    told->done_err = err;
    atomic_fetch_add(&told->dones, 1);
}

static void begin(struct fixture *f, const char *key, int64_t hold_ms, int64_t wait_ms)
{
    const sc_lock_opts opts = {.hold_ms = hold_ms, .wait_ms = wait_ms};

    assert_ok(sc_lock_acquire_async(f->client, sc_slice_of(key), &opts, on_taken, &f->told, NULL));
}

static sc_lock *acquire(struct fixture *f, const char *key, int64_t hold_ms)
{
    const int before = atomic_load(&f->told.takes);

    begin(f, key, hold_ms, 0);
    wait_until(atomic_load(&f->told.takes) == before + 1);
    assert_ok(f->told.err);
    return f->told.lock;
}

static sc_err extend(struct fixture *f, sc_lock *lock)
{
    const int before = atomic_load(&f->told.dones);

    assert_ok(sc_lock_extend_async(lock, on_done, &f->told));
    wait_until(atomic_load(&f->told.dones) == before + 1);
    return f->told.done_err;
}

static sc_err release(struct fixture *f, sc_lock *lock)
{
    const int before = atomic_load(&f->told.dones);

    assert_ok(sc_lock_release_async(lock, on_done, &f->told));
    wait_until(atomic_load(&f->told.dones) == before + 1);
    return f->told.done_err;
}

TEST(a_lock_is_taken_kept_and_released_without_waiting)
{
    struct fixture f;
    sc_lock *lock;

    set_up(&f);
    lock = acquire(&f, "l", LONG_MS);
    assert_true(sc_lock_is_held(lock));
    assert_true(sc_lock_number(lock) > 0);
    begin(&f, "l", 0, 0);
    wait_until(atomic_load(&f.told.takes) == 2);
    assert_err(f.told.err, SC_EBUSY);
    assert_null(f.told.lock);
    assert_non_null(strstr(f.told.reason, "another holds the lock \"l\""));

    test_redis(&f.server, "PEXPIRE l 60000");
    assert_ok(extend(&f, lock));
    assert_true(atol(test_redis(&f.server, "PTTL l")) > 60000);
    test_redis(&f.server, "PEXPIRE l 60000");
    assert_ok(sc_lock_extend(lock));
    assert_true(atol(test_redis(&f.server, "PTTL l")) > 60000);
    assert_ok(release(&f, lock));
    assert_string_equal(test_redis(&f.server, "EXISTS l"), "0");
    tear_down(&f);
}

TEST(who_waits_gets_the_lock_when_it_is_free)
{
    struct fixture f;
    sc_lock *lock, *next;

    set_up(&f);
    assert_ok(sc_lock_acquire(f.client, SC_S("l"), NULL, &lock, NULL));
    begin(&f, "l", 0, LONG_MS);
    begin(&f, "l", 0, LONG_MS);
    wait_until(strcmp(test_redis(&f.server, "PUBSUB NUMSUB l"), "l 1") == 0);
    assert_int_equal(f.told.takes, 0);

    for (int i = 1; i <= 2; i++) {
        assert_ok(i == 1 ? sc_lock_release(lock) : release(&f, next));
        wait_until(atomic_load(&f.told.takes) == i);
        assert_ok(f.told.err);
        next = f.told.lock;
    }
    assert_ok(release(&f, next));
    wait_until(strcmp(test_redis(&f.server, "PUBSUB NUMSUB l"), "l 0") == 0);
    tear_down(&f);
}

TEST(a_wait_without_waiting_has_an_end)
{
    struct fixture f;

    set_up(&f);
    test_redis(&f.server, "SET l forever");
    begin(&f, "l", 0, 200);
    wait_until(atomic_load(&f.told.takes) == 1);
    assert_err(f.told.err, SC_EBUSY);

    test_redis(&f.server, "PEXPIRE l 300");
    begin(&f, "l", 0, LONG_MS);
    wait_until(atomic_load(&f.told.takes) == 2);
    assert_ok(f.told.err);
    assert_ok(release(&f, f.told.lock));
    tear_down(&f);
}

TEST(an_extension_finds_out_that_the_lock_is_lost)
{
    struct fixture f;
    sc_lock *lock;

    set_up(&f);
    lock = acquire(&f, "l", LONG_MS);
    test_redis(&f.server, "SET l another");
    assert_err(extend(&f, lock), SC_ELOCKLOST);
    assert_false(sc_lock_is_held(lock));
    assert_err(sc_lock_extend(lock), SC_ELOCKLOST);
    assert_err(release(&f, lock), SC_ELOCKLOST);
    assert_string_equal(test_redis(&f.server, "GET l"), "another");
    tear_down(&f);
}

static void note_loss(void *user, sc_lock *lock)
{
    (void)lock;
    atomic_store((atomic_bool *)user, true);
}

/* What a server that is back says can't undo what on_lost has told. */
TEST(a_lost_lock_stays_lost)
{
    atomic_bool is_lost = false;
    const sc_lock_opts opts = {.hold_ms = 1000, .on_lost = note_loss, .user = &is_lost};
    struct fixture f;
    char set[128];
    sc_lock *lock = NULL;

    set_up(&f);
    do { /* again when it has ended before it was looked at */
        (void)!sc_lock_release(lock);
        assert_ok(sc_lock_acquire(f.client, SC_S("l"), &opts, &lock, NULL));
        snprintf(set, sizeof(set), "SET l %s", test_redis(&f.server, "GET l"));
    } while (strcmp(set, "SET l (nil)") == 0);
    kill(f.server.pid, SIGSTOP);
    wait_until(atomic_load(&is_lost));
    kill(f.server.pid, SIGCONT);
    test_redis(&f.server, set);
    assert_err(extend(&f, lock), SC_ELOCKLOST);
    assert_false(sc_lock_is_held(lock));
    assert_err(release(&f, lock), SC_ELOCKLOST);
    assert_string_equal(test_redis(&f.server, "EXISTS l"), "0");
    tear_down(&f);
}

TEST(an_error_of_the_server_comes_with_its_text)
{
    struct fixture f;

    set_up(&f);
    test_redis(&f.server, "HSET l field value");
    begin(&f, "l", 0, LONG_MS);
    wait_until(atomic_load(&f.told.takes) == 1);
    assert_err(f.told.err, SC_EREPLY);
    assert_non_null(strstr(f.told.reason, "WRONGTYPE"));
    tear_down(&f);
}

TEST(wrong_arguments_are_refused_at_once)
{
    struct fixture f;
    sc_reason why;

    set_up(&f);
    assert_err(sc_lock_acquire_async(f.client, SC_S(""), NULL, on_taken, &f.told, &why), SC_EINVAL);
    assert_non_null(strstr(why.text, "0 bytes"));
    assert_err(sc_lock_acquire_async(f.client, SC_S("l"), &(sc_lock_opts){.wait_ms = -1}, on_taken,
                                     &f.told, NULL),
               SC_EINVAL);
    assert_err(sc_lock_release_async(NULL, on_done, &f.told), SC_EINVAL);
    assert_int_equal(f.told.takes + f.told.dones, 0);
    tear_down(&f);
}

TEST(who_waits_when_the_client_ends_is_told)
{
    struct fixture f;

    set_up(&f);
    test_redis(&f.server, "SET l forever");
    begin(&f, "l", 0, LONG_MS);
    wait_until(strcmp(test_redis(&f.server, "PUBSUB NUMSUB l"), "l 1") == 0);
    begin(&f, "l", 0, LONG_MS); /* and one that hasn't even asked */
    sc_client_free(f.client);
    assert_int_equal(f.told.takes, 2);
    assert_err(f.told.err, SC_ECANCELED);
    test_server_kill(&f.server, SIGKILL);
}

/* All on the I/O thread: each step begins in the callback of the one before. */
struct chain {
    struct fixture *f;
    sc_lock *lock;
    atomic_int rounds, err;
};

static void next_round(void *user, sc_err err);

/* False: it ends here. */
static bool goes_on(struct chain *c, sc_err err)
{
    if (err)
        atomic_store(&c->err, err);
    return !err;
}

static void chain_extended(void *user, sc_err err)
{
    struct chain *c = user;

    if (goes_on(c, err))
        goes_on(c, sc_lock_release_async(c->lock, next_round, c));
}

static void chain_taken(void *user, sc_err err, sc_lock *lock, const sc_reason *reason)
{
    struct chain *c = user;

    (void)reason;
    c->lock = lock;
    if (goes_on(c, err))
        goes_on(c, sc_lock_extend_async(lock, chain_extended, c));
}

static void next_round(void *user, sc_err err)
{
    const sc_lock_opts opts = {.wait_ms = LONG_MS};
    struct chain *c = user;

    if (goes_on(c, err) && atomic_fetch_add(&c->rounds, 1) < 50)
        goes_on(c, sc_lock_acquire_async(c->f->client, SC_S("l"), &opts, chain_taken, c, NULL));
}

TEST(callbacks_may_begin_the_next_step)
{
    struct fixture f;
    struct chain chains[4];

    set_up(&f);
    for (int i = 0; i < 4; i++) {
        chains[i] = (struct chain){.f = &f};
        next_round(&chains[i], SC_OK);
    }
    for (int i = 0; i < 4; i++)
        wait_until(atomic_load(&chains[i].rounds) == 51 || atomic_load(&chains[i].err));
    for (int i = 0; i < 4; i++)
        assert_ok((sc_err)atomic_load(&chains[i].err));
    tear_down(&f);
}

static void release_lost(void *user, sc_lock *lock)
{
    struct told *told = user;

    told->lock = NULL;
    if (sc_lock_release_async(lock, on_done, told))
        abort();
}

TEST(a_lost_lock_may_be_released_where_that_is_told)
{
    struct fixture f;
    sc_lock *lock;

    set_up(&f);
    assert_ok(sc_lock_acquire(
        f.client, SC_S("l"),
        &(sc_lock_opts){.hold_ms = 400, .on_lost = release_lost, .user = &f.told}, &lock, NULL));
    test_redis(&f.server, "SET l another");
    wait_until(atomic_load(&f.told.dones) == 1);
    assert_err(f.told.done_err, SC_ELOCKLOST);
    tear_down(&f);
}
