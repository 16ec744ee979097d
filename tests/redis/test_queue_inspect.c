/* queue/{inspect,meta,workers,prometheus}.c, ops/op_inspect.c, lua/getMetrics, lua/includes/countMetrics */
#include <storychain/inspect.h>

#include "support/worker_bench.h"

#include "base/clock.h"

static struct bench b;

TEST(jobs_of_several_states_come_in_their_order)
{
    const sc_job_state states[] = {SC_JOB_DELAYED, SC_JOB_WAITING, SC_JOB_DELAYED};
    sc_job_list *jobs;
    int64_t count;

    bench_open(&b);
    add(&b, "a", NULL);
    add(&b, "b", NULL);
    add(&b, "c", &(sc_job_opts){.delay_ms = 60000});
    add(&b, "d", &(sc_job_opts){.priority = 3});
    assert_ok(sc_queue_get_jobs_of(b.queue, states, 3, 0, -1, true, &jobs, NULL));
    assert_ok(sc_queue_count(b.queue, &count, NULL));

    assert_int_equal(jobs->count, 3);
    assert_slice(jobs->jobs[0]->name, "c");
    assert_slice(jobs->jobs[1]->name, "a");
    assert_slice(jobs->jobs[2]->name, "b");
    assert_int_equal(count, 4);
    sc_job_list_free(jobs);
    assert_ok(sc_queue_get_jobs_of(b.queue, NULL, 0, 0, -1, true, &jobs, NULL));
    assert_int_equal(jobs->count, 0);
    sc_job_list_free(jobs);
    bench_close(&b);
}

TEST(what_cannot_be_looked_at_is_refused)
{
    const sc_job_state unknown[] = {SC_JOB_WAITING, SC_JOB_UNKNOWN};
    static const sc_job_state many[101];
    sc_reason why = {""};
    sc_job_list *jobs;
    sc_metrics *metrics;
    char *text;
    int64_t count;

    bench_open(&b);

    assert_err(sc_queue_get_jobs_of(b.queue, unknown, 2, 0, -1, true, &jobs, &why), SC_EINVAL);
    assert_string_equal(why.text, "jobs of the state unknown: an argument is not valid");
    assert_err(sc_queue_get_jobs_of(b.queue, many, 101, 0, -1, true, &jobs, &why), SC_EINVAL);
    assert_err(sc_queue_count_delayed(b.queue, -1, &count, &why), SC_EINVAL);
    assert_err(sc_queue_count_delayed(b.queue, INT64_MAX, &count, &why), SC_EINVAL);
    assert_err(sc_queue_get_metrics(b.queue, SC_JOB_ACTIVE, 0, -1, &metrics, &why), SC_EINVAL);
    assert_string_equal(why.text, "metrics are kept of completed and failed jobs");
    assert_err(sc_queue_get_metrics(b.queue, SC_JOB_FAILED, -1, -1, &metrics, &why), SC_EINVAL);
    assert_err(
        sc_queue_export_prometheus(b.queue, &(sc_label){SC_S("9"), SC_S("")}, 1, &text, &why),
        SC_EINVAL);
    assert_string_equal(why.text, "\"9\" is no name of a label");
    bench_close(&b);
}

TEST(keys_of_another_type_are_an_error_with_the_servers_words)
{
    sc_reason why = {""};
    sc_queue_meta *meta;
    sc_metrics *metrics;

    bench_open(&b);
    wait_until(strcmp(redis(&b, "EXISTS bull:q:meta"), "1") == 0);
    redis(&b, "SET bull:q:meta x");
    redis(&b, "SET bull:q:metrics:failed x");

    assert_err(sc_queue_get_meta(b.queue, &meta, &why), SC_EREPLY);
    assert_non_null(strstr(why.text, "WRONGTYPE"));
    assert_err(sc_queue_get_metrics(b.queue, SC_JOB_FAILED, 0, -1, &metrics, &why), SC_EREPLY);
    bench_close(&b);
}

TEST(meta_is_read_as_far_as_it_goes)
{
    sc_queue_meta *meta;

    bench_open(&b);
    wait_until(strcmp(redis(&b, "EXISTS bull:q:meta"), "1") == 0);
    redis(&b, "HSET bull:q:meta concurrency lots max 5 paused 1 note hello");
    assert_ok(sc_queue_get_meta(b.queue, &meta, NULL));

    assert_true(meta->paused);
    assert_int_equal(meta->concurrency, 0);
    assert_int_equal(meta->max, 5);
    assert_int_equal(meta->max_events, 10000);
    assert_non_null(strstr(meta->version.ptr, "bullmq:"));
    assert_int_equal(meta->other_count, 1);
    assert_slice(meta->other_names[0], "note");
    assert_slice(meta->other_values[0], "hello");
    sc_free(meta);
    redis(&b, "DEL bull:q:meta");
    assert_ok(sc_queue_get_meta(b.queue, &meta, NULL));
    assert_slice(meta->version, "");
    sc_free(meta);
    bench_close(&b);
}

static sc_outcome end(sc_run *run, const sc_job *job, void *user)
{
    (void)user;
    return sc_slice_eq(job->name, SC_S("bad")) ? sc_run_fail(run, SC_FAILED, "no luck") : SC_DONE;
}

static int64_t counted(sc_job_state kind)
{
    sc_metrics *metrics;
    int64_t count;

    assert_ok(sc_queue_get_metrics(b.queue, kind, 0, -1, &metrics, NULL));
    count = metrics->count;
    sc_free(metrics);
    return count;
}

TEST(finished_jobs_are_counted_minute_by_minute)
{
    const sc_worker_opts opts = {.metrics_points = 20000};
    char command[128];
    sc_metrics *metrics;

    bench_open(&b);
    snprintf(command, sizeof(command),
             "HSET bull:q:metrics:completed count 7 prevCount 3 prevTS %lld",
             (long long)sc__wall_ms() - 30000LL * 60000);
    redis(&b, command);
    add(&b, "good", NULL);
    add(&b, "bad", NULL);
    bench_work(&b, &opts, end);
    wait_until(counted(SC_JOB_COMPLETED) == 8 && counted(SC_JOB_FAILED) == 1);
    assert_ok(sc_queue_get_metrics(b.queue, SC_JOB_COMPLETED, 0, -1, &metrics, NULL));

    assert_int_equal(metrics->minutes, 20000);
    assert_int_equal(metrics->point_count, 20000);
    assert_int_equal(metrics->points[0], 0);
    assert_int_equal(metrics->points[19999], 4);
    assert_int_equal(metrics->prev_count, 7);
    sc_free(metrics);
    assert_string_equal(redis(&b, "EXISTS bull:q:metrics:failed:data"), "0");
    bench_close(&b);
}

TEST(metrics_that_cannot_be_counted_stop_no_job)
{
    bench_open(&b);
    redis(&b, "SET bull:q:metrics:completed x");
    redis(&b, "HSET bull:q:metrics:failed count lots");
    add(&b, "good", NULL);
    add(&b, "bad", NULL);
    bench_work(&b, &(sc_worker_opts){.metrics_points = 10}, end);

    wait_until(count_of(&b, SC_JOB_COMPLETED) == 1 && count_of(&b, SC_JOB_FAILED) == 1);
    bench_close(&b);
}

TEST(workers_are_listed_by_their_names)
{
    sc_worker_list *list;

    bench_open(&b);
    assert_ok(sc_queue_get_workers(b.queue, &list, NULL));
    assert_int_equal(list->count, 0);
    sc_free(list);
    bench_work(&b, &(sc_worker_opts){.name = SC_S("ada")}, end);
    wait_until(strstr(redis(&b, "CLIENT LIST"), ":w:ada"));
    assert_ok(sc_queue_get_workers(b.queue, &list, NULL));

    assert_int_equal(list->count, 1);
    assert_slice(list->workers[0].name, "ada");
    assert_true(list->workers[0].client_id > 0);
    assert_true(list->workers[0].address.len > 0);
    sc_free(list);
    bench_close(&b);
}
