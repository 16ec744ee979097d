/* cache/link: its connection tells of changes, and of silence */
#include "cache/link.h"

#include <signal.h>

#include "base/clock.h"
#include "support/server.h"
#include "support/test.h"

enum { NEVER_MS = 3600 * 1000 }; /* only a wake ends such a wait within the test's limit */

struct fixture {
    struct test_server server;
    sc_client *owner;
    sc__link link;
};

static void set_up(struct fixture *f)
{
    test_server_start(&f->server);
    f->owner = test_server_client(&f->server);
    assert_ok(sc__link_start(&f->link, f->owner, NULL));
    wait_until(sc__link_is_heard(&f->link));
}

static void tear_down(struct fixture *f)
{
    sc__link_stop(&f->link);
    sc_client_free(f->owner);
    test_server_kill(&f->server, SIGKILL);
}

static void begin(struct fixture *f, sc__await *await)
{
    const sc_slice argv[] = {SC_S("GET"), SC_S("k")};
    sc_reply *reply = NULL;

    sc__await_begin(&f->link.awaits, await, SC_S("k"));
    assert_ok(sc_client_call(f->link.client, argv, 2, &reply));
    sc_reply_free(reply);
}

static void end(struct fixture *f, sc__await *await)
{
    sc__await_change(await, NEVER_MS);
    sc__await_end(&f->link.awaits, await);
}

TEST(who_waits_is_woken_by_a_change_and_by_flushall)
{
    sc__await await;
    struct fixture f;

    set_up(&f);
    begin(&f, &await);
    test_redis(&f.server, "SET k v");
    end(&f, &await);

    begin(&f, &await);
    test_redis(&f.server, "FLUSHALL");
    end(&f, &await);
    tear_down(&f);
}

TEST(all_who_wait_for_a_key_are_woken_and_no_others)
{
    sc__await first, second, other;
    struct fixture f;

    set_up(&f);
    begin(&f, &first);
    begin(&f, &second);
    sc__await_begin(&f.link.awaits, &other, SC_S("other"));
    test_redis(&f.server, "SET k v");
    end(&f, &second);
    end(&f, &first);

    assert_false(other.is_woken);
    sc__await_end(&f.link.awaits, &other);
    tear_down(&f);
}

TEST(who_waits_is_woken_by_the_loss_of_the_connection)
{
    sc__await await;
    struct fixture f;

    set_up(&f);
    begin(&f, &await);
    test_redis(&f.server, "CLIENT KILL TYPE normal");
    end(&f, &await);
    tear_down(&f);
}

TEST(a_server_that_falls_silent_is_not_heard_until_it_speaks_again)
{
    sc__await await;
    struct fixture f;

    set_up(&f);
    begin(&f, &await);
    kill(f.server.pid, SIGSTOP);
    end(&f, &await);
    assert_false(sc__link_is_heard(&f.link));

    kill(f.server.pid, SIGCONT);
    wait_until(sc__link_is_heard(&f.link));
    tear_down(&f);
}

TEST(a_quiet_connection_is_asked_while_anybody_cares_and_then_left_alone)
{
    sc_client_stats before, after;
    struct fixture f;

    set_up(&f);
    sc__clock_shift(2000);
    assert_false(sc__link_is_heard(&f.link));
    wait_until(sc__link_is_heard(&f.link));

    wait_until(!atomic_load(&f.link.pulse.runs));
    sc_client_stats_get(f.link.client, &before);
    sc__clock_shift(5000);
    sc_client_stats_get(f.link.client, &after);
    assert_int_equal(after.commands, before.commands);
    tear_down(&f);
}
