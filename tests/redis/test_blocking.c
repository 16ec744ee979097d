/* redis/blocking.c: a connection of its own for commands that wait on the server */
#include <signal.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "loop/loop.h"
#include "redis/blocking.h"
#include "support/pulse.h"
#include "support/server.h"
#include "support/test.h"

struct pop {
    sc__blocking *blocking;
    int64_t block_ms;
    bool cancel;
    sc_err started;
    atomic_int done; /* callbacks so far */
    sc_err err;
    char member[64];
};

static void on_popped(void *user, sc_err err, const sc_reply *reply)
{
    struct pop *pop = user;

    pop->err = err;
    if (!err && reply->type == SC_REPLY_ARRAY)
        snprintf(pop->member, sizeof(pop->member), "%.*s", (int)reply->items[1].str.len,
                 reply->items[1].str.ptr);
    if (!err && reply->type == SC_REPLY_ERROR)
        snprintf(pop->member, sizeof(pop->member), "%.*s", (int)reply->str.len, reply->str.ptr);
    pop->done++;
}

static void pop_on_loop(void *arg)
{
    struct pop *pop = arg;
    char seconds[32];
    sc_slice args[3] = {SC_S("BZPOPMIN"), SC_S("z"), {seconds, 0}};

    args[2].len = (size_t)snprintf(seconds, sizeof(seconds), "%.3f", (double)pop->block_ms / 1000);
    if (pop->cancel)
        sc__blocking_cancel(pop->blocking);
    else
        pop->started = sc__blocking_call(pop->blocking, args, 3, pop->block_ms, on_popped, pop);
}

static void start_pop(sc_client *client, struct pop *pop)
{
    sc__loop_run_wait(sc__client_loop(client), pop_on_loop, pop);
}

TEST(a_blocking_pop_gets_what_comes_later)
{
    struct test_server server;
    test_server_start(&server);
    sc_client *client = test_server_client(&server);
    struct pop pop = {.block_ms = 600000};
    assert_ok(sc__blocking_new(client, SC_S("waiter"), &pop.blocking));

    start_pop(client, &pop);
    wait_until(strstr(test_redis(&server, "CLIENT LIST"), "cmd=bzpopmin"));
    assert_non_null(strstr(test_redis(&server, "CLIENT LIST"), "name=waiter"));
    test_redis(&server, "ZADD z 0 job");

    wait_until(pop.done == 1);
    assert_ok(pop.err);
    assert_string_equal(pop.member, "job");
    sc__blocking_free(pop.blocking);
    sc_client_free(client);
}

TEST(an_empty_set_gives_nil_after_the_block_time)
{
    struct test_server server;
    test_server_start(&server);
    sc_client *client = test_server_client(&server);
    struct pop pop = {.block_ms = 50};
    assert_ok(sc__blocking_new(client, SC_S(""), &pop.blocking));

    for (int i = 1; i == 1 || (pop.err == SC_ECONNLOST && i < 10); i++) { /* it stood still */
        start_pop(client, &pop);
        wait_until(pop.done == i);
    }

    assert_ok(pop.err);
    assert_string_equal(pop.member, "");
    sc__blocking_free(pop.blocking);
    sc_client_free(client);
}

TEST(one_call_at_a_time_and_a_cancelled_one_ends_at_once)
{
    struct test_server server;
    test_server_start(&server);
    sc_client *client = test_server_client(&server);
    struct pop pop = {.block_ms = 60000}, second = {.block_ms = 1000};
    assert_ok(sc__blocking_new(client, SC_S("waiter"), &pop.blocking));
    second.blocking = pop.blocking;

    start_pop(client, &pop);
    start_pop(client, &second);
    assert_err(second.started, SC_ESTATE);
    pop.cancel = true;
    start_pop(client, &pop);

    assert_int_equal(pop.done, 1);
    assert_err(pop.err, SC_ECANCELED);
    sc__blocking_free(pop.blocking);
    sc_client_free(client);
}

TEST(a_call_under_way_is_cancelled_by_free)
{
    struct test_server server;
    test_server_start(&server);
    sc_client *client = test_server_client(&server);
    struct pop pop = {.block_ms = 60000};
    assert_ok(sc__blocking_new(client, SC_S("waiter"), &pop.blocking));

    start_pop(client, &pop);
    sc__blocking_free(pop.blocking);

    assert_int_equal(pop.done, 1);
    assert_err(pop.err, SC_ECANCELED);
    sc_client_free(client);
}

TEST(a_killed_server_ends_the_call_and_the_next_one_finds_the_new_server)
{
    struct test_server server;
    test_server_start(&server);
    sc_client *client = test_server_client(&server);
    struct pop pop = {.block_ms = 60000};
    assert_ok(sc__blocking_new(client, SC_S("waiter"), &pop.blocking));
    start_pop(client, &pop);
    wait_until(strstr(test_redis(&server, "CLIENT LIST"), "cmd=bzpopmin"));

    test_server_kill(&server, SIGKILL);
    wait_until(pop.done == 1);
    assert_err(pop.err, SC_ECONNLOST);
    start_pop(client, &pop);
    wait_until(pop.done == 2);
    assert_err(pop.err, SC_ECONNECT);
    test_server_restart(&server);
    test_redis(&server, "ZADD z 0 job");
    start_pop(client, &pop);

    wait_until(pop.done == 3);
    assert_ok(pop.err);
    assert_string_equal(pop.member, "job");
    sc__blocking_free(pop.blocking);
    sc_client_free(client);
}

TEST(a_server_that_falls_silent_is_a_lost_connection)
{
    struct test_server server;
    test_server_start(&server);
    sc_client *client = test_server_client(&server);
    struct pop pop = {.block_ms = 100};
    assert_ok(sc__blocking_new(client, SC_S("waiter"), &pop.blocking));
    start_pop(client, &pop);
    wait_until(pop.done == 1);

    struct pulse pulse;
    int64_t began = sc__mono_ms();
    kill(server.pid, SIGSTOP);
    pulse_start(&pulse, NULL, NULL);
    start_pop(client, &pop);
    wait_until(pop.done == 2);

    assert_err(pop.err, SC_ECONNLOST);
    assert_true(sc__mono_ms() - began < 5000 + pulse_stop(&pulse));
    kill(server.pid, SIGCONT);
    sc__blocking_free(pop.blocking);
    sc_client_free(client);
}

TEST(an_error_reply_is_handed_on)
{
    struct test_server server;
    test_server_start(&server);
    sc_client *client = test_server_client(&server);
    struct pop pop = {.block_ms = 1000};
    assert_ok(sc__blocking_new(client, SC_S("waiter"), &pop.blocking));
    test_redis(&server, "SET z string");

    start_pop(client, &pop);

    wait_until(pop.done == 1);
    assert_ok(pop.err);
    assert_non_null(strstr(pop.member, "WRONGTYPE"));
    sc__blocking_free(pop.blocking);
    sc_client_free(client);
}

static void pop_then_count(void *arg)
{
    struct pop *pop = arg;
    const sc_slice first[] = {SC_S("BZPOPMIN"), SC_S("z"), SC_S("60")};
    const sc_slice second[] = {SC_S("ZREVRANGEBYSCORE"), SC_S("z"), SC_S("+inf"), SC_S("-inf")};

    pop->started = sc__blocking_call_then(pop->blocking, &(sc__command){first, 3},
                                          &(sc__command){second, 4}, pop->block_ms, on_popped, pop);
}

TEST(a_command_behind_the_one_that_blocks_runs_when_that_is_answered)
{
    struct test_server server;
    test_server_start(&server);
    sc_client *client = test_server_client(&server);
    struct pop pop = {.block_ms = 60000};
    assert_ok(sc__blocking_new(client, SC_S("waiter"), &pop.blocking));

    sc__loop_run_wait(sc__client_loop(client), pop_then_count, &pop);
    assert_ok(pop.started);
    wait_until(strstr(test_redis(&server, "CLIENT LIST"), "cmd=bzpopmin"));
    assert_int_equal(pop.done, 0);
    test_redis(&server, "ZADD z 0 first 1 other 2 last");

    wait_until(pop.done == 2);
    assert_ok(pop.err);
    assert_string_equal(pop.member, "other"); /* the second item of {last, other} */
    sc__blocking_free(pop.blocking);
    sc_client_free(client);
}

static void hurry_on_loop(void *arg)
{
    sc__blocking_hurry(arg);
}

TEST(a_hurried_call_is_answered_at_once)
{
    struct test_server server;
    test_server_start(&server);
    sc_client *client = test_server_client(&server);
    struct pop pop = {.block_ms = 60000};
    assert_ok(sc__blocking_new(client, SC_S("waiter"), &pop.blocking));
    start_pop(client, &pop);
    wait_until(strstr(test_redis(&server, "CLIENT LIST"), "cmd=bzpopmin"));

    sc__loop_run_wait(sc__client_loop(client), hurry_on_loop, pop.blocking);

    wait_until(pop.done == 1);
    assert_ok(pop.err);
    assert_string_equal(pop.member, "");
    assert_non_null(strstr(test_redis(&server, "CLIENT LIST"), "name=waiter"));
    sc__blocking_free(pop.blocking);
    sc_client_free(client);
}

/* Redis 7.0 and Valkey 8.0 would die. */
TEST(a_call_that_the_server_holds_back_is_not_hurried_before_it_waits)
{
    struct test_server server;
    test_server_start(&server);
    sc_client *client = test_server_client(&server);
    struct pop pop = {.block_ms = 60000};
    assert_ok(sc__blocking_new(client, SC_S("waiter"), &pop.blocking));
    test_redis(&server, "CLIENT PAUSE 600000 WRITE");
    start_pop(client, &pop);
    wait_until(strstr(test_redis(&server, "CLIENT LIST"), "cmd=bzpopmin"));

    sc__loop_run_wait(sc__client_loop(client), hurry_on_loop, pop.blocking);
    wait_until(strstr(test_redis(&server, "CLIENT LIST"), "cmd=eval"));
    test_redis(&server, "CLIENT UNPAUSE");

    wait_until(pop.done == 1);
    assert_string_equal(test_redis(&server, "PING"), "PONG");
    sc__blocking_free(pop.blocking);
    sc_client_free(client);
}

TEST(a_call_is_hurried_though_the_server_was_asked_that_for_the_one_before)
{
    struct test_server server;
    test_server_start(&server);
    sc_client *client = test_server_client(&server);
    struct pop pop = {.block_ms = 60000};
    assert_ok(sc__blocking_new(client, SC_S("waiter"), &pop.blocking));
    start_pop(client, &pop);
    wait_until(strstr(test_redis(&server, "CLIENT LIST"), "cmd=bzpopmin"));
    test_redis(&server, "CLIENT PAUSE 600000 WRITE");
    sc__loop_run_wait(sc__client_loop(client), hurry_on_loop, pop.blocking);
    pop.cancel = true;
    start_pop(client, &pop);
    assert_int_equal(pop.done, 1);

    pop.cancel = false;
    start_pop(client, &pop);
    assert_ok(pop.started);
    wait_until(strstr(test_redis(&server, "CLIENT LIST"), "cmd=bzpopmin"));
    sc__loop_run_wait(sc__client_loop(client), hurry_on_loop, pop.blocking);
    test_redis(&server, "CLIENT UNPAUSE");

    wait_until(pop.done == 2);
    sc__blocking_free(pop.blocking);
    sc_client_free(client);
}

static void pop_and_hurry(void *arg)
{
    struct pop *pop = arg;

    pop_on_loop(pop);
    sc__blocking_hurry(pop->blocking);
}

/* False when one was not answered in time. */
static bool hurry_hundreds(const struct test_server *server, sc_client *client, struct pop *pop)
{
    int before = pop->done;

    start_pop(client, pop);
    wait_until(strstr(test_redis(server, "CLIENT LIST"), "cmd=bzpopmin"));
    sc__loop_run_wait(sc__client_loop(client), hurry_on_loop, pop->blocking);
    wait_until(pop->done == before + 1);
    for (int i = 0; i < 400 && pop->err == SC_OK; i++) {
        before = pop->done;
        sc__loop_run_wait(sc__client_loop(client), pop_and_hurry, pop);
        wait_until(pop->done == before + 1);
    }
    return pop->err == SC_OK;
}

/* What asks to hurry it may overtake it, on another connection. */
TEST(a_call_on_its_way_is_hurried_when_it_arrives)
{
    struct test_server server;
    test_server_start(&server);
    sc_client *client = test_server_client(&server);
    struct pop pop = {.block_ms = INT32_MAX};
    bool in_time = false;
    assert_ok(sc__blocking_new(client, SC_S("waiter"), &pop.blocking));

    /* The machine may stand still for longer than a call has time. */
    for (int i = 0; i < 3 && !in_time; i++)
        in_time = hurry_hundreds(&server, client, &pop);

    assert_true(in_time);
    sc__blocking_free(pop.blocking);
    sc_client_free(client);
}

TEST(where_the_server_may_not_be_asked_to_hurry_the_call_is_cancelled)
{
    struct test_server server;
    test_server_start(&server);
    sc_client *client = test_server_client(&server);
    struct pop pop = {.block_ms = 60000};
    assert_ok(sc__blocking_new(client, SC_S("waiter"), &pop.blocking));
    start_pop(client, &pop);
    wait_until(strstr(test_redis(&server, "CLIENT LIST"), "cmd=bzpopmin"));
    test_redis(&server, "ACL SETUSER default -client");

    sc__loop_run_wait(sc__client_loop(client), hurry_on_loop, pop.blocking);

    wait_until(pop.done == 1);
    assert_err(pop.err, SC_ECANCELED);
    sc__blocking_free(pop.blocking);
    sc_client_free(client);
}

TEST(a_hurried_call_that_is_freed_leaves_nothing_behind)
{
    struct test_server server;
    test_server_start(&server);
    sc_client *client = test_server_client(&server);
    struct pop pop = {.block_ms = 60000};
    assert_ok(sc__blocking_new(client, SC_S("waiter"), &pop.blocking));
    start_pop(client, &pop);
    wait_until(strstr(test_redis(&server, "CLIENT LIST"), "cmd=bzpopmin"));
    kill(server.pid, SIGSTOP);

    sc__loop_run_wait(sc__client_loop(client), hurry_on_loop, pop.blocking);
    sc__blocking_free(pop.blocking);

    assert_int_equal(pop.done, 1);
    assert_err(pop.err, SC_ECANCELED);
    kill(server.pid, SIGCONT);
    sc_client_free(client);
}
