/* cache/: processes whose clocks differ, and deletes of all kinds at random */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>

#include <storychain/cache.h>

#include "base/clock.h"
#include "support/fleet.h"
#include "support/server.h"
#include "support/test.h"

enum { PROCESSES = 4, THREADS = 2, ROUNDS = 600 };

static const int64_t skews_ms[PROCESSES] = {-5000, 5000, 0, 2500};

struct town {
    struct test_server server;
    size_t near_bytes; /* what each process holds, confirmed */
    atomic_int step, loads, stale, left;
    atomic_int_fast64_t source; /* goes up with each write */
    atomic_int_fast64_t
        least; /* what whoever asks now must see: the write before it, with its delete, is over */
};

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
        server; /* not started in there: a child that becomes it would write to it, too */
    town->left = PROCESSES;
    return town;
}

static void settle(struct house *h, struct town *town, int number)
{
    const sc_cache_opts opts = {.timeout_ms = 10000,
                                .wait_ms = 120000,
                                .near_bytes = town->near_bytes,
                                .near_confirms = true};

    sc__clock_shift(skews_ms[number]);
    h->town = town;
    h->client = test_server_client(&town->server);
    assert_ok(sc_cache_new(h->client, &opts, &h->cache, NULL));
}

static void leave(struct house *h)
{
    sc_cache_free(h->cache);
    sc_client_free(h->client);
}

static sc_err load_source(sc_cache_load *load, sc_slice key, void *user)
{
    struct town *town = user;
    char text[32];

    (void)key;
    atomic_fetch_add(&town->loads, 1);
    snprintf(text, sizeof(text), "%lld", (long long)atomic_load(&town->source));
    sched_yield();
    return sc_cache_load_tag(load, SC_S("by loader")) ? SC_EINTERNAL
                                                      : sc_cache_load_set(load, sc_slice_of(text));
}

static const char *const tags[] = {"by definition", NULL};
static const sc_cache_def def = {.ttl_ms = 60000, .load = load_source, .tags = tags};

/* Shorter than the clocks of the first two differ. */
static const sc_cache_def brief = {.ttl_ms = 9000, .grace_ms = 60000, .load = load_source};

static void must_be_fresh(struct house *h, const char *key, sc_cache_source source)
{
    sc_cache_value value;

    assert_ok(sc_cache_fetch(h->cache, &brief, sc_slice_of(key), h->town, &value));
    assert_int_equal(value.source, source);
    assert_false(value.stale);
    assert_in_range(value.age_ms, 0, 8999);
    sc_cache_value_release(&value);
}

static void take_turns(void *memory, int number)
{
    struct town *town = memory;
    struct house h;

    settle(&h, town, number);
    wait_until(atomic_load(&town->step) == number);
    must_be_fresh(&h, "first", number ? SC_CACHE_HIT : SC_CACHE_MISS);
    if (number)
        must_be_fresh(&h, "second", SC_CACHE_MISS);
    atomic_fetch_add(&town->step, 1);
    if (!number) {
        wait_until(atomic_load(&town->step) == 2);
        must_be_fresh(&h, "second", SC_CACHE_HIT);
    }
    leave(&h);
}

TEST(a_value_has_its_time_whatever_the_clocks_of_processes_say)
{
    struct town *town = found();
    struct fleet fleet;

    fleet_start(&fleet, 2, take_turns, town);
    fleet_end(&fleet);
    assert_int_equal(town->loads, 2);
    test_server_kill(&town->server, SIGKILL);
}

/* at random */

struct citizen {
    struct house *house;
    unsigned random;
};

static void raise_to(atomic_int_fast64_t *least, int64_t version)
{
    int_fast64_t before = atomic_load(least);

    while (before < version && !atomic_compare_exchange_weak(least, &before, version))
        ;
}

static sc_err remove_somehow(sc_cache *cache, unsigned way)
{
    const sc_slice names[] = {SC_S("by definition"), SC_S("by loader")};

    switch (way % 5) {
    case 0:
        return sc_cache_del(cache, SC_S("k"), NULL);
    case 1:
        return sc_cache_expire_tags(cache, &names[0], 1);
    case 2:
        return sc_cache_expire(cache, SC_S("k"));
    default:
        return sc_cache_del_tags(cache, &names[way % 2], 1);
    }
}

static int64_t ask(struct house *h)
{
    sc_cache_value value;
    int64_t version;

    if (sc_cache_fetch(h->cache, &def, SC_S("k"), h->town, &value))
        abort();
    version = atoll(value.bytes.ptr);
    sc_cache_value_release(&value);
    return version;
}

static void *live(void *arg)
{
    struct citizen *c = arg;
    struct town *town = c->house->town;

    for (int i = 0; i < ROUNDS; i++) {
        int64_t least;

        c->random = c->random * 1103515245 + 12345;
        if (c->random >> 16 & 1) {
            int64_t version = atomic_fetch_add(&town->source, 1) + 1;

            if (remove_somehow(c->house->cache, c->random >> 17) == SC_OK)
                raise_to(&town->least, version);
        }
        least = atomic_load(&town->least);
        if (ask(c->house) < least)
            atomic_fetch_add(&town->stale, 1);
    }
    return NULL;
}

static void live_in_process(void *memory, int number)
{
    struct citizen citizens[THREADS];
    pthread_t threads[THREADS];
    struct town *town = memory;
    struct house h;

    settle(&h, town, number);
    for (int i = 0; i < THREADS; i++) {
        citizens[i] = (struct citizen){&h, (unsigned)(number * THREADS + i) * 7919u};
        assert_int_equal(pthread_create(&threads[i], NULL, live, &citizens[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    atomic_fetch_sub(&town->left, 1);
    wait_until(atomic_load(&town->left) == 0);
    wait_until(ask(&h) == atomic_load(&town->source));
    leave(&h);
}

static void live_together(size_t near_bytes)
{
    struct town *town = found();
    struct fleet fleet;

    town->near_bytes = near_bytes;
    fleet_start(&fleet, PROCESSES, live_in_process, town);
    fleet_end(&fleet);
    assert_int_equal(town->stale, 0);
    assert_true(town->source > PROCESSES * ROUNDS / 2);
    test_server_kill(&town->server, SIGKILL);
}

TEST_LIMIT(no_read_sees_what_was_before_a_delete_of_any_kind_whatever_the_clocks_say, 60)
{
    live_together(0);
}

TEST_LIMIT(nor_does_one_of_what_is_held_and_confirmed, 60)
{
    live_together(1024 * 1024);
}
