/* cache/: all processes see what the source says as soon as the server is back */
#include <signal.h>
#include <stdatomic.h>

#include <storychain/cache.h>

#include "base/clock.h"
#include "support/fleet.h"
#include "support/pulse.h"
#include "support/server.h"
#include "support/test.h"

enum { PROCESSES = 4, KEYS = 20, NEAR_BYTES = 1024 * 1024 };

/* A second, and as much again for a busy machine; more only if it stood still. */
enum { SOON_MS = 2 * 1000 };

struct town {
    struct test_server server;
    size_t near_bytes;
    atomic_int warm, written, away, back, settled;
    atomic_int source[KEYS];
    atomic_int_fast64_t back_ms; /* mono */
    atomic_int_fast64_t last_ms; /* after that, of the last read that was not true */
    _Atomic int64_t still_ms;    /* for so long processes stood still */
};

/* A key has its writer's tag. */
static sc_err load_source(sc_cache_load *load, sc_slice key, void *user)
{
    const int i = atoi(key.ptr + 1);
    struct town *town = user;
    char text[32], tag[16];

    snprintf(tag, sizeof(tag), "writer %d", i % PROCESSES);
    snprintf(text, sizeof(text), "%d", atomic_load(&town->source[i]));
    return sc_cache_load_tag(load, sc_slice_of(tag)) ? SC_EINTERNAL
                                                     : sc_cache_load_set(load, sc_slice_of(text));
}

static const sc_cache_def def = {.ttl_ms = 600000, .load = load_source};

static void note_untruth(struct town *town)
{
    int64_t after_ms = sc__mono_ms() - atomic_load(&town->back_ms);
    int_fast64_t before = atomic_load(&town->last_ms);

    while (before < after_ms && !atomic_compare_exchange_weak(&town->last_ms, &before, after_ms))
        ;
}

/* Whether all keys are read from the cache, and say what the source does. */
static bool are_read(sc_cache *cache, struct town *town)
{
    bool all = true;

    for (int i = 0; i < KEYS; i++) {
        sc_cache_value value;
        char key[16];

        snprintf(key, sizeof(key), "k%d", i);
        assert_ok(sc_cache_fetch(cache, &def, sc_slice_of(key), town, &value));
        if (atoi(value.bytes.ptr) != atomic_load(&town->source[i])) {
            note_untruth(town);
            all = false;
        }
        all = all && (value.source == SC_CACHE_HIT || value.source == SC_CACHE_NEAR);
        sc_cache_value_release(&value);
    }
    return all;
}

/* Each process has its own keys to write, which it deletes one by one or by their tag. What Redis does not do is remembered. */
static void write_all(sc_cache *cache, struct town *town, int number, int round)
{
    char text[16];

    for (int i = number; i < KEYS; i += PROCESSES)
        atomic_fetch_add(&town->source[i], 1);
    snprintf(text, sizeof(text), "writer %d", number);
    if (round == 2 && sc_cache_del_tags(cache, &(sc_slice){text, strlen(text)}, 1))
        return; /* callers may ignore it */
    for (int i = number; i < KEYS && round != 2; i += PROCESSES) {
        snprintf(text, sizeof(text), "k%d", i);
        if (sc_cache_del(cache, sc_slice_of(text), NULL))
            continue;
    }
}

static void live(void *memory, int number)
{
    struct town *town = memory;
    const sc_cache_opts opts = {.near_bytes = town->near_bytes};
    sc_client *client = test_server_client(&town->server);
    struct pulse pulse;
    sc_cache *cache;

    pulse_start(&pulse, NULL, &town->still_ms);
    assert_ok(sc_cache_new(client, &opts, &cache, NULL));
    for (int round = 1; round <= 3; round++) {
        wait_until(are_read(cache, town));
        atomic_fetch_add(&town->warm, 1);
        wait_until(atomic_load(&town->away) == round);
        write_all(cache, town, number, round);
        atomic_fetch_add(&town->written, 1);
        wait_until(atomic_load(&town->back) == round);
        wait_until(are_read(cache, town));
        atomic_fetch_add(&town->settled, 1);
        wait_until(atomic_load(&town->settled) == round * PROCESSES);
    }
    sc_cache_free(cache);
    sc_client_free(client);
    pulse_stop(&pulse);
}

static void stop(struct test_server *server, bool dies)
{
    if (dies)
        test_server_kill(server, SIGKILL);
    else
        kill(server->pid, SIGSTOP);
}

static void go_on(struct test_server *server, bool dies)
{
    if (dies)
        test_server_restart(server);
    else
        kill(server->pid, SIGCONT);
    assert_string_equal(test_redis(server, "PING"), "PONG");
}

static void recover(size_t near_bytes, bool dies)
{
    static const char *const keeps[] = {"--appendonly", "yes", "--appendfsync", "always", NULL};
    struct town *town = fleet_memory(sizeof(*town));
    struct test_server server;
    struct fleet fleet;
    struct pulse pulse;

    test_server_start_args(&server, keeps); /* so that old values are there after it died */
    town->server = server;
    town->near_bytes = near_bytes;
    fleet_start(&fleet, PROCESSES, live, town);
    for (int round = 1; round <= 3; round++) {
        wait_until(atomic_load(&town->warm) == round * PROCESSES);
        stop(&server, dies);
        atomic_store(&town->away, round);
        wait_until(atomic_load(&town->written) == round * PROCESSES);
        go_on(&server, dies);
        atomic_store(&town->back_ms, sc__mono_ms());
        atomic_store(&town->back, round);
        pulse_start(&pulse, &server, &town->still_ms);
        wait_until(atomic_load(&town->settled) == round * PROCESSES);
        pulse_stop(&pulse);
    }
    fleet_end(&fleet);
    assert_in_range(town->last_ms, 0, SOON_MS + town->still_ms);
    test_server_kill(&server, SIGKILL);
}

TEST_LIMIT(after_a_stop_of_the_server_all_processes_see_the_truth, 60)
{
    recover(0, false);
}

TEST_LIMIT(those_that_hold_values_too, 60)
{
    recover(NEAR_BYTES, false);
}

TEST_LIMIT(after_the_servers_death_all_processes_see_the_truth, 60)
{
    recover(0, true);
}

TEST_LIMIT(after_its_death_those_that_hold_values_too, 60)
{
    recover(NEAR_BYTES, true);
}
