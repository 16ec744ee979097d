#include "watchdog.h"

#include <pthread.h>
#include <time.h>

#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"

enum { LOOK_EVERY_S = 1, REST_MAX_S = 30 };

struct watchdog {
    sc_embedded *redis;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stopping;
};

/* True unless it is time to stop. With the lock held. */
static bool rest(struct watchdog *dog, int seconds)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += seconds;
    while (!dog->stopping)
        if (pthread_cond_timedwait(&dog->wake, &dog->lock, &until))
            break;
    return !dog->stopping;
}

static bool revive(struct watchdog *dog)
{
    sc_reason why = {""};

    sc__log(SC_LOG_WARN, "our own Redis server died; starting it again");
    if (!sc_embedded_restart(dog->redis, &why)) {
        sc__log(SC_LOG_INFO, "our own Redis server runs again, process %lld",
                (long long)sc_embedded_pid(dog->redis));
        return true;
    }
    sc__log(SC_LOG_ERROR, "our own Redis server does not start: %s", why.text);
    return false;
}

static void *watch(void *user)
{
    struct watchdog *dog = user;
    int seconds = LOOK_EVERY_S;

    pthread_mutex_lock(&dog->lock);
    while (rest(dog, seconds)) {
        pthread_mutex_unlock(&dog->lock);
        if (sc_embedded_is_alive(dog->redis) || revive(dog))
            seconds = LOOK_EVERY_S;
        else
            seconds = seconds * 2 < REST_MAX_S ? seconds * 2 : REST_MAX_S;
        pthread_mutex_lock(&dog->lock);
    }
    pthread_mutex_unlock(&dog->lock);
    return NULL;
}

sc_err watchdog_start(sc_embedded *redis, struct watchdog **ret_watchdog, sc_reason *ret_reason)
{
    struct watchdog *dog = sc__calloc(1, sizeof(*dog));
    pthread_condattr_t attr;

    if (!dog)
        return sc__because(ret_reason, SC_ENOMEM, "out of memory");
    dog->redis = redis;
    pthread_mutex_init(&dog->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&dog->wake, &attr);
    pthread_condattr_destroy(&attr);
    if (pthread_create(&dog->thread, NULL, watch, dog)) {
        pthread_cond_destroy(&dog->wake);
        pthread_mutex_destroy(&dog->lock);
        sc_free(dog);
        return sc__because(ret_reason, SC_ENOMEM, "no thread for the watchdog of Redis");
    }
    *ret_watchdog = dog;
    return SC_OK;
}

void watchdog_stop(struct watchdog *dog)
{
    if (!dog)
        return;
    pthread_mutex_lock(&dog->lock);
    dog->stopping = true;
    pthread_cond_signal(&dog->wake);
    pthread_mutex_unlock(&dog->lock);
    pthread_join(dog->thread, NULL);
    pthread_cond_destroy(&dog->wake);
    pthread_mutex_destroy(&dog->lock);
    sc_free(dog);
}
