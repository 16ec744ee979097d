/* A child's side of a flow: who its parent is, and what its failure does to it, in options and in the job's hash. */
#ifndef SC_OPS_JOB_PARENT_H
#define SC_OPS_JOB_PARENT_H

#include <storychain/job.h>

#include "base/json_scan.h"
#include "base/str.h"

/* SC_EINVAL for half a parent, one that no key can name, or one beside a deduplication, as BullMQ has it. */
SC_MUST_USE sc_err sc__parent_check(const sc_job_opts *opts, sc_reason *ret_reason);

/* Append what a child's hash keeps: the parent's full key ("bull:email:12"), and who and what about it, as JSON. Nothing
 * without a parent. */
void sc__parent_key_write(sc__str *out, const sc_parent *parent);
void sc__parent_write(sc__str *out, const sc_job_opts *opts);

/* The members of stored options about it: appended, each after a ','; and read, one. Of several flags in others' data
 * the first in the order of sc_on_failure counts, as it does when the child fails. */
void sc__parent_opts_write(sc__str *out, const sc_job_opts *opts);
void sc__parent_opts_parse(sc_slice key, sc__json_value value, sc_job_opts *opts);

#endif
