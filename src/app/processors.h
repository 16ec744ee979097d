/* The processors of the queues: what each kind of job does.
 *
 * All are idempotent: a job that runs twice, because its worker died before it could say that it was
 * done, leaves what one run leaves. `user` is the struct app. */
#ifndef APP_PROCESSORS_H
#define APP_PROCESSORS_H

#include "app.h"
#include "queues.h"

/* Registers a processor for each of the five queues. */
SC_MUST_USE sc_err processors_register(struct app *app, sc_reason *ret_reason);

/* Name and id of a job that no other job has, now or later: "bull:email:12:1793392266000". Lives
 * as long as the run; empty without memory. */
sc_slice processor_key(sc_run *run, const struct app *app, enum queue_id id, const sc_job *job);

/* Ends the run with a result (taken over); fails it for another try without memory. */
sc_outcome processor_return(sc_run *run, json_t *result);

sc_outcome process_email(sc_run *run, const sc_job *job, const json_t *payload, void *user);
sc_outcome process_notification(sc_run *run, const sc_job *job, const json_t *payload, void *user);
sc_outcome process_analytics(sc_run *run, const sc_job *job, const json_t *payload, void *user);
sc_outcome process_cleanup(sc_run *run, const sc_job *job, const json_t *payload, void *user);
sc_outcome process_export(sc_run *run, const sc_job *job, const json_t *payload, void *user);

#endif
