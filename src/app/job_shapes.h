/* What queues, jobs and schedules look like in JSON, for the HTTP API and for --json alike.
 *
 * Texts that other programs wrote may hold anything: what isn't UTF-8 is mended, what isn't JSON is given as a text. */
#ifndef APP_JOB_SHAPES_H
#define APP_JOB_SHAPES_H

#include <storychain/queue.h>
#include <storychain/scheduler.h>

#include "base/json.h"

/* New references; NULL without memory. Free with json_decref. */
SC_MUST_USE json_t *queue_shape(sc_slice name, const sc_queue_counts *counts);
SC_MUST_USE json_t *job_shape(const sc_job *job, sc_job_state state);
SC_MUST_USE json_t *schedule_shape(const sc_scheduler_info *info);
SC_MUST_USE json_t *schedule_run_shape(const sc_scheduler_run *run);

/* A JSON string of bytes that may not be UTF-8. */
SC_MUST_USE json_t *text_shape(sc_slice bytes);

/* The value of a JSON text, or a JSON string of it when it isn't one; null when empty. */
SC_MUST_USE json_t *value_shape(sc_slice json);

#endif
