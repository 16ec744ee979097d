/* queue/add_span.c, worker/run_span.c: what a tracer is told, and what it hands on to the consumer. */
#include <storychain/flow.h>
#include <storychain/take.h>
#include <storychain/tracer.h>

#include "support/worker_bench.h"

static struct bench b;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static char told[2048];

static void write(const char *fmt, ...)
{
    va_list args;
    size_t len;

    pthread_mutex_lock(&mutex);
    len = strlen(told);
    va_start(args, fmt);
    vsnprintf(told + len, sizeof(told) - len, fmt, args);
    va_end(args);
    pthread_mutex_unlock(&mutex);
}

static bool was_told(const char *text)
{
    bool found;

    pthread_mutex_lock(&mutex);
    found = strstr(told, text) != NULL;
    pthread_mutex_unlock(&mutex);
    return found;
}

static void *start(void *user, const sc_span_start *s)
{
    write("%s %.*s %.*s x%zu [%.*s];", s->operation, (int)s->queue.len, s->queue.ptr,
          (int)s->job_name.len, s->job_name.ptr ? s->job_name.ptr : "", s->job_count,
          (int)s->metadata.len, s->metadata.ptr ? s->metadata.ptr : "");
    return user;
}

static sc_slice metadata(void *user, void *span)
{
    assert_ptr_equal(user, span);
    return SC_S("00-abc \"x\"");
}

static void end(void *user, void *span, const sc_span_end *e)
{
    assert_ptr_equal(user, span);
    write("end %s %.*s %d%s %s;", sc_err_name(e->err), (int)e->job_id.len,
          e->job_id.ptr ? e->job_id.ptr : "", e->outcome, e->is_final ? " final" : "",
          e->error ? e->error : "-");
}

static const sc_tracer tracer = {.user = &b, .start = start, .metadata = metadata, .end = end};

static void open_traced(const sc_job_opts *defaults)
{
    bench_open(&b);
    sc_queue_free(b.queue);
    assert_ok(sc_queue_new(b.client, SC_S("q"),
                           &(sc_queue_opts){.tracer = &tracer, .default_opts = defaults}, &b.queue,
                           NULL));
}

TEST(a_job_carries_the_producers_metadata_to_the_consumer)
{
    open_traced(NULL);
    add(&b, "mail", NULL);
    assert_string_equal(redis(&b, "HGET bull:q:1 opts"),
                        "{\"attempts\":0,\"tm\":\"00-abc \\\"x\\\"\"}");
    bench_work(&b, &(sc_worker_opts){.tracer = &tracer}, succeed);
    wait_until(was_told("final"));

    assert_string_equal(told, "add q mail x1 [];end SC_OK 1 0 -;"
                              "process q mail x1 [00-abc \"x\"];end SC_OK 1 0 final -;");
    bench_close(&b);
}

TEST(failed_tries_are_told_with_their_reasons)
{
    open_traced(NULL);
    add(&b, "mail", &(sc_job_opts){.attempts = 2});
    bench_work(&b, &(sc_worker_opts){.tracer = &tracer}, fail_always);
    wait_until(was_told("final"));

    assert_true(was_told("end SC_OK 1 1 no luck 1;"));
    assert_true(was_told("end SC_OK 1 1 final no luck 2;"));
    bench_close(&b);
}

static void on_added(void *user, sc_err err, const sc_id_list *ids)
{
    (void)ids;
    assert_int_equal(err, SC_OK);
    *(_Atomic int *)user += 1;
}

TEST(a_bulk_has_one_span_and_each_job_its_metadata)
{
    const sc_job_opts own = {.extra = SC_S("{\"tm\":\"own\"}")};
    const sc_job_opts none = {.extra = SC_S("{\"omc\":true}")};
    const sc_job_spec specs[] = {{.name = SC_S("a")},
                                 {.name = SC_S("b")},
                                 {.name = SC_S("c"), .opts = &own},
                                 {.name = SC_S("d"), .opts = &none}};

    open_traced(NULL);
    assert_ok(sc_queue_add_bulk(b.queue, specs, 4, NULL, NULL, NULL));
    assert_string_equal(told, "addBulk q  x4 [];end SC_OK  0 -;");
    assert_non_null(strstr(redis(&b, "HGET bull:q:1 opts"), "00-abc"));
    assert_non_null(strstr(redis(&b, "HGET bull:q:2 opts"), "00-abc"));
    assert_non_null(strstr(redis(&b, "HGET bull:q:3 opts"), "\"tm\":\"own\""));
    assert_null(strstr(redis(&b, "HGET bull:q:4 opts"), "tm"));

    assert_ok(sc_queue_add_async(b.queue, specs, 1, on_added, &b.runs));
    wait_until(b.runs == 1);
    assert_true(was_told("add q a x1 [];end SC_OK 5 0 -;"));
    bench_close(&b);
}

TEST(a_run_by_hand_has_its_span)
{
    sc_run *run;

    open_traced(&(sc_job_opts){.attempts = 1, .extra = SC_S("{\"omc\":true}")});
    add(&b, "mail", NULL);
    assert_ok(
        sc_worker_new(b.client, SC_S("q"), &(sc_worker_opts){.tracer = &tracer}, &b.worker, NULL));
    assert_ok(sc_worker_take(b.worker, 0, &run));
    assert_true(was_told("process q mail x1 [];"));
    assert_ok(sc_run_end(run, sc_run_fail(run, SC_GIVE_UP, "never"), NULL));
    assert_true(was_told("end SC_OK 1 2 final never;"));
    bench_close(&b);
}

TEST(all_nodes_of_a_flow_carry_its_metadata)
{
    const sc_flow_node child = {
        .queue = SC_S("q"),
        .job = {.name = SC_S("leaf"), .opts = &(const sc_job_opts){.id = SC_S("leaf")}}};
    const sc_flow_node root = {
        .queue = SC_S("q"),
        .job = {.name = SC_S("root"), .opts = &(const sc_job_opts){.id = SC_S("root")}},
        .children = &child,
        .child_count = 1};

    bench_open(&b);
    assert_ok(sc_flow_add(b.client, &root, &(sc_flow_opts){.tracer = &tracer}, NULL, NULL));

    assert_string_equal(told, "addFlow q root x1 [];end SC_OK root 0 -;");
    assert_non_null(strstr(redis(&b, "HGET bull:q:root opts"), "00-abc"));
    assert_non_null(strstr(redis(&b, "HGET bull:q:leaf opts"), "00-abc"));
    bench_close(&b);
}

TEST(a_tracer_without_its_functions_is_refused)
{
    const sc_tracer half = {.start = start};
    sc_queue *queue;
    sc_reason why = {""};

    bench_open(&b);
    assert_err(sc_queue_new(b.client, SC_S("q"), &(sc_queue_opts){.tracer = &half}, &queue, &why),
               SC_EINVAL);
    assert_string_equal(why.text, "a tracer needs start() and end()");
    assert_err(
        sc_worker_new(b.client, SC_S("q"), &(sc_worker_opts){.tracer = &half}, &b.worker, &why),
        SC_EINVAL);
    bench_close(&b);
}
