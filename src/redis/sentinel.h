/* Where is the master? Asks the sentinels of a URL in turn, stays with the one that answers, and hears from it when another server
 * is made the master (Redis' "Guidelines for Redis clients with support for Redis Sentinel").
 *
 * Everything is on the loop's thread. */
#ifndef SC_REDIS_SENTINEL_H
#define SC_REDIS_SENTINEL_H

#include "conn.h"

typedef struct sc__sentinel sc__sentinel;

typedef struct sc__sentinel_events {
    /* The answer to sc__sentinel_ask(): SC_OK with an address that is borrowed for the call; else what the last of the sentinels met. */
    void (*answered)(void *user, sc_err err, const char *host, int port, const char *text);
    /* Unasked: it is another one than was told last. Ask. */
    void (*moved)(void *user);
} sc__sentinel_events;

/* `like` says how to connect; its URL has the sentinels. It and `events` must outlive the finder. SC_ENOMEM. */
SC_MUST_USE sc_err sc__sentinel_new(sc__loop *loop, const sc__conn_target *like,
                                    const sc__sentinel_events *events, void *user,
                                    sc__sentinel **ret_sentinel);
void sc__sentinel_free(sc__sentinel *s); /* NULL is fine */

/* One answer comes, within the connect timeout and a second for each sentinel. Nothing while another is awaited. */
void sc__sentinel_ask(sc__sentinel *s);

#endif
