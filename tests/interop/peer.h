/* tests_peer: our side of the interop tests. Reads commands as JSON lines on stdin, answers each with a line:
 * {"id":1,"op":"add",…} -> {"id":1,"result":…} or {"id":1,"error":{"code":"SC_EINVAL","reason":"…"}}.
 *
 * Commands run in order on one thread. What happens meanwhile is told by lines without an id:
 * {"event":"completed",…}. Each part of the library has its file of ops, and a row in peer.c. */
#ifndef TEST_INTEROP_PEER_H
#define TEST_INTEROP_PEER_H

#include <storychain/events.h>
#include <storychain/queue.h>
#include <storychain/scheduler.h>
#include <storychain/tracer.h>
#include <storychain/worker.h>

#include "base/json.h"

struct peer {
    sc_client *client;
    sc_queue *queues[64]; /* made at their first use */
    size_t queue_count;
    sc_worker *workers[64]; /* by their number; NULL: none */
    sc_events *readers[16]; /* of events, likewise */
    sc_scheduler_guard *guard;
};

/* Gives its result (a new reference; json_null() when there is nothing to say) or fails with an error and a reason. */
typedef sc_err (*peer_op)(struct peer *peer, const json_t *args, json_t **ret_result,
                          sc_reason *ret_reason);

struct peer_command {
    const char *name;
    peer_op run;
};

/* Each ends with a NULL name. */
extern const struct peer_command peer_queue_commands[];
extern const struct peer_command peer_control_commands[];
extern const struct peer_command peer_worker_commands[];
extern const struct peer_command peer_steering_commands[];
extern const struct peer_command peer_scheduler_commands[];
extern const struct peer_command peer_event_commands[];
extern const struct peer_command peer_flow_commands[];
extern const struct peer_command peer_steps_commands[];
extern const struct peer_command peer_inspect_commands[];
extern const struct peer_command peer_take_commands[];
extern const struct peer_command peer_trace_commands[];

/* Reads patterns like "~200". */
extern const sc_repeat_strategy peer_strategy;

/* A tracer that tells of its spans; `text` is their metadata. */
struct sc_tracer peer_tracer(const char *text);

/* The queue that `args` names by "queue" and "prefix" (absent: "bull"). Owned by the peer. */
SC_MUST_USE sc_err peer_queue(struct peer *peer, const json_t *args, sc_queue **ret_queue,
                              sc_reason *ret_reason);

/* The worker that `args` names by its number ("worker"); NULL: none. */
sc_worker *peer_worker(struct peer *peer, const json_t *args);

/* Options from an object with BullMQ's long names; slices borrow from it. Absent: zeroed. */
sc_job_opts peer_job_opts(const json_t *object);

/* Prints a line about something that happened (takes the reference). Any thread. */
void peer_emit(json_t *event);

/* A job as BullMQ's Job shows it. */
json_t *peer_job(const sc_job *job);

#endif
