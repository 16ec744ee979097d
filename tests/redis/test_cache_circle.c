/* cache/flight_circle.c: loaders that wait for each other's keys */
#include "base/clock.h"
#include "support/cache_fixture.h"
#include "support/test.h"

enum { LINKS_MAX = 3 };

/* Keys whose loaders ask each for the next one's; the last one asks for the first. */
struct ring {
    sc_cache *cache;
    int links;
    pthread_barrier_t all_load;
    sc_err inner[LINKS_MAX]; /* what a loader was told */
};

static sc_err load_link(sc_cache_load *load, sc_slice key, void *user);

static const sc_cache_def link = {.name = "link", .ttl_ms = 60000, .load = load_link};

static sc_slice key_of(const struct ring *ring, int at)
{
    static const char *const names[LINKS_MAX] = {"0", "1", "2"};

    return sc_slice_of(names[at % ring->links]);
}

static sc_err load_link(sc_cache_load *load, sc_slice key, void *user)
{
    struct ring *ring = user;
    int at = key.ptr[0] - '0';
    sc_cache_value value;

    pthread_barrier_wait(&ring->all_load);
    ring->inner[at] = sc_cache_fetch(ring->cache, &link, key_of(ring, at + 1), ring, &value);
    if (!ring->inner[at])
        sc_cache_value_release(&value);
    return sc_cache_load_set(load, key);
}

struct caller {
    pthread_t thread;
    struct ring *ring;
    int at;
};

static void *fetch(void *arg)
{
    struct caller *c = arg;
    sc_cache_value value;

    if (sc_cache_fetch(c->ring->cache, &link, key_of(c->ring, c->at), c->ring, &value))
        abort();
    sc_cache_value_release(&value);
    return NULL;
}

static void run_ring(sc_cache *cache, int links)
{
    struct ring ring = {.cache = cache, .links = links};
    struct caller callers[LINKS_MAX];
    int told = 0;

    pthread_barrier_init(&ring.all_load, NULL, (unsigned)links);
    for (int i = 0; i < links; i++) {
        callers[i] = (struct caller){.ring = &ring, .at = i};
        pthread_create(&callers[i].thread, NULL, fetch, &callers[i]);
    }
    for (int i = 0; i < links; i++)
        pthread_join(callers[i].thread, NULL);

    for (int i = 0; i < links; i++)
        told += ring.inner[i] == SC_EDEADLK;
    assert_int_equal(told, 1);
    for (int i = 0; i < links; i++)
        assert_true(!ring.inner[i] || ring.inner[i] == SC_EDEADLK);
    pthread_barrier_destroy(&ring.all_load);
}

TEST(of_two_loaders_that_wait_for_each_other_one_is_told)
{
    struct cache_fixture f;

    cache_fixture_start(&f);
    run_ring(f.cache, 2);
    cache_fixture_stop(&f);
}

TEST(of_three_in_a_circle_one_is_told)
{
    struct cache_fixture f;

    cache_fixture_start(&f);
    run_ring(f.cache, 3);
    cache_fixture_stop(&f);
}

TEST(so_it_is_without_a_server)
{
    sc_cache *cache;
    sc_reason reason;

    assert_ok(sc_cache_new(NULL, NULL, &cache, &reason));
    run_ring(cache, 2);
    sc_cache_free(cache);
}

/* a load that no thread has taken up yet */

static sc_err load_rows(sc_cache_load *const *loads, const sc_slice *keys, size_t count, void *user)
{
    struct cache_source *source = user;
    sc_err err = SC_OK;

    for (size_t i = 0; i < count && !err; i++)
        err = cache_load(loads[i], keys[i], source);
    return err;
}

TEST(who_asks_again_for_what_is_to_be_loaded_behind_is_no_loader)
{
    static const sc_cache_def hasty = {
        .ttl_ms = 60000, .hard_timeout_ms = 20, .load = cache_load, .load_many = load_rows};
    static const sc_cache_opts opts = {.loader_threads = 1};
    struct cache_source source = CACHE_SOURCE("v");
    const sc_slice keys[] = {SC_S("a"), SC_S("b")};
    sc_cache_value value, values[2];
    sc_err errs[2];
    sc_cache *cache;
    sc_reason reason;

    assert_ok(sc_cache_new(NULL, &opts, &cache, &reason));
    cache_source_close(&source);
    assert_err(sc_cache_fetch(cache, &hasty, SC_S("first"), &source, &value), SC_ETIMEDOUT);
    assert_ok(sc_cache_fetch_many(cache, &hasty, keys, 2, &source, values, errs));
    assert_int_equal(errs[0], SC_ETIMEDOUT);
    assert_err(sc_cache_fetch(cache, &hasty, SC_S("a"), &source, &value), SC_ETIMEDOUT);

    cache_source_open(&source);
    sc_cache_free(cache);
}
