#include "turns.h"

#include "base/cond.h"

void sc__turns_init(sc__turns *turns, int max)
{
    *turns = (sc__turns){.max = max};
    pthread_mutex_init(&turns->mutex, NULL);
    sc__cond_init(&turns->given_back);
}

void sc__turns_release(sc__turns *turns)
{
    pthread_cond_destroy(&turns->given_back);
    pthread_mutex_destroy(&turns->mutex);
}

sc_err sc__turn_take(sc__turns *turns, int64_t wait_ms)
{
    const struct timespec until = turns->max ? sc__cond_after(wait_ms) : (struct timespec){0};
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
