/* The client when the n-th allocation fails, for every n: an error, no leak, and it works again. */
#include <stdatomic.h>

#include <storychain/client.h>

#include "redis/client.h"
#include "support/alloc.h"
#include "support/server.h"
#include "support/test.h"

static const sc_slice script = {"return {ARGV[1], {1, 2, 3}, 'text'}", 35};

/* One of each kind of command; the first failure. */
static sc_err use(sc_client *client)
{
    const sc_slice set[] = {SC_S("SET"), SC_S("k"), SC_S("value")};
    const sc_slice eval[] = {SC_S("EVALSHA"), SC_S("11df124d9d3baf97d1977efa9f6dae04061e32e8"),
                             SC_S("0"), SC_S("x")};
    const sc__send_opts opts = {.script_text = &script, .timeout_ms = 3000};
    sc_reply *reply = NULL;
    sc_err err;

    err = sc_client_call(client, set, 3, &reply);
    if (err)
        return err;
    sc_reply_free(reply);
    err = sc__client_send_wait(client, eval, 4, &opts, &reply);
    if (!err)
        sc_reply_free(reply);
    return err;
}

/* True if something failed on the way, so that a later n may be of use. */
static bool run_with_failure_at(const char *url, long n)
{
    sc_client_opts opts = {.url = url, .name = "tight", .command_timeout_ms = 3000};
    sc_client *client = NULL;
    sc_err err;
    bool reached;

    test_allocations = 0;
    test_fail_at = n;
    err = sc_client_new(&opts, &client, NULL);
    if (!err) {
        err = use(client);
        assert_true(err == SC_OK || err == SC_ENOMEM || err == SC_ECONNLOST || err == SC_ETIMEDOUT);
        reached = test_allocations >= n;
        test_fail_at = 0;
        assert_ok(use(client));
        sc_client_free(client);
    } else {
        assert_err(err, SC_ENOMEM);
        reached = true;
    }
    assert_int_equal(test_live, 0);
    return reached;
}

TEST_LIMIT(any_failed_allocation_is_survived, 120)
{
    struct test_server server;
    long n = 1;
    test_server_start(&server);
    test_alloc_use();

    while (run_with_failure_at(server.url, n)) {
        test_redis(&server, "SCRIPT FLUSH");
        n++;
    }

    assert_true(n > 20);
}
