/* The queue when the n-th allocation fails, for every n: an error, no leak, no call without its end; and it works again. */
#include <stdatomic.h>

#include <storychain/flow.h>

#include "support/server.h"
#include "support/test.h"

static atomic_long allocations, fail_at, live;

static bool fails(void)
{
    return ++allocations == fail_at;
}

static void *fail_malloc(size_t size)
{
    void *ptr = fails() ? NULL : malloc(size);

    live += ptr != NULL;
    return ptr;
}

static void *fail_realloc(void *old, size_t size)
{
    void *ptr = fails() ? NULL : realloc(old, size);

    live += ptr && !old;
    return ptr;
}

static void count_free(void *ptr)
{
    live -= ptr != NULL;
    free(ptr);
}

static void on_added(void *user, sc_err err, const sc_id_list *ids)
{
    assert_true((err == SC_OK) == (ids != NULL));
    atomic_fetch_add((atomic_int *)user, 1);
}

/* One of each kind of call; the first failure. */
static sc_err use(sc_queue *queue)
{
    static atomic_int ended;
    const sc_job_opts opts = {.attempts = 2};
    const sc_job_spec specs[] = {{.name = SC_S("a")}, {.name = SC_S("b"), .opts = &opts}};
    sc_id_list *ids = NULL, *rows = NULL;
    sc_job_list *jobs = NULL;
    sc_queue_counts counts;
    sc_job_state found;
    sc_job *job = NULL;
    char *id = NULL;
    int before = atomic_load(&ended);
    sc_err err = sc_queue_add(queue, &specs[1], &id, NULL);

    if (!err)
        err = sc_queue_add_bulk(queue, specs, 2, &ids, NULL, NULL);
    if (!err)
        err = sc_queue_add_async(queue, specs, 2, on_added, &ended);
    if (!err)
        wait_until(atomic_load(&ended) == before + 1);
    if (!err)
        err = sc_queue_get_job(queue, ids->ids[0], &job);
    if (!err)
        err = sc_queue_get_state(queue, ids->ids[0], &found);
    if (!err)
        err = sc_queue_get_counts(queue, &counts);
    if (!err)
        err = sc_queue_get_jobs(queue, SC_JOB_WAITING, 0, 5, true, &jobs);
    if (!err)
        err = sc_queue_get_logs(queue, ids->ids[0], 0, -1, &rows);
    if (!err)
        err = sc_queue_pause(queue);
    if (!err)
        err = sc_queue_resume(queue);
    if (!err)
        err = sc_queue_remove(queue, ids->ids[0]);
    sc_free(id);
    sc_id_list_free(ids);
    sc_id_list_free(rows);
    sc_job_list_free(jobs);
    sc_job_free(job);
    return err;
}

/* A tree, a further child of its root, and all ways of looking at it. */
static sc_err use_flow(sc_client *client, sc_queue *queue)
{
    const sc_flow_node children[] = {{.queue = SC_S("q"), .job = {.name = SC_S("one")}},
                                     {.queue = SC_S("q"), .job = {.name = SC_S("two")}}};
    const sc_flow_node root = {
        .queue = SC_S("q"), .job = {.name = SC_S("root")}, .children = children, .child_count = 2};
    sc_child_list *pending = NULL, *values = NULL;
    sc_flow_tree *tree = NULL;
    sc_id_list *ids = NULL;
    sc_err err = sc_flow_add(client, &root, NULL, &ids, NULL);

    if (!err) {
        const sc_job_opts opts = {.parent = {ids->ids[0], sc_queue_qualified_name(queue)}};
        const sc_job_spec spec = {.name = SC_S("three"), .opts = &opts};

        err = sc_queue_add_bulk(queue, &spec, 1, NULL, NULL, NULL);
    }
    if (!err)
        err = sc_queue_get_dependencies(queue, ids->ids[0], SC_CHILD_UNPROCESSED, 0, 10, &pending,
                                        NULL);
    if (!err)
        err = sc_queue_get_children_values(queue, ids->ids[0], &values, NULL);
    if (!err)
        err = sc_flow_get(client, SC_S("q"), ids->ids[0], NULL, &tree, NULL);
    if (!err)
        err = sc_queue_remove_child_dependency(queue, ids->ids[1], NULL, NULL);
    if (!err)
        err = sc_queue_remove_unprocessed_children(queue, ids->ids[0], NULL);
    sc_child_list_free(pending);
    sc_child_list_free(values);
    sc_flow_tree_free(tree);
    sc_id_list_free(ids);
    return err;
}

static sc_err find_queues(sc_client *client)
{
    sc_id_list *names = NULL;
    sc_err err = sc_queue_discover(client, SC_S("bull"), &names);

    sc_id_list_free(names);
    return err;
}

/* True if something failed on the way, so that a later n may be of use. */
static bool run_with_failure_at(sc_client *client, long n)
{
    const sc_queue_opts opts = {.max_events = 100};
    long before = live;
    sc_queue *queue = NULL;
    bool reached;
    sc_err err;

    allocations = 0;
    fail_at = n;
    err = sc_queue_new(client, SC_S("q"), &opts, &queue, NULL);
    if (!err)
        err = use(queue);
    if (!err)
        err = use_flow(client, queue);
    if (!err)
        err = find_queues(client);
    assert_true(err == SC_OK || err == SC_ENOMEM || err == SC_ETOOBIG || err == SC_ECONNLOST ||
                err == SC_ETIMEDOUT);
    reached = allocations >= n;
    fail_at = 0;
    if (queue)
        wait_until(use(queue) == SC_OK &&
                   use_flow(client, queue) == SC_OK); /* a lost connection comes again */
    sc_queue_free(queue);
    wait_until(live <= before + 8); /* the client may keep a buffer of a new connection */
    return reached;
}

TEST_LIMIT(any_failed_allocation_is_survived_by_the_queue, 120)
{
    struct test_server server;
    sc_client *client;
    long n = 1;

    test_server_start(&server);
    sc_set_allocator(&(sc_allocator){fail_malloc, fail_realloc, count_free});
    client = test_server_client(&server);
    while (run_with_failure_at(client, n))
        n++;
    sc_client_free(client);

    assert_true(n > 30);
    assert_int_equal(live, 0);
}
