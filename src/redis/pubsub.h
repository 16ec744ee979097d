/* Channels, heard on the client's own connection among its replies, as RESP3 allows; subscribed again whenever it is
 * connected again. What is published meanwhile is lost: who needs to know all looks by other means too. A server that speaks
 * RESP2 alone sends nothing.
 *
 * On the I/O thread, but for what says otherwise. */
#ifndef SC_REDIS_PUBSUB_H
#define SC_REDIS_PUBSUB_H

#include <storychain/client.h>

/* One listener. The slice and the struct are borrowed until it is ended. */
typedef struct sc__subscription {
    sc_slice channel;
    void (*on_message)(void *user, sc_slice message); /* borrowed for the call */
    void *user;
    struct sc__subscription *next;
} sc__subscription;

typedef struct sc__pubsub {
    sc_client *client;
    bool can_hear; /* connected, and by RESP3 */
    sc__subscription *first, *next;
} sc__pubsub;

/* Begins; ends, after which on_message doesn't come. Any number may listen to one channel. Any thread. */
void sc__client_subscribe(sc_client *client, sc__subscription *subscription);
void sc__client_unsubscribe(sc_client *client, sc__subscription *subscription);

/* The client's: it is connected, or not any more. */
void sc__pubsub_up(sc__pubsub *p, bool resp3);
void sc__pubsub_down(sc__pubsub *p);

/* The client's: a push came. True when it is the reply to a command of ours, in its place among the replies. */
SC_MUST_USE bool sc__pubsub_push(sc__pubsub *p, const sc_reply *push);

#endif
