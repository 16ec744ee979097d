/* cache/codec.c, cache/stored_key.c: what the cache leaves in a real server */
#include <signal.h>
#include <stdatomic.h>

#include <storychain/cache.h>

#include "support/server.h"
#include "support/test.h"

static const sc_cache_secret new_secret = {2, "a newer secret of 32 bytes ....."};

static atomic_int lines;
static char last_line[512];

static void on_log(sc_log_level level, const char *text, void *user)
{
    (void)level, (void)user;
    if (strncmp(text, "cache: ", 7) != 0)
        return;
    snprintf(last_line, sizeof(last_line), "%s", text);
    atomic_fetch_add(&lines, 1);
}

struct fixture {
    struct test_server server;
    sc_client *client;
};

static void set_up(struct fixture *f)
{
    sc_set_log(on_log, NULL);
    test_server_start(&f->server);
    f->client = test_server_client(&f->server);
}

static void tear_down(struct fixture *f)
{
    sc_client_free(f->client);
    test_server_kill(&f->server, SIGKILL);
}

static sc_cache *cache_of(struct fixture *f, sc_cache_opts opts)
{
    sc_cache *cache;

    opts.timeout_ms = 10000;
    assert_ok(sc_cache_new(f->client, &opts, &cache, NULL));
    return cache;
}

struct asked {
    int loads;
    sc_slice key; /* the last one */
    sc_slice value;
};

static sc_err load(sc_cache_load *out, sc_slice key, void *user)
{
    struct asked *asked = user;

    asked->loads++;
    asked->key = key;
    return sc_cache_load_set(out, asked->value);
}

/* get_or_set; checks the value. */
static sc_cache_source ask(sc_cache *cache, sc_slice key, struct asked *asked)
{
    sc_cache_value value;
    sc_cache_source source;

    assert_ok(sc_cache_get_or_set(cache, key, 60000, load, asked, &value));
    assert_true(sc_slice_eq(value.bytes, asked->value));
    source = value.source;
    sc_cache_value_release(&value);
    return source;
}

static char text[100000];

static sc_slice long_text(size_t len)
{
    for (size_t i = 0; i < len; i++)
        text[i] = "once upon a time "[i % 17];
    return (sc_slice){text, len};
}

TEST(a_large_value_lies_compressed_in_redis)
{
    struct asked asked = {.value = long_text(sizeof(text))};
    struct fixture f;
    sc_cache *cache, *small;
    sc_cache_value value;

    set_up(&f);
    cache = cache_of(&f, (sc_cache_opts){0});
    assert_int_equal(ask(cache, SC_S("k"), &asked), SC_CACHE_MISS);
    assert_int_not_equal(ask(cache, SC_S("k"), &asked), SC_CACHE_MISS);

    assert_true(atoi(test_redis(&f.server, "STRLEN k")) < 1000);
    small = cache_of(&f, (sc_cache_opts){.max_value_size = 1000});
    assert_ok(sc_cache_get(small, SC_S("k"), &value));
    assert_int_equal(value.source, SC_CACHE_MISS);
    assert_non_null(strstr(last_line, "unpacked it is larger than a value may be"));
    sc_cache_free(small);
    sc_cache_free(cache);
    tear_down(&f);
}

TEST(a_key_of_a_megabyte_is_stored_under_its_hash)
{
    enum { SIZE = 1024 * 1024 };
    struct asked asked = {.value = SC_S("v")};
    char *bytes = malloc(SIZE);
    sc_slice key = {bytes, SIZE};
    struct fixture f;
    sc_cache *cache;
    bool there, removed;

    memset(bytes, 'k', SIZE);
    set_up(&f);
    cache = cache_of(&f, (sc_cache_opts){0});
    assert_int_equal(ask(cache, key, &asked), SC_CACHE_MISS);
    assert_true(sc_slice_eq(asked.key, key));
    assert_int_not_equal(ask(cache, key, &asked), SC_CACHE_MISS);
    test_redis(&f.server, "DEL sc-cache:clock");
    assert_int_equal(strlen(test_redis(&f.server, "RANDOMKEY")), 128 + 1 + 64);
    assert_ok(sc_cache_exists(cache, key, &there));
    assert_true(there);

    assert_ok(sc_cache_del_many(cache, (sc_slice[]){SC_S("short"), key}, 2, NULL));
    assert_ok(sc_cache_exists(cache, key, &there));
    assert_false(there);
    assert_ok(sc_cache_set(cache, key, SC_S("set"), 60000));
    bytes[SIZE - 1] = 'x';
    assert_int_equal(ask(cache, key, &asked), SC_CACHE_MISS);
    assert_string_equal(test_redis(&f.server, "DBSIZE"), "3"); /* with the tag clock */
    assert_ok(sc_cache_del(cache, key, &removed));
    assert_true(removed);
    sc_cache_free(cache);
    free(bytes);
    tear_down(&f);
}

/* Two versions of a program share a server. */
TEST(a_value_of_another_schema_counts_as_not_there)
{
    static const sc_cache_def one = {.ttl_ms = 60000, .grace_ms = 60000, .schema = 1, .load = load},
                              two = {.ttl_ms = 60000, .grace_ms = 60000, .schema = 2, .load = load},
                              any = {.ttl_ms = 60000, .load = load};
    struct asked asked = {.value = SC_S("old shape")};
    struct fixture f;
    sc_cache *older, *newer;
    sc_cache_value value;

    set_up(&f);
    older = cache_of(&f, (sc_cache_opts){.near_bytes = 100000});
    newer = cache_of(&f, (sc_cache_opts){.near_bytes = 100000});
    assert_ok(sc_cache_store(older, &one, SC_S("k"), SC_S("old shape")));
    for (int i = 0; i < 2; i++) { /* from Redis, then from memory: who names no schema takes any */
        assert_ok(sc_cache_get(newer, SC_S("k"), &value));
        assert_slice(value.bytes, "old shape");
        sc_cache_value_release(&value);
        assert_ok(sc_cache_fetch(newer, &any, SC_S("k"), &asked, &value));
        assert_slice(value.bytes, "old shape");
        sc_cache_value_release(&value);
    }
    asked.value = SC_S("new shape");
    for (int i = 0; i < 3; i++) {
        assert_ok(sc_cache_fetch(newer, &two, SC_S("k"), &asked, &value));
        assert_slice(value.bytes, "new shape");
        assert_false(value.stale);
        sc_cache_value_release(&value);
    }
    assert_int_equal(asked.loads, 1);
    sc_cache_free(older);
    sc_cache_free(newer);
    tear_down(&f);
}

/* What is held in the process is the value, not what lies in Redis. */
TEST(a_coded_value_is_held_decoded)
{
    struct asked asked = {.value = long_text(20000)};
    struct fixture f;
    sc_cache_stats stats;
    sc_cache *writer, *reader;

    set_up(&f);
    writer = cache_of(&f, (sc_cache_opts){.secrets = &new_secret, .secret_count = 1});
    reader = cache_of(
        &f, (sc_cache_opts){.secrets = &new_secret, .secret_count = 1, .near_bytes = 1024 * 1024});
    assert_int_equal(ask(writer, SC_S("k"), &asked), SC_CACHE_MISS);
    for (int i = 0; i < 3; i++)
        assert_int_not_equal(ask(reader, SC_S("k"), &asked), SC_CACHE_MISS);
    sc_cache_stats_get(reader, &stats);
    assert_int_equal(stats.near_hits, 2);
    assert_int_equal(asked.loads, 1);
    sc_cache_free(reader);
    sc_cache_free(writer);
    tear_down(&f);
}

TEST(keys_may_stay_as_they_are)
{
    struct asked asked = {.value = SC_S("v")};
    struct fixture f;
    sc_cache *cache;

    set_up(&f);
    cache = cache_of(&f, (sc_cache_opts){.hash_keys_above = SC_CACHE_NEVER});
    ask(cache, long_text(5000), &asked);
    test_redis(&f.server, "DEL sc-cache:clock");
    assert_int_equal(strlen(test_redis(&f.server, "RANDOMKEY")), 5000);
    sc_cache_free(cache);
    tear_down(&f);
}
