/* StoryChain's queues: their names and rules, adding jobs to them, and the processors' workers.
 *
 * The rules of a queue (concurrency, rate limit, what a payload must look like) stand in one table,
 * queue_rules(). Payloads are checked when a job is added and again when it is taken: other
 * programs write to the same queues. */
#ifndef APP_QUEUES_H
#define APP_QUEUES_H

#include <storychain/queue.h>
#include <storychain/worker.h>

#include "base/json.h"

#include "app/payload.h"

enum queue_id {
    QUEUE_EMAIL,
    QUEUE_NOTIFICATION,
    QUEUE_ANALYTICS,
    QUEUE_CLEANUP,
    QUEUE_EXPORT,
    QUEUE_SCHEDULED, /* the runs of schedules */
    QUEUE_COUNT
};

struct queue_rule {
    const char *name;
    int concurrency;                    /* jobs at once in one process */
    sc_rate_limit limit;                /* over all processes */
    const struct payload_field *fields; /* of its payloads */
    const char *refuses;                /* why it takes no jobs in this version; NULL: it does */
};

const struct queue_rule *queue_rule_of(enum queue_id id);

/* False when there is no such queue. */
bool queue_id_of(sc_slice name, enum queue_id *ret_id);

struct queues;

/* Opens all of them. `prefix` (copied): "bull" unless there is reason. Uses `client` until
 * queues_destroy. */
SC_MUST_USE sc_err queues_initialize(sc_client *client, const char *prefix,
                                     struct queues **ret_queues, sc_reason *ret_reason);

/* Stops all processors side by side, gives running jobs up to `drain_ms`, hands the rest back
 * (`*ret_handed_back`, may be NULL, counts them), frees. NULL is fine. */
void queues_destroy(struct queues *queues, int64_t drain_ms, int *ret_handed_back);

/* "bull" */
const char *queues_prefix(const struct queues *queues);

/* The library's handle, for everything that isn't adding: counts, jobs, pause … Lives as long as `queues`. */
sc_queue *queues_get(const struct queues *queues, enum queue_id id);

/* A job to add. `opts` NULL: the defaults of all StoryChain jobs (3 attempts, exponential backoff
 * from 1 s, 100 completed ones kept for a day, 500 failed ones for a week). */
struct queue_job {
    sc_slice name;
    const json_t *payload;
    const sc_job_opts *opts;
};

/* SC_EPAYLOAD: the payload is not valid. SC_ESTATE: the queue takes no jobs in this version. Others
 * as sc_queue_add. `*ret_id` (may be NULL; sc_free). */
SC_MUST_USE sc_err queues_add(struct queues *queues, enum queue_id id, const struct queue_job *job,
                              char **ret_id, sc_reason *ret_reason);

/* Adds all or, when one payload is not valid (the reason says which), none. */
SC_MUST_USE sc_err queues_add_bulk(struct queues *queues, enum queue_id id,
                                   const struct queue_job *jobs, size_t count, sc_id_list **ret_ids,
                                   sc_reason *ret_reason);

/* The default options with an id of your own: adding it again adds nothing. Borrows `job_id`. */
sc_job_opts queue_opts_with_id(sc_slice job_id);

/* The three that are added all over the program (queues_send.c). Texts are UTF-8; absent optional ones
 * {NULL, 0}. `job_id`, if not empty, makes a repeated call harmless: at most one job has that id. */
struct email {
    sc_slice to;
    sc_slice subject;
    sc_slice template_name; /* "welcome", … */
    json_t *context;        /* object with the template's fields; borrowed */
};
SC_MUST_USE sc_err queues_send_email(struct queues *queues, const struct email *email,
                                     sc_slice job_id, char **ret_id, sc_reason *ret_reason);

struct notice {
    sc_slice user_id, type, title, message;
    sc_slice action_url; /* optional */
    sc_slice metadata;   /* optional; JSON object */
    sc_slice key;        /* optional: two of a user with the same key are one */
};
SC_MUST_USE sc_err queues_send_notification(struct queues *queues, const struct notice *notice,
                                            sc_slice job_id, char **ret_id, sc_reason *ret_reason);

#define SEND_NOTIFICATION "send-notification"

/* The payload of a notice, checked; a new reference. SC_EPAYLOAD. */
SC_MUST_USE sc_err notice_write(const struct notice *notice, json_t **ret_payload,
                                sc_reason *ret_reason);

struct track {
    sc_slice event;
    sc_slice user_id;    /* optional */
    sc_slice properties; /* JSON object; absent: {} */
    int64_t at_ms;       /* 0: now */
};
SC_MUST_USE sc_err queues_track_analytics(struct queues *queues, const struct track *track,
                                          char **ret_id, sc_reason *ret_reason);

/* ---- Processors ---- */

/* As sc_processor, with the payload parsed and checked. It lives until the processor returns. */
typedef sc_outcome (*queue_processor)(sc_run *run, const sc_job *job, const json_t *payload,
                                      void *user);

/* Starts a worker that runs `processor` for every job of the queue, with the table's concurrency
 * and limit. One that was registered before is closed first: it stops taking jobs and its running ones
 * get up to 30 s. A job whose payload is not valid fails for good without reaching the processor.
 * `user` is kept until queues_destroy. */
SC_MUST_USE sc_err queues_register_processor(struct queues *queues, enum queue_id id,
                                             queue_processor processor, void *user,
                                             sc_reason *ret_reason);

/* The worker's counters; false while none is registered. */
bool queues_worker_stats(struct queues *queues, enum queue_id id, sc_worker_stats *ret_stats);

#endif
