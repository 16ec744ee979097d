/* A bench to try workers on: a server, a queue "q" on it, a worker, and what its processors did. */
#ifndef TEST_SUPPORT_WORKER_BENCH_H
#define TEST_SUPPORT_WORKER_BENCH_H

#include <pthread.h>
#include <stdatomic.h>

#include <storychain/queue.h>
#include <storychain/worker.h>

#include "server.h"
#include "test.h"

struct bench {
    struct test_server server;
    sc_client *client;
    sc_queue *queue;
    sc_worker *worker;
    _Atomic int runs, going, most;
    _Atomic bool hold;
    pthread_mutex_t mutex;
    char order[256]; /* names in the order they were run, each with a space behind; see order() */
    int64_t delay_ms;
    _Atomic sc_cancel_cause cause; /* what a run was told, and why */
    char reason[256];
    _Atomic sc_outcome outcome; /* what a run is to return */
};

void bench_open(struct bench *b);
void bench_close(struct bench *b);

/* Starts the worker; `processor` takes jobs of all names. */
void bench_work(struct bench *b, const sc_worker_opts *opts, sc_processor processor);

void add(struct bench *b, const char *name, const sc_job_opts *opts);
void add_many(struct bench *b, size_t count); /* named "job" */
int64_t count_of(struct bench *b, sc_job_state state);
sc_worker_stats stats(struct bench *b);
const char *redis(struct bench *b, const char *command); /* as test_redis() */

/* Processors: their user is the bench. Each notes the job's name and counts the run. */
void note(struct bench *b, const sc_job *job);
const char *order(struct bench *b); /* what was noted so far; until the next call */
sc_outcome succeed(sc_run *run, const sc_job *job, void *user);
sc_outcome fail_always(sc_run *run, const sc_job *job, void *user);

/* Runs until b->hold is false, or until it is cancelled. */
sc_outcome wait_for_leave(sc_run *run, const sc_job *job, void *user);

#endif
