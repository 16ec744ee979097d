/* A job: what it is made from, what it is, and the states it can be in.
 *
 * Names and meanings are BullMQ's (6.7). A job lives in Redis as a hash; sc_job is a copy of it as it
 * was when it was read.
 *
 * Since 0.1. */
#ifndef STORYCHAIN_JOB_H
#define STORYCHAIN_JOB_H

#include <storychain/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The states, with BullMQ's names. SC_JOB_UNKNOWN: in none of them, or no such job. */
#define SC_JOB_STATES(X)                                                                           \
    X(WAITING, "waiting")                                                                          \
    X(ACTIVE, "active")                                                                            \
    X(DELAYED, "delayed")                                                                          \
    X(PRIORITIZED, "prioritized")                                                                  \
    X(WAITING_CHILDREN, "waiting-children")                                                        \
    X(COMPLETED, "completed")                                                                      \
    X(FAILED, "failed")                                                                            \
    X(UNKNOWN, "unknown")

typedef enum sc_job_state {
#define X(name, text) SC_JOB_##name,
    SC_JOB_STATES(X)
#undef X
        SC_JOB_STATE_COUNT
} sc_job_state;

/* "waiting-children" for SC_JOB_WAITING_CHILDREN, and back; SC_JOB_UNKNOWN for other texts. */
SC_API const char *sc_job_state_name(sc_job_state state);
SC_API sc_job_state sc_job_state_of(sc_slice name);

/* How long to wait before the next attempt. Zeroed: at once. */
typedef enum sc_backoff_kind {
    SC_BACKOFF_NONE,
    SC_BACKOFF_FIXED,       /* delay_ms each time */
    SC_BACKOFF_EXPONENTIAL, /* delay_ms * 2^(attempts made - 1) */
    SC_BACKOFF_CUSTOM       /* `custom` names a strategy of the worker */
} sc_backoff_kind;

typedef struct sc_backoff {
    sc_backoff_kind kind;
    int64_t delay_ms; /* >= 0 */
    double jitter;    /* 0 to 1: the delay d becomes a random one in [d * (1 - jitter), d) */
    sc_slice custom;
} sc_backoff;

/* How many finished jobs to keep. Zeroed: the worker's default, else all of them. */
typedef enum sc_keep_kind { SC_KEEP_DEFAULT, SC_KEEP_ALL, SC_KEEP_NONE, SC_KEEP_SOME } sc_keep_kind;

typedef struct sc_keep {
    sc_keep_kind kind;
    /* For SC_KEEP_SOME. -1: no such bound. */
    int64_t count;
    int64_t age_s; /* in seconds, as BullMQ has it */
    int64_t
        limit; /* at most so many removed a finish, by age; 0: no such bound. More than 250 go over several finishes */
} sc_keep;

/* Deduplication: while a job owns an id, no other job with that id is stored. The owner is the first job that was added
 * with it. Zeroed: none.
 *
 * The owner has the id until `ttl_ms` is over, else until it is completed, has failed for good or is removed. What becomes of a job
 * that is added meanwhile is up to the options that it comes with, not the owner's: */
typedef struct sc_dedup {
    sc_slice id;
    int64_t ttl_ms; /* how long the id is owned; 0: as long as the owner is not finished */
    bool extend;    /* starts the owner's ttl_ms anew */
    bool replace;   /* takes the place of an owner that is delayed ("debounce"); ttl_ms goes on, or
                       with `extend` anew */
    bool
        reschedule; /* an owner that is delayed gets this job's delay, from now; not with `replace` */
    bool keep_last_if_active; /* while the owner runs, the last such job is kept, to be added when
                                 the owner is finished; ttl_ms does not count then */
} sc_dedup;

/* The job that waits for this one: its parent, in any queue. Zeroed: none. */
typedef struct sc_parent {
    sc_slice id;
    sc_slice queue; /* prefix and name, "bull:email": see sc_queue_qualified_name() */
} sc_parent;

/* What becomes of the parent when a child has failed for good. BullMQ's four flags, of which a job may have one. */
typedef enum sc_on_failure {
    SC_ON_FAILURE_NONE, /* it waits on, until the child is retried or removed */
    SC_ON_FAILURE_FAIL, /* failParentOnFailure: it fails as soon as a worker takes it, which is now */
    SC_ON_FAILURE_CONTINUE, /* continueParentOnFailure: it is run now, whatever is pending */
    SC_ON_FAILURE_IGNORE,   /* ignoreDependencyOnFailure: it waits for the other children only */
    SC_ON_FAILURE_REMOVE /* removeDependencyOnFailure: likewise, and the failure leaves no trace in it */
} sc_on_failure;

/* Options of a job. Zeroed (SC_JOB_OPTS_INIT) is BullMQ's default. */
typedef struct sc_job_opts {
    sc_slice
        id; /* custom id: not all digits, no ':', no key of the queue ("wait"); empty: its next number */
    int64_t delay_ms;     /* not started earlier than that from now */
    int64_t priority;     /* 0 to 2,097,151; 0 goes first, then 1, 2, … */
    int64_t attempts;     /* tries in all; 0 and 1 both mean one */
    sc_backoff backoff;   /* between tries */
    bool lifo;            /* to the head of the queue */
    int64_t timestamp_ms; /* creation date; 0: now */
    sc_keep keep_completed, keep_failed;
    int64_t keep_logs;         /* newest log rows kept; 0: all */
    int64_t stack_trace_limit; /* newest traces kept; -1: none; 0: all */
    int64_t size_limit;        /* most bytes of data; 0: no limit of the job's own */
    sc_dedup dedup;            /* not with a parent */
    sc_parent parent;
    sc_on_failure on_failure; /* of the parent's child */
    /* Members to store in the job's `opts` beside these: a JSON object as text ("{\"tm\":\"…\"}"); empty: none. */
    sc_slice extra;
    /* Ours, beyond BullMQ: its workers run the job without regard to these. Dates are by the server's clock.
     *
     * A job that is not started by then is not run any more, whatever kept it (a full or paused queue, its delay, a
     * retry): it fails for good, with a reason that begins with "expired", when its turn comes. */
    int64_t expires_at_ms;   /* a date; 0: never */
    int64_t start_within_ms; /* after its creation and delay_ms; 0: whenever */
    /* How long each of its runs may take; see sc_worker_opts. 0: as long as the worker says; -1: as long as it takes. */
    int64_t soft_timeout_ms, hard_timeout_ms;
} sc_job_opts;

#define SC_JOB_OPTS_INIT ((sc_job_opts){.timestamp_ms = 0})

/* A job to add. */
typedef struct sc_job_spec {
    sc_slice name; /* not empty */
    sc_slice data; /* JSON text, stored byte for byte; empty: "{}" */
    const sc_job_opts
        *opts; /* members that are zero are as in the queue's defaults; NULL: all of them */
} sc_job_spec;

/* A job as it was read. All slices live as long as the job (or the run that gave it) and are
 * NUL-terminated; absent texts have len 0. */
typedef struct sc_job {
    sc_slice id, name;
    sc_slice data;         /* JSON text */
    sc_slice opts;         /* JSON text as stored */
    sc_slice progress;     /* JSON text; "0" when never set */
    sc_slice return_value; /* JSON text, when completed */
    sc_slice failed_reason;
    sc_slice stacktrace; /* JSON array of texts */
    sc_slice parent_key; /* full key of the parent job */
    sc_slice parent;     /* JSON text {"id","queueKey"} */
    sc_slice scheduler_id;
    sc_slice dedup_id;
    sc_slice processed_by; /* worker name */
    sc_slice deferred_failure;
    int64_t timestamp_ms, processed_ms, finished_ms; /* 0: not yet */
    int64_t delay_ms, priority;
    int64_t attempts;         /* opts.attempts */
    int64_t attempts_made;    /* finished tries */
    int64_t attempts_started; /* activations */
    int64_t stalled_count;
} sc_job;

/* Where a parent keeps a child, by BullMQ's words. */
typedef enum sc_child_kind {
    SC_CHILD_PROCESSED,   /* completed */
    SC_CHILD_UNPROCESSED, /* not finished, or failed without a word about the parent */
    SC_CHILD_IGNORED,     /* failed, and the parent goes on (SC_ON_FAILURE_CONTINUE, _IGNORE) */
    SC_CHILD_FAILED       /* failed, and the parent fails with it (SC_ON_FAILURE_FAIL) */
} sc_child_kind;

/* A child as its parent knows it. `key` and `text` are NUL-terminated. */
typedef struct sc_child {
    sc_slice key;       /* its full key, "bull:email:12" */
    sc_slice queue, id; /* "bull:email" and "12": parts of the key */
    sc_slice
        text; /* SC_CHILD_PROCESSED: its return value, JSON; _IGNORED: why it failed; else empty */
} sc_child;

/* Some or all of a parent's children; one allocation. */
typedef struct sc_child_list {
    size_t count;
    const sc_child *children;
    uint64_t next; /* where the next page begins; 0: there is none */
} sc_child_list;

/* NULL is fine. */
SC_API void sc_child_list_free(sc_child_list *list);

/* Frees a job that a getter gave. NULL is fine. */
SC_API void sc_job_free(sc_job *job);

#ifdef __cplusplus
}
#endif
#endif
