/* A worker's calls: take jobs, end their runs and take the next ones, find jobs whose reply was lost.
 *
 * All of them answer in one shape, which sc__taken_read reads. Callbacks get the server's reply as it is. */
#ifndef SC_OPS_OP_WORK_H
#define SC_OPS_OP_WORK_H

#include <storychain/client.h>
#include <storychain/job.h>

#include "keys.h"
#include "redis/blocking.h"

/* Jobs and outcomes of one call at most: they hold the server for as long as it takes. */
#define SC__WORK_MAX 100

/* The keys of takeJobs and of the scripts beside it, in the order of lua/includes/workKeys; borrowed from `keys`. */
enum { SC__WORK_KEYS = 12 };

void sc__work_keys(const sc__queue_keys *keys, sc_slice out[SC__WORK_KEYS]);

/* The same for all calls of a worker; must live as long as it. */
typedef struct sc__work_opts {
    const sc__queue_keys *keys;
    int64_t lock_ms;
    int64_t limit_max, limit_ms; /* rate limit; 0: none */
    sc_slice worker_name;        /* empty: none */
    int64_t data_max;            /* bytes; a job of more is given without them, to be failed */
    int64_t metrics_points;      /* minutes that finished jobs are counted for; 0: not at all */
} sc__work_opts;

/* How the run of a job ended. Text and traces are for those that failed or will be tried again; the text of a
 * completed one is its return value. */
typedef enum sc__ended_kind {
    SC__ENDED_COMPLETED,
    SC__ENDED_FAILED,  /* for good; `number`: attempts it had */
    SC__ENDED_RETRY,   /* at once; `number`: 1 to the head of the queue */
    SC__ENDED_BACKOFF, /* tried again in `number` ms */
    SC__ENDED_DELAY,   /* in `number` ms, not an attempt */
    /* When the child whose key is `text` (empty: all) has ended, not an attempt; with `number` 0 */
    SC__ENDED_CHILDREN,
    SC__ENDED_RETURN /* to the head of the queue, not an attempt; the queue rests for `number` ms */
} sc__ended_kind;

typedef struct sc__ended {
    sc_slice id, token;
    sc__ended_kind kind;
    sc_slice text;   /* JSON, or the reason */
    sc_slice traces; /* JSON array */
    int64_t number;
    sc_keep keep; /* retention of a completed or failed one */
} sc__ended;

/* What a call gave. Everything is borrowed from the reply. */
typedef struct sc__taken {
    size_t ended_count;
    const sc_reply *ended; /* for each outcome, in order: see sc__taken_ended */
    int64_t now_ms;        /* the server's date */
    int64_t rest_ms;       /* the rate limit gives no job for so long; 0: it does */
    int64_t due_ms;        /* date of the first delayed job; 0: none */
    size_t count;          /* jobs taken */
    const sc_reply *items; /* id and hash of each: see sc__taken_job */
} sc__taken;

/* Moves up to `wanted` (<= SC__WORK_MAX) jobs to active, locked with `token`. 0: takes none, and leaves the markers
 * that wake other workers; also that of the next delayed job if `leave_delay_marker`. */
SC_MUST_USE sc_err sc__op_take(sc_client *client, const sc__work_opts *opts, sc_slice token,
                               size_t wanted, bool leave_delay_marker, sc_reply_cb cb, void *user);

/* Waits up to `block_ms` for the queue's marker, then takes jobs as sc__op_take() does, without a way back and forth in between.
 * `cb` gets two answers: BZPOPMIN's (see sc__marker_read), then the take's; or an error. */
SC_MUST_USE sc_err sc__op_watch(sc__blocking *blocking, const sc__work_opts *opts, sc_slice token,
                                size_t wanted, int64_t block_ms, sc_reply_cb cb, void *user);

/* Waits for one of the markers `argv[1]` to `argv[count]`; of argv there are two more, which are written. `cb` gets one answer. */
SC_MUST_USE sc_err sc__op_watch_many(sc__blocking *blocking, sc_slice *argv, size_t count,
                                     int64_t block_ms, sc_reply_cb cb, void *user);

/* A marker that was popped. */
typedef struct sc__marker {
    bool popped;    /* false: none came in time */
    sc_slice key;   /* borrowed from the reply */
    int64_t due_ms; /* the first delayed job's date; 0: something can be taken now */
} sc__marker;

/* SC_EREPLY for an error reply. What is no marker counts as none. */
SC_MUST_USE sc_err sc__marker_read(const sc_reply *reply, sc__marker *ret_marker,
                                   sc_reason *ret_reason);

/* Ends up to SC__WORK_MAX runs and takes up to `wanted` jobs. Everything is copied. Sent again, it refuses what is
 * done already (SC_ENOJOB, SC_ELOCKLOST), and does nothing twice. */
SC_MUST_USE sc_err sc__op_finish(sc_client *client, const sc__work_opts *opts,
                                 const sc__ended *ended, size_t count, sc_slice token,
                                 size_t wanted, sc_reply_cb cb, void *user);

/* The jobs that were locked with `token` by a call whose reply was lost. Their hashes are as they are now. */
SC_MUST_USE sc_err sc__op_find_taken(sc_client *client, const sc__work_opts *opts, sc_slice token,
                                     sc_reply_cb cb, void *user);

/* SC_EREPLY for an error reply, SC_EPROTO for another shape. */
SC_MUST_USE sc_err sc__taken_read(const sc_reply *reply, sc__taken *ret_taken,
                                  sc_reason *ret_reason);

/* The i-th job. SC_ELAYOUT: it can't be run and is in no state any more; `ret_reason` says why. */
SC_MUST_USE sc_err sc__taken_job(const sc__taken *taken, size_t i, sc_slice *ret_id,
                                 const sc_reply **ret_fields, sc_reason *ret_reason);

/* What became of the i-th outcome: SC_OK, SC_ENOJOB, SC_ELOCKLOST, SC_EJOBSTATE, SC_ECHILDREN. SC_ELAYOUT: recorded,
 * but something that hangs on it (parent, deduplication) was not possible: the reason says what. */
SC_MUST_USE sc_err sc__taken_ended(const sc__taken *taken, size_t i, sc_reason *ret_reason);

/* After SC_ECHILDREN: children of the job failed, so that no later try can complete it. */
bool sc__taken_has_failed_children(const sc__taken *taken, size_t i);

#endif
