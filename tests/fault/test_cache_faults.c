/* cache/: what its users see when Redis is away, slow, full, read only, or holds nonsense */
#include <signal.h>
#include <stdatomic.h>

#include <storychain/cache.h>
#include <storychain/limiter.h>

#include "base/clock.h"
#include "ops/cache_envelope.h"
#include "support/pulse.h"
#include "support/server.h"
#include "support/test.h"

/* Lines of the cache in the log. */
static atomic_int lines;
static char last_line[512];

static void on_log(sc_log_level level, const char *text, void *user)
{
    (void)level, (void)user;
    if (strncmp(text, "cache: ", 7) && strncmp(text, "limiter: ", 9))
        return;
    snprintf(last_line, sizeof(last_line), "%s", text);
    atomic_fetch_add(&lines, 1);
}

struct fixture {
    struct test_server server;
    sc_client *client;
    sc_cache *cache;
    int loads;
};

static void set_up_opts(struct fixture *f, const char *const *args, int64_t timeout_ms)
{
    const sc_cache_opts opts = {.timeout_ms = timeout_ms};

    *f = (struct fixture){0};
    sc_set_log(on_log, NULL);
    test_server_start_args(&f->server, args);
    f->client = test_server_client(&f->server);
    assert_ok(sc_cache_new(f->client, &opts, &f->cache, NULL));
}

/* For a server that will be silent: the default timeout. */
static void set_up(struct fixture *f)
{
    set_up_opts(f, NULL, 0);
}

/* For one that always answers, however busy the machine is. */
static void set_up_patient(struct fixture *f)
{
    set_up_opts(f, NULL, 10000);
}

/* For one that keeps its data over its death. */
static void set_up_durable(struct fixture *f)
{
    static const char *const args[] = {"--appendonly", "yes", "--appendfsync", "always", NULL};

    set_up_opts(f, args, 0);
}

static void tear_down(struct fixture *f)
{
    sc_cache_free(f->cache);
    sc_client_free(f->client);
    test_server_kill(&f->server, SIGKILL);
}

static sc_err load(sc_cache_load *out, sc_slice key, void *user)
{
    struct fixture *f = user;

    (void)key;
    f->loads++;
    return sc_cache_load_set(out, SC_S("loaded"));
}

static sc_err fail_to_load(sc_cache_load *out, sc_slice key, void *user)
{
    (void)out, (void)key, (void)user;
    return SC_EIO;
}

/* get_or_set: where the value came from, and which it was. */
static sc_cache_source ask(struct fixture *f, const char *key, const char *expected)
{
    sc_cache_value value;
    sc_cache_source source;

    assert_ok(sc_cache_get_or_set(f->cache, sc_slice_of(key), 60000, load, f, &value));
    assert_slice(value.bytes, expected);
    source = value.source;
    sc_cache_value_release(&value);
    return source;
}

/* Whether the key's value is in Redis, and the cache reads it from there. */
static bool is_hit(struct fixture *f, const char *key)
{
    sc_cache_value value;
    bool hit;

    assert_ok(sc_cache_get(f->cache, sc_slice_of(key), &value));
    hit = value.source == SC_CACHE_HIT;
    sc_cache_value_release(&value);
    return hit;
}

TEST(a_dead_redis_costs_two_lines_of_log_and_no_answer)
{
    struct fixture f;
    int before;

    set_up(&f);
    test_server_kill(&f.server, SIGKILL);
    for (int i = 0; i < 50; i++)
        assert_int_equal(ask(&f, "k", "loaded"), SC_CACHE_MISS);
    assert_int_equal(f.loads, 50);
    assert_int_equal(lines, 1);
    assert_non_null(strstr(last_line, "cache: Redis is away ("));
    assert_non_null(strstr(last_line, "); values come from their loaders"));

    test_server_restart(&f.server);
    wait_until(ask(&f, "k", "loaded") == SC_CACHE_HIT);
    before = f.loads;
    assert_int_equal(ask(&f, "k", "loaded"), SC_CACHE_HIT);
    assert_int_equal(f.loads, before);
    assert_int_equal(lines, 2);
    assert_string_equal(last_line, "cache: Redis is back");
    tear_down(&f);
}

TEST(a_redis_that_never_was_there_costs_one_timeout)
{
    const sc_client_opts opts = {.url = "unix:///nowhere/redis.sock"};
    struct fixture f = {0};
    sc_cache_value value;
    int64_t began, first;
    struct pulse pulse;
    bool exists;

    sc_set_log(on_log, NULL);
    assert_ok(sc_client_new(&opts, &f.client, NULL));
    assert_ok(sc_cache_new(f.client, NULL, &f.cache, NULL));
    pulse_start(&pulse, NULL, NULL);
    began = sc__mono_ms();
    ask(&f, "k", "loaded");
    first = sc__mono_ms() - began;
    for (int i = 0; i < 1000; i++)
        ask(&f, "k", "loaded");

    assert_true(sc__mono_ms() - began - first < 3000 + pulse_stop(&pulse));
    assert_in_range(first, 200, 5000 + pulse_still_ms(&pulse));
    assert_ok(sc_cache_get(f.cache, SC_S("k"), &value));
    assert_int_equal(value.source, SC_CACHE_MISS);
    assert_err(sc_cache_set(f.cache, SC_S("k"), SC_S("v"), 1000), SC_ECONNECT);
    assert_err(sc_cache_del(f.cache, SC_S("k"), NULL), SC_ECONNECT);
    assert_err(sc_cache_del_pattern(f.cache, SC_S("k*"), NULL, NULL), SC_ECONNECT);
    assert_err(sc_cache_exists(f.cache, SC_S("j"), &exists), SC_ECONNECT);
    assert_err(sc_cache_get_or_set(f.cache, SC_S("k"), 1, fail_to_load, NULL, &value), SC_EIO);
    assert_int_equal(lines, 1);
    sc_cache_free(f.cache);
    sc_client_free(f.client);
}

TEST(a_redis_that_hangs_is_asked_once_a_second)
{
    struct fixture f;
    struct pulse pulse;
    int64_t began;

    set_up(&f);
    ask(&f, "k", "loaded");
    kill(f.server.pid, SIGSTOP);
    pulse_start(&pulse, NULL, NULL);
    began = sc__mono_ms();
    for (int i = 0; i < 500; i++)
        assert_int_equal(ask(&f, "k", "loaded"), SC_CACHE_MISS);
    assert_in_range(sc__mono_ms() - began, 700, 6000 + pulse_stop(&pulse));
    assert_int_equal(lines, 1);

    kill(f.server.pid, SIGCONT);
    wait_until(ask(&f, "k", "loaded") == SC_CACHE_HIT && lines == 2);
    tear_down(&f);
}

TEST(a_value_deleted_while_redis_hung_is_never_seen_again)
{
    struct fixture f;

    set_up(&f);
    wait_until(sc_cache_set(f.cache, SC_S("k"), SC_S("old"), 60000) == SC_OK);
    kill(f.server.pid, SIGSTOP);
    assert_err(sc_cache_del(f.cache, SC_S("k"), NULL), SC_ETIMEDOUT);
    ask(&f, "k", "loaded");

    kill(f.server.pid, SIGCONT);
    wait_until(ask(&f, "k", "loaded") == SC_CACHE_HIT);
    tear_down(&f);
}

TEST(a_value_deleted_while_redis_was_dead_is_never_seen_again)
{
    struct fixture f;

    set_up_durable(&f);
    for (int i = 0; i < 3; i++)
        wait_until(sc_cache_set(f.cache, (sc_slice){&"abc"[i], 1}, SC_S("old"), 60000) == SC_OK);
    test_server_kill(&f.server, SIGKILL);
    assert_int_not_equal(sc_cache_del(f.cache, SC_S("a"), NULL), SC_OK);
    assert_int_not_equal(sc_cache_set(f.cache, SC_S("b"), SC_S("new"), 60000), SC_OK);
    ask(&f, "a", "loaded");

    test_server_restart(&f.server);
    wait_until(ask(&f, "a", "loaded") == SC_CACHE_HIT);
    assert_int_not_equal(ask(&f, "b", "loaded"), SC_CACHE_SHARED);
    assert_true(is_hit(&f, "c")); /* was not deleted */
    tear_down(&f);
}

/* While it loads, its value becomes old and Redis can't be told. */
static sc_err delete_while_dead(sc_cache_load *out, sc_slice key, void *user)
{
    struct fixture *f = user;

    test_server_kill(&f->server, SIGKILL);
    assert_int_not_equal(sc_cache_del(f->cache, key, NULL), SC_OK);
    assert_int_equal(ask(f, "k", "loaded"), SC_CACHE_MISS); /* does not wait for us */
    test_server_restart(&f->server);
    assert_ok(sc_client_wait_ready(f->client, 10000, NULL));
    return sc_cache_load_set(out, SC_S("old"));
}

TEST(a_load_is_not_stored_after_a_delete_that_redis_missed)
{
    sc_cache_value value;
    struct fixture f;

    set_up_durable(&f);
    assert_ok(sc_cache_get_or_set(f.cache, SC_S("k"), 60000, delete_while_dead, &f, &value));
    assert_slice(value.bytes, "old");
    sc_cache_value_release(&value);

    assert_int_not_equal(ask(&f, "k", "loaded"), SC_CACHE_SHARED);
    wait_until(ask(&f, "k", "loaded") == SC_CACHE_HIT);
    tear_down(&f);
}

TEST(remembered_deletes_are_done_without_another_call)
{
    static char text[250][16];
    sc_slice keys[250];
    struct fixture f;

    set_up_durable(&f);
    for (int i = 0; i < 250; i++) {
        snprintf(text[i], sizeof(text[i]), "key:%d", i);
        keys[i] = sc_slice_of(text[i]);
        wait_until(sc_cache_set(f.cache, keys[i], SC_S("old"), 60000) == SC_OK); /* a slow disk */
    }
    test_server_kill(&f.server, SIGKILL);
    assert_int_not_equal(sc_cache_del_many(f.cache, keys, 250, NULL), SC_OK);

    test_server_restart(&f.server);
    wait_until(strcmp(test_redis(&f.server, "DBSIZE"), "0") == 0);
    tear_down(&f);
}

TEST(deletes_that_never_could_be_done_are_told_at_the_end)
{
    struct fixture f;

    set_up(&f);
    test_server_kill(&f.server, SIGKILL);
    assert_int_not_equal(sc_cache_del(f.cache, SC_S("k"), NULL), SC_OK);
    sc_cache_free(f.cache);
    assert_non_null(strstr(last_line, "did not come back to delete 1 value"));
    sc_client_free(f.client);
}

TEST(another_type_at_the_key_is_left_alone)
{
    struct fixture f;

    set_up_patient(&f);
    test_redis(&f.server, "HSET k field value");
    for (int i = 0; i < 3; i++)
        assert_int_equal(ask(&f, "k", "loaded"), SC_CACHE_MISS);
    assert_false(is_hit(&f, "k"));
    assert_int_equal(lines, 1);
    assert_non_null(strstr(last_line, "at \"k\" can't be used: "));
    assert_non_null(strstr(last_line, "WRONGTYPE"));
    assert_string_equal(test_redis(&f.server, "HGET k field"), "value");

    assert_ok(sc_cache_del(f.cache, SC_S("k"), NULL));
    ask(&f, "k", "loaded");
    assert_int_equal(ask(&f, "k", "loaded"), SC_CACHE_HIT);
    tear_down(&f);
}

static void unreadable(const char *stored)
{
    struct fixture f;
    char command[128];
    bool exists;

    set_up_patient(&f);
    snprintf(command, sizeof(command), "SET k %s", stored);
    test_redis(&f.server, command);
    assert_ok(sc_cache_exists(f.cache, SC_S("k"), &exists));
    assert_false(exists);
    assert_false(is_hit(&f, "k"));
    assert_false(is_hit(&f, "k"));
    assert_int_equal(lines, 1);
    assert_int_equal(ask(&f, "k", "loaded"), SC_CACHE_MISS);
    assert_int_equal(ask(&f, "k", "loaded"), SC_CACHE_HIT);
    assert_int_equal(f.loads, 1);
    tear_down(&f);
}

TEST(a_damaged_envelope_is_a_miss_and_is_replaced)
{
    unreadable("\xffSC\x01Vxxxxxxxxxxxxxxxxxxxxx");
}

TEST(a_cut_off_envelope_is_a_miss_and_is_replaced)
{
    unreadable("\xffSC\x01");
}

TEST(an_envelope_of_a_newer_version_is_a_miss_and_is_replaced)
{
    unreadable("\xffSC\x02V..................");
}

TEST(a_full_redis_still_gives_hits)
{
    struct fixture f;
    bool removed;

    set_up_patient(&f);
    ask(&f, "there", "loaded");
    test_redis(&f.server, "CONFIG SET maxmemory 1");
    for (int i = 0; i < 20; i++)
        assert_int_equal(ask(&f, "new", "loaded"), SC_CACHE_MISS);
    assert_int_equal(ask(&f, "there", "loaded"), SC_CACHE_HIT);
    assert_int_equal(lines, 1);
    assert_non_null(strstr(last_line, "cache: Redis stores no values ("));
    assert_non_null(strstr(last_line, "OOM"));
    assert_err(sc_cache_set(f.cache, SC_S("x"), SC_S("v"), 1000), SC_EREPLY);
    assert_ok(sc_cache_del(f.cache, SC_S("there"), &removed));
    assert_true(removed);

    test_redis(&f.server, "CONFIG SET maxmemory 0");
    wait_until(ask(&f, "new", "loaded") == SC_CACHE_HIT);
    assert_int_equal(lines, 2);
    assert_string_equal(last_line, "cache: Redis stores values again");
    tear_down(&f);
}

TEST(a_read_only_redis_still_gives_hits_and_deletes_follow)
{
    struct fixture f;

    set_up_patient(&f);
    ask(&f, "k", "loaded");
    ask(&f, "gone", "loaded");
    test_redis(&f.server, "REPLICAOF 127.0.0.1 1");
    test_redis(&f.server, "CONFIG SET replica-serve-stale-data yes");
    for (int i = 0; i < 20; i++)
        assert_int_equal(ask(&f, "new", "loaded"), SC_CACHE_MISS);
    wait_until(ask(&f, "k", "loaded") == SC_CACHE_HIT);
    assert_int_not_equal(sc_cache_del(f.cache, SC_S("gone"), NULL), SC_OK);
    assert_false(is_hit(&f, "gone"));
    assert_in_range(lines, 1, 4);

    test_redis(&f.server, "REPLICAOF NO ONE");
    wait_until(strcmp(test_redis(&f.server, "EXISTS gone"), "0") == 0);
    wait_until(ask(&f, "new", "loaded") == SC_CACHE_HIT);
    tear_down(&f);
}

TEST(forgotten_scripts_are_no_trouble)
{
    struct fixture f;
    bool removed;

    set_up_patient(&f);
    for (int i = 0; i < 3; i++) {
        test_redis(&f.server, "SCRIPT FLUSH");
        assert_int_equal(ask(&f, "k", "loaded"), SC_CACHE_MISS);
        test_redis(&f.server, "SCRIPT FLUSH");
        assert_ok(sc_cache_del(f.cache, SC_S("k"), &removed));
        assert_true(removed);
    }
    assert_int_equal(lines, 0);
    tear_down(&f);
}

TEST(the_limiter_allows_everything_while_redis_is_away)
{
    const sc_limiter_opts opts = {.max = 1, .window_ms = 60000};
    sc_limiter *limiter;
    struct fixture f;
    sc_limit limit;

    set_up(&f);
    assert_ok(sc_limiter_new(f.client, &opts, &limiter, NULL));
    test_server_kill(&f.server, SIGKILL);
    for (int i = 0; i < 100; i++) {
        assert_ok(sc_limiter_check(limiter, SC_S("a"), &limit));
        assert_true(limit.allowed);
        assert_int_not_equal(limit.trouble, SC_OK);
    }
    assert_int_equal(lines, 1);
    assert_non_null(strstr(last_line, "; all requests are allowed"));
    sc_limiter_free(limiter);
    tear_down(&f);
}
