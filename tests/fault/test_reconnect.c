/* Servers that die, stop, forget and turn away, in the middle of the work of many threads. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include <openssl/sha.h>
#include <storychain/client.h>

#include "base/clock.h"
#include "base/str.h"
#include "redis/client.h"
#include "redis/reply.h"
#include "support/fake_server.h"
#include "support/pulse.h"
#include "support/server.h"
#include "support/test.h"

static const sc_slice incr[] = {{"INCR", 4}, {"n", 1}};
static const sc_slice get[] = {{"GET", 3}, {"k", 1}};
static const sc_slice set[] = {{"SET", 3}, {"k", 1}, {"v", 1}};
static const sc__send_opts repeatable = {.idempotent = true, .timeout_ms = 60000};

static sc_client *client_with(const char *url, int64_t timeout_ms)
{
    sc_client_opts opts = {.url = url, .command_timeout_ms = timeout_ms};
    sc_client *client;

    assert_ok(sc_client_new(&opts, &client, NULL));
    return client;
}

/* callbacks are counted: each command has its own cell, which must end at exactly 1 */

enum { CELLS = 20000 };

struct tally {
    atomic_uchar calls[CELLS];
    atomic_int ok, lost, timed_out, canceled, other;
};

struct cell {
    struct tally *tally;
    int index;
};

static void on_counted(void *user, sc_err err, const sc_reply *reply)
{
    struct cell *cell = user;
    struct tally *t = cell->tally;

    t->calls[cell->index]++;
    if (err == SC_OK && reply->type != SC_REPLY_ERROR)
        t->ok++;
    else if (err == SC_ECONNLOST)
        t->lost++;
    else if (err == SC_ETIMEDOUT)
        t->timed_out++;
    else if (err == SC_ECANCELED)
        t->canceled++;
    else
        t->other++;
}

static void assert_each_once(const struct tally *t, int from, int to)
{
    for (int i = from; i < to; i++)
        if (t->calls[i] != 1)
            fail_msg("command %d had %d callbacks", i, t->calls[i]);
}

struct load {
    sc_client *client;
    struct tally *tally;
    struct cell cells[CELLS];
    atomic_bool stop;
    atomic_int next, failed;
    atomic_int reads;
};

/* Commands that must not be repeated, a few thousand at a time, and some that may, each awaited. */
static void *send_incrs(void *arg)
{
    struct load *load = arg;

    while (!load->stop) {
        int i = load->next++;

        if (i >= CELLS)
            break;
        load->cells[i] = (struct cell){load->tally, i};
        if (sc__client_send(load->client, incr, 2, &(sc__send_opts){.timeout_ms = 60000},
                            on_counted, &load->cells[i]))
            load->failed++;
        if (i % 10 == 0)
            test_pause_until(INT64_MAX);
    }
    return NULL;
}

static void *send_reads(void *arg)
{
    struct load *load = arg;

    while (!load->stop) {
        sc_reply *reply = NULL;

        if (sc__client_send_wait(load->client, get, 2, &repeatable, &reply) ||
            reply->type == SC_REPLY_ERROR)
            load->failed++;
        sc_reply_free(reply);
        load->reads++;
    }
    return NULL;
}

TEST_LIMIT(a_server_killed_under_load_loses_no_callback_and_no_repeatable_command, 60)
{
    static struct load load;
    static struct tally tally;
    struct test_server server;
    /* "everysec" would not do: while the disk is slow, Redis answers before it writes. */
    test_server_start_args(
        &server, (const char *const[]){"--appendonly", "yes", "--appendfsync", "always", NULL});
    load.client = client_with(server.url, 0);
    load.tally = &tally;
    pthread_t threads[8];

    for (int i = 0; i < 8; i++)
        pthread_create(&threads[i], NULL, i % 2 ? send_incrs : send_reads, &load);
    for (int kills = 0; kills < 4; kills++) {
        int reads = load.reads, oks = tally.ok;

        wait_until(load.reads > reads + 200 && (tally.ok > oks + 50 || load.next >= CELLS));
        test_server_kill(&server, SIGKILL);
        test_server_restart(&server);
    }
    load.stop = true;
    for (int i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
    int sent = load.next < CELLS ? load.next : CELLS;
    wait_until(tally.ok + tally.lost + tally.other >= sent);

    assert_each_once(&tally, 0, sent);
    assert_int_equal(load.failed, 0);
    assert_int_equal(tally.other, 0);
    int64_t n = strtoll(test_redis(&server, "GET n"), NULL, 10);
    if (n < tally.ok || n > tally.ok + tally.lost)
        fail_msg("%lld ran, %d were answered, %d lost", (long long)n, tally.ok, tally.lost);
    sc_client_free(load.client);
}

static const sc_slice echo_text = {"return ARGV[1]", 14};
static const char *const echo_sha = "098e0f0d1448c0a81dafe820f66d460eb09263da";

static void *run_scripts(void *arg)
{
    struct load *load = arg;
    const sc__send_opts opts = {.script_text = &echo_text, .timeout_ms = 60000};

    while (!load->stop) {
        char digits[SC__INT_LEN];
        sc_slice value = {digits, sc__int_text(load->next++, digits)};
        const sc_slice argv[] = {SC_S("EVALSHA"), sc_slice_of(echo_sha), SC_S("0"), value};
        sc_reply *reply = NULL;

        if (sc__client_send_wait(load->client, argv, 4, &opts, &reply) ||
            !sc_slice_eq(reply->str, value))
            load->failed++;
        sc_reply_free(reply);
        load->reads++;
    }
    return NULL;
}

TEST(scripts_flushed_under_load_are_not_noticed)
{
    static struct load load;
    struct test_server server;
    test_server_start(&server);
    load.client = client_with(server.url, 0);
    pthread_t threads[8];

    for (int i = 0; i < 8; i++)
        pthread_create(&threads[i], NULL, run_scripts, &load);
    for (int i = 0; i < 100; i++) {
        int before = load.reads;

        wait_until(load.reads > before);
        test_redis(&server, "SCRIPT FLUSH");
    }
    load.stop = true;
    for (int i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);

    assert_int_equal(load.failed, 0);
    sc_client_free(load.client);
}

TEST(a_burst_of_scripts_loads_the_text_once)
{
    static struct tally tally;
    static struct cell cells[1000];
    const sc__send_opts opts = {.script_text = &echo_text};
    const sc_slice argv[] = {SC_S("EVALSHA"), sc_slice_of(echo_sha), SC_S("0"), SC_S("x")};
    struct test_server server;
    test_server_start(&server);
    sc_client *client = test_server_client(&server);

    for (int i = 0; i < 1000; i++) {
        cells[i] = (struct cell){&tally, i};
        assert_ok(sc__client_send(client, argv, 4, &opts, on_counted, &cells[i]));
    }
    wait_until(tally.ok + tally.other == 1000);

    assert_int_equal(tally.ok, 1000);
    const char *stats = test_redis(&server, "INFO commandstats");
    const char *loads = strstr(stats, "cmdstat_script|load:calls=");
    assert_non_null(loads);
    assert_true(strtol(loads + strlen("cmdstat_script|load:calls="), NULL, 10) <= 3);
    sc_client_free(client);
}

TEST(a_server_that_stands_still_meets_the_deadlines)
{
    static struct tally tally;
    static struct cell cells[100];
    struct test_server server;
    sc_client_stats stats;
    sc_reply *reply;
    test_server_start(&server);
    sc_client *client = client_with(server.url, 300);
    assert_ok(sc_client_wait_ready(client, 5000, NULL));

    kill(server.pid, SIGSTOP);
    int64_t began = sc__mono_ms();
    struct pulse pulse;
    pulse_start(&pulse, NULL, NULL);
    for (int i = 0; i < 100; i++) {
        cells[i] = (struct cell){&tally, i};
        assert_ok(sc_client_call_async(client, incr, 2, on_counted, &cells[i]));
    }
    wait_until(tally.timed_out + tally.lost == 100);
    assert_true(sc__mono_ms() - began < 3000 + pulse_stop(&pulse));
    kill(server.pid, SIGCONT);
    wait_until(sc_client_call(client, get, 2, &reply) == SC_OK);

    sc_reply_free(reply);
    assert_each_once(&tally, 0, 100);
    sc_client_stats_get(client, &stats);
    assert_int_equal(stats.timeouts + (uint64_t)tally.lost >= 100, 1);
    sc_client_free(client);
}

/* It is written by its caller: nobody else may know of it before its deadline. */
TEST(a_single_command_to_a_server_that_stands_still_meets_its_deadline)
{
    struct test_server server;
    sc_reply *reply;
    test_server_start(&server);
    sc_client *client = client_with(server.url, 200);
    assert_ok(sc_client_wait_ready(client, 5000, NULL));

    for (int i = 0; i < 2; i++) {
        int64_t now_ms = sc__mono_ms();

        wait_until(sc__mono_ms() > now_ms + 500); /* no deadline is planned for any more */
        kill(server.pid, SIGSTOP);
        assert_err(sc_client_call(client, get, 2, &reply), SC_ETIMEDOUT);
        kill(server.pid, SIGCONT);
        wait_until(sc_client_call(client, get, 2, &reply) == SC_OK);
        sc_reply_free(reply);
    }
    sc_client_free(client);
}

TEST(a_command_with_a_short_deadline_does_not_take_the_connection_with_it)
{
    struct test_server server;
    sc_client_stats stats;
    sc_reply *reply = NULL;
    const sc_slice slow[] = {SC_S("EVAL"), SC_S("for i = 1, 30000000 do end return 1"), SC_S("0")};
    const sc_slice ping[] = {SC_S("PING")};
    test_server_start(&server);
    sc_client *client = test_server_client(&server);

    sc_err err = sc__client_send_wait(client, slow, 3, &(sc__send_opts){.timeout_ms = 20}, &reply);
    assert_true(err == SC_ETIMEDOUT || err == SC_OK);
    sc_reply_free(reply);
    assert_ok(sc_client_call(client, ping, 1, &reply));

    assert_slice(reply->str, "PONG");
    sc_reply_free(reply);
    sc_client_stats_get(client, &stats);
    assert_int_equal(stats.reconnects, 0);
    sc_client_free(client);
}

TEST(commands_wait_for_a_server_that_is_not_there_yet)
{
    static struct tally tally;
    static struct cell cells[100];
    struct test_server server;
    sc_reply *reply = NULL;
    test_server_start(&server);
    test_server_kill(&server, SIGKILL);
    sc_client *client = client_with(server.url, 0);

    for (int i = 0; i < 100; i++) {
        cells[i] = (struct cell){&tally, i};
        assert_ok(sc_client_call_async(client, incr, 2, on_counted, &cells[i]));
    }
    assert_err(sc__client_send_wait(client, get, 2, &(sc__send_opts){.timeout_ms = 50}, &reply),
               SC_ETIMEDOUT);
    test_server_restart(&server);
    wait_until(tally.ok == 100);

    assert_string_equal(test_redis(&server, "GET n"), "100");
    assert_each_once(&tally, 0, 100);
    sc_client_free(client);
}

TEST(a_read_only_server_is_left_for_the_next_connection)
{
    struct test_server server;
    sc_client_stats stats;
    sc_reply *reply = NULL;
    test_server_start(&server);
    sc_client *client = test_server_client(&server);

    test_redis(&server, "REPLICAOF 127.0.0.1 1");
    assert_err(sc_client_call(client, set, 3, &reply), SC_EREADONLY);
    test_redis(&server, "REPLICAOF NO ONE");

    assert_ok(sc_client_call(client, set, 3, &reply));
    assert_slice(reply->str, "OK");
    sc_reply_free(reply);
    sc_client_stats_get(client, &stats);
    assert_int_equal(stats.reconnects, 1);
    sc_client_free(client);
}

TEST(a_script_that_writes_to_a_replica_is_read_only_too)
{
    static const sc_slice text = {"return redis.call('SET', KEYS[1], 'v')", 38};
    const sc_slice argv[] = {SC_S("EVAL"), text, SC_S("1"), SC_S("k")};
    struct test_server server;
    sc_reply *reply = NULL;
    test_server_start(&server);
    sc_client *client = test_server_client(&server);

    test_redis(&server, "REPLICAOF 127.0.0.1 1");

    assert_err(sc_client_call(client, argv, 4, &reply), SC_EREADONLY);
    sc_client_free(client);
}

static void load_for_a_while(struct fake_conn *conn, void *user)
{
    int *asked = user;

    if (!fake_hello(conn))
        return;
    while (fake_read(conn))
        fake_say(conn, ++*asked <= 3 ? "-LOADING Redis is loading the dataset in memory\r\n"
                                     : "$1\r\nv\r\n");
}

TEST(a_server_that_loads_its_data_is_asked_again)
{
    int asked = 0;
    struct fake_server server;
    sc_reply *reply = NULL;
    fake_server_start(&server, load_for_a_while, &asked);
    sc_client *client = client_with(server.url, 0);

    assert_ok(sc_client_call(client, get, 2, &reply));

    assert_slice(reply->str, "v");
    assert_int_equal(asked, 4);
    sc_reply_free(reply);
    sc_client_free(client);
    fake_server_stop(&server);
}

static void load_for_ever(struct fake_conn *conn, void *user)
{
    (void)user;
    if (!fake_hello(conn))
        return;
    while (fake_read(conn))
        fake_say(conn, "-LOADING Redis is loading the dataset in memory\r\n");
}

TEST(a_server_that_loads_for_too_long_meets_the_deadline)
{
    struct fake_server server;
    sc_reply *reply = NULL;
    fake_server_start(&server, load_for_ever, NULL);
    sc_client *client = client_with(server.url, 250);

    assert_err(sc_client_call(client, get, 2, &reply), SC_ETIMEDOUT);

    sc_client_free(client);
    fake_server_stop(&server);
}

static void drop_first(struct fake_conn *conn, void *user)
{
    atomic_int *seen = user;

    if (!fake_hello(conn))
        return;
    while (fake_read(conn)) {
        ++*seen;
        if (conn->number == 0)
            return; /* it has run, and nobody is told */
        fake_say(conn, ":1\r\n");
    }
}

TEST(a_command_without_answer_is_repeated_only_if_it_may_be)
{
    atomic_int seen = 0;
    struct fake_server server;
    sc_reply *reply = NULL;
    fake_server_start(&server, drop_first, &seen);
    sc_client *client = client_with(server.url, 0);

    assert_err(sc_client_call(client, incr, 2, &reply), SC_ECONNLOST);
    assert_int_equal(seen, 1);
    sc_client_free(client);
    fake_server_stop(&server);

    seen = 0;
    fake_server_start(&server, drop_first, &seen);
    client = client_with(server.url, 0);
    assert_ok(sc__client_send_wait(client, get, 2, &repeatable, &reply));
    assert_int_equal(seen, 2);
    sc_reply_free(reply);
    sc_client_free(client);
    fake_server_stop(&server);
}

static void drop_always(struct fake_conn *conn, void *user)
{
    atomic_int *seen = user;

    if (fake_hello(conn) && fake_read(conn))
        ++*seen;
}

TEST(a_command_is_repeated_once_at_most)
{
    atomic_int seen = 0;
    struct fake_server server;
    sc_reply *reply = NULL;
    fake_server_start(&server, drop_always, &seen);
    sc_client *client = client_with(server.url, 0);

    assert_err(sc__client_send_wait(client, get, 2, &repeatable, &reply), SC_ECONNLOST);

    assert_int_equal(seen, 2);
    sc_client_free(client);
    fake_server_stop(&server);
}

struct resend {
    sc_client *client;
    atomic_int done;
    sc_err again;
};

static void send_again(void *user, sc_err err, const sc_reply *reply)
{
    struct resend *r = user;

    (void)err, (void)reply;
    r->again = sc_client_call_async(r->client, get, 2, send_again, r);
    r->done++;
}

TEST(free_cancels_what_waits_and_takes_nothing_new)
{
    static struct tally tally;
    static struct cell cells[1000];
    struct test_server server;
    struct resend resend = {0};
    test_server_start(&server);
    sc_client *client = test_server_client(&server);
    resend.client = client;

    kill(server.pid, SIGSTOP);
    for (int i = 0; i < 1000; i++) {
        cells[i] = (struct cell){&tally, i};
        assert_ok(sc_client_call_async(client, incr, 2, on_counted, &cells[i]));
    }
    assert_ok(sc_client_call_async(client, get, 2, send_again, &resend));
    sc_client_free(client);

    assert_int_equal(tally.canceled, 1000);
    assert_each_once(&tally, 0, 1000);
    assert_int_equal(resend.done, 1);
    assert_err(resend.again, SC_ECANCELED);
    kill(server.pid, SIGCONT);
}

TEST(too_much_that_waits_is_refused)
{
    static char kilobytes[100 * 1024];
    const sc_slice big[] = {SC_S("SET"), SC_S("k"), {kilobytes, sizeof(kilobytes)}};
    static struct tally tally;
    static struct cell cells[32];
    struct test_server server;
    sc_client *client;
    int sent = 0;
    sc_err err = SC_OK;
    test_server_start(&server);
    sc_client_opts opts = {.url = server.url, .max_waiting_bytes = 1024 * 1024};
    assert_ok(sc_client_new(&opts, &client, NULL));
    assert_ok(sc_client_wait_ready(client, 5000, NULL));

    kill(server.pid, SIGSTOP);
    for (; sent < 32 && !err; sent++) {
        cells[sent] = (struct cell){&tally, sent};
        err = sc_client_call_async(client, big, 3, on_counted, &cells[sent]);
    }
    assert_err(err, SC_EOVERLOAD);
    assert_int_equal(sent, 11);
    kill(server.pid, SIGCONT);
    wait_until(tally.ok == 10);

    assert_ok(sc_client_call_async(client, big, 3, on_counted, &cells[10]));
    wait_until(tally.ok == 11);
    sc_client_free(client);
}

TEST(a_script_larger_than_what_may_wait_is_loaded_all_the_same)
{
    static char bytes[5000];
    unsigned char digest[SHA_DIGEST_LENGTH];
    char sha[SHA_DIGEST_LENGTH * 2 + 1];
    struct test_server server;
    sc_reply *reply = NULL;
    sc_client *client;
    test_server_start(&server);
    sc_client_opts client_opts = {.url = server.url, .max_waiting_bytes = 1000};
    assert_ok(sc_client_new(&client_opts, &client, NULL));

    memset(bytes, '-', sizeof(bytes));
    memcpy(bytes, "return 'ran' ", 13);
    SHA1((unsigned char *)bytes, sizeof(bytes), digest);
    for (int i = 0; i < SHA_DIGEST_LENGTH; i++)
        snprintf(sha + 2 * (size_t)i, 3, "%02x", digest[i]);
    const sc_slice text = {bytes, sizeof(bytes)};
    const sc_slice argv[] = {SC_S("EVALSHA"), sc_slice_of(sha), SC_S("0")};
    const sc__send_opts opts = {.script_text = &text};
    assert_ok(sc__client_send_wait(client, argv, 3, &opts, &reply));

    assert_slice(reply->str, "ran");
    sc_reply_free(reply);
    sc_client_free(client);
}

/* Knows no script until one is loaded; loads its data when it is asked for the first script. */
static void know_no_script(struct fake_conn *conn, void *user)
{
    bool is_known = false, has_paused = false;
    const char *command;

    (void)user;
    if (!fake_hello(conn))
        return;
    while ((command = fake_read(conn))) {
        if (!strncmp(command, "GET", 3) && !has_paused) {
            has_paused = fake_read(conn) != NULL;
            fake_say(conn, "-LOADING Redis is loading the dataset in memory\r\n-NOSCRIPT No\r\n");
        } else if (!strncmp(command, "EVALSHA", 7)) {
            fake_say(conn, is_known ? "+ran\r\n" : "-NOSCRIPT No matching script\r\n");
        } else {
            is_known |= !strncmp(command, "SCRIPT", 6);
            fake_say(conn, "+OK\r\n");
        }
    }
}

TEST(a_script_whose_load_met_its_deadline_unsent_is_loaded_by_the_next_call)
{
    static struct tally tally;
    struct cell cells[] = {{&tally, 0}, {&tally, 1}};
    const sc__send_opts short_call = {.script_text = &echo_text, .timeout_ms = 20};
    const sc__send_opts opts = {.script_text = &echo_text};
    const sc_slice argv[] = {SC_S("EVALSHA"), sc_slice_of(echo_sha), SC_S("0"), SC_S("x")};
    struct fake_server server;
    sc_reply *reply = NULL;
    fake_server_start(&server, know_no_script, NULL);
    sc_client *client = client_with(server.url, 0);

    assert_ok(sc__client_send(client, get, 2, &repeatable, on_counted, &cells[0]));
    assert_ok(sc__client_send(client, argv, 4, &short_call, on_counted, &cells[1]));
    wait_until(tally.ok + tally.timed_out == 2);

    assert_ok(sc__client_send_wait(client, argv, 4, &opts, &reply));
    assert_slice(reply->str, "ran");
    sc_reply_free(reply);
    sc_client_free(client);
    fake_server_stop(&server);
}

static atomic_int lines_lost, lines_found;

static void count_lines(sc_log_level level, const char *text, void *user)
{
    (void)user;
    if (level == SC_LOG_WARN && strstr(text, "connection lost"))
        lines_lost++;
    if (level == SC_LOG_INFO && strstr(text, "connected again"))
        lines_found++;
}

TEST(a_loss_is_one_line_and_so_is_its_end)
{
    struct test_server server;
    test_server_start(&server);
    sc_set_log(count_lines, NULL);
    sc_client *client = test_server_client(&server);

    test_server_kill(&server, SIGKILL);
    wait_until(!sc_client_is_connected(client));
    assert_err(sc_client_wait_ready(client, 300, NULL), SC_ETIMEDOUT); /* some attempts long */
    test_server_restart(&server);
    wait_until(lines_found == 1);

    assert_int_equal(lines_lost, 1);
    sc_client_free(client);
}

struct watch {
    sc__client_watch watch;
    atomic_int ups, downs;
};

static void on_change(void *user, bool connected)
{
    struct watch *w = user;

    if (connected)
        w->ups++;
    else
        w->downs++;
}

TEST(watches_are_told_of_each_change_until_removed)
{
    struct test_server server;
    struct watch first = {0}, second = {0};
    test_server_start(&server);
    sc_client *client = test_server_client(&server);
    first.watch = (sc__client_watch){.cb = on_change, .user = &first};
    second.watch = (sc__client_watch){.cb = on_change, .user = &second};
    sc__client_watch_add(client, &first.watch);
    sc__client_watch_add(client, &second.watch);

    test_server_kill(&server, SIGKILL);
    wait_until(first.downs == 1 && second.downs == 1);
    sc__client_watch_remove(client, &second.watch);
    test_server_restart(&server);
    wait_until(first.ups == 1);

    assert_int_equal(second.ups, 0);
    sc__client_watch_remove(client, &first.watch);
    sc_client_free(client);
}
