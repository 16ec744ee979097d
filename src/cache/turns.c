#include "turns.h"

#include "base/cond.h"

/* On the stack of who waits; under the mutex. */
struct sc__turn_waiter {
    struct sc__turn_waiter *next;
    pthread_cond_t handed_over;
    bool has_turn;
};

void sc__turns_init(sc__turns *turns, int max)
{
    *turns = (sc__turns){.max = max};
    pthread_mutex_init(&turns->mutex, NULL);
}

void sc__turns_release(sc__turns *turns)
{
    pthread_mutex_destroy(&turns->mutex);
}

/* The place that points to `waiter`, or the end of the line. */
static struct sc__turn_waiter **find(sc__turns *turns, const struct sc__turn_waiter *waiter)
{
    struct sc__turn_waiter **at = &turns->first;

    while (*at && *at != waiter)
        at = &(*at)->next;
    return at;
}

static bool wait_in_line(sc__turns *turns, int64_t wait_ms)
{
    const struct timespec until = sc__cond_after(wait_ms);
    struct sc__turn_waiter waiter = {0};
    bool in_time = true;

    sc__cond_init(&waiter.handed_over);
    *find(turns, NULL) = &waiter;
    while (!waiter.has_turn && in_time)
        in_time = pthread_cond_timedwait(&waiter.handed_over, &turns->mutex, &until) == 0;
    if (!waiter.has_turn)
        *find(turns, &waiter) = waiter.next;
    pthread_cond_destroy(&waiter.handed_over);
    return waiter.has_turn;
}

sc_err sc__turn_take(sc__turns *turns, int64_t wait_ms)
{
    sc_err err = SC_OK;

    if (!turns->max)
        return SC_OK;
    pthread_mutex_lock(&turns->mutex);
    if (turns->taken < turns->max)
        turns->taken++;
    else if (!wait_in_line(turns, wait_ms))
        err = SC_EOVERLOAD;
    pthread_mutex_unlock(&turns->mutex);
    return err;
}

void sc__turn_give(sc__turns *turns)
{
    struct sc__turn_waiter *next;

    if (!turns->max)
        return;
    pthread_mutex_lock(&turns->mutex);
    next = turns->first;
    if (next) {
        turns->first = next->next;
        next->has_turn = true;
        pthread_cond_signal(&next->handed_over);
    } else {
        turns->taken--;
    }
    pthread_mutex_unlock(&turns->mutex);
}
