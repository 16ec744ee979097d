/* Changing jobs that are in a queue already, whatever program added them.
 *
 * All of these wait for the server and are thread-safe; SC_EDEADLK on the client's I/O thread. `ret_reason` may be
 * NULL. SC_ENOJOB where there is no such job, SC_EINVAL for what BullMQ would refuse.
 *
 * Since 0.1. */
#ifndef STORYCHAIN_CONTROL_H
#define STORYCHAIN_CONTROL_H

#include <storychain/queue.h>

#ifdef __cplusplus
extern "C" {
#endif

/* `json` is stored byte for byte; a running processor keeps the data it began with. SC_ETOOBIG over 64 MiB. */
SC_API SC_MUST_USE sc_err sc_queue_update_data(sc_queue *queue, sc_slice id, sc_slice json,
                                               sc_reason *ret_reason);

/* Any JSON value; the event `progress` tells of it. SC_ETOOBIG over 64 MiB. */
SC_API SC_MUST_USE sc_err sc_queue_update_progress(sc_queue *queue, sc_slice id, sc_slice json,
                                                   sc_reason *ret_reason);

/* Adds a row to the job's log; of all rows the newest `keep` stay, 0: all. */
SC_API SC_MUST_USE sc_err sc_queue_add_log(sc_queue *queue, sc_slice id, sc_slice row, int64_t keep,
                                           sc_reason *ret_reason);

/* Removes all rows but the newest `keep`. A job without a log, or no job at all, is no error. */
SC_API SC_MUST_USE sc_err sc_queue_clear_logs(sc_queue *queue, sc_slice id, int64_t keep,
                                              sc_reason *ret_reason);

/* A delayed job is due in `delay_ms` from now instead. SC_EJOBSTATE when it is not delayed. */
SC_API SC_MUST_USE sc_err sc_queue_change_delay(sc_queue *queue, sc_slice id, int64_t delay_ms,
                                                sc_reason *ret_reason);

/* Another priority (0 to 2,097,151), from any state; a job that waits changes its place. `lifo`: it goes before
 * its equals, else behind them. */
SC_API SC_MUST_USE sc_err sc_queue_change_priority(sc_queue *queue, sc_slice id, int64_t priority,
                                                   bool lifo, sc_reason *ret_reason);

/* What a retried job forgets of its past. */
typedef struct sc_retry_opts {
    bool reset_attempts_made;    /* it has all its attempts again */
    bool reset_attempts_started; /* likewise for a worker's limit of starts */
} sc_retry_opts;

/* sc_queue_retry() with options. SC_EJOBSTATE when the job is neither failed nor completed. */
SC_API SC_MUST_USE sc_err sc_queue_retry_with(sc_queue *queue, sc_slice id,
                                              const sc_retry_opts *opts, sc_reason *ret_reason);

/* How many children of a job are where. All 0 for a job without children. */
typedef struct sc_dependency_counts {
    int64_t processed;   /* completed */
    int64_t unprocessed; /* not finished */
    int64_t ignored;     /* failed, and the parent goes on */
    int64_t failed;      /* failed, and the parent fails with them */
} sc_dependency_counts;

SC_API SC_MUST_USE sc_err sc_queue_get_dependency_counts(sc_queue *queue, sc_slice id,
                                                         sc_dependency_counts *ret_counts,
                                                         sc_reason *ret_reason);

#ifdef __cplusplus
}
#endif
#endif
