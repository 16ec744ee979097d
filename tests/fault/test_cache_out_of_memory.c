/* The cache when the n-th allocation fails, for every n: a value or SC_ENOMEM, no leak, and it works again. */
#include <stdatomic.h>

#include <storychain/cache.h>

#include "support/alloc.h"
#include "support/server.h"
#include "support/test.h"

static const char *const tags[] = {"a", "b", NULL};

static sc_err load(sc_cache_load *out, sc_slice key, void *user)
{
    sc_err err = sc_cache_load_tag(out, SC_S("own"));

    (void)key, (void)user;
    return err ? err : sc_cache_load_set(out, SC_S("value"));
}

static sc_err load_many(sc_cache_load *const *loads, const sc_slice *keys, size_t count, void *user)
{
    for (size_t i = 0; i < count; i++) {
        sc_err err = load(loads[i], keys[i], user);

        if (err)
            sc_cache_load_fail(loads[i], err);
    }
    return SC_OK;
}

static const sc_cache_def def = {.ttl_ms = 60000,
                                 .grace_ms = 60000,
                                 .soft_timeout_ms = 10000,
                                 .tags = tags,
                                 .load = load,
                                 .load_many = load_many};

/* What a load behind needs is counted, not copied. */
static atomic_int held;

static void *hold(const void *user)
{
    atomic_fetch_add(&held, 1);
    return (void *)(uintptr_t)user;
}

static void let_go(void *user)
{
    (void)user;
    atomic_fetch_sub(&held, 1);
}

static const sc_cache_def behind = {.ttl_ms = 60000,
                                    .hard_timeout_ms = 10000,
                                    .load = load,
                                    .load_many = load_many,
                                    .keep = hold,
                                    .drop = let_go};

/* Whether a call did what it should, or could not. */
static bool is_fine(sc_err err)
{
    return err == SC_OK || err == SC_ENOMEM || err == SC_ECONNECT || err == SC_ECONNLOST ||
           err == SC_ETIMEDOUT;
}

static void fetch(sc_cache *cache, bool must)
{
    sc_cache_value value;
    sc_err err = sc_cache_fetch(cache, &def, SC_S("k"), NULL, &value);

    assert_true(must ? err == SC_OK : is_fine(err));
    if (err)
        return;
    assert_slice(value.bytes, "value");
    sc_cache_value_release(&value);
}

static void fetch_many(sc_cache *cache, const sc_cache_def *by, bool must)
{
    const sc_slice keys[] = {SC_S("m1"), SC_S("m2"), SC_S("k")};
    sc_cache_value values[3];
    sc_err errs[3], err = sc_cache_fetch_many(cache, by, keys, 3, &held, values, errs);

    assert_true(must ? err == SC_OK : is_fine(err));
    for (int i = 0; i < 3 && !err; i++) {
        assert_true(must ? errs[i] == SC_OK : is_fine(errs[i]));
        if (!errs[i])
            sc_cache_value_release(&values[i]);
    }
    err = sc_cache_get_many(cache, keys, 3, values);
    assert_true(must ? err == SC_OK : is_fine(err));
    for (int i = 0; i < 3 && !err; i++)
        sc_cache_value_release(&values[i]);
}

struct answer {
    atomic_bool is_there;
    sc_err err;
};

static void on_value(void *user, sc_err err, const sc_cache_value *value)
{
    struct answer *answer = user;

    (void)value;
    answer->err = err;
    atomic_store(&answer->is_there, true);
}

static void await(sc_err err, struct answer *answer, bool must)
{
    assert_true(must ? err == SC_OK : is_fine(err));
    if (err)
        return;
    wait_until(atomic_load(&answer->is_there));
    assert_true(must ? answer->err == SC_OK : is_fine(answer->err));
}

static void fetch_async(sc_cache *cache, bool must)
{
    struct answer got = {0}, fetched = {0};

    await(sc_cache_get_async(cache, SC_S("k"), on_value, &got), &got, must);
    await(sc_cache_fetch_async(cache, &def, SC_S("k"), NULL, on_value, &fetched), &fetched, must);
}

/* One of each kind of call. */
static void use(sc_cache *cache, bool must)
{
    const sc_cache_item item = {SC_S("m1"), SC_S("value")};
    const sc_slice tag = SC_S("own");

    fetch(cache, must); /* a miss */
    fetch(cache, must);
    fetch_async(cache, must);
    assert_true(is_fine(sc_cache_expire(cache, SC_S("k"))));
    fetch(cache, must); /* loaded anew behind */
    assert_true(is_fine(sc_cache_store(cache, &def, SC_S("k"), SC_S("value"))));
    assert_true(is_fine(sc_cache_store_many(cache, &def, &item, 1)));
    fetch_many(cache, &def, must);
    assert_true(is_fine(sc_cache_del_tags(cache, &tag, 1)));
    fetch_many(cache, &def, must);
    assert_true(is_fine(sc_cache_del(cache, SC_S("k"), NULL)));
    assert_true(is_fine(sc_cache_del(cache, SC_S("m1"), NULL)));
    assert_true(is_fine(sc_cache_del(cache, SC_S("m2"), NULL)));
    fetch_many(cache, &behind, must); /* loaded behind */
    fetch_async(cache, must);
}

/* True if something failed on the way, so that a later n may be of use. */
static bool run_with_failure_at(const struct test_server *server, long n)
{
    const sc_client_opts client_opts = {.url = server->url, .command_timeout_ms = 3000};
    const sc_cache_opts opts = {.timeout_ms = 3000, .near_bytes = 1024 * 1024};
    sc_client *client;
    sc_cache *cache = NULL;
    bool reached = true;

    test_fail_at = 0;
    assert_ok(sc_client_new(&client_opts, &client, NULL));
    wait_until(sc_client_is_connected(client));
    test_allocations = 0;
    test_fail_at = n;
    if (sc_cache_new(client, &opts, &cache, NULL) == SC_OK) {
        use(cache, false);
        reached = test_allocations >= n;
    }
    test_fail_at = 0;
    if (cache)
        use(cache, true);
    sc_cache_free(cache);
    sc_client_free(client);
    assert_int_equal(test_live, 0);
    assert_int_equal(held, 0);
    return reached;
}

TEST_LIMIT(any_failed_allocation_of_a_cache_is_survived, 240)
{
    struct test_server server;
    long n = 1;

    test_server_start(&server);
    test_alloc_use();
    while (run_with_failure_at(&server, n)) {
        test_redis(&server, "FLUSHALL");
        n++;
    }
    assert_true(n > 100);
}
