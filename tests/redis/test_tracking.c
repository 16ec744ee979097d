/* redis/tracking: what a server tells of keys that were read */
#include "redis/tracking.h"

#include <signal.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "support/server.h"
#include "support/test.h"

struct fixture {
    struct test_server server;
    sc_client *like, *client;
    sc__tracking tracking;
    atomic_int changed, all_changed;
    char last[64]; /* the key; the I/O thread's, read after a reply */
};

static void on_changed(void *user, sc_slice key)
{
    struct fixture *f = user;

    snprintf(f->last, sizeof(f->last), "%.*s", (int)key.len, key.ptr);
    atomic_fetch_add(&f->changed, 1);
}

static void on_all_changed(void *user)
{
    struct fixture *f = user;

    atomic_fetch_add(&f->all_changed, 1);
}

static void start(struct fixture *f, const char *const *args)
{
    *f = (struct fixture){0};
    f->tracking = (sc__tracking){on_changed, on_all_changed, f, NULL};
    test_server_start_args(&f->server, args);
    f->like = test_server_client(&f->server);
}

static void track(struct fixture *f, const sc_client *like)
{
    assert_ok(sc__client_new_tracking(like, &f->tracking, &f->client, NULL));
    assert_ok(sc_client_wait_ready(f->client, 10000, NULL));
}

static void set_up(struct fixture *f, const char *const *args)
{
    start(f, args);
    track(f, f->like);
}

static void tear_down(struct fixture *f)
{
    sc_client_free(f->client);
    sc_client_free(f->like);
    test_server_kill(&f->server, SIGKILL);
}

static void say(struct fixture *f, const sc_slice *argv, size_t argc)
{
    const sc__send_opts opts = {.timeout_ms = 10000, .idempotent = true};
    sc_reply *reply = NULL;

    assert_ok(sc__client_send_wait(f->client, argv, argc, &opts, &reply));
    assert_int_not_equal(reply->type, SC_REPLY_ERROR);
    sc_reply_free(reply);
}

static void get(struct fixture *f, const char *key)
{
    say(f, (const sc_slice[]){SC_S("GET"), sc_slice_of(key)}, 2);
}

static void ping(struct fixture *f)
{
    say(f, (const sc_slice[]){SC_S("PING")}, 1);
}

TEST(a_change_is_told_once_and_before_any_later_reply)
{
    struct fixture f;

    set_up(&f, NULL);
    assert_true(sc__client_is_tracked(f.client));
    get(&f, "k");
    test_redis(&f.server, "SET other 1");
    ping(&f);
    assert_int_equal(f.changed, 0);

    test_redis(&f.server, "SET k 1");
    test_redis(&f.server, "SET k 2");
    ping(&f);
    assert_int_equal(f.changed, 1);
    assert_string_equal(f.last, "k");

    get(&f, "k");
    test_redis(&f.server, "DEL k");
    ping(&f);
    assert_int_equal(f.changed, 2);
    tear_down(&f);
}

TEST(what_a_script_read_is_told_and_so_is_what_we_wrote)
{
    const sc_slice script[] = {SC_S("EVAL"), SC_S("return redis.call('GET', KEYS[1])"), SC_S("1"),
                               SC_S("k")};
    struct fixture f;

    set_up(&f, NULL);
    say(&f, script, 4);
    test_redis(&f.server, "SET k 1");
    ping(&f);
    assert_int_equal(f.changed, 1);

    get(&f, "k");
    say(&f, (const sc_slice[]){SC_S("SET"), SC_S("k"), SC_S("2")}, 3);
    ping(&f);
    assert_int_equal(f.changed, 2);
    tear_down(&f);
}

TEST(flushall_and_a_full_table_are_told)
{
    static const char *const args[] = {"--tracking-table-max-keys", "10", NULL};
    struct fixture f;
    char key[16];

    set_up(&f, args);
    for (int i = 0; i < 200; i++) {
        snprintf(key, sizeof(key), "k%d", i);
        get(&f, key);
    }
    wait_until(atomic_load(&f.changed) >= 180);

    test_redis(&f.server, "FLUSHALL");
    ping(&f);
    assert_int_equal(f.all_changed, 1);
    tear_down(&f);
}

TEST(a_new_connection_tracks_again)
{
    struct fixture f;

    set_up(&f, NULL);
    get(&f, "k");
    test_redis(&f.server, "CLIENT KILL TYPE normal");
    wait_until(sc_client_is_connected(f.client));
    get(&f, "k");
    assert_true(sc__client_is_tracked(f.client));
    test_redis(&f.server, "SET k 1");
    ping(&f);
    assert_int_equal(f.changed, 1);
    tear_down(&f);
}

TEST(a_user_who_may_not_track_has_a_client_that_works)
{
    sc_client_opts opts = {0};
    sc_client *like;
    char url[160];
    struct fixture f;

    start(&f, NULL);
    test_redis(&f.server, "ACL SETUSER plain on >secret ~* +@all -client");
    snprintf(url, sizeof(url), "unix://plain:secret@%s", f.server.socket);
    opts.url = url;
    assert_ok(sc_client_new(&opts, &like, NULL));
    track(&f, like);
    sc_client_free(like);

    assert_false(sc__client_is_tracked(f.client));
    get(&f, "k");
    test_redis(&f.server, "SET k 1");
    ping(&f);
    assert_int_equal(f.changed, 0);
    tear_down(&f);
}

TEST(the_servers_time_is_known_from_the_start)
{
    const sc_slice time[] = {SC_S("TIME")};
    struct fixture f;
    sc_reply *reply = NULL;
    int64_t ahead_ms, asked_ns;

    set_up(&f, NULL);
    ahead_ms = sc__client_server_ms(f.client) - sc__wall_ms();
    assert_in_range(ahead_ms + 10000, 0, 20000);

    /* Our clock goes wrong by an hour: the next TIME puts that right. */
    sc__clock_shift(3600 * 1000);
    asked_ns = sc__mono_ns();
    assert_ok(sc_client_call(f.client, time, 1, &reply));
    sc__client_note_time(f.client, reply, asked_ns);
    sc_reply_free(reply);
    ahead_ms -= sc__client_server_ms(f.client) - sc__wall_ms();
    assert_in_range(ahead_ms, 3600 * 1000 - 10000, 3600 * 1000 + 10000);
    tear_down(&f);
}
