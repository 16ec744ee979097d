/* What a worker tells about itself in this process, as BullMQ's Worker emits it. What happens in the queue as a whole, whoever does it, is
 * told by events.h.
 *
 * Since 0.1. */
#ifndef STORYCHAIN_WORKER_EVENT_H
#define STORYCHAIN_WORKER_EVENT_H

#include <storychain/job.h>
#include <storychain/worker.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Kind, BullMQ's name. What the event holds:
 *
 *   READY                the server has answered for the first time
 *   ACTIVE               `job` was taken
 *   COMPLETED            `job` is recorded as completed; `text` is its result, JSON
 *   FAILED               a try of `job` is recorded as failed; `text` is the reason; `is_final`: there is no other try
 *   PROGRESS             the processor of `job` told its progress; `text` is JSON
 *   STALLED              `ids` were found stalled and wait again; of whatever worker
 *   DRAINED              the queue gave fewer jobs than there was room for; once, until it gives one again
 *   ERROR                `text` is a sentence: what the log hook gets as a warning or an error
 *   LOCKS_RENEWED        of the jobs `ids`
 *   LOCK_RENEWAL_FAILED  of the jobs `ids`: others have their locks, or nobody. They are cancelled
 *   PAUSED, RESUMED      by sc_worker_pause, sc_worker_resume
 *   CLOSING, CLOSED      sc_worker_close begins; is through */
#define SC_WORKER_EVENTS(X)                                                                        \
    X(READY, "ready")                                                                              \
    X(ACTIVE, "active")                                                                            \
    X(COMPLETED, "completed")                                                                      \
    X(FAILED, "failed")                                                                            \
    X(PROGRESS, "progress")                                                                        \
    X(STALLED, "stalled")                                                                          \
    X(DRAINED, "drained")                                                                          \
    X(ERROR, "error")                                                                              \
    X(LOCKS_RENEWED, "locksRenewed")                                                               \
    X(LOCK_RENEWAL_FAILED, "lockRenewalFailed")                                                    \
    X(PAUSED, "paused")                                                                            \
    X(RESUMED, "resumed")                                                                          \
    X(CLOSING, "closing")                                                                          \
    X(CLOSED, "closed")

typedef enum sc_worker_event_kind {
#define X(name, text) SC_WORKER_##name,
    SC_WORKER_EVENTS(X)
#undef X
        SC_WORKER_EVENT_COUNT
} sc_worker_event_kind;

/* "lockRenewalFailed" for SC_WORKER_LOCK_RENEWAL_FAILED. */
SC_API const char *sc_worker_event_name(sc_worker_event_kind kind);

/* All of it lives until the callback returns. */
struct sc_worker_event {
    sc_worker_event_kind kind;
    sc_worker *worker;
    const sc_job *job; /* NULL: the event is of no one job */
    sc_slice text;
    bool is_final;
    size_t id_count;
    const sc_slice *ids;
};

#ifdef __cplusplus
}
#endif
#endif
