/* Options of a job and their stored form: the `opts` JSON of BullMQ's job hash, with its short names. */
#ifndef SC_OPS_JOB_OPTS_H
#define SC_OPS_JOB_OPTS_H

#include <storychain/job.h>

#include "base/str.h"

#define SC__PRIORITY_MAX 2097151

/* What BullMQ's producers refuse: priority and jitter out of range, custom ids that look like the queue's own
 * numbers or like keys; and negative numbers, an `extra` that is no object. SC_EINVAL with a reason. */
SC_MUST_USE sc_err sc__job_opts_check(const sc_job_opts *opts, sc_reason *ret_reason);

/* Members of `opts` that say nothing (are zero) become as in `defaults`, but for id, date and parent, which are the job's alone. */
void sc__job_opts_merge(sc_job_opts *opts, const sc_job_opts *defaults);

/* Appends the stored form of options that were checked. */
void sc__job_opts_write(sc__str *out, const sc_job_opts *opts);

/* Reads a stored form, by whatever client: what is missing or of another type than it should be is as in
 * SC_JOB_OPTS_INIT; unknown members are left out. Slices point into `stored`, escapes as they stand.
 * SC_ESYNTAX when it is no JSON object; `*ret_opts` is SC_JOB_OPTS_INIT then. */
SC_MUST_USE sc_err sc__job_opts_parse(sc_slice stored, sc_job_opts *ret_opts,
                                      sc_reason *ret_reason);

#endif
