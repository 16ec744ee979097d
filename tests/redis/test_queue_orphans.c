/* queue/orphans.c, queue/id_set.c, lua/removeOrphans */
#include <storychain/control.h>

#include "support/server.h"
#include "support/test.h"

static struct test_server server;
static sc_client *client;
static sc_queue *queue;

static void open_queue(void)
{
    test_server_start(&server);
    client = test_server_client(&server);
    assert_ok(sc_queue_new(client, SC_S("q"), NULL, &queue, NULL));
}

static void close_queue(void)
{
    sc_queue_free(queue);
    sc_client_free(client);
}

static void add(const char *id, const sc_job_opts *given)
{
    sc_job_opts opts = given ? *given : SC_JOB_OPTS_INIT;
    const sc_job_spec spec = {.name = SC_S("n"), .opts = &opts};

    opts.id = sc_slice_of(id);
    assert_ok(sc_queue_add(queue, &spec, NULL, NULL));
}

static void add_many(size_t count)
{
    sc_job_spec *specs = calloc(count, sizeof(*specs));

    for (size_t i = 0; i < count; i++)
        specs[i] = (sc_job_spec){.name = SC_S("n")};
    assert_ok(sc_queue_add_bulk(queue, specs, count, NULL, NULL, NULL));
    free(specs);
}

static const char *redis(const char *command)
{
    return test_redis(&server, command);
}

static int64_t remove_orphans(int64_t limit)
{
    int64_t removed = -1;
    sc_reason why = {""};

    if (sc_queue_remove_orphans(queue, limit, NULL, &removed, &why))
        fail_msg("%s", why.text);
    return removed;
}

TEST(jobs_in_no_state_are_removed_with_all_that_is_theirs)
{
    open_queue();
    add("gone", NULL);
    assert_ok(sc_queue_add_log(queue, SC_S("gone"), SC_S("row"), 0, NULL));
    redis("SET bull:q:gone:lock x");
    redis("LREM bull:q:wait 1 gone");
    redis("RPUSH bull:q:rest:logs row");
    assert_int_equal(remove_orphans(0), 2);

    assert_string_equal(
        redis("EXISTS bull:q:gone bull:q:gone:logs bull:q:gone:lock bull:q:rest:logs"), "0");
    assert_int_equal(remove_orphans(0), 0);
    close_queue();
}

TEST(jobs_in_any_state_stay)
{
    static const char *const lists[] = {"active", "paused"};
    static const char *const sets[] = {"completed", "failed", "waiting-children"};
    char command[128];

    open_queue();
    add("waits", NULL);
    add("late", &(sc_job_opts){.delay_ms = 60000});
    add("prio", &(sc_job_opts){.priority = 3});
    for (size_t i = 0; i < 2; i++) {
        snprintf(command, sizeof(command), "RPUSH bull:q:%s in-%s", lists[i], lists[i]);
        redis(command);
        snprintf(command, sizeof(command), "HSET bull:q:in-%s name n", lists[i]);
        redis(command);
    }
    for (size_t i = 0; i < 3; i++) {
        snprintf(command, sizeof(command), "ZADD bull:q:%s 1 in-%s", sets[i], sets[i]);
        redis(command);
        snprintf(command, sizeof(command), "HSET bull:q:in-%s name n", sets[i]);
        redis(command);
    }

    assert_int_equal(remove_orphans(0), 0);
    assert_string_equal(redis("EXISTS bull:q:waits bull:q:late bull:q:prio bull:q:in-active "
                              "bull:q:in-paused bull:q:in-completed bull:q:in-failed "
                              "bull:q:in-waiting-children"),
                        "8");
    close_queue();
}

TEST(keys_that_are_no_jobs_stay)
{
    open_queue();
    redis("HSET bull:q:metrics:failed count 3");
    redis("SET bull:q:de:some 1");
    redis("HSET bull:q:dn:some name n");
    redis("HSET bull:q:repeat:every ic 1");
    redis("SET bull:q:note text");
    redis("HSET bull:q:deep:key:of-others a b");
    redis("HSET bull:qq:1 name n");
    assert_int_equal(remove_orphans(0), 0);

    assert_string_equal(redis("EXISTS bull:q:metrics:failed bull:q:de:some bull:q:dn:some "
                              "bull:q:repeat:every bull:q:note bull:q:deep:key:of-others "
                              "bull:qq:1 bull:q:meta"),
                        "8");
    close_queue();
}

TEST(a_parent_waits_no_longer_for_a_removed_orphan)
{
    open_queue();
    redis("HSET bull:q:child name n parentKey bull:q:parent");
    redis("HSET bull:q:parent name n");
    redis("SADD bull:q:parent:dependencies bull:q:child");
    redis("ZADD bull:q:waiting-children 1 parent");
    assert_int_equal(remove_orphans(0), 1);

    assert_string_equal(redis("LRANGE bull:q:wait 0 -1"), "parent");
    close_queue();
}

static bool stop_at_once(void *user, int64_t done)
{
    *(int64_t *)user = done;
    return false;
}

TEST(many_are_removed_in_slices_up_to_a_limit)
{
    int64_t done = 0;
    const sc_sweep sweep = {stop_at_once, &done};
    sc_reason why = {""};

    open_queue();
    add_many(1200);
    redis("DEL bull:q:wait");
    add_many(300);
    assert_int_equal(remove_orphans(7), 7);
    assert_err(sc_queue_remove_orphans(queue, 0, &sweep, NULL, &why), SC_ECANCELED);
    assert_true(done > 0 && done <= 250);
    assert_int_equal(remove_orphans(0), 1200 - 7 - done);

    assert_string_equal(redis("LLEN bull:q:wait"), "300");
    assert_string_equal(redis("EXISTS bull:q:1 bull:q:1201 bull:q:1500"), "2");
    close_queue();
}

TEST(what_cannot_be_told_from_an_orphan_is_not_touched)
{
    sc_reason why = {""};

    open_queue();
    assert_err(sc_queue_remove_orphans(queue, -1, NULL, NULL, &why), SC_EINVAL);
    redis("HSET bull:q:gone name n");
    redis("SET bull:q:active x");
    assert_err(sc_queue_remove_orphans(queue, 0, NULL, NULL, &why), SC_EREPLY);
    assert_string_equal(redis("EXISTS bull:q:gone"), "1");
    close_queue();
}

TEST(a_list_that_is_too_long_stops_it)
{
    sc_reason why = {""};

    open_queue();
    redis("HSET bull:q:gone name n");
    redis("EVAL for\ti=1,200001\tdo\tredis.call('RPUSH','bull:q:active','x')end 0");
    assert_string_equal(redis("LLEN bull:q:active"), "200001");

    assert_err(sc_queue_remove_orphans(queue, 0, NULL, NULL, &why), SC_EBUSY);
    assert_string_equal(why.text, "more jobs wait than can be looked through");
    assert_string_equal(redis("EXISTS bull:q:gone"), "1");
    close_queue();
}
