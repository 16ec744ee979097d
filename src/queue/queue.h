/* The inside of sc_queue: what its files share. */
#ifndef SC_QUEUE_QUEUE_H
#define SC_QUEUE_QUEUE_H

#include <storychain/queue.h>
#include <storychain/scheduler.h>
#include <storychain/tracer.h>

#include <pthread.h>
#include <stdatomic.h>

#include "adder.h"
#include "base/arena.h"
#include "loop/waiter.h"
#include "ops/keys.h"
#include "redis/client.h"

struct sc_queue {
    sc_client *client;
    sc__queue_keys keys;
    char *prefix, *name;
    sc__adder adder;

    sc_job_opts default_set; /* for what the options of a job say nothing of */
    sc__arena default_texts; /* its */
    bool has_defaults;
    char *default_opts; /* as stored: of jobs added without options */
    size_t default_opts_len;
    sc__add_job defaults; /* what those have but for name and data */
    int64_t default_size_limit;

    sc_tracer tracer;                   /* without start(): there is none */
    sc_repeat_strategy repeat_strategy; /* likewise without next() */
    int64_t max_events;
    atomic_bool meta_wanted; /* neither written nor on its way */
    atomic_bool mark_wanted; /* that jobs may have extensions, likewise */

    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t quiet;
    size_t calls; /* async calls whose callback has not returned */
};

/* Around an async call: begin before it is sent, end after its callback; sc_queue_free waits for the end. */
void sc__queue_call_begin(sc_queue *queue);
void sc__queue_call_end(sc_queue *queue);

/* Writes the queue's meta in the background unless that was done. A call that failed because the server was away
 * is made up for by the next use of the queue. */
void sc__queue_write_meta(sc_queue *queue);

/* The options of a job that is to be added: its own (NULL: none), and its queue's where they say nothing. `memory` holds them
 * when they had to be put together. */
const sc_job_opts *sc__queue_opts_of(const sc_queue *queue, const sc_job_opts *own,
                                     sc_job_opts *memory);

/* True on the client's I/O thread, where nothing may wait. */
static inline bool sc__queue_may_not_wait(const sc_queue *queue)
{
    return sc__loop_is_current(sc__client_loop(queue->client));
}

#endif
