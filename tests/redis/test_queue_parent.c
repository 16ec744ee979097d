/* The parent option: lua/addJobs with children, lua/includes/attachExisting. Beside BullMQ: tests/interop/parent.test.mjs */
#include <storychain/queue.h>

#include "support/server.h"
#include "support/test.h"

static struct test_server server;
static sc_client *client;

#define assert_redis(command, expected) assert_string_equal(test_redis(&server, command), expected)

static sc_queue *open_queue(void)
{
    const sc_queue_opts opts = {.skip_meta = true};
    sc_queue *queue = NULL;

    test_server_start(&server);
    client = test_server_client(&server);
    assert_ok(sc_queue_new(client, SC_S("q"), &opts, &queue, NULL));
    return queue;
}

static void close_queue(sc_queue *queue)
{
    sc_queue_free(queue);
    sc_client_free(client);
}

static void add(sc_queue *queue, const sc_job_opts *opts)
{
    const sc_job_spec spec = {.name = SC_S("job"), .opts = opts};
    sc_reason reason = {""};

    if (sc_queue_add(queue, &spec, NULL, &reason))
        fail_msg("not added: %s", reason.text);
}

static void assert_refused(sc_queue *queue, const sc_job_opts *opts, const char *reason_part)
{
    const sc_job_spec spec = {.name = SC_S("job"), .opts = opts};
    sc_reason reason = {""};

    assert_err(sc_queue_add(queue, &spec, NULL, &reason), SC_EPARENT);
    if (!strstr(reason.text, reason_part))
        fail_msg("the reason is \"%s\", without \"%s\"", reason.text, reason_part);
}

/* A parent that waits for its children, in the queue "up". */
static const sc_parent up = {.id = SC_S("p"), .queue = SC_S("bull:up")};

static void make_parent(const char *id)
{
    char command[128];

    snprintf(command, sizeof(command), "HSET bull:up:%s name parent data {} opts {} timestamp 1",
             id);
    test_redis(&server, command);
    snprintf(command, sizeof(command), "ZADD bull:up:waiting-children 1 %s", id);
    test_redis(&server, command);
}

TEST(the_qualified_name_of_a_queue_is_its_prefix_and_name)
{
    sc_queue *queue = open_queue();

    assert_slice(sc_queue_qualified_name(queue), "bull:q");
    close_queue(queue);
}

TEST(a_child_is_stored_with_its_parent_which_waits_for_it)
{
    sc_queue *queue = open_queue();

    make_parent("p");
    add(queue, &(sc_job_opts){.parent = up, .on_failure = SC_ON_FAILURE_FAIL});

    assert_redis("HGET bull:q:1 parentKey", "bull:up:p");
    assert_redis("HGET bull:q:1 parent", "{\"id\":\"p\",\"queueKey\":\"bull:up\",\"fpof\":true}");
    assert_redis("SMEMBERS bull:up:p:dependencies", "bull:q:1");
    assert_redis("LRANGE bull:q:wait 0 -1", "1");
    close_queue(queue);
}

TEST(a_child_of_a_parent_that_is_not_there_is_refused)
{
    sc_queue *queue = open_queue();

    assert_refused(queue, &(sc_job_opts){.parent = up},
                   "does not exist; its parent was to be bull:up:p");

    assert_redis("EXISTS bull:q:1 bull:up:p:dependencies bull:q:wait", "0");
    close_queue(queue);
}

TEST(one_refused_child_of_a_bulk_keeps_no_other_out)
{
    sc_queue *queue = open_queue();
    const sc_job_opts orphan = {.parent = {SC_S("gone"), SC_S("bull:up")}};
    const sc_job_opts child = {.parent = up};
    const sc_job_spec specs[] = {{.name = SC_S("a"), .opts = &child},
                                 {.name = SC_S("b"), .opts = &orphan},
                                 {.name = SC_S("c"), .opts = &child},
                                 {.name = SC_S("d")}};
    sc_id_list *ids = NULL;
    sc_reason reason = {""};
    size_t added = 0;

    make_parent("p");
    assert_err(sc_queue_add_bulk(queue, specs, 4, &ids, &added, &reason), SC_EPARENT);

    assert_non_null(strstr(reason.text, "job 2 of 4: the parent job does not exist"));
    assert_null(ids);
    assert_int_equal(added, 3);
    assert_redis("LRANGE bull:q:wait 0 -1", "4 3 1");
    assert_redis("SCARD bull:up:p:dependencies", "2");
    close_queue(queue);
}

static void on_added(void *user, sc_err err, const sc_id_list *ids)
{
    assert_null(ids);
    *(_Atomic int *)user = (int)err;
}

TEST(a_refusal_reaches_the_callback)
{
    sc_queue *queue = open_queue();
    const sc_job_opts orphan = {.parent = up};
    const sc_job_spec spec = {.name = SC_S("a"), .opts = &orphan};
    _Atomic int err = -1;

    assert_ok(sc_queue_add_async(queue, &spec, 1, on_added, (void *)&err));

    wait_until(err == SC_EPARENT);
    close_queue(queue);
}

TEST(a_job_that_exists_becomes_a_child)
{
    sc_queue *queue = open_queue();

    make_parent("p");
    add(queue, &(sc_job_opts){.id = SC_S("own")});
    add(queue, &(sc_job_opts){.id = SC_S("own"), .parent = up});

    assert_redis("HGET bull:q:own parentKey", "bull:up:p");
    assert_redis("SMEMBERS bull:up:p:dependencies", "bull:q:own");
    assert_redis("LLEN bull:q:wait", "1");
    close_queue(queue);
}

TEST(a_completed_job_gives_its_result_and_releases_a_parent_without_others)
{
    sc_queue *queue = open_queue();

    make_parent("p");
    add(queue, &(sc_job_opts){.id = SC_S("own")});
    test_redis(&server, "DEL bull:q:wait");
    test_redis(&server, "ZADD bull:q:completed 5 own");
    test_redis(&server, "HSET bull:q:own returnvalue 42");
    add(queue, &(sc_job_opts){.id = SC_S("own"), .parent = up});

    assert_redis("HGETALL bull:up:p:processed", "bull:q:own 42");
    assert_redis("LRANGE bull:up:wait 0 -1", "p");
    assert_redis("ZCARD bull:up:waiting-children", "0");
    close_queue(queue);
}

TEST(a_completed_job_in_a_bulk_does_not_release_a_parent_of_children_that_come_before_it)
{
    sc_queue *queue = open_queue();
    const sc_job_opts child = {.id = SC_S("new"), .parent = up};
    const sc_job_opts done = {.id = SC_S("own"), .parent = up};
    const sc_job_spec specs[] = {{.name = SC_S("job"), .opts = &child},
                                 {.name = SC_S("job"), .opts = &done}};

    make_parent("p");
    add(queue, &(sc_job_opts){.id = SC_S("own")});
    test_redis(&server, "ZADD bull:q:completed 5 own");
    assert_ok(sc_queue_add_bulk(queue, specs, 2, NULL, NULL, NULL));

    assert_redis("HGETALL bull:up:p:processed", "bull:q:own null");
    assert_redis("SMEMBERS bull:up:p:dependencies", "bull:q:new");
    assert_redis("ZCARD bull:up:waiting-children", "1");
    close_queue(queue);
}

TEST(a_job_with_another_parent_is_refused_while_that_one_is_there)
{
    sc_queue *queue = open_queue();
    const sc_parent other = {.id = SC_S("p2"), .queue = SC_S("bull:up")};

    make_parent("p");
    make_parent("p2");
    add(queue, &(sc_job_opts){.id = SC_S("own"), .parent = up});
    assert_refused(queue, &(sc_job_opts){.id = SC_S("own"), .parent = other},
                   "has another parent already");
    assert_redis("HGET bull:q:own parentKey", "bull:up:p");

    test_redis(&server, "DEL bull:up:p");
    add(queue, &(sc_job_opts){.id = SC_S("own"), .parent = other});
    assert_redis("HGET bull:q:own parentKey", "bull:up:p2");
    assert_redis("SMEMBERS bull:up:p2:dependencies", "bull:q:own");
    close_queue(queue);
}

TEST(more_children_than_a_call_takes_are_all_waited_for)
{
    enum { COUNT = 1000 };
    sc_queue *queue = open_queue();
    const sc_job_opts child = {.parent = up};
    sc_job_spec *specs = calloc(COUNT, sizeof(*specs));

    for (int i = 0; i < COUNT; i++)
        specs[i] = (sc_job_spec){.name = SC_S("job"), .opts = &child};
    make_parent("p");
    assert_ok(sc_queue_add_bulk(queue, specs, COUNT, NULL, NULL, NULL));

    assert_redis("SCARD bull:up:p:dependencies", "1000");
    assert_redis("LLEN bull:q:wait", "1000");
    free(specs);
    close_queue(queue);
}

TEST(default_options_cannot_name_a_parent)
{
    const sc_queue_opts opts = {.default_opts = &(sc_job_opts){.parent = up}, .skip_meta = true};
    sc_queue *queue = NULL;

    test_server_start(&server);
    client = test_server_client(&server);
    assert_err(sc_queue_new(client, SC_S("q"), &opts, &queue, NULL), SC_EINVAL);
    sc_client_free(client);
}
