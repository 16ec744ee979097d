/* cache/: how long its users wait when Redis takes its time, or sends them elsewhere */
#include <signal.h>
#include <stdatomic.h>

#include <storychain/cache.h>

#include "base/clock.h"
#include "support/pulse.h"
#include "support/relay.h"
#include "support/test.h"

enum {
    BUDGET_MS = 2000,
    ANSWER_MS = 1500 /* two are far over the budget, one is not, however busy the machine */
};

struct fixture {
    struct test_server server;
    struct relay relay;
    sc_client *client, *straight;
    sc_cache *cache, *other; /* behind the relay, and not */
    int loads;
    bool silences; /* the loader, the relay */
};

static void set_up(struct fixture *f)
{
    const sc_cache_opts opts = {.timeout_ms = BUDGET_MS};
    sc_client_opts client_opts = {0};

    *f = (struct fixture){0};
    test_server_start(&f->server);
    relay_start(&f->relay, &f->server);
    client_opts.url = f->relay.url;
    assert_ok(sc_client_new(&client_opts, &f->client, NULL));
    assert_ok(sc_client_wait_ready(f->client, 10000, NULL));
    assert_ok(sc_cache_new(f->client, &opts, &f->cache, NULL));
    f->straight = test_server_client(&f->server);
    assert_ok(sc_cache_new(f->straight, &opts, &f->other, NULL));
}

static void tear_down(struct fixture *f)
{
    sc_cache_free(f->cache);
    sc_cache_free(f->other);
    sc_client_free(f->client);
    sc_client_free(f->straight);
    relay_stop(&f->relay);
    test_server_kill(&f->server, SIGKILL);
}

static sc_err load(sc_cache_load *out, sc_slice key, void *user)
{
    struct fixture *f = user;

    (void)key;
    f->loads++;
    if (f->silences)
        relay_silence(&f->relay, true);
    return sc_cache_load_set(out, SC_S("v"));
}

static sc_cache_source ask(struct fixture *f, sc_cache *cache, const char *key)
{
    sc_cache_value value;
    sc_cache_source source;

    assert_ok(sc_cache_get_or_set(cache, sc_slice_of(key), 60000, load, f, &value));
    assert_slice(value.bytes, "v");
    source = value.source;
    sc_cache_value_release(&value);
    return source;
}

static int64_t time_of(struct fixture *f, const char *key)
{
    int64_t began = sc__mono_ms();

    ask(f, f->cache, key);
    return sc__mono_ms() - began;
}

TEST(a_load_waits_no_longer_for_redis_than_was_said_and_what_it_loads_is_shared)
{
    int64_t first_ms, shortest_ms; /* of three: the machine may be busy */
    struct pulse pulse;
    struct fixture f;

    set_up(&f);
    ask(&f, f.cache, "a"); /* scripts are there */
    pulse_start(&pulse, &f.server, NULL);
    relay_delay(&f.relay, ANSWER_MS);
    first_ms = time_of(&f, "b"); /* looks; too late for a lease */
    assert_true(first_ms < 2 * ANSWER_MS + pulse_still_ms(&pulse));
    shortest_ms = time_of(&f, "c0");
    for (int i = 1; i < 3; i++) {
        char key[] = {'c', (char)('0' + i), '\0'};
        int64_t took_ms = time_of(&f, key);

        shortest_ms = took_ms < shortest_ms ? took_ms : shortest_ms;
    }
    assert_true(shortest_ms < BUDGET_MS + ANSWER_MS / 2 + pulse_stop(&pulse));
    /* By then it knows that Redis is far, and asks for the lease at once. */
    wait_until(ask(&f, f.other, "c2") == SC_CACHE_HIT);
    wait_until(ask(&f, f.cache, "c2") == SC_CACHE_HIT);
    tear_down(&f);
}

TEST(who_has_loaded_is_not_kept_by_a_redis_that_fell_silent)
{
    sc_cache_stats stats;
    struct pulse pulse;
    struct fixture f;
    int64_t took_ms;

    set_up(&f);
    ask(&f, f.cache, "a");
    pulse_start(&pulse, NULL, NULL);
    f.silences = true;
    took_ms = time_of(&f, "b");
    assert_true(took_ms < 2 * BUDGET_MS + pulse_stop(&pulse));
    f.silences = false;
    sc_cache_stats_get(f.cache, &stats);
    assert_int_equal(stats.sets, 1);
    relay_silence(&f.relay, false);
    wait_until(ask(&f, f.cache, "b") == SC_CACHE_HIT);
    tear_down(&f);
}

static void start_node(struct test_server *node, char port[8], char bus[8])
{
    test_free_port(port);
    test_free_port(bus);
    test_server_start_args(node, (const char *const[]){"--cluster-enabled", "yes", "--port", port,
                                                       "--cluster-port", bus, NULL});
}

/* A node of a cluster without slots, and another that has them all. */
static void start_cluster(struct test_server *node, struct test_server *owner)
{
    char port[8], bus[8], command[64];

    start_node(node, port, bus);
    start_node(owner, port, bus);
    assert_string_equal(test_redis(owner, "CLUSTER ADDSLOTSRANGE 0 16383"), "OK");
    snprintf(command, sizeof(command), "CLUSTER MEET 127.0.0.1 %s %s", port, bus);
    assert_string_equal(test_redis(node, command), "OK");
    wait_until(strstr(test_redis(node, "GET k"), "MOVED"));
}

TEST(a_node_that_sends_its_callers_elsewhere_costs_no_value)
{
    const sc_cache_opts opts = {.timeout_ms = BUDGET_MS};
    struct test_server node, owner;
    struct fixture f = {0};

    start_cluster(&node, &owner);
    f.client = test_server_client(&node);
    assert_ok(sc_cache_new(f.client, &opts, &f.cache, NULL));
    for (int i = 0; i < 20; i++)
        assert_int_equal(ask(&f, f.cache, "k"), SC_CACHE_MISS);
    assert_int_equal(f.loads, 20);
    assert_int_not_equal(sc_cache_set(f.cache, SC_S("k"), SC_S("x"), 60000), SC_OK);
    assert_int_equal(ask(&f, f.cache, "k"), SC_CACHE_MISS);
    sc_cache_free(f.cache);
    sc_client_free(f.client);
    test_server_kill(&node, SIGKILL);
    test_server_kill(&owner, SIGKILL);
}
