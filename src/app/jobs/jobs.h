/* The scheduled jobs: one table with name, time, data and what each does. */
#ifndef APP_JOBS_JOBS_H
#define APP_JOBS_JOBS_H

#include <storychain/scheduler.h>

#include "app/app.h"
#include "app/queues.h"

struct job_run_now; /* a run under way (run.c) */

struct scheduled_job {
    const char *name;
    const char *cron;    /* in UTC */
    const char *data;    /* JSON object */
    sc_catchup catchup;  /* of runs that nobody made in time */
    int64_t window_days; /* how long; 0: however late */
    /* Does it. `data` is the job's; members for its result go into `result`. On failure the reason says
     * why, and the run is tried again. Idempotent: a run may be repeated. */
    sc_err (*run)(struct job_run_now *now, const json_t *data, json_t *result,
                  sc_reason *ret_reason);
};

/* Ends with a NULL name. */
extern const struct scheduled_job scheduled_jobs[];

/* NULL when there is none. */
const struct scheduled_job *scheduled_job_find(sc_slice name);

/* What a run may use. */
struct app *job_app(struct job_run_now *now);

/* When this run was due: what it does refers to that time, also when it comes late. */
int64_t job_due_ms(const struct job_run_now *now);

/* To be asked between slices of long work: false when it must stop. Keeps the run's lock alive. */
bool job_go_on(struct job_run_now *now);

sc_err job_cleanup(struct job_run_now *now, const json_t *data, json_t *result,
                   sc_reason *ret_reason);
sc_err job_daily_stats(struct job_run_now *now, const json_t *data, json_t *result,
                       sc_reason *ret_reason);
sc_err job_trending(struct job_run_now *now, const json_t *data, json_t *result,
                    sc_reason *ret_reason);
sc_err job_health_check(struct job_run_now *now, const json_t *data, json_t *result,
                        sc_reason *ret_reason);

/* The processor of the queue `scheduled-jobs`: takes the job's lock, runs it, keeps and logs the result.
 * `user` is the struct app. */
sc_outcome process_scheduled(sc_run *run, const sc_job *job, const json_t *payload, void *user);

#endif
