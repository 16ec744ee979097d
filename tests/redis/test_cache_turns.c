/* cache/turns: so many loaders at a time */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>

#include <storychain/cache.h>

#include "cache/turns.h"
#include "support/cache_fixture.h"
#include "support/test.h"

enum { MAX_LOADS = 2, CALLERS = 12 };

static const sc_cache_def def = {.ttl_ms = 60000, .error_ttl_ms = 60000, .load = cache_load};

static sc_cache *cache_of(sc_client *client, int64_t timeout_ms)
{
    const sc_cache_opts opts = {.timeout_ms = timeout_ms, .max_loads = MAX_LOADS};
    sc_cache *cache;

    assert_ok(sc_cache_new(client, &opts, &cache, NULL));
    return cache;
}

struct caller {
    pthread_t thread;
    sc_cache *cache;
    struct cache_source *source;
    char key[16];
    sc_err err;
};

static void *call(void *arg)
{
    struct caller *c = arg;
    sc_cache_value value = {0};

    c->err = sc_cache_fetch(c->cache, &def, sc_slice_of(c->key), c->source, &value);
    sc_cache_value_release(&value);
    return NULL;
}

static void start(struct caller *callers, int count, sc_cache *cache, struct cache_source *source)
{
    for (int i = 0; i < count; i++) {
        callers[i] = (struct caller){.cache = cache, .source = source};
        snprintf(callers[i].key, sizeof(callers[i].key), "k%d", i);
        assert_int_equal(pthread_create(&callers[i].thread, NULL, call, &callers[i]), 0);
    }
}

static void end(struct caller *callers, int count)
{
    for (int i = 0; i < count; i++)
        pthread_join(callers[i].thread, NULL);
}

static sc_err load_none(sc_cache_load *const *loads, const sc_slice *keys, size_t count, void *user)
{
    (void)loads, (void)keys, (void)count, (void)user;
    return SC_OK;
}

static void expect_overload_of_many(sc_cache *cache)
{
    static const sc_cache_def many = {
        .ttl_ms = 60000, .error_ttl_ms = 60000, .load_many = load_none};
    const sc_slice keys[] = {SC_S("late"), SC_S("later")};
    sc_cache_value values[2];
    sc_err errs[2];

    assert_ok(sc_cache_fetch_many(cache, &many, keys, 2, NULL, values, errs));
    assert_int_equal(errs[0], SC_EOVERLOAD);
    assert_int_equal(errs[1], SC_EOVERLOAD);
}

static void expect_overload(sc_client *client, const struct test_server *server)
{
    struct cache_source source = CACHE_SOURCE("v");
    struct caller callers[MAX_LOADS];
    sc_cache *cache = cache_of(client, 300);
    sc_cache_value value;

    cache_source_close(&source);
    start(callers, MAX_LOADS, cache, &source);
    cache_source_wait(&source, MAX_LOADS);
    assert_err(sc_cache_fetch(cache, &def, SC_S("late"), &source, &value), SC_EOVERLOAD);
    expect_overload_of_many(cache);
    assert_int_equal(cache_source_loads(&source), MAX_LOADS);
    if (server) /* neither an error nor its lease stays */
        wait_until(strcmp(test_redis(server, "EXISTS late later"), "0") == 0);

    cache_source_open(&source);
    end(callers, MAX_LOADS);
    for (int i = 0; i < MAX_LOADS; i++)
        assert_ok(callers[i].err);
    value = cache_expect(cache, &def, "late", &source, "v");
    assert_int_equal(value.source, SC_CACHE_MISS);
    sc_cache_free(cache);
}

TEST(who_finds_all_loaders_running_gets_an_error_that_is_not_kept)
{
    struct cache_fixture f;

    cache_fixture_start(&f);
    expect_overload(f.client, &f.server);
    cache_fixture_stop(&f);
}

TEST(nor_is_it_without_a_server)
{
    expect_overload(NULL, NULL);
}

TEST(who_waits_for_a_turn_gets_it_when_one_is_given_back)
{
    struct cache_source source = CACHE_SOURCE("v");
    struct caller callers[CALLERS];
    struct cache_fixture f;
    sc_cache *cache;

    cache_fixture_start(&f);
    cache = cache_of(f.client, 20000);
    cache_source_close(&source);
    start(callers, CALLERS, cache, &source);
    cache_source_wait(&source, MAX_LOADS);
    assert_int_equal(cache_source_loads(&source), MAX_LOADS);
    cache_source_open(&source);
    end(callers, CALLERS);

    for (int i = 0; i < CALLERS; i++)
        assert_ok(callers[i].err);
    assert_int_equal(cache_source_loads(&source), CALLERS);
    sc_cache_free(cache);
    cache_fixture_stop(&f);
}

/* How many run at a time. */
static atomic_int running, most;

static sc_err load_among_others(sc_cache_load *load, sc_slice key, void *user)
{
    int now = atomic_fetch_add(&running, 1) + 1, before = atomic_load(&most);

    (void)user;
    while (before < now && !atomic_compare_exchange_weak(&most, &before, now))
        ;
    for (int i = 0; i < 3; i++)
        sched_yield();
    atomic_fetch_sub(&running, 1);
    return sc_cache_load_set(load, key);
}

static void *call_without_redis(void *arg)
{
    struct caller *c = arg;
    sc_cache_value value = {0};

    for (int i = 0; i < 20 && !c->err; i++) {
        c->err = sc_cache_get_or_set(c->cache, sc_slice_of(c->key), 60000, load_among_others, NULL,
                                     &value);
        sc_cache_value_release(&value);
        if (c->err == SC_EOVERLOAD) /* the machine stood still for so long */
            c->err = SC_OK;
    }
    return NULL;
}

TEST(the_limit_holds_while_redis_is_away)
{
    struct caller callers[CALLERS];
    struct cache_fixture f;
    sc_cache *cache;

    cache_fixture_start(&f);
    cache = cache_of(f.client, 3000);
    kill(f.server.pid, SIGKILL);
    for (int i = 0; i < CALLERS; i++) {
        callers[i] = (struct caller){.cache = cache};
        snprintf(callers[i].key, sizeof(callers[i].key), "k%d", i);
        assert_int_equal(pthread_create(&callers[i].thread, NULL, call_without_redis, &callers[i]),
                         0);
    }
    end(callers, CALLERS);

    for (int i = 0; i < CALLERS; i++)
        assert_ok(callers[i].err);
    assert_in_range(most, 1, MAX_LOADS);
    sc_cache_free(cache);
    cache_fixture_stop(&f);
}

static void *take_in_line(void *arg)
{
    return (void *)(intptr_t)sc__turn_take(arg, 60000);
}

static bool is_waited_for(sc__turns *turns)
{
    pthread_mutex_lock(&turns->mutex);
    bool is = turns->first != NULL;
    pthread_mutex_unlock(&turns->mutex);
    return is;
}

TEST(a_turn_goes_to_who_waits_for_it_not_to_who_comes_then)
{
    sc__turns turns;
    pthread_t waiter;
    void *err;

    sc__turns_init(&turns, 1);
    assert_ok(sc__turn_take(&turns, 0));
    assert_int_equal(pthread_create(&waiter, NULL, take_in_line, &turns), 0);
    wait_until(is_waited_for(&turns));
    assert_err(sc__turn_take(&turns, 1), SC_EOVERLOAD);

    sc__turn_give(&turns);

    assert_err(sc__turn_take(&turns, 0), SC_EOVERLOAD);
    pthread_join(waiter, &err);
    assert_ok((sc_err)(intptr_t)err);
    sc__turn_give(&turns);
    assert_ok(sc__turn_take(&turns, 0));
    sc__turns_release(&turns);
}

TEST(a_negative_limit_is_refused)
{
    sc_reason reason;
    sc_cache *cache;

    assert_err(sc_cache_new(NULL, &(sc_cache_opts){.max_loads = -1}, &cache, &reason), SC_EINVAL);
    assert_non_null(strstr(reason.text, "negative"));
}
