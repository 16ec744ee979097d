/* Our side of the queue benchmark: adds and processes the job of bench/job.mjs. bench/README.md has the commands. */
#include <storychain/queue.h>
#include <storychain/worker.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "peer.h"

#define DATA_HEAD                                                                                  \
    "{\"to\":\"ada@example.org\",\"subject\":\"Welcome\",\"template\":\"welcome\","                \
    "\"context\":{\"name\":\"Ada\",\"storySlug\":\"my-adventure\"}"

enum { THREADS = 64, BULK = 1000, DATA_MAX = 256 };

static const sc_job_opts email_opts = {
    .attempts = 3,
    .backoff = {.kind = SC_BACKOFF_EXPONENTIAL, .delay_ms = 1000},
    .keep_completed = {.kind = SC_KEEP_SOME, .count = 100, .age_s = -1},
    .keep_failed = {.kind = SC_KEEP_SOME, .count = 500, .age_s = -1},
};

static int64_t read_clock(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void add_one(sc_queue *queue, sc_slice data, const sc_job_opts *opts)
{
    sc_job_spec spec = {SC_S("email"), data, opts};
    sc_reason reason = {""};
    char *id;
    sc_err err = sc_queue_add(queue, &spec, &id, &reason);

    if (err)
        die("add", err, &reason);
    sc_free(id);
}

static void add_in_turn(sc_queue *queue, long n)
{
    while (n-- > 0)
        add_one(queue, SC_S(DATA_HEAD "}"), &email_opts);
}

struct crowd {
    sc_queue *queue;
    atomic_long left;
};

static void *add_of_crowd(void *arg)
{
    struct crowd *crowd = arg;

    while (atomic_fetch_sub(&crowd->left, 1) > 0)
        add_one(crowd->queue, SC_S(DATA_HEAD "}"), &email_opts);
    return NULL;
}

/* 64 threads, each waiting for its own job. */
static void add_from_threads(sc_queue *queue, long n)
{
    struct crowd crowd = {.queue = queue, .left = n};
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, add_of_crowd, &crowd))
            exit(1);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

static void add_in_bulk(sc_queue *queue, long n)
{
    static sc_job_spec specs[BULK];
    sc_reason reason = {""};

    for (int i = 0; i < BULK; i++)
        specs[i] = (sc_job_spec){SC_S("email"), SC_S(DATA_HEAD "}"), &email_opts};
    for (; n > 0; n -= BULK) {
        sc_id_list *ids;
        sc_err err =
            sc_queue_add_bulk(queue, specs, n < BULK ? (size_t)n : BULK, &ids, NULL, &reason);

        if (err)
            die("add in bulk", err, &reason);
        sc_id_list_free(ids);
    }
}

static void add(sc_queue *queue, const char *mode, long n)
{
    int64_t began = read_clock(CLOCK_MONOTONIC), cpu = read_clock(CLOCK_PROCESS_CPUTIME_ID);

    if (!strcmp(mode, "one"))
        add_in_turn(queue, n);
    else if (!strcmp(mode, "conc"))
        add_from_threads(queue, n);
    else
        add_in_bulk(queue, n);
    printf("{\"n\":%ld,\"secs\":%.6f,\"cpu\":%.6f}\n", n,
           (double)(read_clock(CLOCK_MONOTONIC) - began) / 1e9,
           (double)(read_clock(CLOCK_PROCESS_CPUTIME_ID) - cpu) / 1e9);
}

static void wait_until_ns(int64_t when)
{
    struct timespec t = {when / 1000000000, when % 1000000000};

    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static void add_stamped(sc_queue *queue, int64_t stamp, const sc_job_opts *opts)
{
    char data[DATA_MAX];
    int len = snprintf(data, sizeof(data), DATA_HEAD ",\"t\":%lld}", (long long)stamp);

    add_one(queue, (sc_slice){data, (size_t)len}, opts);
}

static void produce(sc_queue *queue, long n, double rate)
{
    int64_t began = read_clock(CLOCK_MONOTONIC) + 100000000;

    for (long i = 0; i < n; i++) {
        wait_until_ns(began + (int64_t)((double)i / rate * 1e9));
        add_stamped(queue, read_clock(CLOCK_MONOTONIC), &email_opts);
    }
}

static void add_delayed(sc_queue *queue, long n, long span_ms)
{
    int64_t began = read_clock(CLOCK_MONOTONIC) + 1000000000;

    for (long i = 0; i < n; i++) {
        int64_t due = began + (int64_t)(drand48() * (double)span_ms) * 1000000;
        sc_job_opts opts = email_opts;

        opts.delay_ms = (due - read_clock(CLOCK_MONOTONIC) + 500000) / 1000000;
        add_stamped(queue, due, &opts);
    }
}

static FILE *latencies;

static sc_outcome process(sc_run *run, const sc_job *job, void *user)
{
    const char *stamp;

    (void)run, (void)user;
    if (latencies && (stamp = strstr(job->data.ptr, "\"t\":"))) {
        fprintf(latencies, "%lld\n",
                (long long)read_clock(CLOCK_MONOTONIC) - (long long)strtod(stamp + 4, NULL));
        fflush(latencies);
    }
    return SC_DONE;
}

static sc_worker *start_worker(sc_client *client, sc_slice queue, const sc_worker_opts *opts)
{
    sc_reason reason = {""};
    sc_worker *worker;
    sc_err err = sc_worker_new(client, queue, opts, &worker, &reason);

    if (!err)
        err = sc_worker_handle(worker, SC_S("email"), process, NULL);
    if (!err)
        err = sc_worker_start(worker);
    if (err)
        die("worker", err, &reason);
    return worker;
}

static void work(sc_client *client, int concurrency)
{
    sc_worker *worker =
        start_worker(client, SC_S("q"), &(sc_worker_opts){.concurrency = concurrency});

    await_sigterm();
    if (sc_worker_close(worker, 1000, NULL))
        exit(1);
    sc_worker_free(worker);
}

static void idle(sc_client *client, long count)
{
    for (long i = 0; i < count; i++) {
        char name[32];

        snprintf(name, sizeof(name), "q%ld", i);
        start_worker(client, sc_slice_of(name), &(sc_worker_opts){.share_connection = true});
    }
    await_sigterm();
    exit(0);
}

int main(int argc, char **argv)
{
    sc_reason reason = {""};
    sc_client *client;
    sc_queue *queue;
    sc_err err;

    if (argc < 3 || (strcmp(argv[1], "worker") && strcmp(argv[1], "idle") && argc < 4)) {
        fprintf(stderr, "usage: bench-peer add one|conc|bulk N | produce N RATE | delay N SPAN_MS "
                        "| worker CONCURRENCY | idle QUEUES\n");
        return 2;
    }
    block_sigterm();
    if (getenv("LAT_FILE"))
        latencies = fopen(getenv("LAT_FILE"), "a");
    client = connect_client();
    err = sc_queue_new(client, SC_S("q"), NULL, &queue, &reason);
    if (err)
        die("queue", err, &reason);
    if (!strcmp(argv[1], "idle"))
        idle(client, strtol(argv[2], NULL, 10));
    else if (!strcmp(argv[1], "worker"))
        work(client, (int)strtol(argv[2], NULL, 10));
    else if (!strcmp(argv[1], "add"))
        add(queue, argv[2], strtol(argv[3], NULL, 10));
    else if (!strcmp(argv[1], "produce"))
        produce(queue, strtol(argv[2], NULL, 10), strtod(argv[3], NULL));
    else
        add_delayed(queue, strtol(argv[2], NULL, 10), strtol(argv[3], NULL, 10));
    sc_queue_free(queue);
    sc_client_free(client);
    return 0;
}
