#include "pool.h"

#include "base/mem.h"

#include <pthread.h>
#include <stdio.h>

enum { DEFAULT_STACK = 256 * 1024 };

struct sc__pool {
    pthread_mutex_t mutex;
    pthread_cond_t more;  /* work came, or the pool closes */
    pthread_cond_t ended; /* a thread ended */
    sc__work *first, *last;
    size_t threads, idle, max_threads, stack_bytes;
    bool waking; /* a thread was called and has not come yet: it will call the next one */
    bool closing;
    char name[16];
};

static sc__work *next_work(sc__pool *pool)
{
    sc__work *work = pool->first;

    pool->first = work->next;
    if (!pool->first)
        pool->last = NULL;
    return work;
}

static void *thread_main(void *arg);

static bool start_thread(sc__pool *pool)
{
    pthread_attr_t attr;
    pthread_t thread;
    int rc;

    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attr, pool->stack_bytes);
    rc = pthread_create(&thread, &attr, thread_main, pool);
    pthread_attr_destroy(&attr);
    return rc == 0;
}

/* Calls one more thread if there is work for it: each that comes calls the next, so that work which is
 * done in less time than a thread needs to wake is left to the threads that are awake. */
static bool should_signal(sc__pool *pool)
{
    if (!pool->first || pool->waking)
        return false;
    if (pool->idle) {
        pool->waking = true;
        return true;
    }
    if (pool->threads < pool->max_threads) {
        pool->threads++;
        pool->waking = start_thread(pool);
        pool->threads -= !pool->waking;
    }
    return false;
}

/* A thread that is woken while the mutex is held would only go to sleep again. */
static void unlock_and_call_one(sc__pool *pool)
{
    bool signal = should_signal(pool);

    pthread_mutex_unlock(&pool->mutex);
    if (signal)
        pthread_cond_signal(&pool->more);
}

/* What a thread does until it is told to end, or there are too many. */
static void serve(sc__pool *pool)
{
    while ((pool->first || !pool->closing) && pool->threads <= pool->max_threads) {
        if (pool->first) {
            sc__work *work = next_work(pool);

            unlock_and_call_one(pool);
            work->run(work);
            pthread_mutex_lock(&pool->mutex);
            continue;
        }
        pool->idle++;
        pthread_cond_wait(&pool->more, &pool->mutex);
        pool->idle--;
        pool->waking = false;
    }
}

static void *thread_main(void *arg)
{
    sc__pool *pool = arg;

    pthread_setname_np(pthread_self(), pool->name);
    pthread_mutex_lock(&pool->mutex);
    pool->waking = false;
    serve(pool);
    pool->threads--;
    if (should_signal(pool)) /* it may have been called for work that others are left to do */
        pthread_cond_signal(&pool->more);
    pthread_cond_broadcast(&pool->ended); /* the pool may be gone when the mutex is free */
    pthread_mutex_unlock(&pool->mutex);
    return NULL;
}

sc_err sc__pool_new(const char *thread_name, size_t threads, size_t stack_bytes,
                    sc__pool **ret_pool)
{
    sc__pool *pool = sc__calloc(1, sizeof(*pool));

    if (!pool)
        return SC_ENOMEM;
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->more, NULL);
    pthread_cond_init(&pool->ended, NULL);
    pool->max_threads = threads ? threads : 1;
    pool->stack_bytes = stack_bytes ? stack_bytes : DEFAULT_STACK;
    snprintf(pool->name, sizeof(pool->name), "%s", thread_name);
    *ret_pool = pool;
    return SC_OK;
}

/* When not even the first thread can be started the caller runs the work itself, so that nothing submitted is
 * ever left lying. */
static void unlock_and_staff(sc__pool *pool)
{
    bool signal = should_signal(pool);

    while (!pool->threads && pool->first) {
        sc__work *work = next_work(pool);

        pthread_mutex_unlock(&pool->mutex);
        work->run(work);
        pthread_mutex_lock(&pool->mutex);
    }
    pthread_mutex_unlock(&pool->mutex);
    if (signal)
        pthread_cond_signal(&pool->more);
}

void sc__pool_submit_list(sc__pool *pool, sc__work *first)
{
    sc__work *last = first;

    if (!first)
        return;
    while (last->next)
        last = last->next;
    pthread_mutex_lock(&pool->mutex);
    if (pool->last)
        pool->last->next = first;
    else
        pool->first = first;
    pool->last = last;
    unlock_and_staff(pool);
}

void sc__pool_submit(sc__pool *pool, sc__work *work)
{
    work->next = NULL;
    sc__pool_submit_list(pool, work);
}

void sc__pool_resize(sc__pool *pool, size_t threads)
{
    pthread_mutex_lock(&pool->mutex);
    pool->max_threads = threads ? threads : 1;
    if (pool->threads > pool->max_threads)
        pthread_cond_broadcast(&pool->more);
    unlock_and_call_one(pool);
}

void sc__pool_free(sc__pool *pool)
{
    if (!pool)
        return;
    pthread_mutex_lock(&pool->mutex);
    pool->closing = true;
    pthread_cond_broadcast(&pool->more);
    while (pool->threads)
        pthread_cond_wait(&pool->ended, &pool->mutex);
    pthread_mutex_unlock(&pool->mutex);
    pthread_cond_destroy(&pool->more);
    pthread_cond_destroy(&pool->ended);
    pthread_mutex_destroy(&pool->mutex);
    sc_free(pool);
}
