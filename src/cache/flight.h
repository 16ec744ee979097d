/* Loads under way: one per process and key. The first who misses a key leads, the others join and get its
 * value or its error.
 *
 *     asking -> loading -> ended          asking -> ended (another process had loaded, or failed to)
 *                                         asking -> moot (nothing came of it: look again)
 *
 * A flight leaves the table when it is over, or when a delete made its value an old one: whoever
 * comes then starts another. */
#ifndef SC_CACHE_FLIGHT_H
#define SC_CACHE_FLIGHT_H

#include <pthread.h>
#include <stdatomic.h>

#include "flight_circle.h"
#include "loop/waiter.h"
#include "ops/cache_tags.h"
#include "value.h"

enum { SC__FLIGHT_BUCKETS = 256 };

/* The lease that stands in a key. */
typedef struct sc__lease {
    bool is_there;
    char bytes[SC__LEASE_LEN];
} sc__lease;

static inline sc_slice sc__lease_slice(const sc__lease *lease)
{
    return (sc_slice){lease->bytes, SC__LEASE_LEN};
}

static inline bool sc__lease_is(const sc__lease *one, const sc__lease *other)
{
    return one->is_there && other->is_there && memcmp(one->bytes, other->bytes, SC__LEASE_LEN) == 0;
}

typedef enum sc__flight_state {
    SC__FLIGHT_ASKING,
    SC__FLIGHT_LOADING,
    SC__FLIGHT_ENDED,
    SC__FLIGHT_MOOT
} sc__flight_state;

typedef struct sc__flight {
    struct sc__flight *next;                       /* in its bucket */
    struct sc__flight *next_loading, **at_loading; /* among those of the circle */
    pthread_t leader;
    sc__waiter ended; /* those who joined; they read what is fixed by then without the mutex */
    atomic_uint refs;
    /* under the table's mutex */
    sc__flight_state state;
    bool listed;         /* in the table; else its value may be old and must not be stored */
    bool is_ours;        /* the lease */
    bool renews;         /* the old value is given meanwhile; the lease does not stand in the key */
    int64_t loading_ns;  /* mono; when the load began */
    int64_t extended_ms; /* mono; when the lease was last taken or extended */
    sc__lease lease;     /* that stood in the key when the load began */
    int64_t birth;       /* the tag clock then; 0: not known */
    sc_err err;
    sc__blob *value;    /* when ended without error; NULL: there is no such thing */
    sc__tag_keys *tags; /* of the value; NULL: none */
    int64_t age_ms;     /* of the value */
    int64_t
        given_ns; /* mono; when Redis was asked for a value that others had stored; 0: it was loaded here */

    size_t key_len;
    char key[];
} sc__flight;

typedef struct sc__flights {
    pthread_mutex_t mutex;
    sc__circle circle;
    size_t count;
    sc__flight *buckets[SC__FLIGHT_BUCKETS];
} sc__flights;

void sc__flights_init(sc__flights *flights);
void sc__flights_release(sc__flights *flights); /* none may be under way */

/* What a caller knows when it comes for a value that it did not find. */
typedef struct sc__flight_call {
    sc_slice key;
    int64_t began_ns; /* mono; before it asked Redis */
    bool renews;      /* it has a value, and wants a newer one for others */
    bool is_early;    /* it has not looked, and leads or does so */
    bool has_asked;   /* Redis answered … */
    sc__lease seen;   /* … with this lease, or none */
} sc__flight_call;

/* Leads a new flight (`*ret_leads`) or joins one that can't be older than what the call must see: its load
 * began after the call did, or the lease it began with still stands, or there is no lease to judge by.
 * SC_EDEADLK: the call comes from inside the key's own loader. SC_EBUSY: another flight was there before the early one. SC_ENOMEM.
 * Leave it with unref. */
SC_MUST_USE sc_err sc__flight_enter(sc__flights *flights, const sc__flight_call *call,
                                    sc__flight **ret_flight, bool *ret_leads);
void sc__flight_ref(sc__flight *flight);
void sc__flight_unref(sc__flight *flight);

/* The leader's steps. `lease` may be NULL: none could be had. `end` takes no reference of `value`, and copies the tags
 * (NULL: none). */
void sc__flight_loading(sc__flights *flights, sc__flight *flight, const sc__lease *lease,
                        bool is_ours, int64_t birth);
void sc__flight_hand_over(sc__flights *flights, sc__flight *flight); /* this one leads no more … */
void sc__flight_take_over(sc__flights *flights, sc__flight *flight); /* … this one leads on */
void sc__flight_end(sc__flights *flights, sc__flight *flight, sc_err err, sc__blob *value,
                    const sc__tag_keys *tags);

/* Instead of a load: Redis, asked at `asked_ns` (mono), had this value. */
void sc__flight_give(sc__flights *flights, sc__flight *flight, int64_t asked_ns, sc__blob *value,
                     int64_t age_ms);
void sc__flight_moot(sc__flights *flights, sc__flight *flight);
bool sc__flight_is_current(sc__flights *flights, const sc__flight *flight);
void sc__flight_leave(sc__flights *flights,
                      sc__flight *flight); /* the table; stored, or given up */

typedef enum sc__flight_outcome {
    SC__FLIGHT_GAVE,    /* a value or an error */
    SC__FLIGHT_NOTHING, /* look again: it is moot, or what it gives may be older than the call */
    SC__FLIGHT_LATE,
    SC__FLIGHT_LOCKED /* its loader waits for one of this thread's */
} sc__flight_outcome;

/* What a call gets from the flight that it joined. */
typedef struct sc__flight_gift {
    sc_err err;
    sc__blob *value; /* a reference of the caller's; NULL: there is no such thing */
    int64_t age_ms;
    int64_t birth;            /* of what was loaded before the call began, if it has tags; else 0 */
    const sc__tag_keys *tags; /* then; valid until unref */
} sc__flight_gift;

/* Those who joined: waits for the end, or until `until_ms` (mono; INT64_MAX: no limit). */
SC_MUST_USE sc__flight_outcome sc__flight_wait(sc__flights *flights, sc__flight *flight,
                                               const sc__flight_call *call, int64_t until_ms,
                                               sc__flight_gift *ret_gift);

/* The value of `key` changes: a flight of it still gives its value to those who wait, but to nobody who
 * comes later, nor to Redis. */
void sc__flights_void(sc__flights *flights, sc_slice key);
void sc__flights_void_pattern(sc__flights *flights, sc_slice pattern); /* of all keys it matches */

/* References to flights whose lease is ours and was last extended before `before_ms`, up to `max` of them;
 * they count as extended now. `*ret_any`: whether any of our leases is out at all. */
size_t sc__flights_due(sc__flights *flights, int64_t before_ms, sc__flight **ret_due, size_t max,
                       bool *ret_any);

#endif
