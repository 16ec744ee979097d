/* cache/tier: values held in this process, and when they are not given */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include <storychain/cache.h>

#include "base/clock.h"
#include "support/cache_fixture.h"
#include "support/test.h"

enum { NEAR_BYTES = 1024 * 1024, PATIENT_MS = 10000 };

static const char *const tags[] = {"t", NULL};
static const sc_cache_def tagged = {.ttl_ms = 60000, .tags = tags};
static const sc_cache_opts near_opts = {.timeout_ms = PATIENT_MS, .near_bytes = NEAR_BYTES};

/* Two caches that hold values, as two processes would. */
struct fixture {
    struct test_server server;
    sc_client *client;
    sc_cache *cache, *other;
};

static void set_up_args(struct fixture *f, const char *const *args, const sc_cache_opts *opts)
{
    *f = (struct fixture){0};
    test_server_start_args(&f->server, args);
    f->client = test_server_client(&f->server);
    assert_ok(sc_cache_new(f->client, opts, &f->cache, NULL));
    assert_ok(sc_cache_new(f->client, opts, &f->other, NULL));
}

static void set_up(struct fixture *f)
{
    set_up_args(f, NULL, &near_opts);
}

static void tear_down(struct fixture *f)
{
    sc_cache_free(f->other);
    sc_cache_free(f->cache);
    sc_client_free(f->client);
    test_server_kill(&f->server, SIGKILL);
}

/* From where a get has its value ("": a miss). */
static sc_cache_source get(sc_cache *cache, const char *key, const char *expected)
{
    sc_cache_value value;
    sc_cache_source source;

    assert_ok(sc_cache_get(cache, sc_slice_of(key), &value));
    assert_slice(value.bytes, expected);
    source = value.source;
    sc_cache_value_release(&value);
    return source;
}

/* Reads until the value is held. */
static void hold(sc_cache *cache, const char *key, const char *expected)
{
    wait_until(get(cache, key, expected) == SC_CACHE_NEAR);
}

static void set(sc_cache *cache, const char *key, const char *value)
{
    assert_ok(sc_cache_set(cache, sc_slice_of(key), sc_slice_of(value), 60000));
}

static bool is_held(sc_cache *cache, const char *key)
{
    sc_cache_value value;
    bool held;

    assert_ok(sc_cache_get(cache, sc_slice_of(key), &value));
    held = value.source == SC_CACHE_NEAR;
    sc_cache_value_release(&value);
    return held;
}

TEST(a_value_is_read_once_and_then_costs_no_command)
{
    sc_cache_value value;
    sc_cache_stats stats;
    struct fixture f;
    long before;

    set_up(&f);
    set(f.cache, "k", "v");
    assert_int_equal(get(f.other, "k", "v"), SC_CACHE_HIT);
    before = cache_calls(&f.server, "get");
    for (int i = 0; i < 100; i++)
        assert_int_equal(get(f.other, "k", "v"), SC_CACHE_NEAR);
    assert_int_equal(cache_calls(&f.server, "get"), before);
    assert_int_equal(before, 1);

    /* A value stays as it is while it is kept, whatever becomes of the key. */
    assert_ok(sc_cache_get(f.other, SC_S("k"), &value));
    assert_in_range(value.age_ms, 0, 60000);
    set(f.other, "k", "w");
    assert_slice(value.bytes, "v");
    sc_cache_value_release(&value);
    sc_cache_stats_get(f.other, &stats);
    assert_int_equal(stats.near_hits, 101);
    assert_int_equal(stats.hits, 1);
    tear_down(&f);
}

TEST(get_or_set_gives_what_is_held)
{
    struct cache_source source = CACHE_SOURCE("v");
    static const sc_cache_def def = {.ttl_ms = 60000, .load = cache_load};
    struct fixture f;
    sc_cache_value value;

    set_up(&f);
    value = cache_expect(f.cache, &def, "k", &source, "v");
    assert_int_equal(value.source, SC_CACHE_MISS);
    value = cache_expect(f.cache, &def, "k", &source, "v");
    assert_int_equal(value.source, SC_CACHE_HIT);
    wait_until(cache_expect(f.cache, &def, "k", &source, "v").source == SC_CACHE_NEAR);
    assert_int_equal(source.loads, 1);
    tear_down(&f);
}

TEST(there_is_no_such_thing_is_held_too)
{
    static const sc_cache_def def = {.ttl_ms = 60000, .negative_ttl_ms = 60000, .load = cache_load};
    struct cache_source source = CACHE_SOURCE(NULL);
    struct fixture f;
    sc_cache_value value;

    set_up(&f);
    do
        value = cache_expect(f.cache, &def, "k", &source, "");
    while (value.source != SC_CACHE_NEAR);
    assert_true(value.none);
    assert_int_equal(source.loads, 1);
    tear_down(&f);
}

static bool gives(sc_cache *cache, const char *key, const char *expected)
{
    sc_cache_value value;
    bool same;

    assert_ok(sc_cache_get(cache, sc_slice_of(key), &value));
    same = sc_slice_eq(value.bytes, sc_slice_of(expected));
    sc_cache_value_release(&value);
    return same;
}

static void change(struct fixture *f, const char *command, const char *then)
{
    hold(f->cache, "k", "v");
    test_redis(&f->server, command);
    wait_until(gives(f->cache, "k", then));
    set(f->cache, "k", "v");
}

TEST(a_change_by_anybody_is_told)
{
    struct fixture f;

    set_up(&f);
    set(f.cache, "k", "v");
    change(&f, "SET k w", "w");
    change(&f, "DEL k", "");
    change(&f, "FLUSHALL", "");
    change(&f, "PEXPIRE k 1", "");
    tear_down(&f);
}

TEST(who_wrote_sees_it_at_once)
{
    const sc_slice tag = SC_S("t");
    struct fixture f;

    set_up(&f);
    for (int i = 0; i < 100; i++) {
        set(f.cache, "k", "v");
        hold(f.cache, "k", "v");
        set(f.cache, "k", "w");
        get(f.cache, "k", "w");

        hold(f.cache, "k", "w");
        assert_ok(sc_cache_del(f.cache, SC_S("k"), NULL));
        get(f.cache, "k", "");

        assert_ok(sc_cache_store(f.cache, &tagged, SC_S("k"), SC_S("x")));
        hold(f.cache, "k", "x");
        assert_ok(sc_cache_del_tags(f.cache, &tag, 1));
        get(f.cache, "k", "");

        set(f.cache, "k", "y");
        hold(f.cache, "k", "y");
        assert_ok(sc_cache_del_pattern(f.cache, SC_S("k*"), NULL, NULL));
        get(f.cache, "k", "");
    }
    tear_down(&f);
}

TEST(tags_of_what_is_held_are_told_of)
{
    const sc_slice tag = SC_S("t");
    struct fixture f;
    long before;

    set_up(&f);
    assert_ok(sc_cache_store(f.cache, &tagged, SC_S("a"), SC_S("v")));
    assert_ok(sc_cache_store(f.cache, &tagged, SC_S("b"), SC_S("v")));
    hold(f.other, "a", "v");
    hold(f.other, "b", "v");
    before = cache_calls(&f.server, "get") + cache_calls(&f.server, "mget");
    hold(f.other, "a", "v");
    assert_int_equal(cache_calls(&f.server, "get") + cache_calls(&f.server, "mget"), before);

    assert_ok(sc_cache_del_tags(f.cache, &tag, 1));
    wait_until(!is_held(f.other, "a"));
    get(f.other, "a", "");
    get(f.other, "b", "");

    /* A new value of the same tag is held again. */
    assert_ok(sc_cache_store(f.cache, &tagged, SC_S("a"), SC_S("w")));
    hold(f.other, "a", "w");
    tear_down(&f);
}

TEST(a_value_of_a_definition_is_held_for_those_without_one)
{
    static const sc_cache_def other = {.ttl_ms = 60000, .load = cache_load};
    static const sc_cache_def with_tags = {.ttl_ms = 60000, .tags = tags, .load = cache_load};
    struct cache_source source = CACHE_SOURCE("v");
    struct fixture f;

    set_up(&f);
    wait_until(cache_expect(f.cache, &with_tags, "k", &source, "v").source == SC_CACHE_NEAR);
    assert_int_equal(get(f.cache, "k", "v"), SC_CACHE_NEAR);
    assert_int_equal(cache_expect(f.cache, &other, "k", &source, "v").source, SC_CACHE_NEAR);

    /* The other way round it is not known whether the tag has been deleted. */
    assert_ok(sc_cache_store(f.cache, &other, SC_S("j"), SC_S("v")));
    hold(f.cache, "j", "v");
    assert_int_not_equal(cache_expect(f.cache, &with_tags, "j", &source, "v").source,
                         SC_CACHE_NEAR);
    tear_down(&f);
}

TEST(what_is_held_ends_in_its_time)
{
    struct fixture f;

    set_up(&f);
    set(f.cache, "k", "v");
    hold(f.cache, "k", "v");
    sc__clock_shift(
        61000); /* ours alone, but the server's is told from it until it is asked again */
    assert_int_not_equal(get(f.cache, "k", "v"), SC_CACHE_NEAR);
    tear_down(&f);
}

TEST(a_full_table_of_the_server_is_told)
{
    static const char *const args[] = {"--tracking-table-max-keys", "100", NULL};
    struct fixture f;
    char key[16];

    set_up_args(&f, args, &near_opts);
    for (int i = 0; i < 1000; i++) {
        snprintf(key, sizeof(key), "k%d", i);
        set(f.cache, key, "v");
        get(f.other, key, "v");
    }
    for (int i = 0; i < 1000; i++) {
        snprintf(key, sizeof(key), "k%d", i);
        assert_ok(sc_cache_del(f.cache, sc_slice_of(key), NULL));
        wait_until(!is_held(f.other, key));
    }
    tear_down(&f);
}

TEST(the_loss_of_the_connection_drops_all)
{
    struct fixture f;
    sc_cache_stats stats;

    set_up(&f);
    set(f.cache, "k", "v");
    hold(f.cache, "k", "v");
    test_redis(&f.server, "CLIENT KILL TYPE normal");
    test_redis(&f.server, "SET k w"); /* told to nobody */
    wait_until(!is_held(f.cache, "k"));
    get(f.cache, "k", "w");
    hold(f.cache, "k", "w");
    sc_cache_stats_get(f.cache, &stats);
    assert_true(stats.near_bytes <= NEAR_BYTES);
    tear_down(&f);
}

TEST(a_user_who_may_not_track_holds_nothing)
{
    sc_client_opts client_opts = {0};
    struct fixture f;
    sc_client *client;
    sc_cache *cache;
    char url[160];

    set_up(&f);
    test_redis(&f.server, "ACL SETUSER plain on >secret ~* +@all -client");
    snprintf(url, sizeof(url), "unix://plain:secret@%s", f.server.socket);
    client_opts.url = url;
    assert_ok(sc_client_new(&client_opts, &client, NULL));
    assert_ok(sc_cache_new(client, &near_opts, &cache, NULL));
    set(cache, "k", "v");
    for (int i = 0; i < 3; i++)
        assert_int_equal(get(cache, "k", "v"), SC_CACHE_HIT);
    sc_cache_free(cache);
    sc_client_free(client);
    tear_down(&f);
}

/* Many threads write their own keys and read what they wrote, while others read all keys all the time. */
enum { WRITERS = 4, KEYS = 8 };

struct crowd {
    sc_cache *cache;
    long pairs; /* of each writer */
    atomic_long stale;
    atomic_bool over;
};

struct writer {
    struct crowd *crowd;
    int number;
};

static void *read_all(void *arg)
{
    struct crowd *crowd = arg;
    sc_cache_value value;
    char key[32];

    for (unsigned i = 0; !atomic_load(&crowd->over); i++) {
        snprintf(key, sizeof(key), "w%u:%u", i % WRITERS, i / WRITERS % KEYS);
        if (sc_cache_get(crowd->cache, sc_slice_of(key), &value) == SC_OK)
            sc_cache_value_release(&value);
    }
    return NULL;
}

static void *write_and_read(void *arg)
{
    struct writer *w = arg;
    sc_cache_value value;
    char key[32], text[32];

    for (long i = 0; i < w->crowd->pairs; i++) {
        snprintf(key, sizeof(key), "w%d:%ld", w->number, i % KEYS);
        snprintf(text, sizeof(text), "%ld", i);
        if (sc_cache_set(w->crowd->cache, sc_slice_of(key), sc_slice_of(text), 60000) ||
            sc_cache_get(w->crowd->cache, sc_slice_of(key), &value))
            abort();
        if (!sc_slice_eq(value.bytes, sc_slice_of(text)))
            atomic_fetch_add(&w->crowd->stale, 1);
        sc_cache_value_release(&value);
    }
    return NULL;
}

/* SC_TEST_PAIRS: how many, for a longer run than usual. */
TEST_LIMIT(no_write_of_ones_own_is_ever_missed, 120)
{
    const char *pairs = getenv("SC_TEST_PAIRS");
    struct writer writers[WRITERS];
    pthread_t threads[WRITERS], reader;
    struct crowd crowd = {0};
    struct fixture f;

    set_up(&f);
    crowd.cache = f.cache;
    crowd.pairs = (pairs ? atol(pairs) : 100000) / WRITERS;
    assert_int_equal(pthread_create(&reader, NULL, read_all, &crowd), 0);
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){&crowd, i};
        assert_int_equal(pthread_create(&threads[i], NULL, write_and_read, &writers[i]), 0);
    }
    for (int i = 0; i < WRITERS; i++)
        pthread_join(threads[i], NULL);
    atomic_store(&crowd.over, true);
    pthread_join(reader, NULL);

    assert_int_equal(crowd.stale, 0);
    tear_down(&f);
}
