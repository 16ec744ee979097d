/* A tracer: functions of the program that a queue and a worker call around adding and running jobs, to bridge to OpenTelemetry or
 * another tracing.
 *
 * A producer's span begins before a job is added. What metadata() gives for it is stored with the job (BullMQ's `telemetry`: `tm` in its
 * options), and the consumer's span is started with it, in whatever language each side is; so both are of one trace. The text is the
 * tracer's own; for programs that use bullmq-otel it is a JSON object of W3C headers ({"traceparent":"00-…"}).
 *
 * A job whose options hold `tm` already, or `"omc":true` (omitContext), is stored as it is.
 *
 * Since 0.1. */
#ifndef STORYCHAIN_TRACER_H
#define STORYCHAIN_TRACER_H

#include <storychain/job.h>
#include <storychain/worker.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum sc_span_kind { SC_SPAN_PRODUCER, SC_SPAN_CONSUMER } sc_span_kind;

/* What a span is about. All of it lives for the call. */
typedef struct sc_span_start {
    sc_span_kind kind;
    const char *operation; /* "add", "addBulk", "addFlow", "addBulkFlows", "process" */
    sc_slice queue;        /* of a flow its root's; empty for many flows */
    sc_slice job_name;     /* of one job, or a flow's root; empty for a bulk */
    size_t job_count;      /* 1 but for a bulk; of flows their roots */
    const sc_job *job;     /* consumer: the job; else NULL */
    sc_slice worker_name;  /* consumer; empty: it has none */
    sc_slice metadata;     /* consumer: what the producer stored; empty: nothing */
} sc_span_start;

/* How it ended. */
typedef struct sc_span_end {
    sc_err err;         /* producer: of the call */
    sc_slice job_id;    /* producer: of one job that was added; consumer */
    sc_outcome outcome; /* consumer: the processor's, as it counts */
    bool is_final;      /* consumer: the job is completed or has failed for good */
    const char *error;  /* consumer: the reason of a failed try; else NULL */
} sc_span_end;

/* The functions come on the thread that adds or runs the job; end() of an `_async` call on the I/O thread, where it must not wait. The
 * consumer's start(), the processor and end() are on one thread, so that start() may set what is current there; in a batch the spans of
 * all its jobs start before the processor and end after it, in their order. */
struct sc_tracer {
    void *user; /* given to all of them */

    /* Gives the span, NULL for none: then no other function is called for it. */
    void *(*start)(void *user, const sc_span_start *start);

    /* What a job of this span carries to its consumer: UTF-8, which must live until end(); empty: nothing. NULL: no job carries any. */
    sc_slice (*metadata)(void *user, void *span);

    void (*end)(void *user, void *span, const sc_span_end *end);
};

#ifdef __cplusplus
}
#endif
#endif
