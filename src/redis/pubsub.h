/* Channels of a client, heard on one connection more, which is there while anybody listens but guests.
 *
 * It is not the client's own, because a server cuts a connection that hears channels off when 32 MiB wait to be read from
 * it (client-output-buffer-limit pubsub), and one reply may be larger. When it is lost it is opened again, with the client's
 * backoff. What is published meanwhile is lost: who needs to know all looks by other means when on_heard comes. */
#ifndef SC_REDIS_PUBSUB_H
#define SC_REDIS_PUBSUB_H

#include "base/str.h"
#include "loop/timer.h"
#include "conn.h"
#include "reconnect.h"

/* One listener. The slice and the struct are borrowed until it is ended. The callbacks come on the I/O thread. */
typedef struct sc__subscription {
    sc_slice channel;
    void (*on_message)(void *user, sc_slice message); /* borrowed for the call */
    void (*on_heard)(void *user);  /* it is heard from now on, or again; may be NULL */
    void (*on_closed)(void *user); /* the client ends, and has ended this; may be NULL */
    bool is_guest; /* it hears only while there are others, for whom the connection is kept */
    void *user;
    bool is_heard; /* ours */
    struct sc__subscription *next;
} sc__subscription;

/* The client's; its fields are the I/O thread's. */
typedef struct sc__pubsub {
    sc_client *client;
    sc__conn *conn; /* NULL: none, not even on its way */
    bool ready;
    bool told_refused; /* in the log */
    sc__reconnect reconnect;
    int64_t not_before_ms; /* mono; of the next attempt to connect */
    sc__timer *timer;
    sc__str waiting, sending; /* commands; those that are being sent are borrowed by `conn` */
    sc__subscription *first, *next;
} sc__pubsub;

/* Begins; ends, after which no callback comes. Any number may listen to one channel. Any thread. */
void sc__client_subscribe(sc_client *client, sc__subscription *subscription);
void sc__client_unsubscribe(sc_client *client, sc__subscription *subscription);

/* The client's, on the I/O thread. Zeroed before the start; stopping one that was not started is fine. */
SC_MUST_USE sc_err sc__pubsub_start(sc__pubsub *p, sc_client *client);
void sc__pubsub_stop(sc__pubsub *p);

/* The client's server is another one now: hears from that. */
void sc__pubsub_move(sc__pubsub *p);

#endif
