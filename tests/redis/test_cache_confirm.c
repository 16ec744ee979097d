/* cache/confirm.c: values that are held are given when the server has said that they still hold */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "support/cache_fixture.h"
#include "support/test.h"

static const char *const tags[] = {"t", NULL};
static const sc_cache_def def = {
    .ttl_ms = 60000, .negative_ttl_ms = 60000, .load = cache_load, .tags = tags};

static sc_cache *confirming(struct cache_fixture *f, int64_t timeout_ms)
{
    const sc_cache_opts opts = {
        .timeout_ms = timeout_ms, .near_bytes = 1024 * 1024, .near_confirms = true};
    sc_cache *cache;

    assert_ok(sc_cache_new(f->client, &opts, &cache, NULL));
    return cache;
}

/* The server tells us of our own write, too; so it isn't always the second read that is held. */
static void hold(sc_cache *cache, const char *key, struct cache_source *source)
{
    wait_until(cache_expect(cache, &def, key, source, source->value).source == SC_CACHE_NEAR);
}

TEST(what_is_held_costs_a_question_and_no_read)
{
    struct cache_source source = CACHE_SOURCE("v");
    struct cache_fixture f;
    sc_cache *cache;
    char room[8];
    size_t len;

    cache_fixture_start(&f);
    cache = confirming(&f, 10000);
    hold(cache, "k", &source);
    test_redis(&f.server, "CONFIG RESETSTAT");
    for (int i = 1; i <= 3; i++) {
        assert_int_equal(cache_expect(cache, &def, "k", &source, "v").source, SC_CACHE_NEAR);
        assert_int_equal(cache_calls(&f.server, "ping"), i);
    }
    assert_int_equal(cache_calls(&f.server, "get") + cache_calls(&f.server, "mget"), 0);
    assert_false(sc_cache_try_copy(cache, SC_S("k"), room, sizeof(room), &len));

    cache_expect(cache, &def, "another", &source, "v");
    assert_int_equal(cache_calls(&f.server, "ping"), 3); /* what isn't held is not asked about */
    sc_cache_free(cache);
    cache_fixture_stop(&f);
}

TEST(keys_of_one_call_are_confirmed_together)
{
    enum { COUNT = 100 };
    struct cache_source source = CACHE_SOURCE("v");
    static char texts[COUNT][8];
    sc_cache_value values[COUNT];
    sc_slice keys[COUNT];
    sc_err errs[COUNT];
    struct cache_fixture f;
    sc_cache *cache;

    cache_fixture_start(&f);
    cache = confirming(&f, 10000);
    for (int i = 0; i < COUNT; i++) {
        snprintf(texts[i], sizeof(texts[i]), "k%d", i);
        keys[i] = sc_slice_of(texts[i]);
        hold(cache, texts[i], &source);
    }
    test_redis(&f.server, "CONFIG RESETSTAT");
    assert_ok(sc_cache_get_many(cache, keys, COUNT, values));
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(values[i].source, SC_CACHE_NEAR);
        sc_cache_value_release(&values[i]);
    }
    assert_ok(sc_cache_fetch_many(cache, &def, keys, COUNT, &source, values, errs));
    for (int i = 0; i < COUNT; i++) {
        assert_ok(errs[i]);
        assert_int_equal(values[i].source, SC_CACHE_NEAR);
        sc_cache_value_release(&values[i]);
    }
    assert_int_equal(cache_calls(&f.server, "ping"), 2);
    sc_cache_free(cache);
    cache_fixture_stop(&f);
}

/* Another process writes, and is answered; then it is read here at once. */
TEST(a_write_elsewhere_is_seen_by_the_very_next_read)
{
    static const sc_cache_def plain = {.ttl_ms = 60000, .load = cache_load};
    struct cache_source source = CACHE_SOURCE("0");
    struct cache_fixture f;
    sc_cache *cache;
    char text[16];

    cache_fixture_start(&f);
    cache = confirming(&f, 10000);
    for (int i = 0; i < 500; i++) {
        snprintf(text, sizeof(text), "%d", i);
        assert_ok(sc_cache_set(f.other, SC_S("k"), sc_slice_of(text), 60000));
        for (int n = 0; n < 3; n++) /* from Redis, then from memory */
            cache_expect(cache, &plain, "k", &source, text);
        if (i % 2) {
            source.value = text;
            assert_ok(sc_cache_del(f.other, SC_S("k"), NULL));
            cache_expect(cache, &plain, "k", &source, text);
        }
    }
    sc_cache_free(cache);
    cache_fixture_stop(&f);
}

struct crowd {
    sc_cache *cache;
    struct cache_source *source;
    atomic_int ready, near;
};

enum { THREADS = 16, READS = 200 };

static void *read_on(void *arg)
{
    struct crowd *crowd = arg;

    atomic_fetch_add(&crowd->ready, 1);
    wait_until(atomic_load(&crowd->ready) == THREADS);
    for (int i = 0; i < READS; i++)
        atomic_fetch_add(&crowd->near,
                         cache_expect(crowd->cache, &def, "k", crowd->source, "v").source ==
                             SC_CACHE_NEAR);
    return NULL;
}

TEST(many_readers_share_a_question)
{
    struct cache_source source = CACHE_SOURCE("v");
    struct crowd crowd = {.source = &source};
    pthread_t threads[THREADS];
    struct cache_fixture f;

    cache_fixture_start(&f);
    crowd.cache = confirming(&f, 10000);
    hold(crowd.cache, "k", &source);
    test_redis(&f.server, "CONFIG RESETSTAT");
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_on, &crowd), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(crowd.near, THREADS * READS);
    assert_true(cache_calls(&f.server, "ping") < THREADS * READS / 2);
    sc_cache_free(crowd.cache);
    cache_fixture_stop(&f);
}

/* Whether Redis is not waited for a second time, for the question took all the time there was. False, too, when a second passed before: then
 * it would not ask. */
static bool asks_in_vain_and_loads(void)
{
    enum { TIMEOUT_MS = 500 };
    struct cache_source source = CACHE_SOURCE("old");
    struct cache_fixture f;
    sc_cache *cache;
    bool has_asked;

    cache_fixture_start(&f);
    cache = confirming(&f, TIMEOUT_MS);
    hold(cache, "k", &source);
    test_redis(&f.server, "CONFIG RESETSTAT");
    kill(f.server.pid, SIGSTOP);
    source.value = "new";
    assert_int_equal(cache_expect(cache, &def, "k", &source, "new").source, SC_CACHE_MISS);
    kill(f.server.pid, SIGCONT);
    wait_until(cache_calls(&f.server, "ping") + cache_calls(&f.server, "get") +
               cache_calls(&f.server, "mget"));
    has_asked = cache_calls(&f.server, "ping") == 1 &&
                !(cache_calls(&f.server, "get") + cache_calls(&f.server, "mget"));
    sc_cache_free(cache);
    cache_fixture_stop(&f);
    return has_asked;
}

TEST(without_an_answer_nothing_that_is_held_is_given)
{
    bool has_asked = false;

    for (int i = 0; i < 5 && !has_asked; i++)
        has_asked = asks_in_vain_and_loads();
    assert_true(has_asked);
}

struct answer {
    atomic_int count;
    sc_cache_source source;
};

static void on_value(void *user, sc_err err, const sc_cache_value *value)
{
    struct answer *answer = user;

    assert_ok(err);
    answer->source = value->source;
    atomic_fetch_add(&answer->count, 1);
}

TEST(a_call_that_must_not_wait_does_not_wait_for_the_answer)
{
    struct cache_source source = CACHE_SOURCE("v");
    struct answer answer = {0};
    struct cache_fixture f;
    sc_cache *cache;

    cache_fixture_start(&f);
    cache = confirming(&f, 600000);
    hold(cache, "k", &source);
    kill(f.server.pid, SIGSTOP); /* it would wait for ten minutes */
    assert_ok(sc_cache_get_async(cache, SC_S("k"), on_value, &answer));
    kill(f.server.pid, SIGCONT);
    wait_until(atomic_load(&answer.count) == 1);
    assert_int_equal(answer.source, SC_CACHE_HIT);
    sc_cache_free(cache);
    cache_fixture_stop(&f);
}
