/* Our side of the schedule benchmark: stores schedules, and runs them with a guardian. bench/README.md has the commands. */
#include <storychain/scheduler.h>
#include <storychain/worker.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "peer.h"

/* `guarded`: with a policy that changes nothing here. */
static void store(sc_queue *queue, long count, bool guarded, int64_t every_ms, int64_t start_ms,
                  int64_t apart_ms)
{
    const sc_job_spec spec = {.name = SC_S("tick"), .data = SC_S("{}")};
    sc_reason reason = {""};

    for (long i = 0; i < count; i++) {
        sc_repeat repeat = SC_REPEAT_INIT;
        char id[32];
        sc_err err;

        repeat.every_ms = every_ms;
        repeat.start_ms = start_ms + i * apart_ms;
        repeat.catchup = guarded ? SC_CATCHUP_ALL : SC_CATCHUP_LATE;
        snprintf(id, sizeof(id), "s%ld", i);
        err = sc_scheduler_upsert(queue, sc_slice_of(id), &repeat, &spec, NULL, NULL, &reason);
        if (err)
            die(id, err, &reason);
    }
}

static FILE *latencies;

/* Now less the run's time, in µs. */
static sc_outcome process(sc_run *run, const sc_job *job, void *user)
{
    struct timespec now;

    (void)run, (void)user;
    if (!latencies)
        return SC_DONE;
    clock_gettime(CLOCK_REALTIME, &now);
    fprintf(latencies, "%lld\n",
            (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000 -
                sc_scheduler_nominal_ms(job) * 1000);
    fflush(latencies);
    return SC_DONE;
}

/* A worker, which is a guardian, too. */
static void work(sc_client *client, int concurrency)
{
    const sc_worker_opts opts = {.concurrency = concurrency};
    sc_reason reason = {""};
    sc_worker *worker;
    sc_err err = sc_worker_new(client, SC_S("q"), &opts, &worker, &reason);

    if (!err)
        err = sc_worker_handle(worker, SC_S(""), process, NULL);
    if (!err)
        err = sc_worker_start(worker);
    if (err)
        die("worker", err, &reason);
    await_sigterm();
    if (sc_worker_close(worker, 1000, NULL))
        exit(1);
    sc_worker_free(worker);
}

int main(int argc, char **argv)
{
    sc_reason reason = {""};
    sc_client *client;
    sc_queue *queue;
    sc_err err;

    if (!(argc == 7 && !strcmp(argv[1], "store")) && !(argc == 3 && !strcmp(argv[1], "work"))) {
        fprintf(stderr, "bench-schedule-peer: see bench/README.md\n");
        return 2;
    }
    block_sigterm();
    if (getenv("LAT_FILE"))
        latencies = fopen(getenv("LAT_FILE"), "a");
    client = connect_client();
    err = sc_queue_new(client, SC_S("q"), NULL, &queue, &reason);
    if (err)
        die("queue", err, &reason);
    if (!strcmp(argv[1], "store"))
        store(queue, strtol(argv[2], NULL, 10), !strcmp(argv[3], "guarded"),
              strtoll(argv[4], NULL, 10), strtoll(argv[5], NULL, 10), strtoll(argv[6], NULL, 10));
    else
        work(client, (int)strtol(argv[2], NULL, 10));
    sc_queue_free(queue);
    sc_client_free(client);
    return 0;
}
