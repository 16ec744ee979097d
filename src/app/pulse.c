#include "pulse.h"

#include <pthread.h>
#include <time.h>

#include "base/error.h"
#include "base/mem.h"

struct pulse {
    pulse_beat beat;
    void *user;
    pthread_t thread;
    pthread_mutex_t lock; /* of `stopping` */
    pthread_cond_t wake;
    bool stopping;
};

/* True unless it is time to stop. */
static bool rest(struct pulse *pulse, int seconds)
{
    struct timespec until;
    bool go_on;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += seconds;
    pthread_mutex_lock(&pulse->lock);
    while (!pulse->stopping)
        if (pthread_cond_timedwait(&pulse->wake, &pulse->lock, &until))
            break;
    go_on = !pulse->stopping;
    pthread_mutex_unlock(&pulse->lock);
    return go_on;
}

static void *run(void *user)
{
    struct pulse *pulse = user;

    while (rest(pulse, pulse->beat(pulse->user)))
        ;
    return NULL;
}

static void free_pulse(struct pulse *pulse)
{
    pthread_cond_destroy(&pulse->wake);
    pthread_mutex_destroy(&pulse->lock);
    sc_free(pulse);
}

sc_err pulse_start(pulse_beat beat, void *user, struct pulse **ret_pulse, sc_reason *ret_reason)
{
    struct pulse *pulse = sc__calloc(1, sizeof(*pulse));
    pthread_condattr_t attr;

    if (!pulse)
        return sc__because(ret_reason, SC_ENOMEM, "out of memory");
    pulse->beat = beat;
    pulse->user = user;
    pthread_mutex_init(&pulse->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&pulse->wake, &attr);
    pthread_condattr_destroy(&attr);
    if (pthread_create(&pulse->thread, NULL, run, pulse)) {
        free_pulse(pulse);
        return sc__because(ret_reason, SC_ENOMEM, "no thread can be started");
    }
    *ret_pulse = pulse;
    return SC_OK;
}

void pulse_stop(struct pulse *pulse)
{
    if (!pulse)
        return;
    pthread_mutex_lock(&pulse->lock);
    pulse->stopping = true;
    pthread_cond_signal(&pulse->wake);
    pthread_mutex_unlock(&pulse->lock);
    pthread_join(pulse->thread, NULL);
    free_pulse(pulse);
}
