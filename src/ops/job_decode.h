/* A job from its hash in Redis. Data of other clients is read as far as it goes: a number that is none
 * is 0, a missing text is empty (data and opts: "{}", progress: "0"). */
#ifndef SC_OPS_JOB_DECODE_H
#define SC_OPS_JOB_DECODE_H

#include <storychain/client.h>
#include <storychain/job.h>

#include "base/arena.h"

/* `fields` is the reply of HGETALL, or a flat array of fields and values inside a script's reply. All is copied
 * into one piece of the arena, but for `attempts`, which is in the options. SC_ENOJOB when it is empty or nil, SC_ELAYOUT when it is something
 * else, SC_ETOOBIG when the arena is full. */
SC_MUST_USE sc_err sc__job_decode(sc__arena *arena, sc_slice id, const sc_reply *fields,
                                  sc_job **ret_job, sc_reason *ret_reason);

/* Reads the job's options, and sets its `attempts` by them. SC_ESYNTAX as sc__job_opts_parse(). */
SC_MUST_USE sc_err sc__job_read_opts(sc_job *job, sc_job_opts *ret_opts, sc_reason *ret_reason);

/* All of the job, in an allocation of its own: free with sc_job_free. */
SC_MUST_USE sc_err sc__job_decode_new(sc_slice id, const sc_reply *fields, sc_job **ret_job,
                                      sc_reason *ret_reason);

/* A copy in another arena. NULL when that is full. */
sc_job *sc__job_copy(sc__arena *arena, const sc_job *job);

#endif
