/* Whether Redis is worth asking, and what the log is told about it: one line when its absence
 * begins, one when it ends, whatever happens between.
 *
 *     well -> lost            a call failed, and there is no connection
 *     well -> silent          3 calls in a row had no answer in time; or of the last ones within 10 s 10 had none, and
 *                             those were half of them or more
 *     lost -> well            a call was answered
 *     silent -> well          3 tries in a row were answered
 *
 * While it is lost, nobody waits for the connection. While it is silent, one caller a second tries; after an answer the next may at
 * once. A connection made anew ends both. Beside it: whether Redis takes values (it may be full, or read
 * only), with the same two lines. */
#ifndef SC_CACHE_HEALTH_H
#define SC_CACHE_HEALTH_H

#include <stdatomic.h>

#include <pthread.h>

#include <storychain/client.h>

enum { SC__SILENCES_MAX = 10 };

typedef struct sc__health {
    sc_client *client;
    const char *who, *meanwhile; /* "cache", "values come from their loaders" */
    atomic_bool well, stores;    /* read without the mutex, as is: */
    atomic_uint_fast64_t answers;
    pthread_mutex_t mutex; /* of all that follows */
    struct {
        int64_t at_ms; /* mono */
        uint64_t answers;
    } silences
        [SC__SILENCES_MAX]; /* the last calls without an answer, and how many had been answered before */
    size_t silence_count;
    int tries_left;  /* answers in a row that end the silence; 0: there is none */
    sc_err last_err; /* why it is away */
    bool told_away, told_refusal;
    int64_t try_again_ms;   /* mono; while it is silent */
    int64_t back_ms;        /* mono; when it last came back */
    int64_t store_again_ms; /* mono; while it refuses values */
    int64_t complain_ms;    /* mono; no line about a single key before */
} sc__health;

/* The texts live as long as the program. */
void sc__health_init(sc__health *h, sc_client *client, const char *who, const char *meanwhile);
void sc__health_release(sc__health *h);

/* SC_OK, or why Redis is not to be asked now. */
SC_MUST_USE sc_err sc__health_ask(sc__health *h);

/* Whether there is no trouble at all. */
static inline bool sc__health_is_well(const sc__health *h)
{
    return atomic_load(&h->well) && atomic_load(&h->stores);
}

/* False while it refuses values, but for one try a second. */
bool sc__health_may_store(sc__health *h);

/* How a call ended. An answer that is a refusal is an answer. */
void sc__health_after(sc__health *h, sc_err err);

/* A value was taken, or refused. */
void sc__health_stored(sc__health *h);
void sc__health_refused(sc__health *h, const char *why);

/* The connection is there again: whoever is next may ask at once. */
void sc__health_connected(sc__health *h);

/* What lies at a key can't be used. At most one line a minute. */
void sc__health_complain(sc__health *h, sc_slice key, const char *why);

#endif
