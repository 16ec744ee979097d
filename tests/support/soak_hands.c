/* A soak's threads that take jobs by hand. */
#include <pthread.h>

#include <storychain/take.h>

#include "soak.h"
#include "test.h"

struct soak_hands {
    struct soak *s;
    sc_worker *worker;
    atomic_bool stop;
    pthread_t threads[SOAK_CONCURRENCY];
};

/* Each job, with the next one from its end; none is left in hand. */
static void *take_on(void *arg)
{
    struct soak_hands *hands = arg;
    sc_run *run = NULL, *next;
    sc_err err;

    while (!hands->stop || run) {
        err = run ? SC_OK : sc_worker_take(hands->worker, 200, &run);
        if (err && err != SC_ENOTFOUND && !soak_is_excused(err))
            soak_wrong(hands->s, "take: %s", sc_err_name(err));
        if (err)
            continue;
        next = NULL;
        err = sc_run_end(run, soak_do_kid(run, sc_run_job(run), hands->s),
                         hands->stop ? NULL : &next);
        if (err && err != SC_ELOCKLOST && err != SC_ENOJOB && err != SC_EJOBSTATE)
            soak_wrong(hands->s, "end: %s", sc_err_name(err));
        run = next;
    }
    return NULL;
}

struct soak_hands *soak_hands_start(struct soak *s, sc_worker *worker)
{
    struct soak_hands *hands = calloc(1, sizeof(*hands));

    *hands = (struct soak_hands){.s = s, .worker = worker};
    for (int i = 0; i < SOAK_CONCURRENCY; i++)
        assert_int_equal(pthread_create(&hands->threads[i], NULL, take_on, hands), 0);
    return hands;
}

void soak_hands_end(struct soak_hands *hands)
{
    if (!hands)
        return;
    hands->stop = true;
    for (int i = 0; i < SOAK_CONCURRENCY; i++)
        pthread_join(hands->threads[i], NULL);
    free(hands);
}
