#include "add_span.h"

#include "ops/job_trace.h"

void sc__add_span_start(sc__add_span *span, const sc_tracer *tracer, sc_span_start start)
{
    *span = (sc__add_span){.tracer = tracer};
    if (!tracer || !tracer->start)
        return;
    start.kind = SC_SPAN_PRODUCER;
    span->span = tracer->start(tracer->user, &start);
    if (span->span && tracer->metadata)
        span->metadata = tracer->metadata(tracer->user, span->span);
}

void sc__add_span_mark(const sc__add_span *span, sc__str *out, sc_slice *opts)
{
    if (!span->metadata.len)
        return;
    sc__str_reset(out);
    sc__job_trace_write(out, *opts, span->metadata);
    if (!out->err)
        *opts = sc__str_slice(out);
}

void sc__add_span_end(const sc__add_span *span, sc_err err, sc_slice job_id)
{
    const sc_span_end end = {.err = err, .job_id = job_id};

    if (span->span)
        span->tracer->end(span->tracer->user, span->span, &end);
}
