/* From what a caller wants added to what is sent: checks a spec, and writes its options as they are stored. */
#ifndef SC_QUEUE_JOB_ENCODE_H
#define SC_QUEUE_JOB_ENCODE_H

#include <storychain/job.h>

#include "ops/op_add.h"

/* What is stored of a job's options, in their own memory. */
typedef struct sc__encoded {
    sc__str opts, parent_key, parent;
} sc__encoded;

void sc__encoded_init(sc__encoded *encoded);
void sc__encoded_release(sc__encoded *encoded);

#define AUTO_ENCODED __attribute__((cleanup(sc__encoded_release))) sc__encoded

/* Checks a spec, and makes the job of it but for what sc__job_encode() gives: a spec without options is like `defaults`, its data
 * at most `size_limit` bytes (0: no limit of the queue's own). */
SC_MUST_USE sc_err sc__job_make(const sc_job_spec *spec, const sc__add_job *defaults,
                                int64_t size_limit, int64_t now_ms, sc__add_job *ret_job,
                                sc_reason *ret_reason);

/* Writes options that were checked into `encoded` in the place of what was there, which `job` points to then. SC_ETOOBIG,
 * SC_ENOMEM. */
SC_MUST_USE sc_err sc__job_encode(sc__encoded *encoded, const sc_job_opts *opts, sc__add_job *job,
                                  sc_reason *ret_reason);

#endif
