/* cache/: each function against a real server */
#include <pthread.h>
#include <sched.h>
#include <signal.h>

#include <storychain/cache.h>
#include <storychain/limiter.h>

#include "base/clock.h"
#include "base/mem.h"
#include "ops/cache_envelope.h"
#include "support/server.h"
#include "support/test.h"

struct fixture {
    struct test_server server;
    sc_client *client;
    sc_cache *cache;
};

static void set_up(struct fixture *f)
{
    test_server_start(&f->server);
    f->client = test_server_client(&f->server);
    /* Time enough for a busy machine: these tests are about a server that answers. */
    assert_ok(sc_cache_new(f->client, &(sc_cache_opts){.timeout_ms = 10000}, &f->cache, NULL));
}

static void tear_down(struct fixture *f)
{
    sc_cache_free(f->cache);
    sc_client_free(f->client);
    test_server_kill(&f->server, SIGKILL);
}

/* A loader that counts, waits at a gate if there is one, and gives what it's told. */
struct source {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int loads;
    bool gated; /* loads wait while this is so */
    sc_err err;
    sc_slice value;
    int64_t ttl_ms;  /* -1: says nothing */
    sc_cache *cache; /* to be asked for the same key from inside */
};

#define SOURCE(text)                                                                               \
    {                                                                                              \
        PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, false, SC_OK, SC_S(text), -1, NULL \
    }

static sc_err load(sc_cache_load *out, sc_slice key, void *user)
{
    struct source *source = user;
    sc_err err;

    (void)key;
    pthread_mutex_lock(&source->mutex);
    source->loads++;
    pthread_cond_broadcast(&source->changed);
    while (source->gated)
        pthread_cond_wait(&source->changed, &source->mutex);
    err = source->err;
    pthread_mutex_unlock(&source->mutex);
    if (err)
        return err;
    if (source->ttl_ms >= 0)
        sc_cache_load_ttl(out, source->ttl_ms);
    return sc_cache_load_set(out, source->value);
}

static void wait_for_loads(struct source *source, int loads)
{
    pthread_mutex_lock(&source->mutex);
    while (source->loads < loads)
        pthread_cond_wait(&source->changed, &source->mutex);
    pthread_mutex_unlock(&source->mutex);
}

static void open_gate(struct source *source)
{
    pthread_mutex_lock(&source->mutex);
    source->gated = false;
    pthread_cond_broadcast(&source->changed);
    pthread_mutex_unlock(&source->mutex);
}

/* A get_or_set on a thread of its own. */
struct caller {
    pthread_t thread;
    sc_cache *cache;
    struct source *source;
    sc_err err;
    sc_cache_value value;
};

static void *call(void *arg)
{
    struct caller *caller = arg;

    caller->err =
        sc_cache_get_or_set(caller->cache, SC_S("k"), 60000, load, caller->source, &caller->value);
    return NULL;
}

static void start_call(struct caller *caller, sc_cache *cache, struct source *source)
{
    *caller = (struct caller){.cache = cache, .source = source};
    assert_int_equal(pthread_create(&caller->thread, NULL, call, caller), 0);
}

static void end_call(struct caller *caller)
{
    pthread_join(caller->thread, NULL);
}

static void ignore(void *user, sc_err err, const sc_reply *reply)
{
    (void)user, (void)err, (void)reply;
}

/* Stores prefix:0 … as another program would. */
static void populate(sc_client *client, const char *prefix, int count)
{
    const sc_slice ping = SC_S("PING");
    sc_reply *reply = NULL;

    for (int i = 0; i < count; i++) {
        char key[64];

        snprintf(key, sizeof(key), "%s:%d", prefix, i);
        const sc_slice argv[] = {SC_S("SET"), sc_slice_of(key), SC_S("v")};

        assert_ok(sc_client_call_async(client, argv, 3, ignore, NULL));
    }
    assert_ok(sc_client_call(client, &ping, 1, &reply)); /* when this is answered, all are there */
    sc_reply_free(reply);
}

static void assert_value(sc_cache *cache, sc_slice key, sc_slice bytes)
{
    sc_cache_value value;

    assert_ok(sc_cache_get(cache, key, &value));
    assert_int_equal(value.source, SC_CACHE_HIT);
    assert_int_equal(value.bytes.len, bytes.len);
    if (bytes.len)
        assert_memory_equal(value.bytes.ptr, bytes.ptr, bytes.len);
    assert_int_equal(value.bytes.ptr[bytes.len], 0);
    sc_cache_value_release(&value);
}

static void assert_miss(sc_cache *cache, sc_slice key)
{
    sc_cache_value value;

    assert_ok(sc_cache_get(cache, key, &value));
    assert_int_equal(value.source, SC_CACHE_MISS);
    assert_null(value.bytes.ptr);
    sc_cache_value_release(&value);
}

TEST(a_value_comes_back_as_it_was)
{
    static const char bytes[] = "\xffSC\x01L a lease? no: \0\x01\r\n\xf0";
    const sc_slice values[] = {SC_S(""),      SC_S("null"), SC_S("0"),
                               SC_S("false"), SC_S("\"\""), {bytes, sizeof(bytes)}};
    struct fixture f;

    set_up(&f);
    for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
        assert_ok(sc_cache_set(f.cache, SC_S("a\0b c"), values[i], 60000));
        assert_value(f.cache, SC_S("a\0b c"), values[i]);
    }
    assert_miss(f.cache, SC_S("a"));
    tear_down(&f);
}

TEST(a_large_value_is_stored_whole_and_one_over_the_limit_is_refused)
{
    enum { SIZE = 8 * 1024 * 1024 };
    char *bytes = sc__malloc(SIZE + 1);
    struct fixture f;

    set_up(&f);
    for (size_t i = 0; i <= SIZE; i++)
        bytes[i] = (char)(i * 31 >> 3);
    assert_ok(sc_cache_set(f.cache, SC_S("k"), (sc_slice){bytes, SIZE}, 60000));
    assert_value(f.cache, SC_S("k"), (sc_slice){bytes, SIZE});
    assert_err(sc_cache_set(f.cache, SC_S("k"), (sc_slice){bytes, SIZE + 1}, 60000), SC_ETOOBIG);
    sc_free(bytes);
    tear_down(&f);
}

TEST(a_ttl_is_that_of_redis)
{
    struct fixture f;

    set_up(&f);
    assert_ok(sc_cache_set(f.cache, SC_S("minute"), SC_S("v"), 60000));
    assert_ok(sc_cache_set(f.cache, SC_S("months"), SC_S("v"), (int64_t)100 * 86400 * 1000));
    assert_ok(sc_cache_set(f.cache, SC_S("forever"), SC_S("v"), SC_TTL_FOREVER));
    assert_ok(sc_cache_set(f.cache, SC_S("short"), SC_S("v"), 20));

    assert_in_range(atoll(test_redis(&f.server, "PTTL minute")), 50000, 60000);
    assert_true(atoll(test_redis(&f.server, "PTTL months")) > (int64_t)99 * 86400 * 1000);
    assert_string_equal(test_redis(&f.server, "PTTL forever"), "-1");
    wait_until(strcmp(test_redis(&f.server, "EXISTS short"), "0") == 0);
    assert_miss(f.cache, SC_S("short"));
    tear_down(&f);
}

TEST(a_ttl_of_zero_stores_nothing_and_leaves_nothing)
{
    struct source source = SOURCE("v");
    sc_cache_value value;
    struct fixture f;

    set_up(&f);
    assert_ok(sc_cache_set(f.cache, SC_S("k"), SC_S("old"), 60000));
    assert_ok(sc_cache_set(f.cache, SC_S("k"), SC_S("new"), 0));
    assert_miss(f.cache, SC_S("k"));
    assert_err(sc_cache_set(f.cache, SC_S("k"), SC_S("new"), -1), SC_EINVAL);
    for (int i = 1; i <= 2; i++) {
        assert_ok(sc_cache_get_or_set(f.cache, SC_S("k"), 0, load, &source, &value));
        assert_slice(value.bytes, "v");
        assert_int_equal(source.loads, i);
        sc_cache_value_release(&value);
    }
    /* The lease of the last load is given up behind the answer. */
    wait_until(!strcmp(test_redis(&f.server, "EXISTS k"), "0"));
    tear_down(&f);
}

TEST(exists_and_del_count_values_alone)
{
    const sc_slice keys[] = {SC_S("a"), SC_S("b"), SC_S("none"), SC_S("hash"), SC_S("empty")};
    struct fixture f;
    int64_t removed;
    bool exists, gone;

    set_up(&f);
    assert_ok(sc_cache_set(f.cache, SC_S("a"), SC_S("1"), 60000));
    assert_ok(sc_cache_set(f.cache, SC_S("b"), SC_S("2"), 60000));
    assert_ok(sc_cache_set(f.cache, SC_S("empty"), SC_S(""), 60000));
    test_redis(&f.server, "HSET hash f v");

    assert_ok(sc_cache_exists(f.cache, SC_S("a"), &exists));
    assert_true(exists);
    assert_ok(sc_cache_exists(f.cache, SC_S("empty"), &exists));
    assert_true(exists);
    assert_ok(sc_cache_exists(f.cache, SC_S("none"), &exists));
    assert_false(exists);
    assert_ok(sc_cache_exists(f.cache, SC_S("hash"), &exists));
    assert_false(exists);
    assert_ok(sc_cache_del(f.cache, SC_S("a"), &gone));
    assert_true(gone);
    assert_ok(sc_cache_del(f.cache, SC_S("a"), &gone));
    assert_false(gone);
    assert_ok(sc_cache_del_many(f.cache, keys, 5, &removed));
    assert_int_equal(removed, 3);
    assert_ok(sc_cache_del_many(f.cache, keys, 0, &removed));
    assert_int_equal(removed, 0);
    assert_string_equal(test_redis(&f.server, "DBSIZE"), "0");
    tear_down(&f);
}

TEST(many_keys_are_removed_in_slices)
{
    enum { COUNT = 1234 };
    static char text[COUNT][16];
    static sc_slice keys[COUNT];
    struct fixture f;
    int64_t removed;

    set_up(&f);
    for (int i = 0; i < COUNT; i++) {
        snprintf(text[i], sizeof(text[i]), "key:%d", i);
        keys[i] = sc_slice_of(text[i]);
    }
    populate(f.client, "key", 1000);
    assert_ok(sc_cache_del_many(f.cache, keys, COUNT, &removed));
    assert_int_equal(removed, 1000);
    assert_string_equal(test_redis(&f.server, "DBSIZE"), "0");
    tear_down(&f);
}

TEST(a_pattern_removes_what_matches_among_ten_thousand_keys)
{
    struct fixture f;
    int64_t removed;

    set_up(&f);
    populate(f.client, "sc:story:detail", 10000);
    populate(f.client, "other", 10000);
    populate(f.client, "sc:story:tree", 1);

    assert_ok(sc_cache_del_pattern(f.cache, SC_S("sc:story:detail:*"), NULL, &removed));
    assert_int_equal(removed, 10000);
    assert_string_equal(test_redis(&f.server, "DBSIZE"), "10001");
    assert_ok(sc_cache_del_pattern(f.cache, SC_S("sc:story:*"), NULL, &removed));
    assert_int_equal(removed, 1);
    assert_err(sc_cache_del_pattern(f.cache, SC_S(""), NULL, &removed), SC_EINVAL);
    tear_down(&f);
}

TEST(keys_are_neither_empty_nor_over_their_limit)
{
    enum { LIMIT = 1024 * 1024, SIZE = LIMIT + 1 };
    char *bytes = sc__calloc(1, SIZE);
    struct source source = SOURCE("v");
    sc_cache_value value;
    struct fixture f;
    bool exists;

    set_up(&f);
    assert_err(sc_cache_get(f.cache, SC_S(""), &value), SC_EINVAL);
    assert_err(sc_cache_set(f.cache, SC_S(""), SC_S("v"), 1), SC_EINVAL);
    assert_err(sc_cache_del(f.cache, SC_S(""), NULL), SC_EINVAL);
    assert_err(sc_cache_exists(f.cache, SC_S(""), &exists), SC_EINVAL);
    assert_err(sc_cache_get_or_set(f.cache, SC_S(""), 1, load, &source, &value), SC_EINVAL);
    assert_err(sc_cache_get(f.cache, (sc_slice){bytes, SIZE}, &value), SC_ETOOBIG);
    assert_err(sc_cache_set(f.cache, (sc_slice){bytes, SIZE}, SC_S("v"), 1), SC_ETOOBIG);
    assert_err(sc_cache_del(f.cache, (sc_slice){bytes, SIZE}, NULL), SC_ETOOBIG);
    assert_ok(sc_cache_get_or_set(f.cache, (sc_slice){bytes, SIZE}, 1, load, &source, &value));
    assert_slice(value.bytes, "v");
    sc_cache_value_release(&value);
    assert_string_equal(test_redis(&f.server, "DBSIZE"), "0");
    assert_ok(sc_cache_set(f.cache, (sc_slice){bytes, LIMIT}, SC_S("v"), 60000));
    assert_value(f.cache, (sc_slice){bytes, LIMIT}, SC_S("v"));
    sc_free(bytes);
    tear_down(&f);
}

TEST(a_plain_value_of_another_program_is_a_value)
{
    struct source source = SOURCE("loaded");
    sc_cache_value value;
    struct fixture f;

    set_up(&f);
    test_redis(&f.server, "SET k {\"a\":1}");

    assert_ok(sc_cache_get_or_set(f.cache, SC_S("k"), 60000, load, &source, &value));
    assert_slice(value.bytes, "{\"a\":1}");
    assert_int_equal(value.source, SC_CACHE_HIT);
    assert_true(value.age_ms == -1);
    assert_int_equal(source.loads, 0);
    sc_cache_value_release(&value);
    tear_down(&f);
}

TEST(get_or_set_loads_once_then_hits_with_an_age)
{
    struct source source = SOURCE("loaded");
    sc_cache_value value;
    sc_cache_stats stats;
    struct fixture f;

    set_up(&f);
    assert_ok(sc_cache_get_or_set(f.cache, SC_S("k"), 60000, load, &source, &value));
    assert_int_equal(value.source, SC_CACHE_MISS);
    assert_slice(value.bytes, "loaded");
    assert_true(value.age_ms == 0);
    sc_cache_value_release(&value);
    sc__clock_shift(5000);
    assert_ok(sc_cache_get_or_set(f.cache, SC_S("k"), 60000, load, &source, &value));
    assert_int_equal(value.source, SC_CACHE_HIT);
    assert_slice(value.bytes, "loaded");
    assert_in_range(value.age_ms, 5000, 9000);
    sc_cache_value_release(&value);

    assert_int_equal(source.loads, 1);
    assert_in_range(atoll(test_redis(&f.server, "PTTL k")), 50000, 60000);
    sc_cache_stats_get(f.cache, &stats);
    assert_int_equal(stats.hits, 1);
    assert_int_equal(stats.misses, 1);
    assert_int_equal(stats.loads, 1);
    assert_int_equal(stats.sets, 1);
    assert_int_equal(stats.errors, 0);
    tear_down(&f);
}

TEST(the_loader_may_choose_the_ttl_and_may_give_an_empty_value)
{
    struct source source = SOURCE("");
    sc_cache_value value;
    struct fixture f;

    set_up(&f);
    source.ttl_ms = 9000;
    assert_ok(sc_cache_get_or_set(f.cache, SC_S("k"), 60000, load, &source, &value));
    assert_int_equal(value.bytes.len, 0);
    assert_non_null(value.bytes.ptr);
    sc_cache_value_release(&value);
    assert_in_range(atoll(test_redis(&f.server, "PTTL k")), 5000, 9000);
    assert_value(f.cache, SC_S("k"), SC_S(""));

    source.ttl_ms = 0;
    assert_ok(sc_cache_get_or_set(f.cache, SC_S("k2"), 60000, load, &source, &value));
    sc_cache_value_release(&value);
    wait_until(strcmp(test_redis(&f.server, "EXISTS k2"), "0") == 0);
    tear_down(&f);
}

TEST(ten_callers_load_once)
{
    struct source source = SOURCE("loaded");
    struct caller callers[10];
    sc_cache_stats stats;
    struct fixture f;
    int shared = 0;

    set_up(&f);
    source.gated = true;
    for (int i = 0; i < 10; i++)
        start_call(&callers[i], f.cache, &source);
    wait_for_loads(&source, 1);
    open_gate(&source);
    for (int i = 0; i < 10; i++) {
        end_call(&callers[i]);
        assert_ok(callers[i].err);
        assert_slice(callers[i].value.bytes, "loaded");
        shared += callers[i].value.source == SC_CACHE_SHARED;
        sc_cache_value_release(&callers[i].value);
    }

    assert_int_equal(source.loads, 1);
    sc_cache_stats_get(f.cache, &stats);
    assert_int_equal(stats.loads, 1);
    assert_int_equal(stats.shared, shared);
    assert_int_equal(stats.hits + stats.shared + stats.misses, 10);
    assert_value(f.cache, SC_S("k"), SC_S("loaded"));
    tear_down(&f);
}

static long get_calls(const struct test_server *server)
{
    const char *at = strstr(test_redis(server, "INFO commandstats"), "cmdstat_get:calls=");

    return at ? (long)atoll(strchr(at, '=') + 1) : 0;
}

TEST(a_failed_load_goes_to_all_who_wait_and_stores_nothing)
{
    struct source source = SOURCE("");
    struct caller callers[10];
    sc_cache_value value;
    sc_cache_stats stats;
    struct fixture f;
    bool exists;

    set_up(&f);
    source.gated = true;
    source.err = SC_EIO;
    start_call(&callers[0], f.cache, &source);
    wait_for_loads(&source, 1);
    for (int i = 1; i < 10; i++)
        start_call(&callers[i], f.cache, &source);
    /* A lease stands in the key, which is no value. */
    assert_ok(sc_cache_exists(f.cache, SC_S("k"), &exists));
    assert_false(exists);
    assert_miss(f.cache, SC_S("k"));
    wait_until(get_calls(&f.server) == 13); /* ten looked, we, the lease, its clock */
    open_gate(&source);
    for (int i = 0; i < 10; i++) {
        end_call(&callers[i]);
        assert_err(callers[i].err, SC_EIO);
    }

    wait_until(strcmp(test_redis(&f.server, "EXISTS k"), "0") == 0);
    sc_cache_stats_get(f.cache, &stats);
    assert_int_equal(stats.loads, stats.load_errors);
    assert_int_equal(stats.loads, source.loads);
    source.err = SC_OK;
    assert_ok(sc_cache_get_or_set(f.cache, SC_S("k"), 60000, load, &source, &value));
    sc_cache_value_release(&value);
    tear_down(&f);
}

/* Each is done while a load of the key is under way; the load must not store what it made. */
static void does_not_resurrect(void (*change)(struct fixture *f), const char *after)
{
    struct source old = SOURCE("old");
    struct caller caller;
    struct fixture f;

    set_up(&f);
    old.gated = true;
    start_call(&caller, f.cache, &old);
    wait_for_loads(&old, 1);

    change(&f);
    open_gate(&old);
    end_call(&caller);

    assert_ok(caller.err);
    assert_slice(caller.value.bytes, "old");
    sc_cache_value_release(&caller.value);
    if (after)
        assert_value(f.cache, SC_S("k"), sc_slice_of(after));
    else
        assert_miss(f.cache, SC_S("k"));
    tear_down(&f);
}

static void delete_here(struct fixture *f)
{
    bool removed;

    assert_ok(sc_cache_del(f->cache, SC_S("k"), &removed));
    assert_false(removed); /* a lease is no value */
}

static void delete_elsewhere(struct fixture *f)
{
    assert_string_equal(test_redis(&f->server, "DEL k"), "1");
}

static void delete_by_pattern(struct fixture *f)
{
    int64_t removed;

    assert_ok(sc_cache_del_pattern(f->cache, SC_S("k*"), NULL, &removed));
    assert_int_equal(removed, 0);
}

static void set_here(struct fixture *f)
{
    assert_ok(sc_cache_set(f->cache, SC_S("k"), SC_S("new"), 60000));
}

static void set_elsewhere(struct fixture *f)
{
    test_redis(&f->server, "SET k new");
}

static void flush_all(struct fixture *f)
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
static void gets_a_new_load(void (*change)(struct fixture *f))
{
    struct source old = SOURCE("old"), now = SOURCE("new");
    struct caller caller;
    sc_cache_value value;
    struct fixture f;

    set_up(&f);
    old.gated = true;
    start_call(&caller, f.cache, &old);
    wait_for_loads(&old, 1);

    change(&f);
    assert_ok(sc_cache_get_or_set(f.cache, SC_S("k"), 60000, load, &now, &value));
    assert_slice(value.bytes, "new");
    sc_cache_value_release(&value);
    open_gate(&old);
    end_call(&caller);

    assert_slice(caller.value.bytes, "old");
    sc_cache_value_release(&caller.value);
    assert_value(f.cache, SC_S("k"), SC_S("new"));
    tear_down(&f);
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
    struct source first = SOURCE("first"), second = SOURCE("second");
    struct caller caller;
    sc_cache_value value;
    struct fixture f;
    sc_cache *other;

    set_up(&f);
    assert_ok(sc_cache_new(f.client, &(sc_cache_opts){.wait_ms = 1}, &other, NULL));
    first.gated = true;
    start_call(&caller, f.cache, &first);
    wait_for_loads(&first, 1);

    assert_ok(sc_cache_get_or_set(other, SC_S("k"), 60000, load, &second, &value));
    assert_slice(value.bytes, "second");
    sc_cache_value_release(&value);
    assert_miss(other, SC_S("k"));
    open_gate(&first);
    end_call(&caller);

    sc_cache_value_release(&caller.value);
    assert_value(other, SC_S("k"), SC_S("first"));
    sc_cache_free(other);
    tear_down(&f);
}

TEST(a_long_load_keeps_its_lease)
{
    struct source source = SOURCE("v");
    struct caller caller;
    struct fixture f;

    set_up(&f);
    source.gated = true;
    start_call(&caller, f.cache, &source);
    wait_for_loads(&source, 1);

    test_redis(&f.server, "PEXPIRE k 1000");
    sc__clock_shift(1000); /* the lease looks as old as that to its keeper */
    wait_until(atoll(test_redis(&f.server, "PTTL k")) > 1000);
    open_gate(&source);
    end_call(&caller);

    sc_cache_value_release(&caller.value);
    assert_value(f.cache, SC_S("k"), SC_S("v"));
    tear_down(&f);
}

static sc_err load_itself(sc_cache_load *out, sc_slice key, void *user)
{
    struct source *source = user;
    sc_cache_value value;
    sc_err err;

    source->loads++;
    err = sc_cache_get_or_set(source->cache, key, 60000, load_itself, user, &value);
    return err ? err : sc_cache_load_set(out, SC_S("?"));
}

TEST(a_loader_that_asks_for_its_own_key_is_told_so)
{
    struct source source = SOURCE("");
    sc_cache_value value;
    struct fixture f;

    set_up(&f);
    source.cache = f.cache;
    assert_err(sc_cache_get_or_set(f.cache, SC_S("k"), 60000, load_itself, &source, &value),
               SC_EDEADLK);
    assert_int_equal(source.loads, 1);
    tear_down(&f);
}

TEST(a_value_over_the_limit_is_given_and_not_stored)
{
    const sc_cache_opts opts = {.max_value_size = 4};
    struct source source = SOURCE("12345");
    sc_cache_value value;
    struct fixture f;
    sc_cache *small;

    set_up(&f);
    assert_ok(sc_cache_new(f.client, &opts, &small, NULL));
    assert_ok(sc_cache_get_or_set(small, SC_S("k"), 60000, load, &source, &value));
    assert_slice(value.bytes, "12345");
    sc_cache_value_release(&value);
    wait_until(strcmp(test_redis(&f.server, "EXISTS k"), "0") == 0);
    sc_cache_free(small);
    tear_down(&f);
}

struct square {
    int loads;
};

static sc_err square_key(sc_cache_load *key, const void *arg, void *user)
{
    char text[32];

    (void)user;
    snprintf(text, sizeof(text), "square:%d", *(const int *)arg);
    return sc_cache_load_set(key, sc_slice_of(text));
}

static sc_err square_load(sc_cache_load *out, const void *arg, void *user)
{
    struct square *square = user;
    char text[32];
    int n = *(const int *)arg;

    square->loads++;
    snprintf(text, sizeof(text), "%d", n * n);
    return sc_cache_load_set(out, sc_slice_of(text));
}

TEST(a_wrapped_loader_is_cached_by_its_argument)
{
    static const int args[] = {7, 8, 7};
    static const char *const squares[] = {"49", "64", "49"};
    struct square square = {0};
    sc_cache_value value;
    struct fixture f;

    set_up(&f);
    sc_cache_wrapped wrapped = {f.cache, square_key, square_load, 60000, &square};
    for (int i = 0; i < 3; i++) {
        assert_ok(sc_cache_wrapped_get(&wrapped, &args[i], &value));
        assert_slice(value.bytes, squares[i]);
        sc_cache_value_release(&value);
    }
    assert_int_equal(square.loads, 2);
    assert_value(f.cache, SC_S("square:8"), SC_S("64"));
    tear_down(&f);
}

/* All calls, made on the I/O thread. */
struct on_loop {
    sc_cache *cache;
    sc_err errs[6];
    bool done;
};

static void call_on_loop(void *user, sc_err err, const sc_reply *reply)
{
    struct on_loop *o = user;
    struct source source = SOURCE("v");
    sc_cache_value value;
    bool exists;

    (void)err, (void)reply;
    o->errs[0] = sc_cache_get(o->cache, SC_S("k"), &value);
    o->errs[1] = sc_cache_set(o->cache, SC_S("k"), SC_S("v"), 1);
    o->errs[2] = sc_cache_del(o->cache, SC_S("k"), NULL);
    o->errs[3] = sc_cache_del_pattern(o->cache, SC_S("k"), NULL, NULL);
    o->errs[4] = sc_cache_exists(o->cache, SC_S("k"), &exists);
    o->errs[5] = sc_cache_get_or_set(o->cache, SC_S("k"), 1, load, &source, &value);
    __atomic_store_n(&o->done, true, __ATOMIC_RELEASE);
}

TEST(nothing_waits_on_the_io_thread)
{
    const sc_slice ping = SC_S("PING");
    struct on_loop o = {0};
    struct fixture f;

    set_up(&f);
    o.cache = f.cache;
    assert_ok(sc_client_call_async(f.client, &ping, 1, call_on_loop, &o));
    wait_until(__atomic_load_n(&o.done, __ATOMIC_ACQUIRE));
    for (int i = 0; i < 6; i++)
        assert_err(o.errs[i], SC_EDEADLK);
    tear_down(&f);
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
    struct fixture f;

    set_up(&f);
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
    tear_down(&f);
}

TEST(the_limiter_allows_so_many_requests_a_window)
{
    const sc_limiter_opts opts = {.max = 3, .window_ms = 60000};
    struct fixture f;
    sc_limiter *limiter;
    sc_limit limit;
    sc_reason reason;

    set_up(&f);
    assert_err(
        sc_limiter_new(f.client, &(sc_limiter_opts){.max = 0, .window_ms = 1}, &limiter, &reason),
        SC_EINVAL);
    assert_ok(sc_limiter_new(f.client, &opts, &limiter, NULL));
    for (int i = 2; i >= 0; i--) {
        assert_ok(sc_limiter_check(limiter, SC_S("a"), &limit));
        assert_true(limit.allowed);
        assert_int_equal(limit.remaining, i);
        assert_in_range(limit.reset_ms, 50000, 60000);
    }
    assert_ok(sc_limiter_check(limiter, SC_S("a"), &limit));
    assert_false(limit.allowed);
    assert_int_equal(limit.remaining, 0);
    assert_ok(sc_limiter_check(limiter, SC_S("b"), &limit));
    assert_true(limit.allowed);
    test_redis(&f.server, "PEXPIRE a 1");
    wait_until(sc_limiter_check(limiter, SC_S("a"), &limit) == SC_OK && limit.allowed);
    assert_err(sc_limiter_check(limiter, SC_S(""), &limit), SC_EINVAL);
    sc_limiter_free(limiter);
    tear_down(&f);
}
