/* redis/client.c: one connection for many threads, on a real server */
#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include <storychain/client.h>

#include "redis/client.h"
#include "redis/reply.h"
#include "support/fake_server.h"
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

static void note_err(void *user, sc_err err, const sc_reply *reply)
{
    (void)reply;
    atomic_store((atomic_int *)user, (int)err);
}

TEST(a_timeout_may_be_as_long_as_a_number_can_say)
{
    struct test_server server;
    test_server_start(&server);
    sc_client_opts opts = {
        .url = server.url, .connect_timeout_ms = INT64_MAX, .command_timeout_ms = INT64_MAX};
    const sc__send_opts longest = {.timeout_ms = INT64_MAX}, shortest = {.timeout_ms = 1};
    const sc_slice ping[] = {SC_S("PING")};
    atomic_int outcome = -1;
    sc_client *client;
    sc_reply *reply = NULL;

    assert_ok(sc_client_new(&opts, &client, NULL));
    sc_reply_free(CALL(client, "PING"));
    kill(server.pid, SIGSTOP);
    assert_ok(sc__client_send(client, ping, 1, &longest, note_err, &outcome));
    /* Its end has all deadlines looked at. */
    assert_err(sc__client_send_wait(client, ping, 1, &shortest, &reply), SC_ETIMEDOUT);
    kill(server.pid, SIGCONT);

    wait_until(outcome != -1);
    assert_int_equal(outcome, SC_OK);
    sc_client_free(client);
}

static sc_client *connect_to(const char *url, const char *name)
{
    sc_client_opts opts = {.url = url, .name = name};
    sc_reason reason = {""};
    sc_client *client;

    assert_ok(sc_client_new(&opts, &client, NULL));
    if (sc_client_wait_ready(client, 10000, &reason))
        fail_msg("%s", reason.text);
    return client;
}

TEST(tcp_by_name_with_user_database_and_client_name)
{
    struct test_server server;
    char port[8], url[128];
    test_free_port(port);
    /* "localhost" may be ::1 first, where nobody listens: then the next address is tried. */
    test_server_start_args(&server,
                           (const char *const[]){"--port", port, "--bind", "127.0.0.1", NULL});
    test_redis(&server, "ACL SETUSER ann on >p@ss:word ~* +@all");
    test_redis(&server, "CONFIG SET requirepass other");
    snprintf(url, sizeof(url), "redis://ann:p%%40ss:word@localhost:%s/3", port);

    sc_client *client = connect_to(url, "teller");
    sc_reply *info = CALL(client, "CLIENT", "INFO");
    sc_server_info server_info;
    sc_client_server(client, &server_info);

    assert_non_null(strstr(info->str.ptr, "user=ann"));
    assert_non_null(strstr(info->str.ptr, "name=teller"));
    assert_non_null(strstr(info->str.ptr, "db=3"));
    assert_non_null(strstr(info->str.ptr, "resp=3"));
    assert_string_equal(server_info.software, test_server_software());
    assert_true(strchr(server_info.version, '.') != NULL);
    sc_reply_free(info);
    sc_client_free(client);
}

TEST(a_refused_login_is_told_at_once_and_never_with_the_password)
{
    struct test_server server;
    char url[160];
    sc_reason reason = {""};
    sc_client *client;
    test_server_start(&server);
    test_redis(&server, "CONFIG SET requirepass right");

    snprintf(url, sizeof(url), "unix://:canary@%s", server.socket);
    assert_ok(sc_client_new(&(sc_client_opts){.url = url}, &client, NULL));
    assert_err(sc_client_wait_ready(client, 10000, &reason), SC_EAUTH);
    assert_non_null(strstr(reason.text, "WRONGPASS"));
    assert_null(strstr(reason.text, "canary"));
    sc_client_free(client);

    assert_ok(sc_client_new(&(sc_client_opts){.url = server.url}, &client, NULL));
    assert_err(sc_client_wait_ready(client, 10000, &reason), SC_EAUTH);
    assert_non_null(strstr(reason.text, "NOAUTH"));
    sc_client_free(client);
}

TEST(a_database_that_does_not_exist_is_told)
{
    struct test_server server;
    char url[160];
    sc_reason reason = {""};
    sc_client *client;
    test_server_start(&server);

    snprintf(url, sizeof(url), "%s?db=99", server.url);
    assert_ok(sc_client_new(&(sc_client_opts){.url = url}, &client, NULL));
    wait_until(sc_client_wait_ready(client, 100, &reason) == SC_ETIMEDOUT &&
               strstr(reason.text, "DB index is out of range"));

    sc_client_free(client);
}

TEST(no_server_is_told_with_the_address)
{
    char port[8], url[64];
    sc_reason reason = {""};
    sc_client *client;
    test_free_port(port);
    snprintf(url, sizeof(url), "redis://localhost:%s", port);

    assert_ok(sc_client_new(&(sc_client_opts){.url = url}, &client, NULL));
    wait_until(sc_client_wait_ready(client, 100, &reason) == SC_ETIMEDOUT &&
               strstr(reason.text, "connection refused"));

    assert_non_null(strstr(reason.text, url));
    assert_false(sc_client_is_connected(client));
    sc_client_free(client);
}

TEST(a_name_that_nobody_has_is_told)
{
    sc_reason reason = {""};
    sc_client *client;

    assert_ok(
        sc_client_new(&(sc_client_opts){.url = "redis://no.such.host.invalid"}, &client, NULL));
    (void)!sc_client_wait_ready(client, 2000, &reason);

    assert_non_null(strstr(reason.text, "no.such.host.invalid"));
    sc_client_free(client);
}

TEST(wrong_options_are_refused_at_once)
{
    static const sc_client_opts wrong[] = {{.url = "http://h"},
                                           {.url = "redis://:canary@h:x"},
                                           {.name = "two words"},
                                           {.command_timeout_ms = -1}};
    sc_client *client = NULL;

    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        sc_reason reason = {""};

        assert_err(sc_client_new(&wrong[i], &client, &reason), SC_EINVAL);
        assert_true(strlen(reason.text) > 10);
        assert_null(strstr(reason.text, "canary"));
    }
}

/* A server as it was before HELLO: knows AUTH, CLIENT SETNAME, INFO, SELECT; RESP2. */
static void be_old(struct fake_conn *conn, void *user)
{
    const char *command;

    while ((command = fake_read(conn))) {
        strcat(user, command);
        strcat(user, ";");
        if (strncmp(command, "HELLO", 5) == 0)
            fake_say(conn, "-ERR unknown command `HELLO`, with args beginning with: `3`, \r\n");
        else if (strncmp(command, "INFO", 4) == 0)
            fake_say(conn, "$36\r\n# Server\r\nredis_version:5.0.3\r\nx:1\r\n\r\n");
        else if (strncmp(command, "GET", 3) == 0)
            fake_say(conn, "$-1\r\n");
        else
            fake_say(conn, "+OK\r\n");
    }
}

TEST(an_old_server_is_spoken_to_in_resp2)
{
    struct fake_server server;
    char heard[1024] = "", url[256];
    sc_server_info info;
    fake_server_start(&server, be_old, heard);
    snprintf(url, sizeof(url), "unix://:pw@%s?db=2", server.url + strlen("unix://"));

    sc_client *client = connect_to(url, "me");
    sc_reply *reply = CALL(client, "GET", "k");
    sc_client_server(client, &info);

    assert_int_equal(reply->type, SC_REPLY_NIL);
    assert_string_equal(heard, "HELLO 3 AUTH default pw SETNAME me;AUTH pw;CLIENT SETNAME me;"
                               "INFO server;SELECT 2;GET k;");
    assert_string_equal(info.version, "5.0.3");
    sc_reply_free(reply);
    sc_client_free(client);
    fake_server_stop(&server);
}

TEST(replies_of_all_sizes_come_back_as_they_were_sent)
{
    struct test_server server;
    test_server_start(&server);
    sc_client *client = test_server_client(&server);
    size_t longest = (size_t)32 * 1024 * 1024;
    char *bytes = malloc(longest);

    for (size_t i = 0; i < longest; i++)
        bytes[i] = (char)(i * 7 + i / 251);
    for (size_t len = 0; len <= longest; len = len * 3 + 1) {
        const sc_slice set[] = {SC_S("SET"), SC_S("k"), {bytes, len}};
        const sc_slice get[] = {SC_S("GET"), SC_S("k")};
        sc_reply *reply = NULL;

        assert_ok(sc_client_call(client, set, 3, &reply));
        sc_reply_free(reply);
        assert_ok(sc_client_call(client, get, 2, &reply));
        assert_true(reply->str.len == len && memcmp(reply->str.ptr, bytes, len) == 0);
        sc_reply_free(reply);
    }
    free(bytes);
    sc_client_free(client);
}

static void wait_on_io_thread(void *user, sc_err err, const sc_reply *reply)
{
    struct {
        sc_client *client;
        atomic_int result;
    } *w = user;
    const sc_slice ping[] = {SC_S("PING")};
    sc_reply *unused;

    (void)err, (void)reply;
    w->result = (int)sc_client_call(w->client, ping, 1, &unused);
}

TEST(a_waiting_call_on_the_io_thread_is_refused)
{
    struct test_server server;
    test_server_start(&server);
    struct {
        sc_client *client;
        atomic_int result;
    } w = {test_server_client(&server), 0};
    const sc_slice ping[] = {SC_S("PING")};

    assert_ok(sc_client_call_async(w.client, ping, 1, wait_on_io_thread, &w));

    wait_until(w.result != 0);
    assert_err((sc_err)w.result, SC_EDEADLK);
    sc_client_free(w.client);
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
