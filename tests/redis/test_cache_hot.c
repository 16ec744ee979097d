/* cache/: one key that many ask for all the time, and whose load takes long */
#include <signal.h>
#include <stdatomic.h>

#include <storychain/cache.h>

#include "base/clock.h"
#include "support/fleet.h"
#include "support/server.h"
#include "support/test.h"

enum { PROCESSES = 4, TTL_MS = 500, LOAD_MS = 100, TTLS = 8 };

struct town {
    struct test_server server;
    atomic_int loads, blocked, requests, warm;
};

static sc_err load(sc_cache_load *out, sc_slice key, void *user)
{
    const int64_t until_ms = sc__mono_ms() + LOAD_MS;
    struct town *town = user;

    (void)key;
    atomic_fetch_add(&town->loads, 1);
    while (sc__mono_ms() < until_ms)
        test_pause_until(until_ms);
    return sc_cache_load_set(out, SC_S("v"));
}

static const sc_cache_def hot = {
    .ttl_ms = TTL_MS, .soft_ttl_ms = TTL_MS - LOAD_MS, .grace_ms = 600000, .load = load};

static void ask_on(void *memory, int number)
{
    const sc_cache_opts opts = {.timeout_ms = 10000, .wait_ms = 120000};
    struct town *town = memory;
    sc_cache_value value;
    sc_client *client = test_server_client(&town->server);
    sc_cache *cache;
    int64_t deadline_ms;

    (void)number;
    assert_ok(sc_cache_new(client, &opts, &cache, NULL));
    assert_ok(sc_cache_fetch(cache, &hot, SC_S("k"), town, &value));
    sc_cache_value_release(&value);
    atomic_fetch_add(&town->warm, 1);
    wait_until(atomic_load(&town->warm) == PROCESSES);
    deadline_ms = test_deadline_ms();
    while (atomic_load(&town->loads) < TTLS && test_pause_until(deadline_ms)) {
        assert_ok(sc_cache_fetch(cache, &hot, SC_S("k"), town, &value));
        if (value.source != SC_CACHE_HIT)
            atomic_fetch_add(&town->blocked, 1);
        atomic_fetch_add(&town->requests, 1);
        sc_cache_value_release(&value);
    }
    sc_cache_free(cache);
    sc_client_free(client);
}

TEST(a_hot_key_is_loaded_once_per_ttl_and_nobody_waits_for_it)
{
    struct town *town = fleet_memory(sizeof(*town));
    const int64_t began_ms = sc__mono_ms();
    struct test_server server;
    struct fleet fleet;
    int64_t took_ms;

    test_server_start(&server);
    town->server = server;
    fleet_start(&fleet, PROCESSES, ask_on, town);
    fleet_end(&fleet);
    took_ms = sc__mono_ms() - began_ms;

    assert_int_equal(town->blocked, 0);
    assert_true(town->requests > 4 * town->loads);
    /* One at first, then one each time the soft TTL is over: that is the TTL less the load. */
    assert_true(town->loads <= 2 + took_ms / (TTL_MS - LOAD_MS));
    assert_true(town->loads >= TTLS);
    test_server_kill(&town->server, SIGKILL);
}
