/* Whether Redis is worth asking, and what the log is told about it: one line when its absence
 * begins, one when it ends, whatever happens between.
 *
 *     well -> away         a call failed (no connection, no answer in time)
 *     away -> well         a call was answered
 *
 * While away, nobody waits for a lost connection; and when 3 calls in a row met silence, the next one
 * is tried after a second, by one caller. Beside it: whether Redis takes values (it may be full, or read
 * only), with the same two lines. */
#ifndef SC_CACHE_HEALTH_H
#define SC_CACHE_HEALTH_H

#include <stdatomic.h>

#include <pthread.h>

#include <storychain/client.h>

typedef struct sc__health {
    sc_client *client;
    const char *who, *meanwhile; /* "cache", "values come from their loaders" */
    atomic_bool well, stores;    /* read without the mutex */
    pthread_mutex_t mutex;       /* of all that follows */
    sc_err last_err;             /* why it is away */
    int silent_calls;            /* failures in a row */
    bool told_away, told_refusal;
    int64_t ask_again_ms;   /* mono; while away */
    int64_t back_ms;        /* mono; when it last came back */
    int64_t store_again_ms; /* mono; while it refuses values */
    int64_t complain_ms;    /* mono; no line about a single key before */
} sc__health;

/* The texts live as long as the program. */
void sc__health_init(sc__health *h, sc_client *client, const char *who, const char *meanwhile);
void sc__health_release(sc__health *h);

/* SC_OK, or why Redis is not to be asked now. */
SC_MUST_USE sc_err sc__health_ask(sc__health *h);

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
