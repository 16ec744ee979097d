/* The cache, the lock and the watch when the n-th allocation fails, for every n: an error or the loader's value, no leak, and it works
 * again. */
#include <stdatomic.h>

#include <storychain/cache.h>
#include <storychain/cache_watch.h>
#include <storychain/lock.h>

#include "support/alloc.h"
#include "support/server.h"
#include "support/test.h"

static char text[4000];

static sc_err load(sc_cache_load *out, sc_slice key, void *user)
{
    (void)key, (void)user;
    return sc_cache_load_set(out, (sc_slice){text, sizeof(text)});
}

static bool is_fine(sc_err err)
{
    return err == SC_OK || err == SC_ENOMEM || err == SC_ECONNLOST || err == SC_ETIMEDOUT ||
           err == SC_ECONNECT || err == SC_ECANCELED;
}

static void on_change(void *user, sc_slice key)
{
    (void)user, (void)key;
}

static sc_err use_cache(sc_cache *cache)
{
    static const char *const tags[] = {"tag", NULL};
    static const sc_cache_def def = {.ttl_ms = 60000, .tags = tags, .load = load};
    sc_cache_value value;
    sc_err err = sc_cache_del(cache, SC_S("k"), NULL);

    for (int i = 0; !err && i < 2; i++) {
        err = sc_cache_fetch(cache, &def, SC_S("k"), NULL, &value);
        if (err)
            break;
        assert_int_equal(value.bytes.len, sizeof(text));
        sc_cache_value_release(&value);
    }
    if (!err)
        err = sc_cache_del_tags(cache, &SC_S("tag"), 1);
    if (!err)
        err = sc_cache_del_pattern(cache, SC_S("k*"), NULL, NULL);
    return err;
}

static sc_err use_tools(sc_client *client)
{
    sc_cache_watch *watch = NULL;
    sc_lock *lock = NULL;
    sc_err err = sc_lock_acquire(client, SC_S("lock"),
                                 &(sc_lock_opts){.hold_ms = 500, .wait_ms = 2000}, &lock, NULL);

    if (!err)
        err = sc_lock_release(lock);
    if (!err)
        err = sc_cache_watch_start(client, "k", on_change, NULL, &watch, NULL);
    sc_cache_watch_stop(watch);
    return err;
}

/* True if something failed on the way, so that a later n may be of use. */
static bool run_with_failure_at(sc_client *client, long n)
{
    const sc_cache_secret secret = {1, "a secret of 32 bytes ..........."};
    const sc_cache_opts opts = {
        .timeout_ms = 3000, .secrets = &secret, .secret_count = 1, .near_bytes = 256 * 1024};
    const long live = test_live;
    sc_cache *cache = NULL;
    bool reached;
    sc_err err;

    test_allocations = 0;
    test_fail_at = n;
    err = sc_cache_new(client, &opts, &cache, NULL);
    assert_true(is_fine(err));
    if (!err) {
        assert_true(is_fine(use_cache(cache)));
        assert_true(is_fine(use_tools(client)));
    }
    reached = test_allocations >= n;
    test_fail_at = 0;
    if (!err) {
        wait_until(use_cache(cache) == SC_OK);
        wait_until(use_tools(client) == SC_OK);
        sc_cache_free(cache);
    }
    wait_until(test_live <= live + 8); /* the client's own buffers may have grown */
    return reached;
}

TEST_LIMIT(any_failed_allocation_is_survived, 240)
{
    struct test_server server;
    sc_client *client;
    long n = 1;

    memset(text, 'x', sizeof(text));
    test_server_start(&server);
    test_alloc_use();
    client = test_server_client(&server);
    while (run_with_failure_at(client, n))
        n++;
    sc_client_free(client);
    assert_int_equal(test_live, 0);
    assert_true(n > 40);
}
