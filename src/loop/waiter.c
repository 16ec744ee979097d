#include "waiter.h"

#include <time.h>

void sc__waiter_init(sc__waiter *w)
{
    pthread_condattr_t attr;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&w->mutex, NULL);
    pthread_cond_init(&w->cond, &attr);
    pthread_condattr_destroy(&attr);
    w->woken = false;
}

void sc__waiter_release(sc__waiter *w)
{
    pthread_cond_destroy(&w->cond);
    pthread_mutex_destroy(&w->mutex);
}

void sc__waiter_wake(sc__waiter *w)
{
    /* Signalled under the lock: the waiter can't return and release `w` before we let go of it. */
    pthread_mutex_lock(&w->mutex);
    w->woken = true;
    pthread_cond_signal(&w->cond);
    pthread_mutex_unlock(&w->mutex);
}

void sc__waiter_wait(sc__waiter *w)
{
    pthread_mutex_lock(&w->mutex);
    while (!w->woken)
        pthread_cond_wait(&w->cond, &w->mutex);
    pthread_mutex_unlock(&w->mutex);
}

bool sc__waiter_wait_for(sc__waiter *w, int64_t timeout_ms)
{
    struct timespec until;
    bool woken;
    int rc = 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += timeout_ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&w->mutex);
    while (!w->woken && rc == 0)
        rc = pthread_cond_timedwait(&w->cond, &w->mutex, &until);
    woken = w->woken;
    pthread_mutex_unlock(&w->mutex);
    return woken;
}
