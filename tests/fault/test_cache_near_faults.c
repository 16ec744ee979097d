/* cache/tier: what is held stays true whatever happens to the server and the connection */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>

#include <storychain/cache.h>

#include "base/clock.h"
#include "cache/handle.h"
#include "support/fleet.h"
#include "support/relay.h"
#include "support/server.h"
#include "support/test.h"

enum { NEAR_BYTES = 1024 * 1024, READERS = 3 };

/* A key that another program writes, each time with a higher number, while threads read it here. */
struct world {
    struct test_server server;
    sc_client *client;
    sc_cache *cache;
    int64_t written; /* by the test's own thread */
    atomic_int_fast64_t read;
    atomic_int backwards;
    atomic_bool over;
    pthread_t readers[READERS];
};

static int64_t read_once(sc_cache *cache, sc_cache_source *ret_source)
{
    sc_cache_value value;
    int64_t version;

    if (sc_cache_get(cache, SC_S("k"), &value))
        abort();
    version = value.bytes.len ? atoll(value.bytes.ptr) : -1;
    if (ret_source)
        *ret_source = value.source;
    sc_cache_value_release(&value);
    return version;
}

static void *read_on(void *arg)
{
    struct world *w = arg;
    int64_t version, last = 0;

    while (!atomic_load(&w->over)) {
        version = read_once(w->cache, NULL);
        if (version < 0)
            continue; /* not there, or Redis is away */
        if (version < last)
            atomic_fetch_add(&w->backwards, 1);
        last = version;
    }
    return NULL;
}

static void start_readers(struct world *w)
{
    assert_ok(sc_cache_new(w->client, &(sc_cache_opts){.near_bytes = NEAR_BYTES}, &w->cache, NULL));
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&w->readers[i], NULL, read_on, w), 0);
}

static void set_up(struct world *w, const char *const *args)
{
    *w = (struct world){0};
    test_server_start_args(&w->server, args);
    w->client = test_server_client(&w->server);
    start_readers(w);
}

static void tear_down(struct world *w)
{
    atomic_store(&w->over, true);
    for (int i = 0; i < READERS; i++)
        pthread_join(w->readers[i], NULL);
    assert_int_equal(w->backwards, 0);
    sc_cache_free(w->cache);
    sc_client_free(w->client);
    test_server_kill(&w->server, SIGKILL);
}

static void write_next(struct world *w)
{
    char command[64];

    snprintf(command, sizeof(command), "SET k %lld", (long long)++w->written);
    test_redis(&w->server, command);
}

/* The value that Redis has is read here, and held. */
static void settle(struct world *w)
{
    sc_cache_source source;

    wait_until(read_once(w->cache, &source) == w->written && source == SC_CACHE_NEAR);
}

TEST(a_key_written_elsewhere_never_goes_backwards)
{
    struct world w;

    set_up(&w, NULL);
    for (int i = 0; i < 2000; i++)
        write_next(&w);
    settle(&w);
    tear_down(&w);
}

TEST(nor_when_connections_are_killed)
{
    struct world w;

    set_up(&w, NULL);
    for (int i = 0; i < 5; i++) {
        for (int n = 0; n < 20; n++)
            write_next(&w);
        settle(&w);
        test_redis(&w.server, "CLIENT KILL TYPE normal");
        write_next(&w);
    }
    settle(&w);
    tear_down(&w);
}

TEST(nor_when_all_is_flushed)
{
    struct world w;

    set_up(&w, NULL);
    for (int i = 0; i < 50; i++) {
        write_next(&w);
        if (i % 5 == 0)
            settle(&w);
        test_redis(&w.server, "FLUSHALL");
        write_next(&w);
    }
    settle(&w);
    tear_down(&w);
}

TEST(nor_when_the_servers_table_is_full)
{
    static const char *const args[] = {"--tracking-table-max-keys", "100", NULL};
    sc_cache_value value;
    struct world w;
    char key[16];

    set_up(&w, args);
    for (int i = 0; i < 2000; i++) {
        snprintf(key, sizeof(key), "other%d", i);
        assert_ok(sc_cache_get(w.cache, sc_slice_of(key), &value));
        sc_cache_value_release(&value);
        if (i % 4 == 0)
            write_next(&w);
    }
    settle(&w);
    tear_down(&w);
}

TEST(nor_when_the_server_stops_and_goes_on)
{
    struct world w;

    set_up(&w, NULL);
    for (int i = 0; i < 3; i++) {
        write_next(&w);
        settle(&w);
        kill(w.server.pid, SIGSTOP);
        wait_until(read_once(w.cache, NULL) < 0); /* what is held is not trusted any more */
        kill(w.server.pid, SIGCONT);
        write_next(&w);
        settle(&w);
    }
    tear_down(&w);
}

TEST(nor_when_the_server_dies_and_comes_back_empty)
{
    struct world w;

    set_up(&w, NULL);
    for (int i = 0; i < 3; i++) {
        write_next(&w);
        settle(&w);
        test_server_kill(&w.server, SIGKILL);
        wait_until(read_once(w.cache, NULL) < 0);
        test_server_restart(&w.server);
        write_next(&w);
        settle(&w);
    }
    tear_down(&w);
}

/* The connection is there, but nothing comes through, while others write. */
TEST(nor_when_the_way_to_the_server_falls_silent)
{
    sc_client_opts opts = {.connect_timeout_ms = 500, .command_timeout_ms = 500};
    struct world w = {0};
    struct relay relay;

    test_server_start(&w.server);
    relay_start(&relay, &w.server);
    opts.url = relay.url;
    assert_ok(sc_client_new(&opts, &w.client, NULL));
    assert_ok(sc_client_wait_ready(w.client, 10000, NULL));
    start_readers(&w);
    for (int i = 0; i < 3; i++) {
        write_next(&w);
        settle(&w);
        relay_silence(&relay, true);
        write_next(&w);
        wait_until(read_once(w.cache, NULL) <
                   0); /* for a second, the value before that may be given */
        write_next(&w);
        relay_silence(&relay, false);
        settle(&w);
    }
    tear_down(&w);
    relay_stop(&relay);
}

TEST(a_write_that_a_silent_server_did_not_take_is_not_undone_by_what_is_held)
{
    struct world w;

    set_up(&w, NULL);
    write_next(&w);
    settle(&w);
    kill(w.server.pid, SIGSTOP);
    assert_int_not_equal(sc_cache_del(w.cache, SC_S("k"), NULL), SC_OK);
    assert_int_equal(read_once(w.cache, NULL), -1);

    kill(w.server.pid, SIGCONT);
    wait_until(strcmp(test_redis(&w.server, "EXISTS k"), "0") == 0);
    assert_int_equal(read_once(w.cache, NULL), -1);
    write_next(&w);
    settle(&w);
    tear_down(&w);
}

/* Four processes load, change and delete at random. The source is a number that goes up with each write. */
enum { TOWN_PROCESSES = 4, TOWN_THREADS = 3, TOWN_ROUNDS = 2000 };

struct town {
    struct test_server server;
    size_t near_bytes;
    bool is_far;
    atomic_int_fast64_t source;
    /* What whoever asks now must see at least: a write before it, with its delete, is over. All processes', or of each. */
    atomic_int_fast64_t least, least_of[TOWN_PROCESSES];
    atomic_int stale, left;
};

struct citizen {
    struct town *town;
    sc_cache *cache;
    int process, number;
};

static sc_err load_source(sc_cache_load *load, sc_slice key, void *user)
{
    struct town *town = user;
    char text[32];

    (void)key;
    snprintf(text, sizeof(text), "%lld", (long long)atomic_load(&town->source));
    sched_yield();
    return sc_cache_load_set(load, sc_slice_of(text));
}

static void raise_to(atomic_int_fast64_t *least, int64_t version)
{
    int_fast64_t before = atomic_load(least);

    while (before < version && !atomic_compare_exchange_weak(least, &before, version))
        ;
}

/* With values held in the processes, only who wrote can't see what was before; the others hear of it a moment later. */
static atomic_int_fast64_t *least_for(const struct citizen *c)
{
    return c->town->near_bytes ? &c->town->least_of[c->process] : &c->town->least;
}

static int64_t ask(const struct citizen *c)
{
    sc_cache_value value;
    int64_t version;

    if (c->town->is_far) /* it takes its time, and so the cache doesn't look first */
        atomic_store(&c->cache->pace.answer_us, INT32_MAX);
    if (sc_cache_get_or_set(c->cache, SC_S("k"), 60000, load_source, c->town, &value))
        abort();
    version = atoll(value.bytes.ptr);
    sc_cache_value_release(&value);
    return version;
}

static void *live(void *arg)
{
    const struct citizen *c = arg;
    int64_t version, least;

    for (int i = 0; i < TOWN_ROUNDS; i++) {
        if (i % TOWN_THREADS == c->number && i % 2 == 0) {
            version = atomic_fetch_add(&c->town->source, 1) + 1;
            if (sc_cache_del(c->cache, SC_S("k"), NULL) == SC_OK)
                raise_to(least_for(c), version); /* else it is still to come */
        }
        least = atomic_load(least_for(c));
        if (ask(c) < least)
            atomic_fetch_add(&c->town->stale, 1);
    }
    return NULL;
}

static void live_in_process(void *memory, int number)
{
    struct town *town = memory;
    struct citizen citizens[TOWN_THREADS];
    pthread_t threads[TOWN_THREADS];
    sc_client *client = test_server_client(&town->server);
    sc_cache_opts opts = {.timeout_ms = 10000, .near_bytes = town->near_bytes};
    sc_cache *cache;

    assert_ok(sc_cache_new(client, &opts, &cache, NULL));
    for (int i = 0; i < TOWN_THREADS; i++) {
        citizens[i] = (struct citizen){town, cache, number, i};
        assert_int_equal(pthread_create(&threads[i], NULL, live, &citizens[i]), 0);
    }
    for (int i = 0; i < TOWN_THREADS; i++)
        pthread_join(threads[i], NULL);
    atomic_fetch_sub(&town->left, 1);
    wait_until(atomic_load(&town->left) == 0);
    wait_until(ask(&citizens[0]) == atomic_load(&town->source));
    sc_cache_free(cache);
    sc_client_free(client);
}

/* Now and then all connections are cut. */
static void cut(struct town *town)
{
    int64_t next = atomic_load(&town->source) + 200;

    for (int i = 0; i < 4; i++, next += 200) {
        wait_until(atomic_load(&town->source) >= next || atomic_load(&town->left) == 0);
        test_redis(&town->server, "CLIENT KILL TYPE normal");
    }
}

static void interleave(size_t near_bytes, bool cuts, bool is_far)
{
    struct town *town = fleet_memory(sizeof(*town));
    struct test_server server;
    struct fleet fleet;

    test_server_start(&server);
    town->server = server;
    town->near_bytes = near_bytes;
    town->is_far = is_far;
    town->left = TOWN_PROCESSES;
    fleet_start(&fleet, TOWN_PROCESSES, live_in_process, town);
    if (cuts)
        cut(town);
    fleet_end(&fleet);

    assert_int_equal(town->stale, 0);
    test_server_kill(&town->server, SIGKILL);
}

TEST_LIMIT(four_processes_at_random_never_read_what_was_before_a_delete, 60)
{
    interleave(0, false, false);
}

TEST_LIMIT(four_processes_that_hold_values_see_their_own_deletes_and_end_up_with_the_truth, 60)
{
    interleave(NEAR_BYTES, false, false);
}

TEST_LIMIT(nor_when_their_connections_are_cut, 60)
{
    interleave(0, true, false);
}

TEST_LIMIT(nor_when_the_connections_of_those_that_hold_values_are_cut, 60)
{
    interleave(NEAR_BYTES, true, false);
}

TEST_LIMIT(nor_when_redis_is_far, 60)
{
    interleave(0, false, true);
}

TEST_LIMIT(nor_when_it_is_far_from_those_that_hold_values, 60)
{
    interleave(NEAR_BYTES, false, true);
}
