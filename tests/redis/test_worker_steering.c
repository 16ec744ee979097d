/* What is asked of workers while they run. */
#include <dirent.h>
#include <sched.h>

#include "support/worker_bench.h"

TEST(a_worker_gets_more_slots_while_it_runs)
{
    struct bench b;

    bench_open(&b);
    b.hold = true;
    add_many(&b, 10);
    bench_work(&b, &(sc_worker_opts){.concurrency = 2}, wait_for_leave);
    wait_until(b.going == 2);

    assert_ok(sc_worker_set_concurrency(b.worker, 7));

    wait_until(b.going == 7);
    assert_int_equal(stats(&b).concurrency, 7);
    assert_int_equal(count_of(&b, SC_JOB_WAITING), 3);
    b.hold = false;
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 10);
    bench_close(&b);
}

/* Threads of this process that run jobs. */
static int pool_threads(void)
{
    DIR *tasks = opendir("/proc/self/task");
    struct dirent *task;
    char path[300], name[32];
    int count = 0;

    assert_non_null(tasks);
    while ((task = readdir(tasks))) {
        snprintf(path, sizeof(path), "/proc/self/task/%s/comm", task->d_name);
        FILE *in = fopen(path, "r");

        if (in && fgets(name, sizeof(name), in))
            count += strcmp(name, "sc-worker\n") == 0;
        if (in)
            fclose(in);
    }
    closedir(tasks);
    return count;
}

static sc_outcome watch_crowd(sc_run *run, const sc_job *job, void *user)
{
    struct bench *b = user;
    int now = ++b->going;

    (void)run, (void)job;
    if (now > b->most)
        b->most = now;
    b->runs++;
    sched_yield();
    b->going--;
    return SC_DONE;
}

TEST(a_worker_with_fewer_slots_lets_its_jobs_end_and_takes_no_more_than_it_may)
{
    struct bench b;

    bench_open(&b);
    b.hold = true;
    add_many(&b, 5);
    bench_work(&b, &(sc_worker_opts){.concurrency = 5}, wait_for_leave);
    wait_until(b.going == 5);

    assert_ok(sc_worker_set_concurrency(b.worker, 1));
    assert_ok(sc_worker_handle(b.worker, SC_S(""), watch_crowd, &b));
    add_many(&b, 500);
    assert_int_equal(b.going, 5);
    b.hold = false;
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 505);

    assert_int_equal(b.most, 1);
    wait_until(stats(&b).running == 0 && pool_threads() == 1);
    bench_close(&b);
}

TEST(a_worker_that_shrinks_and_grows_under_load_runs_each_job_once)
{
    struct bench b;

    bench_open(&b);
    add_many(&b, 3000);
    bench_work(&b, &(sc_worker_opts){.concurrency = 8}, succeed);
    for (int n = 1; b.runs < 3000; n = n % 40 + 3)
        assert_ok(sc_worker_set_concurrency(b.worker, n));
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 3000);
    assert_int_equal(b.runs, 3000);
    bench_close(&b);
}

TEST(a_concurrency_out_of_range_is_refused)
{
    struct bench b;

    bench_open(&b);
    bench_work(&b, &(sc_worker_opts){.concurrency = 3}, succeed);
    assert_err(sc_worker_set_concurrency(b.worker, 0), SC_EINVAL);
    assert_err(sc_worker_set_concurrency(b.worker, 10001), SC_EINVAL);
    assert_int_equal(stats(&b).concurrency, 3);
    bench_close(&b);
}
