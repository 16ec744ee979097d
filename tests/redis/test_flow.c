/* queue/flow.c, ops/op_flow.c, lua/addFlow. Beside BullMQ: tests/interop/flow.test.mjs */
#include <storychain/flow.h>

#include "support/server.h"
#include "support/test.h"

static struct test_server server;
static sc_client *client;

#define assert_redis(command, expected) assert_string_equal(test_redis(&server, command), expected)

static void start(void)
{
    test_server_start(&server);
    client = test_server_client(&server);
}

static sc_id_list *add(const sc_flow_node *root, const sc_flow_opts *opts)
{
    sc_id_list *ids = NULL;
    sc_reason reason = {""};

    if (sc_flow_add(client, root, opts, &ids, &reason))
        fail_msg("not added: %s", reason.text);
    return ids;
}

static void assert_refused(const sc_flow_node *roots, size_t count, sc_err expected,
                           const char *reason_part)
{
    sc_reason reason = {""};

    assert_err(sc_flow_add_bulk(client, roots, count, NULL, NULL, &reason), expected);
    if (!strstr(reason.text, reason_part))
        fail_msg("the reason is \"%s\", without \"%s\"", reason.text, reason_part);
    assert_redis("DBSIZE", "0");
}

static const sc_flow_node leaves[] = {{.queue = SC_S("down"), .job = {.name = SC_S("one")}},
                                      {.queue = SC_S("down"), .job = {.name = SC_S("two")}}};

TEST(a_tree_is_stored_over_its_queues_and_its_parent_waits)
{
    const sc_flow_node root = {
        .queue = SC_S("up"), .job = {.name = SC_S("parent")}, .children = leaves, .child_count = 2};
    sc_id_list *ids;
    char command[256];

    start();
    ids = add(&root, NULL);

    assert_int_equal(ids->count, 3);
    assert_int_equal(ids->ids[0].len, 36);
    assert_redis("ZRANGE bull:up:waiting-children 0 -1", ids->ids[0].ptr);
    snprintf(command, sizeof(command), "SCARD bull:up:%s:dependencies", ids->ids[0].ptr);
    assert_redis(command, "2");
    assert_redis("LINDEX bull:down:wait -1", ids->ids[1].ptr);
    assert_redis("LINDEX bull:down:wait 0", ids->ids[2].ptr);
    assert_redis("ZCARD bull:down:marker", "1");
    assert_redis("GET bull:down:id", "2");
    assert_redis("EXISTS bull:up:marker", "0");
    sc_id_list_free(ids);
    sc_client_free(client);
}

#define NODE(own, ...)                                                                             \
    {                                                                                              \
        .queue = SC_S("q"),                                                                        \
        .job = {.name = SC_S("n"), .opts = &(const sc_job_opts){.id = SC_S(own)}}, __VA_ARGS__     \
    }

TEST(ids_come_each_before_those_of_its_children)
{
    const sc_flow_node low[] = {NODE("a1a", .child_count = 0)};
    const sc_flow_node a[] = {NODE("a1", .children = low, .child_count = 1),
                              NODE("a2", .child_count = 0)};
    const sc_flow_node b[] = {NODE("b1", .child_count = 0)};
    const sc_flow_node roots[] = {NODE("a", .children = a, .child_count = 2),
                                  NODE("b", .children = b, .child_count = 1)};
    static const char *const expected[] = {"a", "a1", "a1a", "a2", "b", "b1"};
    sc_id_list *ids = NULL;

    start();
    assert_ok(sc_flow_add_bulk(client, roots, 2, NULL, &ids, NULL));

    assert_int_equal(ids->count, 6);
    for (size_t i = 0; i < 6; i++)
        assert_slice(ids->ids[i], expected[i]);
    assert_redis("HGET bull:q:a1a parentKey", "bull:q:a1");
    sc_id_list_free(ids);
    sc_client_free(client);
}

TEST(prefixes_and_defaults_are_the_flows_where_a_node_has_none)
{
    const sc_job_opts defaults = {.attempts = 7}, own = {.attempts = 3};
    const sc_flow_queue queues[] = {{SC_S("down"), &defaults}};
    const sc_flow_opts opts = {.prefix = SC_S("x"), .queues = queues, .queue_count = 1};
    const sc_flow_node children[] = {
        {.queue = SC_S("down"), .job = {.name = SC_S("defaults")}},
        {.queue = SC_S("down"), .prefix = SC_S("y"), .job = {.name = SC_S("own"), .opts = &own}}};
    const sc_flow_node root = {.queue = SC_S("up"),
                               .job = {.name = SC_S("parent")},
                               .children = children,
                               .child_count = 2};
    char command[256];
    sc_id_list *ids;

    start();
    ids = add(&root, &opts);

    snprintf(command, sizeof(command), "HGET x:down:%s opts", ids->ids[1].ptr);
    assert_non_null(strstr(test_redis(&server, command), "\"attempts\":7"));
    snprintf(command, sizeof(command), "HGET y:down:%s opts", ids->ids[2].ptr);
    assert_non_null(strstr(test_redis(&server, command), "\"attempts\":3"));
    sc_id_list_free(ids);
    sc_client_free(client);
}

TEST(what_cannot_be_a_flow_is_refused_before_anything_is_stored)
{
    const sc_job_opts dedup = {.dedup = {.id = SC_S("d")}};
    const sc_job_opts elsewhere = {.parent = {SC_S("p"), SC_S("bull:up")}};
    const sc_flow_node bad_children[][1] = {
        {{.queue = SC_S("a:b"), .job = {.name = SC_S("n")}}},
        {{.queue = SC_S("q")}},
        {{.queue = SC_S("q"), .job = {.name = SC_S("n"), .data = SC_S("{")}}},
        {{.queue = SC_S("q"), .job = {.name = SC_S("n"), .opts = &dedup}}},
        {{.queue = SC_S("q"), .job = {.name = SC_S("n"), .opts = &elsewhere}}},
    };
    static const char *const reasons[] = {"has a ':'", "has no name", "the data of job",
                                          "cannot be deduplicated", "only a root"};

    start();

    assert_refused(NULL, 0, SC_EINVAL, "no jobs");
    for (size_t i = 0; i < 5; i++) {
        const sc_flow_node root = {.queue = SC_S("up"),
                                   .job = {.name = SC_S("parent")},
                                   .children = bad_children[i],
                                   .child_count = 1};

        assert_refused(&root, 1, SC_EINVAL, reasons[i]);
    }
    sc_client_free(client);
}

TEST(default_options_of_a_queue_hold_no_id)
{
    const sc_job_opts defaults = {.id = SC_S("own")};
    const sc_flow_queue queues[] = {{SC_S("down"), &defaults}};
    const sc_flow_opts opts = {.queues = queues, .queue_count = 1};

    start();

    assert_err(sc_flow_add(client, &leaves[0], &opts, NULL, NULL), SC_EINVAL);
    sc_client_free(client);
}

TEST(a_flow_has_its_ceilings)
{
    enum { MANY = SC_FLOW_NODES_MAX };
    sc_flow_node *children = calloc(MANY, sizeof(*children));
    sc_flow_node root = {.queue = SC_S("q"),
                         .job = {.name = SC_S("parent")},
                         .children = children,
                         .child_count = MANY};
    char *data = malloc(SC_FLOW_BYTES_MAX + 2);

    for (size_t i = 0; i < MANY; i++)
        children[i] = (sc_flow_node){.queue = SC_S("q"), .job = {.name = SC_S("n")}};
    start();

    assert_refused(&root, 1, SC_ETOOBIG, "more than 500 jobs");
    memset(data, ' ', SC_FLOW_BYTES_MAX + 2);
    data[0] = '1';
    children[7].job.data = (sc_slice){data, SC_FLOW_BYTES_MAX + 1};
    root.child_count = MANY - 1;
    assert_refused(&root, 1, SC_ETOOBIG, "bytes");
    children[7].job.data = SC_S("1");
    sc_id_list_free(add(&root, NULL));
    assert_redis("LLEN bull:q:wait", "499");
    free(children);
    free(data);
    sc_client_free(client);
}

TEST(a_root_may_be_the_child_of_a_job_that_exists)
{
    const sc_job_opts opts = {.parent = {SC_S("p"), SC_S("bull:top")}};
    const sc_flow_node root = {.queue = SC_S("up"),
                               .job = {.name = SC_S("n"), .opts = &opts},
                               .children = leaves,
                               .child_count = 2};

    start();

    assert_refused(&root, 1, SC_EPARENT, "does not exist: bull:top:p");
    test_redis(&server, "HSET bull:top:p name top");
    sc_id_list_free(add(&root, NULL));
    assert_redis("SCARD bull:top:p:dependencies", "1");
    sc_client_free(client);
}

TEST(two_nodes_with_one_id_are_refused)
{
    const sc_flow_node children[] = {NODE("a", .child_count = 0), NODE("b", .child_count = 0),
                                     NODE("a", .child_count = 0)};
    const sc_flow_node roots[] = {NODE("p", .children = children, .child_count = 3)};

    start();

    assert_refused(roots, 1, SC_EINVAL, "one id: bull:q:a");
    sc_client_free(client);
}

TEST(a_node_that_has_another_parent_keeps_all_others_out)
{
    const sc_flow_node children[] = {NODE("new", .child_count = 0),
                                     NODE("taken", .child_count = 0)};
    const sc_flow_node root = NODE("p", .children = children, .child_count = 2);
    sc_reason reason = {""};

    start();
    test_redis(&server, "HSET bull:q:other name other");
    test_redis(&server, "HSET bull:q:taken name taken parentKey bull:q:other");

    assert_err(sc_flow_add(client, &root, NULL, NULL, &reason), SC_EPARENT);
    assert_non_null(strstr(reason.text, "another parent already: bull:q:taken"));
    assert_redis("DBSIZE", "2");
    test_redis(&server, "DEL bull:q:other");
    sc_id_list_free(add(&root, NULL));
    assert_redis("SCARD bull:q:p:dependencies", "2");
    sc_client_free(client);
}

TEST(a_parent_of_completed_jobs_alone_is_run)
{
    const sc_flow_node children[] = {NODE("done", .child_count = 0)};
    const sc_flow_node root = NODE("p", .children = children, .child_count = 1);

    start();
    test_redis(&server, "HSET bull:q:done name done returnvalue 42");
    test_redis(&server, "ZADD bull:q:completed 1 done");

    sc_id_list_free(add(&root, NULL));

    assert_redis("HGET bull:q:p:processed bull:q:done", "42");
    assert_redis("LRANGE bull:q:wait 0 -1", "p");
    sc_client_free(client);
}

TEST(added_again_a_tree_is_the_same)
{
    const sc_flow_node children[] = {NODE("a", .child_count = 0), NODE("b", .child_count = 0)};
    const sc_flow_node root = NODE("p", .children = children, .child_count = 2);

    start();
    sc_id_list_free(add(&root, NULL));
    sc_id_list_free(add(&root, NULL));

    assert_redis("SCARD bull:q:p:dependencies", "2");
    assert_redis("LLEN bull:q:wait", "2");
    assert_redis("ZCARD bull:q:waiting-children", "1");
    sc_client_free(client);
}

TEST(a_key_of_another_type_keeps_the_whole_flow_out)
{
    static const char *const places[] = {
        "down:wait",   "down:prioritized", "down:delayed",        "down:events",    "down:meta",
        "down:active", "up:completed",     "up:waiting-children", "up:p:processed", "up:id",
        "down:pc",     "down:marker",      "up:p:dependencies",
    };
    const sc_job_opts opts = {.id = SC_S("p")};
    const sc_flow_node root = {.queue = SC_S("up"),
                               .job = {.name = SC_S("parent"), .opts = &opts},
                               .children = leaves,
                               .child_count = 2};

    start();

    for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
        char command[128];
        sc_reason reason = {""};

        snprintf(command, sizeof(command), "%s bull:%s 1 text",
                 strcmp(places[i], "down:wait") && strcmp(places[i], "down:active") ? "RPUSH"
                                                                                    : "HSET",
                 places[i]);
        test_redis(&server, command);
        if (sc_flow_add(client, &root, NULL, NULL, &reason) != SC_EREPLY)
            fail_msg("%s: \"%s\"", places[i], reason.text);
        assert_redis("DBSIZE", "1");
        test_redis(&server, "FLUSHALL");
    }
    sc_client_free(client);
}

/* What a callback was given. */
struct told {
    _Atomic int calls;
    sc_err err;
    char ids[256];
};

static void on_added(void *user, sc_err err, const sc_id_list *ids)
{
    struct told *t = user;

    t->err = err;
    for (size_t i = 0; ids && i < ids->count; i++)
        snprintf(t->ids + strlen(t->ids), sizeof(t->ids) - strlen(t->ids), "%s ", ids->ids[i].ptr);
    t->calls++;
}

TEST(a_flow_is_added_without_waiting)
{
    const sc_flow_node children[] = {NODE("a", .child_count = 0), NODE("b", .child_count = 0)};
    const sc_flow_node root = NODE("p", .children = children, .child_count = 2);
    const sc_job_opts taken = {.parent = {SC_S("gone"), SC_S("bull:q")}};
    const sc_flow_node orphan = {.queue = SC_S("q"), .job = {.name = SC_S("n"), .opts = &taken}};
    const sc_flow_node bad = {.queue = SC_S("a:b"), .job = {.name = SC_S("n")}};
    struct told told = {.err = SC_EINTERNAL}, refused = {.err = SC_OK};

    start();
    assert_ok(sc_flow_add_async(client, &root, 1, NULL, on_added, &told));
    assert_ok(sc_flow_add_async(client, &orphan, 1, NULL, on_added, &refused));
    assert_err(sc_flow_add_async(client, &bad, 1, NULL, on_added, &refused), SC_EINVAL);
    assert_err(sc_flow_add_async(client, NULL, 0, NULL, on_added, &refused), SC_EINVAL);
    wait_until(told.calls == 1 && refused.calls == 1);

    assert_int_equal(told.err, SC_OK);
    assert_string_equal(told.ids, "p a b ");
    assert_int_equal(refused.err, SC_EPARENT);
    assert_string_equal(refused.ids, "");
    assert_redis("SCARD bull:q:p:dependencies", "2");
    sc_client_free(client);
}

static void add_inside(void *user, sc_err err, const sc_id_list *ids)
{
    const sc_flow_node root = NODE("second", .child_count = 0);

    (void)ids;
    assert_ok(err);
    assert_err(sc_flow_add(client, &root, NULL, NULL, NULL), SC_EDEADLK);
    assert_ok(sc_flow_add_async(client, &root, 1, NULL, on_added, user));
}

TEST(a_flow_is_added_on_the_io_thread)
{
    const sc_flow_node root = NODE("first", .child_count = 0);
    struct told told = {.err = SC_EINTERNAL};

    start();
    assert_ok(sc_flow_add_async(client, &root, 1, NULL, add_inside, &told));
    wait_until(told.calls == 1);

    assert_string_equal(told.ids, "second ");
    assert_redis("LRANGE bull:q:wait 0 -1", "second first");
    sc_client_free(client);
}

static sc_flow_tree *get(const char *id, const sc_flow_get_opts *opts)
{
    sc_flow_tree *tree = NULL;
    sc_reason reason = {""};

    if (sc_flow_get(client, SC_S("q"), sc_slice_of(id), opts, &tree, &reason))
        fail_msg("no flow: %s", reason.text);
    return tree;
}

TEST(a_flow_is_read_as_a_tree_with_its_jobs)
{
    const sc_flow_node low[] = {NODE("a1a", .child_count = 0)};
    const sc_flow_node a[] = {NODE("a1", .children = low, .child_count = 1)};
    const sc_flow_node root = NODE("a", .children = a, .child_count = 1);
    sc_flow_tree *tree;

    start();
    sc_id_list_free(add(&root, NULL));
    test_redis(&server, "HSET bull:q:done name done returnvalue 42");
    test_redis(&server, "HSET bull:q:a:processed bull:q:done 42 bull:q:gone 43");
    tree = get("a", NULL);

    assert_slice(tree->queue, "bull:q");
    assert_slice(tree->job->id, "a");
    assert_int_equal(tree->child_count, 2);
    assert_slice(tree->children[0].job->return_value, "42");
    assert_slice(tree->children[1].job->id, "a1");
    assert_slice(tree->children[1].children[0].job->id, "a1a");
    assert_int_equal(tree->children[1].children[0].child_count, 0);
    sc_flow_tree_free(tree);
    sc_client_free(client);
}

TEST(a_flow_is_read_no_further_than_asked)
{
    const sc_flow_node low[] = {NODE("a1a", .child_count = 0)};
    const sc_flow_node a[] = {NODE("a1", .children = low, .child_count = 1),
                              NODE("a2", .child_count = 0), NODE("a3", .child_count = 0)};
    const sc_flow_node root = NODE("a", .children = a, .child_count = 3);
    sc_flow_tree *tree;

    start();
    sc_id_list_free(add(&root, NULL));

    tree = get("a", &(sc_flow_get_opts){.depth = 1});
    assert_int_equal(tree->child_count, 0);
    sc_flow_tree_free(tree);
    tree = get("a", &(sc_flow_get_opts){.max_children = 2});
    assert_int_equal(tree->child_count, 2);
    sc_flow_tree_free(tree);
    tree = get("a1", &(sc_flow_get_opts){.depth = 2});
    assert_int_equal(tree->child_count, 1);
    sc_flow_tree_free(tree);
    sc_client_free(client);
}

TEST(a_flow_that_is_not_there_or_not_to_be_read_is_refused)
{
    sc_flow_tree *tree = NULL;
    const sc_slice q = SC_S("q");

    start();
    test_redis(&server, "HSET bull:q:a name a");

    assert_err(sc_flow_get(client, q, SC_S("gone"), NULL, &tree, NULL), SC_ENOJOB);
    assert_err(sc_flow_get(client, q, SC_S(""), NULL, &tree, NULL), SC_EINVAL);
    assert_err(sc_flow_get(client, SC_S("a:b"), SC_S("a"), NULL, &tree, NULL), SC_EINVAL);
    assert_err(sc_flow_get(client, q, SC_S("a"), &(sc_flow_get_opts){.depth = 101}, &tree, NULL),
               SC_EINVAL);
    test_redis(&server, "SET bull:q:a:failed text");
    assert_err(sc_flow_get(client, q, SC_S("a"), NULL, &tree, NULL), SC_EREPLY);
    sc_flow_tree_free(NULL);
    sc_client_free(client);
}

TEST(a_flow_in_a_circle_is_read_to_its_depth)
{
    sc_flow_tree *tree;
    const sc_flow_tree *at;
    int levels = 0;

    start();
    test_redis(&server, "HSET bull:q:a name a");
    test_redis(&server, "SADD bull:q:a:dependencies bull:q:a");
    tree = get("a", &(sc_flow_get_opts){.depth = 30});

    for (at = tree; at->child_count; at = at->children)
        levels++;
    assert_int_equal(levels, 29);
    sc_flow_tree_free(tree);
    sc_client_free(client);
}
