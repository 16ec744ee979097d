/* The span of a call that adds jobs. Does nothing without a tracer. */
#ifndef SC_QUEUE_ADD_SPAN_H
#define SC_QUEUE_ADD_SPAN_H

#include <storychain/tracer.h>

#include "base/str.h"

typedef struct sc__add_span {
    const sc_tracer *tracer;
    void *span;        /* NULL: there is none */
    sc_slice metadata; /* for its jobs; empty: none. Lives until the end */
} sc__add_span;

/* Stored options with a span's metadata may have so many bytes. */
#define SC__MARKED_MAX (256 * 1024)

/* `tracer` NULL: none. What `start` says of the call is filled in with what all such calls have. */
void sc__add_span_start(sc__add_span *span, const sc_tracer *tracer, sc_span_start start);

/* Adds the span's metadata to stored options: they are in `out` then, and `*opts` points to them. Without memory they stay as
 * they are. */
void sc__add_span_mark(const sc__add_span *span, sc__str *out, sc_slice *opts);

void sc__add_span_end(const sc__add_span *span, sc_err err, sc_slice job_id);

#endif
