/* Whether all changes have been told that were over when a call began: the server is asked, and what it tells comes in order
 * with its answer. Many calls share a question; each needs one that was asked after it began.
 *
 *     a call -> the next question -> its answer
 *     a question is under way -> the next one is asked when it ends, for all who came meanwhile */
#ifndef SC_CACHE_CONFIRM_H
#define SC_CACHE_CONFIRM_H

#include <pthread.h>

#include "health.h"

struct sc__confirm_wait;

typedef struct sc__confirm {
    sc_client *client; /* the link's, which is told of changes */
    sc__health *health;
    int64_t timeout_ms;
    pthread_mutex_t mutex;
    bool is_asking;
    struct sc__confirm_wait *asked;  /* who waits for the answer to the question under way, */
    struct sc__confirm_wait *coming; /* and to the next one */
} sc__confirm;

void sc__confirm_init(sc__confirm *c, sc_client *client, sc__health *health, int64_t timeout_ms);
void sc__confirm_release(sc__confirm *c); /* the client is gone; nobody waits */

/* Waits for an answer, up to `timeout_ms`. False: there was none, or it's the I/O thread, which can't wait. */
SC_MUST_USE bool sc__confirm_wait(sc__confirm *c, int64_t timeout_ms);

#endif
