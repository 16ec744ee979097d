/* Deletes in Redis what could not be deleted while it was away. Until that has happened the keys are not
 * read from it. */
#ifndef SC_CACHE_REPAIR_H
#define SC_CACHE_REPAIR_H

#include "health.h"
#include "journal.h"
#include "redis/client.h"
#include "pulse.h"

typedef struct sc__repair {
    sc_client *client;
    sc_slice clock; /* the key of the tag clock: a tag's key may have to be deleted */
    sc__health *health;
    int64_t timeout_ms;
    sc__journal journal;
    sc__pulse pulse;
    sc__client_watch watch;
    /* the I/O thread's */
    int64_t pause_ms; /* grows while the server refuses */
    int64_t next_ms;  /* mono; no attempt before */

    pthread_mutex_t mutex;
    pthread_cond_t idle;
    bool is_busy, stopping; /* under the mutex */
    atomic_bool told_lost;
} sc__repair;

/* `clock` lives as long as the repair. */
void sc__repair_start(sc__repair *r, sc_client *client, sc_slice clock, sc__health *health,
                      int64_t timeout_ms);

/* What is still to be deleted is given up, with a line of log. Not on the I/O thread. */
void sc__repair_stop(sc__repair *r);

/* These keys are to be deleted as soon as Redis can. Copied. */
void sc__repair_add(sc__repair *r, const sc_slice *keys, size_t count);

/* Whether the key still waits for its deletion. */
bool sc__repair_has(sc__repair *r, sc_slice key);

#endif
