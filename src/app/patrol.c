#include "patrol.h"

#include <pthread.h>

#include "base/cond.h"
#include "base/error.h"
#include "base/mem.h"

struct patrol {
    patrol_look look;
    void *user;
    pthread_t thread;
    pthread_mutex_t lock; /* of `stopping` */
    pthread_cond_t wake;
    bool stopping;
};

/* True unless it is time to stop. */
static bool rest(struct patrol *patrol, int seconds)
{
    const struct timespec until = sc__cond_after((int64_t)seconds * 1000);
    bool go_on;

    pthread_mutex_lock(&patrol->lock);
    while (!patrol->stopping)
        if (pthread_cond_timedwait(&patrol->wake, &patrol->lock, &until))
            break;
    go_on = !patrol->stopping;
    pthread_mutex_unlock(&patrol->lock);
    return go_on;
}

static void *run(void *user)
{
    struct patrol *patrol = user;

    while (rest(patrol, patrol->look(patrol->user)))
        ;
    return NULL;
}

static void free_patrol(struct patrol *patrol)
{
    pthread_cond_destroy(&patrol->wake);
    pthread_mutex_destroy(&patrol->lock);
    sc_free(patrol);
}

sc_err patrol_start(patrol_look look, void *user, struct patrol **ret_patrol, sc_reason *ret_reason)
{
    struct patrol *patrol = sc__calloc(1, sizeof(*patrol));

    if (!patrol)
        return sc__because(ret_reason, SC_ENOMEM, "out of memory");
    patrol->look = look;
    patrol->user = user;
    pthread_mutex_init(&patrol->lock, NULL);
    sc__cond_init(&patrol->wake);
    if (pthread_create(&patrol->thread, NULL, run, patrol)) {
        free_patrol(patrol);
        return sc__because(ret_reason, SC_ENOMEM, "no thread can be started");
    }
    *ret_patrol = patrol;
    return SC_OK;
}

void patrol_stop(struct patrol *patrol)
{
    if (!patrol)
        return;
    pthread_mutex_lock(&patrol->lock);
    patrol->stopping = true;
    pthread_cond_signal(&patrol->wake);
    pthread_mutex_unlock(&patrol->lock);
    pthread_join(patrol->thread, NULL);
    free_patrol(patrol);
}
