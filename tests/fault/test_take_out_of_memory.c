/* Jobs by hand when the n-th allocation fails, for every n: an error or a job less, no leak, no call without its end. */
#include <stdatomic.h>

#include <storychain/queue.h>
#include <storychain/take.h>
#include <storychain/tracer.h>
#include <storychain/worker_event.h>

#include "support/alloc.h"
#include "support/server.h"
#include "support/test.h"

static struct test_server server;
static sc_client *client;
static sc_queue *queue;
static _Atomic int spans;

static void *start_span(void *user, const sc_span_start *start)
{
    (void)start;
    spans++;
    return user;
}

static void end_span(void *user, void *span, const sc_span_end *end)
{
    (void)user;
    (void)span;
    (void)end;
    spans--;
}

static void on_event(void *user, const sc_worker_event *event)
{
    (void)user;
    (void)event;
}

/* Takes and ends some jobs; the first failure. */
static sc_err use(sc_worker *worker)
{
    sc_run *run, *next = NULL;
    sc_err err = sc_worker_take(worker, 0, &run);

    if (err)
        return err;
    err = sc_run_extend_lock(run, 60000);
    sc_err ended = sc_run_end(run, sc_run_return(run, SC_S("[1]")), &next);
    if (next && sc_run_end(next, sc_run_fail(next, SC_FAILED, "no luck"), NULL) && !ended)
        ended = SC_ENOMEM;
    return err ? err : ended;
}

static void fill(void)
{
    const sc_job_opts opts = {.extra = SC_S("{\"tm\":\"00-abc\"}")};
    const sc_job_spec specs[] = {{.name = SC_S("a"), .opts = &opts}, {.name = SC_S("b")}};

    test_redis(&server, "DEL bull:q:wait bull:q:active bull:q:stalled-check bull:q:stalled");
    wait_until(sc_queue_add_bulk(queue, specs, 2, NULL, NULL, NULL) == SC_OK);
}

/* True if something failed on the way, so that a later n may be of use. */
static bool run_with_failure_at(long n)
{
    const sc_tracer tracer = {.user = &spans, .start = start_span, .end = end_span};
    const sc_worker_opts opts = {.tracer = &tracer, .on_event = on_event};
    long before;
    sc_worker *worker = NULL;
    bool reached;
    sc_err err;

    test_fail_at = 0;
    fill();
    before = test_live;
    test_allocations = 0;
    test_fail_at = n;
    err = sc_worker_new(client, SC_S("q"), &opts, &worker, NULL);
    if (!err)
        err = use(worker);
    reached = test_allocations >= n;
    test_fail_at = 0;
    sc_worker_free(worker);
    assert_int_equal(spans, 0);
    wait_until(test_live <= before + 8); /* the client may keep a buffer of a new connection */
    return reached;
}

TEST_LIMIT(any_failed_allocation_is_survived_by_hand, 120)
{
    long n = 1;

    test_server_start(&server);
    test_alloc_use();
    client = test_server_client(&server);
    assert_ok(sc_queue_new(client, SC_S("q"), NULL, &queue, NULL));
    while (run_with_failure_at(n))
        n++;
    sc_queue_free(queue);
    sc_client_free(client);

    assert_true(n > 30);
    assert_int_equal(test_live, 0);
}
