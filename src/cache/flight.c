#include "flight.h"

#include <xxhash.h>

#include "base/clock.h"
#include "base/glob.h"
#include "base/mem.h"

void sc__flights_init(sc__flights *flights)
{
    *flights = (sc__flights){0};
    pthread_mutex_init(&flights->mutex, NULL);
}

void sc__flights_release(sc__flights *flights)
{
    pthread_mutex_destroy(&flights->mutex);
}

void sc__flight_ref(sc__flight *flight)
{
    atomic_fetch_add_explicit(&flight->refs, 1, memory_order_relaxed);
}

void sc__flight_unref(sc__flight *flight)
{
    if (atomic_fetch_sub_explicit(&flight->refs, 1, memory_order_acq_rel) > 1)
        return;
    sc__blob_unref(flight->value);
    sc_free(flight->tags);
    sc__waiter_release(&flight->ended);
    sc_free(flight);
}

/* Under the mutex: from here on. */

static sc__flight **place_of(sc__flights *flights, sc_slice key)
{
    sc__flight **at = &flights->buckets[XXH3_64bits(key.ptr, key.len) % SC__FLIGHT_BUCKETS];

    while (*at && !sc_slice_eq(key, (sc_slice){(*at)->key, (*at)->key_len}))
        at = &(*at)->next;
    return at;
}

static void unlist(sc__flights *flights, sc__flight *flight)
{
    if (!flight->listed)
        return;
    *place_of(flights, (sc_slice){flight->key, flight->key_len}) = flight->next;
    flight->listed = false;
    flights->count--;
    sc__flight_unref(flight);
}

static bool may_join(const sc__flight *flight, const sc__flight_call *call)
{
    if (flight->state == SC__FLIGHT_ASKING || flight->loading_ns >= call->began_ns || call->renews)
        return true;
    if (flight->renews)
        return false; /* it began with the old value, which is gone */
    if (!call->has_asked || !flight->lease.is_there)
        return true;
    return sc__lease_is(&call->seen, &flight->lease);
}

/* With a reference for the table and one for the leader. */
static sc__flight *new_flight(sc_slice key)
{
    sc__flight *flight = sc__calloc(1, sizeof(*flight) + key.len);

    if (!flight)
        return NULL;
    sc__waiter_init(&flight->ended);
    flight->listed = true;
    atomic_init(&flight->refs, 2);
    flight->key_len = key.len;
    memcpy(flight->key, key.ptr, key.len);
    return flight;
}

static sc_err enter(sc__flights *flights, const sc__flight_call *call, sc__flight **ret_flight,
                    bool *ret_leads)
{
    sc__flight **at = place_of(flights, call->key), *flight = *at;

    if (flight && flight->at_loading && pthread_equal(flight->leader, pthread_self()))
        return SC_EDEADLK;
    if (flight && call->is_early)
        return SC_EBUSY;
    if (flight && may_join(flight, call)) {
        sc__flight_ref(flight);
        *ret_flight = flight;
        *ret_leads = false;
        return SC_OK;
    }
    if (flight)
        unlist(flights, flight);
    flight = new_flight(call->key);
    if (!flight)
        return SC_ENOMEM;
    flight->renews = call->renews;
    at = place_of(flights, call->key);
    flight->next = *at;
    *at = flight;
    flights->count++;
    *ret_flight = flight;
    *ret_leads = true;
    return SC_OK;
}

/* The rest takes the mutex, or needs none. */

sc_err sc__flight_enter(sc__flights *flights, const sc__flight_call *call, sc__flight **ret_flight,
                        bool *ret_leads)
{
    sc_err err;

    pthread_mutex_lock(&flights->mutex);
    err = enter(flights, call, ret_flight, ret_leads);
    pthread_mutex_unlock(&flights->mutex);
    return err;
}

void sc__flight_loading(sc__flights *flights, sc__flight *flight, const sc__lease *lease,
                        bool is_ours, int64_t birth)
{
    pthread_mutex_lock(&flights->mutex);
    flight->state = SC__FLIGHT_LOADING;
    flight->leader = pthread_self();
    flight->birth = birth;
    flight->loading_ns = sc__mono_ns();
    flight->extended_ms = sc__mono_ms();
    flight->is_ours = is_ours;
    if (lease)
        flight->lease = *lease;
    sc__circle_add(&flights->circle, flight);
    pthread_mutex_unlock(&flights->mutex);
}

void sc__flight_hand_over(sc__flights *flights, sc__flight *flight)
{
    pthread_mutex_lock(&flights->mutex);
    sc__circle_remove(flight);
    pthread_mutex_unlock(&flights->mutex);
}

void sc__flight_take_over(sc__flights *flights, sc__flight *flight)
{
    pthread_mutex_lock(&flights->mutex);
    flight->leader = pthread_self();
    sc__circle_add(&flights->circle, flight);
    pthread_mutex_unlock(&flights->mutex);
}

void sc__flight_end(sc__flights *flights, sc__flight *flight, sc_err err, sc__blob *value,
                    const sc__tag_keys *tags)
{
    sc__tag_keys *copy = tags && tags->count ? sc__tag_keys_dup(tags) : NULL;

    pthread_mutex_lock(&flights->mutex);
    sc__circle_remove(flight);
    flight->state = SC__FLIGHT_ENDED;
    flight->err = err;
    flight->value = value ? sc__blob_ref(value) : NULL;
    flight->tags = copy;
    /* Without memory for them: nobody may take it who came later. */
    if (tags && tags->count && !copy)
        flight->given_ns = flight->loading_ns;
    pthread_mutex_unlock(&flights->mutex);
    sc__waiter_wake(&flight->ended);
}

void sc__flight_give(sc__flights *flights, sc__flight *flight, int64_t asked_ns, sc__blob *value,
                     int64_t age_ms)
{
    pthread_mutex_lock(&flights->mutex);
    flight->state = SC__FLIGHT_ENDED;
    flight->value = value ? sc__blob_ref(value) : NULL;
    flight->age_ms = age_ms;
    flight->given_ns = asked_ns;
    unlist(flights, flight);
    pthread_mutex_unlock(&flights->mutex);
    sc__waiter_wake(&flight->ended);
}

void sc__flight_moot(sc__flights *flights, sc__flight *flight)
{
    pthread_mutex_lock(&flights->mutex);
    sc__circle_remove(flight);
    flight->state = SC__FLIGHT_MOOT;
    unlist(flights, flight);
    pthread_mutex_unlock(&flights->mutex);
    sc__waiter_wake(&flight->ended);
}

bool sc__flight_is_current(sc__flights *flights, const sc__flight *flight)
{
    bool listed;

    pthread_mutex_lock(&flights->mutex);
    listed = flight->listed;
    pthread_mutex_unlock(&flights->mutex);
    return listed;
}

void sc__flight_leave(sc__flights *flights, sc__flight *flight)
{
    pthread_mutex_lock(&flights->mutex);
    flight->is_ours = false;
    unlist(flights, flight);
    pthread_mutex_unlock(&flights->mutex);
}

/* True when it has ended. */
static bool rest_until(sc__flight *flight, int64_t until_ms)
{
    int64_t left_ms;

    if (until_ms == INT64_MAX) {
        sc__waiter_wait(&flight->ended);
        return true;
    }
    left_ms = until_ms - sc__mono_ms();
    return sc__waiter_wait_for(&flight->ended, left_ms > 0 ? left_ms : 0);
}

/* SC__FLIGHT_GAVE when it has ended. */
static sc__flight_outcome wait_for_end(sc__flights *flights, sc__flight *flight, int64_t until_ms)
{
    sc__circle_wait wait;
    bool may_wait, has_ended;

    pthread_mutex_lock(&flights->mutex);
    may_wait = sc__circle_enter(&flights->circle, &wait, flight);
    pthread_mutex_unlock(&flights->mutex);
    if (!may_wait)
        return SC__FLIGHT_LOCKED;
    has_ended = rest_until(flight, until_ms);
    if (wait.is_listed) {
        pthread_mutex_lock(&flights->mutex);
        sc__circle_leave(&flights->circle, &wait);
        pthread_mutex_unlock(&flights->mutex);
    }
    return has_ended ? SC__FLIGHT_GAVE : SC__FLIGHT_LATE;
}

static void take_gift(const sc__flight *flight, const sc__flight_call *call,
                      sc__flight_gift *ret_gift)
{
    *ret_gift = (sc__flight_gift){.err = flight->err, .age_ms = flight->age_ms};
    ret_gift->value = flight->value ? sc__blob_ref(flight->value) : NULL;
    if (flight->tags && flight->loading_ns < call->began_ns) {
        ret_gift->tags = flight->tags;
        ret_gift->birth = flight->birth;
    }
}

sc__flight_outcome sc__flight_wait(sc__flights *flights, sc__flight *flight,
                                   const sc__flight_call *call, int64_t until_ms,
                                   sc__flight_gift *ret_gift)
{
    sc__flight_outcome outcome = wait_for_end(flights, flight, until_ms);

    if (outcome != SC__FLIGHT_GAVE)
        return outcome;
    if (flight->state != SC__FLIGHT_ENDED ||
        (flight->given_ns && call->began_ns > flight->given_ns))
        return SC__FLIGHT_NOTHING;
    take_gift(flight, call, ret_gift);
    return SC__FLIGHT_GAVE;
}

void sc__flights_void(sc__flights *flights, sc_slice key)
{
    sc__flight *flight;

    pthread_mutex_lock(&flights->mutex);
    flight = flights->count ? *place_of(flights, key) : NULL;
    if (flight)
        unlist(flights, flight);
    pthread_mutex_unlock(&flights->mutex);
}

/* Under the mutex. */
static void void_bucket(sc__flights *flights, size_t bucket, sc_slice pattern)
{
    sc__flight *next;

    for (sc__flight *f = flights->buckets[bucket]; f; f = next) {
        next = f->next;
        if (sc__glob_matches(pattern, (sc_slice){f->key, f->key_len}))
            unlist(flights, f);
    }
}

void sc__flights_void_pattern(sc__flights *flights, sc_slice pattern)
{
    for (size_t i = 0; i < SC__FLIGHT_BUCKETS; i++) {
        pthread_mutex_lock(&flights->mutex);
        void_bucket(flights, i, pattern);
        pthread_mutex_unlock(&flights->mutex);
    }
}

size_t sc__flights_due(sc__flights *flights, int64_t before_ms, sc__flight **ret_due, size_t max,
                       bool *ret_any)
{
    size_t count = 0;

    *ret_any = false;
    pthread_mutex_lock(&flights->mutex);
    for (size_t i = 0; flights->count && i < SC__FLIGHT_BUCKETS; i++) {
        for (sc__flight *f = flights->buckets[i]; f; f = f->next) {
            *ret_any = *ret_any || f->is_ours;
            if (!f->is_ours || f->extended_ms >= before_ms || count == max)
                continue;
            f->extended_ms = sc__mono_ms();
            sc__flight_ref(f);
            ret_due[count++] = f;
        }
    }
    pthread_mutex_unlock(&flights->mutex);
    return count;
}
