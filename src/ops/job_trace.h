/* A span's metadata in the stored options of a job, where BullMQ has it: `tm`. */
#ifndef SC_OPS_JOB_TRACE_H
#define SC_OPS_JOB_TRACE_H

#include "base/arena.h"
#include "base/str.h"

/* Appends stored options (a JSON object), with the metadata added unless they hold some already or say that they want none. */
void sc__job_trace_write(sc__str *out, sc_slice stored, sc_slice metadata);

/* The metadata in stored options; empty: there is none, or nothing that can be read. In the arena. */
sc_slice sc__job_trace_read(sc__arena *arena, sc_slice stored);

#endif
