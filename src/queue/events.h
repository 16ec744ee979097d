/* The inside of sc_events: what the reader and the waits share.
 *
 * It is stopped, or it runs: then one read is under way, its events are being handed out, or the timer runs until the
 * next read. */
#ifndef SC_QUEUE_EVENTS_H
#define SC_QUEUE_EVENTS_H

#include "event_decode.h"
#include "loop/timer.h"
#include "loop/waiter.h"
#include "ops/op_events.h"
#include "queue.h"
#include "redis/blocking.h"

/* A thread that waits for the end of a job; on its stack. */
typedef struct sc__event_wait {
    sc_events *events;
    sc_slice id;
    sc__waiter waiter;
    bool joined; /* it was put into the list */
    bool over;   /* with what follows */
    sc_err err;
    sc_job_result *result;
    struct sc__event_wait *next;
} sc__event_wait;

/* All but the first line on the I/O thread only. */
struct sc_events {
    sc_queue *queue;
    sc__blocking *blocking;
    sc__timer *timer; /* the next read after one that failed */
    int64_t block_ms;
    size_t batch;
    bool running;
    unsigned failures;     /* reads that failed, in a row */
    sc__stream_id last_id; /* of the last event that was handed out */
    sc__event_decoder decoder;
    sc_events_cb cb;
    void *user;
    sc__event_wait *waits;
};

/* Ends the waits for this event's job, if it is its end. */
void sc__events_tell_waits(sc_events *events, const sc_event *event);

/* Ends all of them with SC_ECANCELED. */
void sc__events_cancel_waits(sc_events *events);

#endif
