/* cache/: one load per key for all processes */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include <storychain/cache.h>

#include "base/clock.h"
#include "support/fleet.h"
#include "support/pulse.h"
#include "support/server.h"
#include "support/test.h"

enum { PROCESSES = 8, THREADS = 100 };

/* What processes share. */
struct town {
    struct test_server server;
    sc_err load_err; /* what loads end with */
    int64_t ttl_ms;  /* of what they give */
    atomic_int ready, entered, loads, values, errors;
    atomic_bool gate_open;    /* no load ends before */
    _Atomic int64_t still_ms; /* for so long some of them stood still */
};

/* Who stands still for longer than this may have lost a lease, of 1.5 s and renewed every 500 ms. */
enum { STILL_MS = 700 };

/* One process of it. */
struct house {
    struct town *town;
    sc_client *client;
    sc_cache *cache;
};

static struct town *found(void)
{
    struct town *town = fleet_memory(sizeof(*town));
    struct test_server server;

    test_server_start(&server);
    town->server =
        server; /* not started in there: the child that becomes it would write to it, too */
    town->ttl_ms = 60000;
    return town;
}

static void settle(struct house *h, struct town *town)
{
    h->town = town;
    h->client = test_server_client(&town->server);
    assert_ok(sc_cache_new(h->client, &(sc_cache_opts){.timeout_ms = 10000, .wait_ms = 120000},
                           &h->cache, NULL));
}

static void leave(struct house *h)
{
    sc_cache_free(h->cache);
    sc_client_free(h->client);
}

static sc_err load(sc_cache_load *out, sc_slice key, void *user)
{
    struct town *town = user;

    (void)key;
    atomic_fetch_add(&town->loads, 1);
    wait_until(atomic_load(&town->gate_open));
    sc_cache_load_ttl(out, town->ttl_ms);
    return town->load_err ? town->load_err : sc_cache_load_set(out, SC_S("v"));
}

static void *ask(void *arg)
{
    struct house *h = arg;
    sc_cache_value value = {0};
    sc_err err;

    wait_until(atomic_load(&h->town->ready) == PROCESSES);
    atomic_fetch_add(&h->town->entered, 1);
    err = sc_cache_get_or_set(h->cache, SC_S("k"), 60000, load, h->town, &value);
    if (err == SC_EIO)
        atomic_fetch_add(&h->town->errors, 1);
    else if (!err && sc_slice_eq(value.bytes, SC_S("v")))
        atomic_fetch_add(&h->town->values, 1);
    sc_cache_value_release(&value);
    return NULL;
}

static void ask_by_many_threads(void *memory, int number)
{
    pthread_t threads[THREADS];
    struct pulse pulse;
    struct house h;

    (void)number;
    settle(&h, memory);
    pulse_start(&pulse, NULL, &h.town->still_ms);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask, &h), 0);
    atomic_fetch_add(&h.town->ready, 1);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    pulse_stop(&pulse);
    leave(&h);
}

/* How often the server ran a command. */
static int64_t calls_of(const struct town *town, const char *command)
{
    const char *stats = test_redis(&town->server, "INFO commandstats");
    char name[64];
    const char *at;

    snprintf(name, sizeof(name), "cmdstat_%s:calls=", command);
    at = strstr(stats, name);
    return at ? atoll(at + strlen(name)) : 0;
}

/* Lets the load end when all callers have come to the key, and gives how long that took. */
static int64_t gather_and_open(struct town *town)
{
    int64_t began = sc__mono_ms();

    wait_until(atomic_load(&town->entered) == PROCESSES * THREADS);
    wait_until(calls_of(town, "get") >= PROCESSES * THREADS);
    wait_until(calls_of(town, "evalsha") >= PROCESSES);
    atomic_store(&town->gate_open, true);
    return sc__mono_ms() - began;
}

TEST_LIMIT(eight_processes_of_a_hundred_threads_load_once_and_do_not_poll, 60)
{
    struct town *town = found();
    int64_t heartbeats, asks;
    struct fleet fleet;
    struct pulse pulse;

    fleet_start(&fleet, PROCESSES, ask_by_many_threads, town);
    pulse_start(&pulse, &town->server, &town->still_ms);
    heartbeats = gather_and_open(town) / 500 + 2;
    fleet_end(&fleet);
    pulse_stop(&pulse);

    assert_in_range(town->loads, 1, 1 + town->still_ms / STILL_MS);
    assert_int_equal(town->values, PROCESSES * THREADS);
    /* A process asks for the lease when it misses, once more if the lease came just then, and when the key changes: by a
     * heartbeat, which the holder spends a call on, or by the value. */
    asks = calls_of(town, "evalsha");
    assert_true(asks <= PROCESSES * (5 + heartbeats) + heartbeats);
    test_server_kill(&town->server, SIGKILL);
}

TEST_LIMIT(a_failing_load_fails_once_for_all_who_wait, 60)
{
    struct town *town = found();
    struct fleet fleet;

    town->load_err = SC_EIO;
    fleet_start(&fleet, PROCESSES, ask_by_many_threads, town);
    gather_and_open(town);
    fleet_end(&fleet);

    assert_int_equal(town->errors, PROCESSES * THREADS);
    /* Of 800. A thread may come late to what it missed, on a busy machine some of each process. */
    assert_in_range(town->loads, 1, 2 * PROCESSES);
    test_server_kill(&town->server, SIGKILL);
}

static void ask_once(void *memory, int number)
{
    struct house h;

    (void)number;
    settle(&h, memory);
    atomic_store(&h.town->ready, PROCESSES);
    ask(&h);
    leave(&h);
}

TEST(the_load_of_a_killed_process_is_taken_over)
{
    struct town *town = found();
    struct fleet fleet;
    struct pulse pulse;
    sc_cache_value value;
    int64_t killed_ms;
    struct house h;

    fleet_start(&fleet, 1, ask_once, town);
    wait_until(atomic_load(&town->loads) == 1);
    fleet_kill(&fleet, 0);
    killed_ms = sc__mono_ms();
    pulse_start(&pulse, &town->server, NULL);
    atomic_store(&town->gate_open, true);
    settle(&h, town);

    /* Its lease, 1.5 s, is waited for, but not the two minutes that a living one would be. */
    assert_ok(sc_cache_get_or_set(h.cache, SC_S("k"), 60000, load, town, &value));
    assert_true(sc__mono_ms() - killed_ms < 5000 + pulse_stop(&pulse));
    assert_int_equal(value.source, SC_CACHE_MISS);
    assert_int_equal(town->loads, 2);
    sc_cache_value_release(&value);
    leave(&h);
    test_server_kill(&town->server, SIGKILL);
}

/* Threads of one process with a cache each, for what needs no process. */
struct caller {
    pthread_t thread;
    struct house house;
};

static void *ask_in_house(void *arg)
{
    return ask(&((struct caller *)arg)->house);
}

static void start_callers(struct caller *callers, int count, struct town *town)
{
    atomic_store(&town->ready, PROCESSES);
    for (int i = 0; i < count; i++)
        settle(&callers[i].house, town);
    for (int i = 0; i < count; i++) {
        assert_int_equal(pthread_create(&callers[i].thread, NULL, ask_in_house, &callers[i]), 0);
        wait_until(calls_of(town, "evalsha") > i);
    }
}

static void end_callers(struct caller *callers, int count)
{
    for (int i = 0; i < count; i++)
        pthread_join(callers[i].thread, NULL);
    for (int i = 0; i < count; i++)
        leave(&callers[i].house);
}

TEST(a_lease_given_up_goes_to_one_of_those_who_wait)
{
    struct town *town = found();
    struct caller callers[4];

    /* Nothing is stored, so each must load; but never two at a time. */
    town->ttl_ms = 0;
    start_callers(callers, 4, town);
    assert_int_equal(town->loads, 1);
    atomic_store(&town->gate_open, true);
    end_callers(callers, 4);

    assert_int_equal(town->values, 4);
    assert_int_equal(town->loads, 4);
    test_server_kill(&town->server, SIGKILL);
}

TEST(who_waits_gets_a_value_that_is_set_meanwhile)
{
    struct town *town = found();
    struct caller callers[3];

    start_callers(callers, 3, town);
    test_redis(&town->server, "SET k v");
    wait_until(atomic_load(&town->values) == 2);
    atomic_store(&town->gate_open, true);
    end_callers(callers, 3);

    assert_int_equal(town->loads, 1);
    test_server_kill(&town->server, SIGKILL);
}

TEST(a_delete_meanwhile_makes_one_who_waits_load_anew)
{
    struct town *town = found();
    struct caller callers[3];

    start_callers(callers, 3, town);
    test_redis(&town->server, "DEL k");
    wait_until(atomic_load(&town->loads) == 2);
    atomic_store(&town->gate_open, true);
    end_callers(callers, 3);

    assert_int_equal(town->values, 3);
    assert_int_equal(town->loads, 2);
    test_server_kill(&town->server, SIGKILL);
}

TEST(a_failure_is_no_answer_to_who_did_not_wait_for_it)
{
    struct town *town = found();
    sc_cache_value value;
    struct house h;

    settle(&h, town);
    atomic_store(&town->gate_open, true);
    town->load_err = SC_EIO;
    assert_err(sc_cache_get_or_set(h.cache, SC_S("k"), 60000, load, town, &value), SC_EIO);
    wait_until(calls_of(town, "set") == 3); /* the tag clock, the lease, word of the failure */

    town->load_err = SC_OK;
    assert_ok(sc_cache_get_or_set(h.cache, SC_S("k"), 60000, load, town, &value));
    assert_int_equal(value.source, SC_CACHE_MISS);
    sc_cache_value_release(&value);
    leave(&h);
    test_server_kill(&town->server, SIGKILL);
}

TEST(a_load_that_never_ends_is_waited_for_as_long_as_was_said)
{
    struct town *town = found();
    struct town elsewhere = {.ttl_ms = 60000, .gate_open = true}; /* loads end at once there */
    struct caller callers[1];
    sc_cache_value value;
    struct house h;
    sc_cache *hasty;

    start_callers(callers, 1, town);
    settle(&h, town);
    assert_ok(
        sc_cache_new(h.client, &(sc_cache_opts){.timeout_ms = 10000, .wait_ms = 50}, &hasty, NULL));

    assert_ok(sc_cache_get_or_set(hasty, SC_S("k"), 60000, load, &elsewhere, &value));
    assert_int_equal(value.source, SC_CACHE_MISS);
    assert_int_equal(elsewhere.loads, 1);
    sc_cache_value_release(&value);
    atomic_store(&town->gate_open, true);
    end_callers(callers, 1);
    sc_cache_free(hasty);
    leave(&h);
    test_server_kill(&town->server, SIGKILL);
}
