#include "runners.h"

#include <pthread.h>

#include "base/mem.h"

enum { STACK_BYTES = 1024 * 1024 };

struct runners {
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct run *first, **end;
    size_t waiting, max_waiting;
    bool closing;
    int count;
    pthread_t threads[];
};

static struct run *take(struct runners *runners)
{
    struct run *run = runners->first;

    if (!run)
        return NULL;
    runners->first = run->next;
    if (!runners->first)
        runners->end = &runners->first;
    runners->waiting--;
    return run;
}

static void *serve(void *arg)
{
    struct runners *runners = arg;
    struct run *run;

    pthread_mutex_lock(&runners->lock);
    for (;;) {
        while (!(run = take(runners)) && !runners->closing)
            pthread_cond_wait(&runners->work, &runners->lock);
        if (!run)
            break;
        pthread_mutex_unlock(&runners->lock);
        run->run(run);
        pthread_mutex_lock(&runners->lock);
    }
    pthread_mutex_unlock(&runners->lock);
    return NULL;
}

static bool start_threads(struct runners *runners, int wanted)
{
    pthread_attr_t attr;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    while (runners->count < wanted &&
           !pthread_create(&runners->threads[runners->count], &attr, serve, runners)) {
        pthread_setname_np(runners->threads[runners->count], "sc-http-run");
        runners->count++;
    }
    pthread_attr_destroy(&attr);
    return runners->count == wanted;
}

sc_err runners_new(int threads, size_t max_waiting, struct runners **ret_runners)
{
    struct runners *runners =
        sc__calloc(1, sizeof(*runners) + (size_t)threads * sizeof(runners->threads[0]));

    if (!runners)
        return SC_ENOMEM;
    pthread_mutex_init(&runners->lock, NULL);
    pthread_cond_init(&runners->work, NULL);
    runners->end = &runners->first;
    runners->max_waiting = max_waiting;
    if (!start_threads(runners, threads)) {
        runners_close(runners);
        runners_free(runners);
        return SC_ENOMEM;
    }
    *ret_runners = runners;
    return SC_OK;
}

sc_err runners_submit(struct runners *runners, struct run *run)
{
    sc_err err = SC_OK;

    pthread_mutex_lock(&runners->lock);
    if (runners->closing)
        err = SC_ECANCELED;
    else if (runners->waiting >= runners->max_waiting)
        err = SC_EOVERLOAD;
    else {
        run->next = NULL;
        *runners->end = run;
        runners->end = &run->next;
        runners->waiting++;
        pthread_cond_signal(&runners->work);
    }
    pthread_mutex_unlock(&runners->lock);
    return err;
}

void runners_close(struct runners *runners)
{
    pthread_mutex_lock(&runners->lock);
    runners->closing = true;
    pthread_cond_broadcast(&runners->work);
    pthread_mutex_unlock(&runners->lock);
    for (int i = 0; i < runners->count; i++)
        pthread_join(runners->threads[i], NULL);
    runners->count = 0;
}

void runners_free(struct runners *runners)
{
    if (!runners)
        return;
    pthread_cond_destroy(&runners->work);
    pthread_mutex_destroy(&runners->lock);
    sc_free(runners);
}
