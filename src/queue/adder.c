#include "adder.h"

#include "base/error.h"
#include "base/mem.h"
#include "redis/client.h"

enum { SPLIT_MIN = 16 }; /* jobs that are worth two calls instead of one */

static void on_reply(void *user, sc_err err, const sc_reply *reply);
static void on_send(sc__task *task);

void sc__adder_init(sc__adder *adder, sc_client *client, const sc__queue_keys *keys)
{
    *adder = (sc__adder){.client = client, .keys = keys, .send = {.run = on_send}};
    pthread_mutex_init(&adder->mutex, NULL);
    for (size_t i = 0; i < SC__ADD_FLIGHTS; i++)
        adder->flights[i].adder = adder;
    sc__add_batch_init(&adder->batch);
}

static void nothing(void *arg)
{
    (void)arg;
}

void sc__adder_release(sc__adder *adder)
{
    /* Its task may still be posted, though there is nothing left to send. */
    sc__loop_run_wait(sc__client_loop(adder->client), nothing, NULL);
    sc__add_batch_release(&adder->batch);
    pthread_mutex_destroy(&adder->mutex);
}

static void append(sc__adder *adder, sc__add_request *request)
{
    adder->unsent_jobs += request->count;
    request->next = NULL;
    request->prev = adder->back;
    if (adder->back)
        adder->back->next = request;
    else
        adder->front = request;
    adder->back = request;
    if (!adder->unsent)
        adder->unsent = request;
}

static void unlink_request(sc__adder *adder, sc__add_request *request)
{
    if (request->prev)
        request->prev->next = request->next;
    else
        adder->front = request->next;
    if (request->next)
        request->next->prev = request->prev;
    else
        adder->back = request->prev;
}

static struct sc__add_flight *free_flight(sc__adder *adder)
{
    for (size_t i = 0; i < SC__ADD_FLIGHTS; i++)
        if (!adder->flights[i].busy)
            return &adder->flights[i];
    return NULL;
}

static bool flies(const sc__adder *adder)
{
    for (size_t i = 0; i < SC__ADD_FLIGHTS; i++)
        if (adder->flights[i].busy)
            return true;
    return false;
}

/* How many jobs the next flight may take: half of all that are not answered, so that the server works on one half while we
 * see to those who waited for the other. */
static size_t share(const sc__adder *adder)
{
    size_t all = adder->unsent_jobs;

    for (size_t i = 0; i < SC__ADD_FLIGHTS; i++)
        if (adder->flights[i].busy)
            all += adder->flights[i].count;
    return all < SPLIT_MIN ? all : (all + 1) / 2;
}

/* Takes jobs from the front of the line until it has its share, the batch is full or the line is empty. */
static void fill(sc__adder *adder, struct sc__add_flight *flight)
{
    sc__add_request *r = adder->unsent;
    size_t max = share(adder); /* while this flight is not busy */

    flight->first = r;
    flight->from = r->sent;
    flight->err =
        SC_OK; /* not that of its last call: on_send() may look while this one is being sent */
    flight->busy = true;
    sc__add_batch_reset(&adder->batch);
    while (r && adder->batch.count < max && sc__add_batch_put(&adder->batch, &r->jobs[r->sent])) {
        r->sent++;
        if (r->sent == r->count)
            r = r->next;
    }
    adder->unsent = r;
    flight->count = adder->batch.count;
    adder->unsent_jobs -= flight->count;
}

/* After a failure the rest of a request stays where it is: with its caller. */
static void fail_request(sc__adder *adder, sc__add_request *r, sc_err err, const sc_reason *reason)
{
    if (r->err)
        return;
    r->err = err;
    r->reason = *reason;
    r->answered += r->count - r->sent;
    adder->unsent_jobs -= r->count - r->sent;
    r->sent = r->count;
    if (adder->unsent == r)
        adder->unsent = r->next;
}

static void note_answer(sc__adder *adder, sc__add_request *r, size_t from, size_t count,
                        sc__add_answer *answer)
{
    static const sc_reason no_memory = {"out of memory"};

    for (size_t i = from; i < from + count; i++) {
        sc_slice owner;

        r->numbers[i] = sc__add_answer_next(answer, &owner);
        if (!owner.len || !r->owners)
            continue;
        r->owners[i] = sc__slice_dup(owner);
        if (!r->owners[i])
            fail_request(adder, r, SC_ENOMEM, &no_memory);
    }
}

/* Notes a flight's answer in its requests; gives those that are done as a list, out of the line. */
static sc__add_request *land(struct sc__add_flight *flight, sc_err err, sc__add_answer *answer,
                             const sc_reason *reason)
{
    sc__add_request *r = flight->first, *done = NULL, **done_end = &done;
    size_t from = flight->from, left = flight->count;

    while (left) {
        sc__add_request *next = r->next;
        size_t some = r->count - from < left ? r->count - from : left;

        if (err)
            fail_request(flight->adder, r, err, reason);
        else
            note_answer(flight->adder, r, from, some, answer);
        if (!r->err)
            r->added += some;
        r->answered += some;
        left -= some;
        from = 0;
        if (r->answered == r->count) {
            unlink_request(flight->adder, r);
            r->next = NULL;
            *done_end = r;
            done_end = &r->next;
        }
        r = next;
    }
    flight->busy = false;
    return done;
}

static sc__add_request *settle(struct sc__add_flight *flight, sc_err err, const sc_reply *reply)
{
    sc_reason reason = {""};
    sc__add_answer answer;
    sc__add_request *done;

    err = sc__op_add_reply(err, reply, &answer, &reason);
    pthread_mutex_lock(&flight->adder->mutex);
    done = land(flight, err, &answer, &reason);
    pthread_mutex_unlock(&flight->adder->mutex);
    return done;
}

static void tell(sc__add_request *done)
{
    while (done) {
        sc__add_request *next = done->next;

        done->done(done);
        done = next;
    }
}

/* Whose turn it is to send, if there is a call to send: fills the next flight. Under the mutex. */
static struct sc__add_flight *next_flight(sc__adder *adder)
{
    struct sc__add_flight *flight = NULL;

    if (adder->unsent && !adder->sending)
        flight = free_flight(adder);
    if (flight)
        fill(adder, flight);
    adder->sending = adder->sending || flight;
    return flight;
}

/* Hands a flight to the client. True when another one could go now. */
static bool send_flight(sc__adder *adder, struct sc__add_flight *flight)
{
    sc_err err = sc__op_add(adder->client, adder->keys, &adder->batch, on_reply, flight);
    bool more;

    pthread_mutex_lock(&adder->mutex);
    flight->err = err;
    adder->sending = false;
    more = err || (adder->unsent && free_flight(adder));
    pthread_mutex_unlock(&adder->mutex);
    return more;
}
/* Sends as long as there are jobs in line and a flight is free. On the I/O thread. */
static void send_more(sc__adder *adder)
{
    struct sc__add_flight *flight;

    do {
        pthread_mutex_lock(&adder->mutex);
        flight = next_flight(adder);
        pthread_mutex_unlock(&adder->mutex);
        if (flight && send_flight(adder, flight) && flight->err)
            tell(settle(flight, flight->err, NULL));
    } while (flight);
}

static struct sc__add_flight *failed_flight(sc__adder *adder)
{
    struct sc__add_flight *failed = NULL;

    pthread_mutex_lock(&adder->mutex);
    for (size_t i = 0; i < SC__ADD_FLIGHTS && !failed; i++)
        if (adder->flights[i].busy && adder->flights[i].err)
            failed = &adder->flights[i];
    pthread_mutex_unlock(&adder->mutex);
    return failed;
}

static void on_send(sc__task *task)
{
    sc__adder *adder = (sc__adder *)((char *)task - offsetof(sc__adder, send));
    struct sc__add_flight *failed;

    while ((failed = failed_flight(adder)))
        tell(settle(failed, failed->err, NULL));
    send_more(adder);
}

void sc__adder_submit(sc__adder *adder, sc__add_request *request)
{
    struct sc__add_flight *flight;
    bool post;

    request->err = SC_OK;
    request->sent = request->answered = request->added = 0;
    pthread_mutex_lock(&adder->mutex);
    append(adder, request);
    flight = flies(adder) ? NULL : next_flight(adder);
    post = !flight && !adder->sending && free_flight(adder); /* else the next answer sends it */
    pthread_mutex_unlock(&adder->mutex);
    if (flight)
        post = send_flight(adder, flight);
    if (post)
        sc__loop_post(sc__client_loop(adder->client), &adder->send);
}

static void on_reply(void *user, sc_err err, const sc_reply *reply)
{
    struct sc__add_flight *flight = user;
    sc__add_request *done = settle(flight, err, reply);

    send_more(flight->adder); /* the server first, then those who wait */
    if (done && done->next)
        sc__client_push(flight->adder->client);
    tell(done);
}
