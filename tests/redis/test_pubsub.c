/* redis/pubsub.c: channels of a client */
#include <signal.h>
#include <stdatomic.h>

#include "redis/client.h"
#include "redis/pubsub.h"
#include "support/server.h"
#include "support/test.h"

struct ear {
    sc__subscription subscription;
    _Atomic int heard, ready;
    char last[64];
};

static void on_message(void *user, sc_slice message)
{
    struct ear *ear = user;

    snprintf(ear->last, sizeof(ear->last), "%.*s", (int)message.len, message.ptr);
    ear->heard++;
}

static void on_heard(void *user)
{
    struct ear *ear = user;

    ear->ready++;
}

static void listen_to(sc_client *client, struct ear *ear, const char *channel)
{
    *ear = (struct ear){.subscription = {.channel = sc_slice_of(channel),
                                         .on_message = on_message,
                                         .on_heard = on_heard}};
    ear->subscription.user = ear;
    sc__client_subscribe(client, &ear->subscription);
}

TEST(messages_come_to_all_who_listen_until_they_end)
{
    struct test_server server;
    struct ear a, b, other;
    sc_reply *reply;
    sc_client *client;

    test_server_start(&server);
    client = test_server_client(&server);
    listen_to(client, &a, "news");
    wait_until(a.ready == 1);
    listen_to(client, &b, "news"); /* which is heard already */
    assert_int_equal(b.ready, 1);
    listen_to(client, &other, "weather");
    wait_until(a.ready == 1 && b.ready == 1 && other.ready == 1);
    for (int i = 0; i < 50; i++) {
        assert_ok(sc_client_call(client, (sc_slice[]){SC_S("PUBLISH"), SC_S("news"), SC_S("rain")},
                                 3, &reply));
        assert_int_equal(reply->integer, 1);
        sc_reply_free(reply);
        assert_ok(sc_client_call(client, (sc_slice[]){SC_S("ECHO"), SC_S("x")}, 2, &reply));
        assert_slice(reply->str, "x");
        sc_reply_free(reply);
    }
    wait_until(a.heard == 50 && b.heard == 50);
    assert_string_equal(a.last, "rain");
    assert_int_equal(other.heard, 0);

    sc__client_unsubscribe(client, &a.subscription);
    assert_string_equal(test_redis(&server, "PUBLISH news sun"), "1");
    wait_until(b.heard == 51);
    assert_int_equal(a.heard, 50);
    sc__client_unsubscribe(client, &b.subscription);
    sc__client_unsubscribe(client, &other.subscription);
    wait_until(strcmp(test_redis(&server, "PUBSUB CHANNELS"), "") == 0);
    sc_client_free(client);
}

TEST(channels_are_heard_again_when_the_server_is_back)
{
    struct test_server server;
    struct ear ear;
    sc_client *client;

    test_server_start(&server);
    client = test_server_client(&server);
    listen_to(client, &ear, "news");
    wait_until(ear.ready == 1);
    test_server_kill(&server, SIGKILL);
    test_server_restart(&server);
    wait_until(ear.ready == 2);
    assert_string_equal(test_redis(&server, "PUBLISH news again"), "1");
    wait_until(ear.heard == 1);
    assert_string_equal(ear.last, "again");
    sc__client_unsubscribe(client, &ear.subscription);
    sc_client_free(client);
}

TEST(a_refused_channel_disturbs_nothing)
{
    struct test_server server;
    struct ear ear;
    sc_client_opts opts = {0};
    sc_client *client;
    char url[160];
    sc_reply *reply;

    test_server_start(&server);
    test_redis(&server, "ACL SETUSER deaf on >pw ~* +@all resetchannels");
    snprintf(url, sizeof(url), "unix://deaf:pw@%s", server.socket);
    opts.url = url;
    assert_ok(sc_client_new(&opts, &client, NULL));
    assert_ok(sc_client_wait_ready(client, 10000, NULL));
    listen_to(client, &ear, "news");
    for (int i = 0; i < 20; i++) {
        assert_ok(sc_client_call(client, (sc_slice[]){SC_S("ECHO"), SC_S("x")}, 2, &reply));
        assert_slice(reply->str, "x");
        sc_reply_free(reply);
    }
    assert_int_equal(ear.ready, 0);
    sc__client_unsubscribe(client, &ear.subscription);
    sc_client_free(client);
}

TEST(a_client_that_listens_to_nothing_has_one_connection)
{
    struct test_server server;
    struct ear many[200];
    char names[200][16];
    sc_client *client;

    test_server_start(&server);
    client = test_server_client(&server);
    for (int i = 0; i < 200; i++) {
        snprintf(names[i], sizeof(names[i]), "channel%d", i);
        listen_to(client, &many[i], names[i]);
    }
    for (int i = 0; i < 200; i++)
        wait_until(many[i].ready == 1);
    assert_string_equal(test_redis(&server, "PUBLISH channel77 x"), "1");
    wait_until(many[77].heard == 1);
    for (int i = 0; i < 200; i++)
        sc__client_unsubscribe(client, &many[i].subscription);
    /* the client's own, and the one that asks */
    wait_until(strstr(test_redis(&server, "INFO clients"), "connected_clients:2\r"));
    sc_client_free(client);
}
