/* A server that lies, breaks off and floods: the client gives an error in time, and stays whole. */
#include <sys/resource.h>

#include <storychain/client.h>

#include "base/clock.h"
#include "support/fake_server.h"
#include "support/test.h"

struct evil {
    const char *reply; /* to the first command; then the connection stays open, or is closed */
    size_t len;
    bool close_after;
};

static void say_evil(struct fake_conn *conn, void *user)
{
    struct evil *evil = user;

    if (!fake_hello(conn) || !fake_read(conn))
        return;
    fake_say_bytes(conn, evil->reply, evil->len);
    if (!evil->close_after)
        fake_wait_end(conn);
}

/* What a GET gives, on a client of its own. */
static sc_err get(struct fake_server *server, int64_t timeout_ms)
{
    sc_client_opts opts = {
        .url = server->url, .command_timeout_ms = timeout_ms, .max_reply_bytes = 1024 * 1024};
    const sc_slice argv[] = {SC_S("GET"), SC_S("k")};
    sc_reply *reply = NULL;
    sc_client *client;
    sc_err err;

    assert_ok(sc_client_new(&opts, &client, NULL));
    err = sc_client_call(client, argv, 2, &reply);
    sc_reply_free(reply);
    sc_client_free(client);
    return err;
}

/* The same, of a server that answers with these bytes. */
static sc_err get_evil(const char *reply, size_t len, bool close_after, int64_t timeout_ms)
{
    struct evil evil = {reply, len, close_after};
    struct fake_server server;
    sc_err err;

    fake_server_start(&server, say_evil, &evil);
    err = get(&server, timeout_ms);
    fake_server_stop(&server);
    return err;
}

TEST(a_reply_cut_off_at_any_byte_is_a_lost_connection)
{
    static const char whole[] =
        "*4\r\n$5\r\nhello\r\n:42\r\n%1\r\n+k\r\n,1.5\r\n|1\r\n+a\r\n+b\r\n_\r\n";

    for (size_t len = 0; len < sizeof(whole) - 1; len++)
        assert_err(get_evil(whole, len, true, 5000), SC_ECONNLOST);

    assert_ok(get_evil(whole, sizeof(whole) - 1, false, 5000));
}

static const struct {
    const char *reply;
    sc_err err;
} lies[] = {
    {"*2147483647\r\n", SC_ETOOBIG},
    {"*9223372036854775807\r\n", SC_ETOOBIG},
    {"*99999999999999999999999999\r\n", SC_EPROTO},
    {"%1073741824\r\n", SC_ETOOBIG},
    {"$2147483647\r\n", SC_ETOOBIG},
    {"$1048577\r\n", SC_ETOOBIG},
    {"$-2\r\n", SC_EPROTO},
    {"*-5\r\n", SC_EPROTO},
    {"$5\r\nhello, world\r\n", SC_EPROTO},
    {"*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*"
     "1\r\n*1\r\n"
     "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*"
     "1\r\n:1\r\n",
     SC_EPROTO},
    {"HTTP/1.1 400 Bad Request\r\n\r\n", SC_EPROTO},
    {"\x15\x03\x01\x02\r\n", SC_EPROTO},
    {"\r\n\r\n", SC_EPROTO},
    {":1.5\r\n", SC_EPROTO},
    {"#maybe\r\n", SC_EPROTO},
    {"*?\r\n", SC_EPROTO},
    {"+OK\rOK\n", SC_EPROTO},
};

TEST(a_lie_is_told_to_the_command_that_met_it)
{
    for (size_t i = 0; i < sizeof(lies) / sizeof(*lies); i++)
        if (get_evil(lies[i].reply, strlen(lies[i].reply), false, 5000) != lies[i].err)
            fail_msg("not refused as it should be: %s", lies[i].reply);
}

TEST(garbage_of_all_bytes_is_survived)
{
    unsigned seed = 7;
    char garbage[512];

    for (int round = 0; round < 200; round++) {
        sc_err err;

        for (size_t i = 0; i < sizeof(garbage); i++) {
            seed = seed * 1103515245 + 12345;
            garbage[i] = (char)(seed >> 16);
        }
        garbage[0] = "+-:$*%~>|=!(,#_"[round % 15];
        err = get_evil(garbage, sizeof(garbage), true, 5000);

        assert_true(err == SC_OK || err == SC_EPROTO || err == SC_ETOOBIG || err == SC_ECONNLOST);
    }
}

TEST(an_announced_giant_takes_no_memory_and_meets_the_deadline)
{
    static const char start[] = "*8000000\r\n$1000000\r\nabc";
    struct rusage before, after;

    getrusage(RUSAGE_SELF, &before);
    assert_err(get_evil(start, sizeof(start) - 1, false, 200), SC_ETIMEDOUT);

    getrusage(RUSAGE_SELF, &after);
    assert_true(after.ru_maxrss - before.ru_maxrss < 8 * 1024);
}

static void say_nothing(struct fake_conn *conn, void *user)
{
    (void)user;
    fake_hello(conn);
    fake_wait_end(conn);
}

TEST(silence_meets_the_deadline)
{
    struct fake_server server;
    fake_server_start(&server, say_nothing, NULL);
    int64_t began = sc__mono_ms();

    assert_err(get(&server, 200), SC_ETIMEDOUT);

    assert_true(sc__mono_ms() - began >= 200);
    fake_server_stop(&server);
}

static void drip(struct fake_conn *conn, void *user)
{
    (void)user;
    if (!fake_hello(conn) || !fake_read(conn) || !fake_say(conn, "$100000\r\n"))
        return;
    while (fake_say(conn, "x"))
        test_pause_until(INT64_MAX);
}

TEST(a_reply_that_drips_meets_the_deadline)
{
    struct fake_server server;
    fake_server_start(&server, drip, NULL);

    assert_err(get(&server, 200), SC_ETIMEDOUT);

    fake_server_stop(&server);
}

static void flood(struct fake_conn *conn, void *user)
{
    (void)user;
    if (fake_hello(conn))
        while (fake_say(conn, "$1\r\nx\r\n$1\r\ny\r\n"))
            ;
}

TEST(replies_that_nothing_asked_for_end_the_connection)
{
    struct fake_server server;
    fake_server_start(&server, flood, NULL);
    sc_client_opts opts = {.url = server.url};
    sc_client *client;
    assert_ok(sc_client_new(&opts, &client, NULL));

    wait_until(server.connections >= 2);

    sc_client_free(client);
    fake_server_stop(&server);
}

static void push_between(struct fake_conn *conn, void *user)
{
    (void)user;
    if (!fake_hello(conn))
        return;
    fake_say(conn, ">2\r\n+invalidate\r\n*1\r\n+k\r\n");
    while (fake_read(conn))
        fake_say(conn, ">1\r\n+x\r\n|1\r\n+a\r\n:1\r\n+OK\r\n>3\r\n+a\r\n+b\r\n+c\r\n");
}

TEST(pushes_and_attributes_are_passed_over)
{
    struct fake_server server;
    fake_server_start(&server, push_between, NULL);

    assert_ok(get(&server, 5000));

    fake_server_stop(&server);
}

static const char *const strange[] = {
    "*1\r\n", "%1\r\n+server\r\n", "garbage\r\n", "", "-ERR the door is closed\r\n",
};

static void be_strange(struct fake_conn *conn, void *user)
{
    (void)user;
    if (fake_read(conn))
        fake_say(conn, strange[conn->number < 5 ? conn->number : 4]);
}

TEST(a_strange_handshake_is_tried_again_and_the_last_answer_told)
{
    struct fake_server server;
    sc_reason reason = {""};
    sc_client *client;
    fake_server_start(&server, be_strange, NULL);
    sc_client_opts opts = {.url = server.url, .connect_timeout_ms = 100};
    assert_ok(sc_client_new(&opts, &client, NULL));

    wait_until(server.connections >= 6);
    wait_until(sc_client_wait_ready(client, 1, &reason) == SC_ETIMEDOUT &&
               strstr(reason.text, "the door is closed"));

    sc_client_free(client);
    fake_server_stop(&server);
}
