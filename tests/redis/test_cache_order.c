/* cache/: no older value is stored or given after a change */
#include <sched.h>

#include "support/cache_fixture.h"
#include "support/test.h"

/* Each is done while a load of the key is under way; the load must not store what it made. */
static void does_not_resurrect(void (*change)(struct cache_fixture *f), const char *after)
{
    struct cache_source old = CACHE_SOURCE("old");
    struct cache_call caller;
    struct cache_fixture f;

    cache_fixture_start(&f);
    cache_source_close(&old);
    cache_call_start(&caller, f.cache, &old);
    cache_source_wait(&old, 1);

    change(&f);
    cache_source_open(&old);
    cache_call_end(&caller);

    assert_ok(caller.err);
    assert_slice(caller.value.bytes, "old");
    sc_cache_value_release(&caller.value);
    if (after)
        cache_assert_hit(f.cache, SC_S("k"), sc_slice_of(after));
    else
        cache_assert_miss(f.cache, SC_S("k"));
    cache_fixture_stop(&f);
}

static void delete_here(struct cache_fixture *f)
{
    bool removed;

    assert_ok(sc_cache_del(f->cache, SC_S("k"), &removed));
    assert_false(removed); /* a lease is no value */
}

static void delete_elsewhere(struct cache_fixture *f)
{
    assert_string_equal(test_redis(&f->server, "DEL k"), "1");
}

static void delete_by_pattern(struct cache_fixture *f)
{
    int64_t removed;

    assert_ok(sc_cache_del_pattern(f->cache, SC_S("k*"), NULL, &removed));
    assert_int_equal(removed, 0);
}

static void set_here(struct cache_fixture *f)
{
    assert_ok(sc_cache_set(f->cache, SC_S("k"), SC_S("new"), 60000));
}

static void set_elsewhere(struct cache_fixture *f)
{
    test_redis(&f->server, "SET k new");
}

static void flush_all(struct cache_fixture *f)
{
    test_redis(&f->server, "FLUSHALL");
}

TEST(a_delete_here_is_not_undone_by_a_load)
{
    does_not_resurrect(delete_here, NULL);
}

TEST(a_delete_elsewhere_is_not_undone_by_a_load)
{
    does_not_resurrect(delete_elsewhere, NULL);
}

TEST(a_delete_by_pattern_is_not_undone_by_a_load)
{
    does_not_resurrect(delete_by_pattern, NULL);
}

TEST(a_value_set_here_is_not_overwritten_by_a_load)
{
    does_not_resurrect(set_here, "new");
}

TEST(a_value_set_elsewhere_is_not_overwritten_by_a_load)
{
    does_not_resurrect(set_elsewhere, "new");
}

TEST(an_emptied_server_stays_empty_of_what_was_being_loaded)
{
    does_not_resurrect(flush_all, NULL);
}

/* Who asks after a delete must not get the value of a load that began before it. */
static void gets_a_new_load(void (*change)(struct cache_fixture *f))
{
    struct cache_source old = CACHE_SOURCE("old"), now = CACHE_SOURCE("new");
    struct cache_call caller;
    sc_cache_value value;
    struct cache_fixture f;

    cache_fixture_start(&f);
    cache_source_close(&old);
    cache_call_start(&caller, f.cache, &old);
    cache_source_wait(&old, 1);

    change(&f);
    assert_ok(sc_cache_get_or_set(f.cache, SC_S("k"), 60000, cache_load, &now, &value));
    assert_slice(value.bytes, "new");
    sc_cache_value_release(&value);
    cache_source_open(&old);
    cache_call_end(&caller);

    assert_slice(caller.value.bytes, "old");
    sc_cache_value_release(&caller.value);
    cache_assert_hit(f.cache, SC_S("k"), SC_S("new"));
    cache_fixture_stop(&f);
}

TEST(who_asks_after_a_delete_here_waits_for_no_older_load)
{
    gets_a_new_load(delete_here);
}

TEST(who_asks_after_a_delete_elsewhere_waits_for_no_older_load)
{
    gets_a_new_load(delete_elsewhere);
}

TEST(another_caches_load_is_left_to_store_its_value)
{
    struct cache_source first = CACHE_SOURCE("first"), second = CACHE_SOURCE("second");
    struct cache_call caller;
    sc_cache_value value;
    struct cache_fixture f;
    sc_cache *other;

    cache_fixture_start(&f);
    assert_ok(
        sc_cache_new(f.client, &(sc_cache_opts){.timeout_ms = 10000, .wait_ms = 1}, &other, NULL));
    cache_source_close(&first);
    cache_call_start(&caller, f.cache, &first);
    cache_source_wait(&first, 1);

    assert_ok(sc_cache_get_or_set(other, SC_S("k"), 60000, cache_load, &second, &value));
    assert_slice(value.bytes, "second");
    sc_cache_value_release(&value);
    cache_assert_miss(other, SC_S("k"));
    cache_source_open(&first);
    cache_call_end(&caller);

    sc_cache_value_release(&caller.value);
    cache_assert_hit(other, SC_S("k"), SC_S("first"));
    sc_cache_free(other);
    cache_fixture_stop(&f);
}

/* Threads read and write one key through two caches on two connections, as two processes would. */
struct world {
    sc_cache *caches[2];
    pthread_mutex_t mutex;
    int64_t version; /* the source: goes up with each write */
    int older;       /* values older than the write that was over when they were asked for */
};

static sc_err load_version(sc_cache_load *out, sc_slice key, void *user)
{
    struct world *w = user;
    char text[32];
    int64_t version;

    (void)key;
    pthread_mutex_lock(&w->mutex);
    version = w->version;
    pthread_mutex_unlock(&w->mutex);
    sched_yield();
    snprintf(text, sizeof(text), "%lld", (long long)version);
    return sc_cache_load_set(out, sc_slice_of(text));
}

static void expect_version(struct world *w, int cache, int64_t at_least)
{
    sc_cache_value value;

    if (sc_cache_get_or_set(w->caches[cache], SC_S("k"), 60000, load_version, w, &value))
        abort();
    if (atoll(value.bytes.ptr) < at_least)
        __atomic_fetch_add(&w->older, 1, __ATOMIC_RELAXED);
    sc_cache_value_release(&value);
}

static void *read_versions(void *arg)
{
    for (int i = 0; i < 1000; i++)
        expect_version(arg, i % 2, 0);
    return NULL;
}

static void *write_versions(void *arg)
{
    struct world *w = arg;
    int64_t mine;

    for (int i = 0; i < 300; i++) {
        pthread_mutex_lock(&w->mutex);
        mine = ++w->version;
        pthread_mutex_unlock(&w->mutex);
        if (sc_cache_del(w->caches[i % 2], SC_S("k"), NULL))
            abort();
        expect_version(w, i / 2 % 2, mine);
    }
    return NULL;
}

TEST_LIMIT(no_read_after_a_delete_sees_an_older_value, 60)
{
    struct world w = {.mutex = PTHREAD_MUTEX_INITIALIZER};
    pthread_t threads[8];
    sc_client *second;
    struct cache_fixture f;

    cache_fixture_start(&f);
    second = test_server_client(&f.server);
    w.caches[0] = f.cache;
    assert_ok(sc_cache_new(second, &(sc_cache_opts){.timeout_ms = 10000}, &w.caches[1], NULL));
    for (int i = 0; i < 8; i++)
        pthread_create(&threads[i], NULL, i < 4 ? read_versions : write_versions, &w);
    for (int i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);

    assert_int_equal(w.older, 0);
    expect_version(&w, 0, w.version);
    expect_version(&w, 1, w.version);
    assert_int_equal(w.older, 0);
    sc_cache_free(w.caches[1]);
    sc_client_free(second);
    cache_fixture_stop(&f);
}
