/* The queue when the n-th allocation fails, for every n: an error, no leak, no call without its end; and it works again. */
#include <stdatomic.h>

#include <storychain/control.h>
#include <storychain/flow.h>
#include <storychain/inspect.h>
#include <storychain/tracer.h>

#include "support/alloc.h"
#include "support/server.h"
#include "support/test.h"

static struct test_server server;

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
    static atomic_int ended;
    int before = atomic_load(&ended);
    sc_err err = sc_flow_add(client, &root, NULL, &ids, NULL);

    if (!err)
        err = sc_flow_add_async(client, children, 1, NULL, on_added, &ended);
    if (!err)
        wait_until(atomic_load(&ended) == before + 1);
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

/* All ways of looking closer at a queue. */
static sc_err inspect(sc_queue *queue)
{
    static const sc_job_state states[] = {SC_JOB_WAITING, SC_JOB_DELAYED, SC_JOB_WAITING};
    const sc_label label = {SC_S("site"), SC_S("\"x\"")};
    sc_job_list *jobs = NULL;
    sc_queue_meta *meta = NULL;
    sc_metrics *metrics = NULL;
    sc_worker_list *workers = NULL;
    char *text = NULL;
    int64_t count;
    sc_err err = sc_queue_get_jobs_of(queue, states, 3, 0, 5, true, &jobs, NULL);

    if (!err)
        err = sc_queue_count(queue, &count, NULL);
    if (!err)
        err = sc_queue_count_delayed(queue, 1, &count, NULL);
    if (!err)
        err = sc_queue_get_meta(queue, &meta, NULL);
    if (!err)
        err = sc_queue_get_metrics(queue, SC_JOB_FAILED, 0, -1, &metrics, NULL);
    if (!err)
        err = sc_queue_get_workers(queue, &workers, NULL);
    if (!err)
        err = sc_queue_export_prometheus(queue, &label, 1, &text, NULL);
    if (!err)
        err = sc_queue_remove_orphans(queue, 0, NULL, NULL, NULL);
    sc_job_list_free(jobs);
    sc_free(meta);
    sc_free(metrics);
    sc_free(workers);
    sc_free(text);
    return err;
}

static void *start_span(void *user, const sc_span_start *start)
{
    (void)start;
    return user;
}

static sc_slice metadata(void *user, void *span)
{
    (void)user;
    (void)span;
    return SC_S("00-abc");
}

static void end_span(void *user, void *span, const sc_span_end *end)
{
    (void)span;
    (void)end;
    ++*(int *)user;
}

/* Each span has its end. */
static sc_err add_traced(sc_client *client)
{
    int ends = 0;
    const sc_tracer tracer = {
        .user = &ends, .start = start_span, .metadata = metadata, .end = end_span};
    const sc_queue_opts opts = {.tracer = &tracer};
    const sc_job_spec specs[] = {{.name = SC_S("a")}, {.name = SC_S("b")}};
    sc_queue *queue = NULL;
    sc_err err = sc_queue_new(client, SC_S("traced"), &opts, &queue, NULL);

    if (!err)
        err = sc_queue_add(queue, &specs[0], NULL, NULL);
    if (!err)
        err = sc_queue_add_bulk(queue, specs, 2, NULL, NULL, NULL);
    if (!err)
        assert_int_equal(ends, 2);
    sc_queue_free(queue);
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
    long before = test_live;
    sc_queue *queue = NULL;
    bool reached;
    sc_err err;

    test_redis(&server, "HSET bull:q:orphan name n");
    test_allocations = 0;
    test_fail_at = n;
    err = sc_queue_new(client, SC_S("q"), &opts, &queue, NULL);
    if (!err)
        err = use(queue);
    if (!err)
        err = use_flow(client, queue);
    if (!err)
        err = inspect(queue);
    if (!err)
        err = add_traced(client);
    if (!err)
        err = find_queues(client);
    assert_true(err == SC_OK || err == SC_ENOMEM || err == SC_ETOOBIG || err == SC_ECONNLOST ||
                err == SC_ETIMEDOUT);
    reached = test_allocations >= n;
    test_fail_at = 0;
    if (queue)
        wait_until(use(queue) == SC_OK &&
                   use_flow(client, queue) == SC_OK); /* a lost connection comes again */
    sc_queue_free(queue);
    wait_until(test_live <= before + 8); /* the client may keep a buffer of a new connection */
    return reached;
}

TEST_LIMIT(any_failed_allocation_is_survived_by_the_queue, 120)
{
    sc_client *client;
    long n = 1;

    test_server_start(&server);
    test_alloc_use();
    client = test_server_client(&server);
    run_with_failure_at(client,
                        0); /* the server knows the scripts: who can't load one gets its NOSCRIPT */
    while (run_with_failure_at(client, n))
        n++;
    sc_client_free(client);

    assert_true(n > 30);
    assert_int_equal(test_live, 0);
}
