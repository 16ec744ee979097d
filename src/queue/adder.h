/* Makes few calls out of the adds of many threads.
 *
 * Requests stand in one line. The I/O thread sends what stands in it, of however many requests, as soon as it comes to
 * it and a call may fly; what comes meanwhile goes with the next. Nothing ever waits for more to come: who comes when no call
 * flies sends at once, on his own thread.
 *
 * A request is: in line, partly or wholly sent, done. */
#ifndef SC_QUEUE_ADDER_H
#define SC_QUEUE_ADDER_H

#include <pthread.h>

#include "loop/loop.h"
#include "ops/op_add.h"

/* Jobs that belong together; kept by the caller until `done`. */
typedef struct sc__add_request {
    const sc__add_job *jobs;
    int64_t *numbers; /* written: the queue's number of each job */
    char **owners; /* written: for a job that was not stored, the id of the one that stays instead;
                         the caller frees them. All NULL at first; may be NULL without deduplicated jobs */
    size_t count;
    void (*done)(struct sc__add_request *request); /* on the I/O thread, once */

    sc_err err; /* of the first call that failed; then what was not sent yet is not */
    sc_reason reason;
    size_t added; /* jobs of the calls before the first that failed */

    size_t sent, answered; /* jobs */
    struct sc__add_request *next, *prev;
} sc__add_request;

/* A call in flight: `count` jobs, from `from` of `first` on and through the requests behind it. */
struct sc__add_flight {
    struct sc__adder *adder;
    sc__add_request *first;
    size_t from, count;
    bool busy;
    sc_err err; /* it could not be sent; the I/O thread says so */
};

/* Two: the server works on one while the next is on its way. */
#define SC__ADD_FLIGHTS 2

typedef struct sc__adder {
    sc_client *client;
    const sc__queue_keys *keys;
    sc__task send;                 /* comes to the line on the I/O thread */
    sc__add_batch batch;           /* of the thread that is `sending` */
    pthread_mutex_t mutex;         /* guards all that follows */
    bool sending;                  /* a thread puts a call together and hands it to the client */
    sc__add_request *front, *back; /* requests that are not done */
    sc__add_request *unsent;       /* the first with jobs that were not sent; NULL: none */
    size_t unsent_jobs;
    struct sc__add_flight flights[SC__ADD_FLIGHTS];
} sc__adder;

/* `client` and `keys` must outlive it. */
void sc__adder_init(sc__adder *adder, sc_client *client, const sc__queue_keys *keys);

/* When no request is left. Not on the I/O thread: waits until that is through with the adder. */
void sc__adder_release(sc__adder *adder);

/* Takes a request with at least one job into the line. Any thread; never waits. */
void sc__adder_submit(sc__adder *adder, sc__add_request *request);

#endif
