/* redis/client.c: one connection for many threads, on a real server */
#include <pthread.h>
#include <signal.h>

#include <storychain/client.h>

#include "redis/client.h"
#include "redis/reply.h"
#include "support/server.h"
#include "support/test.h"

static sc_reply *call(sc_client *client, const char *const *words)
{
    sc_slice argv[16];
    sc_reply *reply = NULL;
    size_t argc = 0;

    for (; words[argc]; argc++)
        argv[argc] = sc_slice_of(words[argc]);
    assert_ok(sc_client_call(client, argv, argc, &reply));
    return reply;
}

#define CALL(client, ...) call(client, (const char *const[]){__VA_ARGS__, NULL})

TEST(a_command_gets_its_reply)
{
    struct test_server server;
    test_server_start(&server);
    sc_client *client = test_server_client(&server);

    sc_reply *set = CALL(client, "SET", "k", "value");
    sc_reply *get = CALL(client, "GET", "k");
    sc_reply *none = CALL(client, "GET", "missing");
    sc_reply *wrong = CALL(client, "LPUSH", "k", "x");

    assert_slice(set->str, "OK");
    assert_slice(get->str, "value");
    assert_int_equal(none->type, SC_REPLY_NIL);
    assert_true(sc__reply_is_error(wrong, "WRONGTYPE"));
    sc_reply_free(set);
    sc_reply_free(get);
    sc_reply_free(none);
    sc_reply_free(wrong);
    sc_client_free(client);
}

enum { THREADS = 16, CALLS = 500 };

static void *count_up(void *arg)
{
    for (int i = 0; i < CALLS; i++)
        sc_reply_free(CALL(arg, "INCR", "n"));
    return NULL;
}

TEST(many_threads_share_one_pipeline)
{
    struct test_server server;
    test_server_start(&server);
    sc_client *client = test_server_client(&server);
    pthread_t threads[THREADS];
    sc_client_stats stats;

    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_up, client), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);

    assert_string_equal(test_redis(&server, "GET n"), "8000");
    sc_client_stats_get(client, &stats);
    assert_true(stats.commands == THREADS * CALLS && stats.replies == stats.commands);
    sc_client_free(client);
}

TEST(a_script_that_the_server_forgot_is_loaded_again)
{
    static const sc_slice text = {"return ARGV[1]", 14};
    static const sc__send_opts opts = {.script_text = &text};
    struct test_server server;
    test_server_start(&server);
    sc_client *client = test_server_client(&server);
    const char *sha = "098e0f0d1448c0a81dafe820f66d460eb09263da";
    const sc_slice argv[] = {SC_S("EVALSHA"), sc_slice_of(sha), SC_S("0"), SC_S("hello")};

    for (int i = 0; i < 3; i++) {
        sc_reply *reply = NULL;

        test_redis(&server, "SCRIPT FLUSH");
        assert_ok(sc__client_send_wait(client, argv, 4, &opts, &reply));

        assert_slice(reply->str, "hello");
        sc_reply_free(reply);
    }
    sc_client_free(client);
}
