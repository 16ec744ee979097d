#include "turns.h"

#include <time.h>

void sc__turns_init(sc__turns *turns, int max)
{
    pthread_condattr_t attr;

    *turns = (sc__turns){.max = max};
    pthread_mutex_init(&turns->mutex, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&turns->given_back, &attr);
    pthread_condattr_destroy(&attr);
}

void sc__turns_release(sc__turns *turns)
{
    pthread_cond_destroy(&turns->given_back);
    pthread_mutex_destroy(&turns->mutex);
}

static struct timespec after(int64_t ms)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    return until;
}

sc_err sc__turn_take(sc__turns *turns, int64_t wait_ms)
{
    const struct timespec until = turns->max ? after(wait_ms) : (struct timespec){0};
    bool in_time = true;
    sc_err err = SC_OK;

    if (!turns->max)
        return SC_OK;
    pthread_mutex_lock(&turns->mutex);
    while (turns->taken >= turns->max && in_time)
        in_time = pthread_cond_timedwait(&turns->given_back, &turns->mutex, &until) == 0;
    if (turns->taken < turns->max)
        turns->taken++;
    else
        err = SC_EOVERLOAD;
    pthread_mutex_unlock(&turns->mutex);
    return err;
}

void sc__turn_give(sc__turns *turns)
{
    if (!turns->max)
        return;
    pthread_mutex_lock(&turns->mutex);
    turns->taken--;
    pthread_cond_signal(&turns->given_back);
    pthread_mutex_unlock(&turns->mutex);
}
