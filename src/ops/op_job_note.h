/* What a running job notes down about itself: progress and log rows. Both wait for the server. */
#ifndef SC_OPS_OP_JOB_NOTE_H
#define SC_OPS_OP_JOB_NOTE_H

#include <storychain/client.h>

#include "keys.h"

/* `json` is stored as it is. SC_ENOJOB. */
SC_MUST_USE sc_err sc__op_job_progress(sc_client *client, const sc__queue_keys *keys,
                                       sc_slice job_id, sc_slice json, sc_reason *ret_reason);

/* Adds a row; the newest `keep` rows stay, 0: all. SC_ENOJOB. */
SC_MUST_USE sc_err sc__op_job_log(sc_client *client, const sc__queue_keys *keys, sc_slice job_id,
                                  sc_slice row, int64_t keep, sc_reason *ret_reason);

#endif
