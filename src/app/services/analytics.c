#include "analytics.h"

#include <pthread.h>

#include "base/cond.h"
#include "base/error.h"
#include "base/mem.h"

enum { BATCH_MAX = 64, LINGER_MS = 5 };

/* The events of callers that wait together. The first of them leads: it waits for others to join, stores all
 * and wakes them. The batch is on its stack, so it leaves last. */
struct batch {
    struct event events[BATCH_MAX];
    size_t count;
    bool done;
    size_t waiting; /* followers who haven't left */
    sc_err err;
    sc_reason reason;
};

struct analytics {
    struct store *store;
    pthread_mutex_t lock;
    pthread_cond_t full; /* a batch can't take more */
    pthread_cond_t done; /* a batch was stored */
    pthread_cond_t left; /* a follower has left */
    struct batch *open;  /* the one that takes events; NULL: the next caller leads */
    struct analytics_stats stats;
};

sc_err analytics_new(struct store *store, struct analytics **ret_analytics, sc_reason *ret_reason)
{
    struct analytics *a = sc__calloc(1, sizeof(*a));

    if (!a)
        return sc__because(ret_reason, SC_ENOMEM, "out of memory");
    a->store = store;
    pthread_mutex_init(&a->lock, NULL);
    sc__cond_init(&a->full);
    pthread_cond_init(&a->done, NULL);
    pthread_cond_init(&a->left, NULL);
    *ret_analytics = a;
    return SC_OK;
}

void analytics_free(struct analytics *a)
{
    if (!a)
        return;
    pthread_cond_destroy(&a->left);
    pthread_cond_destroy(&a->done);
    pthread_cond_destroy(&a->full);
    pthread_mutex_destroy(&a->lock);
    sc_free(a);
}

/* All the following: with the lock held. */

static void wait_for_others(struct analytics *a, const struct batch *batch)
{
    const struct timespec until = sc__cond_after(LINGER_MS);

    while (batch->count < BATCH_MAX)
        if (pthread_cond_timedwait(&a->full, &a->lock, &until))
            return;
}

static void store_batch(struct analytics *a, struct batch *batch)
{
    if (a->open == batch)
        a->open = NULL;
    pthread_mutex_unlock(&a->lock);
    batch->err = store_events_insert(a->store, batch->events, batch->count, NULL, &batch->reason);
    pthread_mutex_lock(&a->lock);
    if (!batch->err) {
        a->stats.batches++;
        a->stats.events += batch->count;
    }
    batch->done = true;
}

static void lead(struct analytics *a, struct batch *batch)
{
    a->open = batch;
    wait_for_others(a, batch);
    store_batch(a, batch);
    pthread_cond_broadcast(&a->done);
    while (batch->waiting)
        pthread_cond_wait(&a->left, &a->lock);
}

static sc_err follow(struct analytics *a, struct batch *batch, const struct event *event,
                     sc_reason *ret_reason)
{
    sc_err err;

    batch->events[batch->count++] = *event;
    batch->waiting++;
    if (batch->count == BATCH_MAX) {
        a->open = NULL;
        pthread_cond_broadcast(&a->full);
    }
    while (!batch->done)
        pthread_cond_wait(&a->done, &a->lock);
    err = batch->err;
    if (err && ret_reason)
        *ret_reason = batch->reason;
    if (--batch->waiting == 0)
        pthread_cond_broadcast(&a->left);
    return err;
}

/* The texts of `event` are borrowed until its batch is stored, and so for the call. */
sc_err analytics_record(struct analytics *a, const struct event *event, sc_reason *ret_reason)
{
    struct batch own;
    sc_err err;

    pthread_mutex_lock(&a->lock);
    if (a->open) {
        err = follow(a, a->open, event, ret_reason);
    } else {
        own = (struct batch){.count = 0};
        own.events[own.count++] = *event;
        lead(a, &own);
        err = own.err;
        if (err && ret_reason)
            *ret_reason = own.reason;
    }
    pthread_mutex_unlock(&a->lock);
    return err;
}

void analytics_stats_get(struct analytics *a, struct analytics_stats *ret_stats)
{
    pthread_mutex_lock(&a->lock);
    *ret_stats = a->stats;
    pthread_mutex_unlock(&a->lock);
}
