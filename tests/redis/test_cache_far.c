/* The cache where Redis is far: two answers do not fit into the time that a call may wait for it. */
#include "cache/handle.h"

#include "support/cache_fixture.h"
#include "support/fleet.h"
#include "support/test.h"

enum { YEAR_US = 365LL * 86400 * 1000000 / 1000, CALLERS = 20 };

static void make_far(sc_cache *cache)
{
    atomic_store(&cache->pace.answer_us, YEAR_US);
    assert_true(sc__cache_is_far(cache));
}

static void set_up(struct cache_fixture *f)
{
    cache_fixture_start(f);
    make_far(f->cache);
    make_far(f->other);
}

static const sc_cache_def def = {.ttl_ms = 60000, .load = cache_load};

static void expect(sc_cache *cache, const sc_cache_def *d, struct cache_source *source,
                   sc_cache_source from, const char *text)
{
    sc_cache_value value = cache_expect(cache, d, "k", source, text);

    assert_int_equal(value.source, from);
    sc_cache_value_release(&value);
}

TEST(one_command_stands_before_a_load_and_one_before_a_hit)
{
    struct cache_source source = CACHE_SOURCE("v");
    struct cache_fixture f;
    long scripts;

    set_up(&f);
    expect(f.cache, &def, &source, SC_CACHE_MISS, "v"); /* loads the scripts, too */
    wait_until(atomic_load(&f.cache->count.sets) == 1);
    test_redis(&f.server, "DEL k");
    test_redis(&f.server, "CONFIG RESETSTAT");
    expect(f.cache, &def, &source, SC_CACHE_MISS, "v");
    wait_until(cache_calls(&f.server, "evalsha") == 2); /* its storing is not waited for */
    wait_until(atomic_load(&f.cache->count.sets) == 2);
    expect(f.other, &def, &source, SC_CACHE_HIT, "v");
    scripts = cache_calls(&f.server, "evalsha");
    expect(f.cache, &def, &source, SC_CACHE_HIT, "v");
    assert_int_equal(cache_calls(&f.server, "evalsha"), scripts + 1);
    assert_int_equal(source.loads, 2);
    cache_fixture_stop(&f);
}

TEST(a_plain_value_is_looked_at_and_stored_without_waiting)
{
    const sc_cache_def plain = {.ttl_ms = 60000, .load = cache_load, .plain = true};
    struct cache_source source = CACHE_SOURCE("v");
    struct cache_fixture f;

    set_up(&f);
    expect(f.cache, &plain, &source, SC_CACHE_MISS, "v");
    wait_until(strcmp(test_redis(&f.server, "GET k"), "v") == 0);
    wait_until(atomic_load(&f.cache->count.sets) == 1);
    expect(f.other, &plain, &source, SC_CACHE_HIT, "v");
    cache_fixture_stop(&f);
}

TEST(a_value_past_its_soft_ttl_is_given_and_renewed_behind)
{
    const sc_cache_def soft = {.ttl_ms = 60000, .soft_ttl_ms = 1, .load = cache_load};
    struct cache_source source = CACHE_SOURCE("v1");
    struct cache_fixture f;

    set_up(&f);
    expect(f.cache, &soft, &source, SC_CACHE_MISS, "v1");
    wait_until(atomic_load(&f.cache->count.sets) == 1);
    cache_source_set(&source, "v2");
    make_far(f.other);
    expect(f.other, &soft, &source, SC_CACHE_HIT, "v1");
    wait_until(atomic_load(&f.other->count.renewals) == 1);
    assert_int_equal(cache_source_loads(&source), 2);
    cache_fixture_stop(&f);
}

TEST(there_is_no_such_thing_and_a_kept_failure_are_found)
{
    const sc_cache_def keeps = {
        .ttl_ms = 60000, .negative_ttl_ms = 60000, .error_ttl_ms = 60000, .load = cache_load};
    struct cache_source source = CACHE_SOURCE(NULL);
    struct cache_fixture f;
    sc_cache_value value;

    set_up(&f);
    expect(f.cache, &keeps, &source, SC_CACHE_MISS, "");
    wait_until(atomic_load(&f.cache->count.sets) == 1);
    expect(f.other, &keeps, &source, SC_CACHE_HIT, "");
    assert_ok(sc_cache_del(f.cache, SC_S("k"), NULL));
    source.err = SC_EIO;
    assert_err(sc_cache_fetch(f.cache, &keeps, SC_S("k"), &source, &value), SC_EIO);
    assert_int_equal(source.loads, 2);
    wait_until(strcmp(test_redis(&f.server, "EXISTS k"), "1") == 0);
    assert_err(sc_cache_fetch(f.other, &keeps, SC_S("k"), &source, &value), SC_EIO);
    assert_int_equal(source.loads, 2);
    cache_fixture_stop(&f);
}

struct caller {
    struct cache_fixture *f;
    struct cache_source *source;
    int number;
};

static void *call(void *arg)
{
    const struct caller *c = arg;
    sc_cache_value value;

    value = cache_expect(c->number % 2 ? c->f->cache : c->f->other, &def, "k", c->source, "v");
    sc_cache_value_release(&value);
    return NULL;
}

TEST(all_callers_of_two_processes_share_one_load)
{
    struct cache_source source = CACHE_SOURCE("v");
    struct caller callers[CALLERS];
    pthread_t threads[CALLERS];
    struct cache_fixture f;

    set_up(&f);
    cache_source_close(&source);
    for (int i = 0; i < CALLERS; i++) {
        callers[i] = (struct caller){&f, &source, i};
        assert_int_equal(pthread_create(&threads[i], NULL, call, &callers[i]), 0);
    }
    cache_source_wait(&source, 1);
    wait_until(
        atomic_load(&f.cache->count.lease_waits) + atomic_load(&f.other->count.lease_waits) == 1);
    cache_source_open(&source);
    for (int i = 0; i < CALLERS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(source.loads, 1);
    cache_fixture_stop(&f);
}

struct asking {
    struct cache_fixture *f;
    struct cache_source *source;
};

static void *ask(void *arg)
{
    struct asking *a = arg;
    sc_cache_value value = cache_expect(a->f->cache, &def, "k", a->source, "old");

    sc_cache_value_release(&value);
    return NULL;
}

TEST(who_asks_after_a_delete_elsewhere_waits_for_no_older_load)
{
    struct cache_source old = CACHE_SOURCE("old"), new = CACHE_SOURCE("new");
    struct cache_fixture f;
    struct asking asking = {&f, &old};
    pthread_t thread;

    set_up(&f);
    cache_source_close(&old);
    assert_int_equal(pthread_create(&thread, NULL, ask, &asking), 0);
    cache_source_wait(&old, 1);
    assert_ok(sc_cache_del(f.other, SC_S("k"), NULL));
    expect(f.cache, &def, &new, SC_CACHE_MISS, "new");
    cache_source_open(&old);
    pthread_join(thread, NULL);
    wait_until(atomic_load(&f.cache->count.sets) == 1);
    expect(f.other, &def, &new, SC_CACHE_HIT, "new");
    cache_fixture_stop(&f);
}

TEST(a_key_of_another_type_is_left_alone_and_stops_no_other_value)
{
    struct cache_source source = CACHE_SOURCE("v");
    struct cache_fixture f;

    set_up(&f);
    test_redis(&f.server, "LPUSH k x");
    expect(f.cache, &def, &source, SC_CACHE_MISS, "v");
    assert_true(sc__health_is_well(&f.cache->health));
    assert_string_equal(test_redis(&f.server, "LRANGE k 0 -1"), "x");
    cache_fixture_stop(&f);
}

TEST(a_hit_is_held_in_the_near_cache)
{
    const sc_cache_opts opts = {.timeout_ms = 10000, .near_bytes = 1 << 20};
    struct cache_source source = CACHE_SOURCE("v");
    struct cache_fixture f;
    sc_cache *near;

    set_up(&f);
    assert_ok(sc_cache_new(f.client, &opts, &near, NULL));
    expect(f.cache, &def, &source, SC_CACHE_MISS, "v");
    wait_until(atomic_load(&f.cache->count.sets) == 1);
    make_far(near);
    expect(near, &def, &source, SC_CACHE_HIT, "v");
    expect(near, &def, &source, SC_CACHE_NEAR, "v");
    sc_cache_free(near);
    cache_fixture_stop(&f);
}

TEST(an_answer_that_comes_at_once_makes_it_near_again)
{
    struct cache_source source = CACHE_SOURCE("v");
    struct cache_fixture f;

    cache_fixture_start(&f);
    atomic_store(&f.cache->pace.answer_us, f.cache->opts.timeout_ms * 600);
    assert_true(sc__cache_is_far(f.cache));
    for (int i = 0; i < 8; i++) {
        sc_cache_value value = cache_expect(f.cache, &def, "k", &source, "v");

        sc_cache_value_release(&value);
    }
    assert_false(sc__cache_is_far(f.cache));
    cache_fixture_stop(&f);
}

static sc_err load_many(sc_cache_load *const *loads, const sc_slice *keys, size_t count, void *user)
{
    sc_err err = SC_OK;

    *(int *)user += (int)count;
    for (size_t i = 0; i < count && !err; i++)
        err = sc_cache_load_set(loads[i], keys[i]);
    return err;
}

static void fetch_many(sc_cache *cache, int *loads, sc_cache_source from)
{
    const sc_cache_def many = {.ttl_ms = 60000, .load_many = load_many};
    const sc_slice keys[] = {SC_S("a"), SC_S("b"), SC_S("c")};
    sc_cache_value values[3];
    sc_err errs[3];

    assert_ok(sc_cache_fetch_many(cache, &many, keys, 3, loads, values, errs));
    for (int i = 0; i < 3; i++) {
        assert_ok(errs[i]);
        assert_true(sc_slice_eq(values[i].bytes, keys[i]));
        assert_int_equal(values[i].source, from);
        sc_cache_value_release(&values[i]);
    }
}

TEST(many_values_are_stored_without_waiting)
{
    struct cache_fixture f;
    int loads = 0;

    set_up(&f);
    fetch_many(f.cache, &loads, SC_CACHE_MISS);
    wait_until(atomic_load(&f.cache->count.sets) == 3);
    fetch_many(f.other, &loads, SC_CACHE_HIT);
    assert_int_equal(loads, 3);
    cache_fixture_stop(&f);
}
