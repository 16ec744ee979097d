/* The limits in time of a job, an extension of ours: `opts.sc` in the stored form, an object that BullMQ keeps and does not
 * look at.
 *
 *     {"expiresAt":ms, "startWithin":ms, "softTimeout":ms, "hardTimeout":ms}    each may be missing */
#ifndef SC_OPS_JOB_LIMITS_H
#define SC_OPS_JOB_LIMITS_H

#include <storychain/job.h>

#include "base/json_scan.h"
#include "base/str.h"

bool sc__job_limits_any(const sc_job_opts *opts);

/* SC_EINVAL with a reason. */
SC_MUST_USE sc_err sc__job_limits_check(const sc_job_opts *opts, sc_reason *ret_reason);

/* Appends the member with a ',' before it; nothing when there is no limit. */
void sc__job_limits_write(sc__str *out, const sc_job_opts *opts);

/* Reads the value of `sc`; what is missing or of another type is no limit. */
void sc__job_limits_read(sc__json_value value, sc_job_opts *opts);

/* The date after which the job must not be started; INT64_MAX: it may always. `created_ms` is its own date. */
int64_t sc__job_limits_expiry(const sc_job_opts *opts, int64_t created_ms);

#endif
