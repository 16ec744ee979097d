#include "teller.h"

#include <pthread.h>
#include <time.h>

#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"

#include "app/services/chapters.h"

enum { LOOK_EVERY_S = 30 };

struct teller {
    const struct catalog *catalog;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stopping;
};

static void look(struct teller *teller, bool *failing)
{
    sc_reason why = {""};
    int64_t told = 0;
    sc_err err = chapter_tell_pending(teller->catalog, &told, &why);

    if (told)
        sc__log(SC_LOG_INFO, "people were told of %lld chapters, late", (long long)told);
    if (err && !*failing)
        sc__log(SC_LOG_WARN, "people can't be told of new chapters now, it will be tried again: %s",
                why.text);
    *failing = err != SC_OK;
}

/* True unless it is time to stop. With the lock held. */
static bool rest(struct teller *teller)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += LOOK_EVERY_S;
    while (!teller->stopping)
        if (pthread_cond_timedwait(&teller->wake, &teller->lock, &until))
            break;
    return !teller->stopping;
}

static void *run(void *user)
{
    struct teller *teller = user;
    bool failing = false;

    pthread_mutex_lock(&teller->lock);
    do {
        pthread_mutex_unlock(&teller->lock);
        look(teller, &failing);
        pthread_mutex_lock(&teller->lock);
    } while (rest(teller));
    pthread_mutex_unlock(&teller->lock);
    return NULL;
}

static void free_teller(struct teller *teller)
{
    pthread_cond_destroy(&teller->wake);
    pthread_mutex_destroy(&teller->lock);
    sc_free(teller);
}

sc_err teller_start(const struct catalog *catalog, struct teller **ret_teller,
                    sc_reason *ret_reason)
{
    struct teller *teller = sc__calloc(1, sizeof(*teller));
    pthread_condattr_t attr;

    if (!teller)
        return sc__because(ret_reason, SC_ENOMEM, "out of memory");
    teller->catalog = catalog;
    pthread_mutex_init(&teller->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&teller->wake, &attr);
    pthread_condattr_destroy(&attr);
    if (pthread_create(&teller->thread, NULL, run, teller)) {
        free_teller(teller);
        return sc__because(ret_reason, SC_ENOMEM, "no thread to tell people of chapters");
    }
    *ret_teller = teller;
    return SC_OK;
}

void teller_stop(struct teller *teller)
{
    if (!teller)
        return;
    pthread_mutex_lock(&teller->lock);
    teller->stopping = true;
    pthread_cond_signal(&teller->wake);
    pthread_mutex_unlock(&teller->lock);
    pthread_join(teller->thread, NULL);
    free_teller(teller);
}
