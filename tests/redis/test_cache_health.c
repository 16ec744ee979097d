/* cache/health.c: when Redis is asked, and when it is left alone */
#include <stdatomic.h>

#include "cache/health.h"

#include "base/clock.h"
#include "support/server.h"
#include "support/test.h"

static atomic_int lines;

static void on_log(sc_log_level level, const char *text, void *user)
{
    (void)level, (void)user;
    if (strncmp(text, "cache: ", 7) == 0)
        atomic_fetch_add(&lines, 1);
}

struct fixture {
    struct test_server server;
    sc_client *client;
    sc__health health;
};

static void set_up(struct fixture *f)
{
    sc_set_log(on_log, NULL);
    test_server_start(&f->server);
    f->client = test_server_client(&f->server);
    sc__health_init(&f->health, f->client, "cache", "values come from their loaders");
    sc__clock_shift(60 * 1000); /* an absence right after the start is not told */
}

static void tear_down(struct fixture *f)
{
    sc__health_release(&f->health);
    sc_client_free(f->client);
    test_server_kill(&f->server, 9);
}

static void answer(struct fixture *f, int times)
{
    for (int i = 0; i < times; i++)
        sc__health_after(&f->health, SC_OK);
}

static void silence(struct fixture *f, int times)
{
    for (int i = 0; i < times; i++)
        sc__health_after(&f->health, SC_ETIMEDOUT);
}

static void assert_asked(struct fixture *f)
{
    assert_ok(sc__health_ask(&f->health));
    assert_ok(sc__health_ask(&f->health));
}

TEST(a_call_or_two_without_an_answer_are_no_news)
{
    struct fixture f;

    set_up(&f);
    answer(&f, 100);
    for (int i = 0; i < 20; i++) {
        silence(&f, 2);
        assert_asked(&f);
        answer(&f, 10);
    }
    assert_int_equal(lines, 0);
    tear_down(&f);
}

TEST(three_calls_in_a_row_without_an_answer_leave_one_try_a_second)
{
    struct fixture f;

    set_up(&f);
    answer(&f, 100);
    silence(&f, 3);
    assert_err(sc__health_ask(&f.health), SC_ETIMEDOUT);
    assert_int_equal(lines, 1);
    for (int i = 0; i < 3; i++) {
        sc__clock_shift(1001);
        assert_ok(sc__health_ask(&f.health));
        assert_err(sc__health_ask(&f.health), SC_ETIMEDOUT);
        silence(&f, 1);
        assert_err(sc__health_ask(&f.health), SC_ETIMEDOUT);
    }
    assert_int_equal(lines, 1);
    tear_down(&f);
}

TEST(three_answered_tries_in_a_row_end_the_silence)
{
    struct fixture f;

    set_up(&f);
    silence(&f, 3);
    sc__clock_shift(1001);
    assert_ok(sc__health_ask(&f.health));
    answer(&f, 1);
    assert_ok(sc__health_ask(&f.health));                /* after an answer the next may at once, */
    assert_err(sc__health_ask(&f.health), SC_ETIMEDOUT); /* and one alone */
    silence(&f, 1);
    sc__clock_shift(1001);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(lines, 1);
        assert_ok(sc__health_ask(&f.health));
        answer(&f, 1);
    }
    assert_int_equal(lines, 2);
    assert_asked(&f);
    tear_down(&f);
}

TEST(a_half_of_calls_without_an_answer_is_too_many)
{
    struct fixture f;

    set_up(&f);
    answer(&f, 1000);
    for (int i = 0; i < 9; i++) {
        silence(&f, 1);
        assert_asked(&f);
        answer(&f, 1);
    }
    silence(&f, 1);
    assert_err(sc__health_ask(&f.health), SC_ETIMEDOUT);
    tear_down(&f);
}

TEST(a_third_of_calls_without_an_answer_is_borne)
{
    struct fixture f;

    set_up(&f);
    for (int i = 0; i < 50; i++) {
        silence(&f, 1);
        assert_asked(&f);
        answer(&f, 2);
    }
    tear_down(&f);
}

TEST(what_was_ten_seconds_ago_is_forgotten)
{
    struct fixture f;

    set_up(&f);
    silence(&f, 2);
    sc__clock_shift(10001);
    silence(&f, 2);
    assert_asked(&f);
    silence(&f, 1);
    assert_err(sc__health_ask(&f.health), SC_ETIMEDOUT);
    tear_down(&f);
}

TEST(what_never_got_to_the_server_says_nothing)
{
    struct fixture f;

    set_up(&f);
    for (int i = 0; i < 10; i++) {
        sc__health_after(&f.health, SC_ECANCELED);
        sc__health_after(&f.health, SC_ETOOBIG);
        sc__health_after(&f.health, SC_ENOMEM);
    }
    assert_asked(&f);
    assert_int_equal(lines, 0);
    tear_down(&f);
}

TEST(a_lost_connection_is_waited_for_by_nobody)
{
    struct fixture f;

    set_up(&f);
    sc__health_after(&f.health, SC_ECONNECT);
    assert_int_equal(lines, 1);
    assert_asked(&f); /* it is there again */
    answer(&f, 1);
    assert_int_equal(lines, 2);

    test_server_kill(&f.server, 9);
    wait_until(!sc_client_is_connected(f.client));
    sc__clock_shift(1001);
    silence(&f, 1); /* it may have waited for the connection */
    assert_int_equal(lines, 3);
    assert_err(sc__health_ask(&f.health), SC_ECONNECT);
    tear_down(&f);
}
