#include "loop.h"

#include "base/mem.h"
#include "waiter.h"

#include <signal.h>
#include <pthread.h>
#include <stdio.h>

struct sc__loop {
    uv_loop_t uv;
    uv_async_t wake;
    uv_thread_t thread;
    uv_mutex_t mutex;
    sc__task *first, *last; /* posted, under the mutex */
    bool stopping;          /* under the mutex */
    char name[16];
};

static void run_posted(uv_async_t *wake)
{
    sc__loop *loop = wake->data;
    sc__task *task;

    for (;;) {
        uv_mutex_lock(&loop->mutex);
        task = loop->first;
        if (task) {
            loop->first = task->next;
            if (!loop->first)
                loop->last = NULL;
            task->posted = false;
        } else if (loop->stopping && !uv_is_closing((uv_handle_t *)wake)) {
            uv_close((uv_handle_t *)wake, NULL);
        }
        uv_mutex_unlock(&loop->mutex);
        if (!task)
            return;
        task->run(task);
    }
}

/* The program's signals are for its own threads; and a write to a closed socket is an error here, never
 * a SIGPIPE. */
static void block_signals(void)
{
    sigset_t set;

    sigfillset(&set);
    sigdelset(&set, SIGSEGV);
    sigdelset(&set, SIGBUS);
    sigdelset(&set, SIGFPE);
    sigdelset(&set, SIGILL);
    sigdelset(&set, SIGABRT);
    pthread_sigmask(SIG_SETMASK, &set, NULL);
}

static void thread_main(void *arg)
{
    sc__loop *loop = arg;

    block_signals();
    pthread_setname_np(pthread_self(), loop->name);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
}

sc_err sc__loop_start(const char *thread_name, sc__loop **ret_loop)
{
    sc__loop *loop = sc__calloc(1, sizeof(*loop));

    if (!loop)
        return SC_ENOMEM;
    snprintf(loop->name, sizeof(loop->name), "%s", thread_name);
    if (uv_loop_init(&loop->uv)) {
        sc_free(loop);
        return SC_ENOMEM;
    }
    loop->wake.data = loop;
    if (uv_mutex_init(&loop->mutex))
        goto out;
    if (uv_async_init(&loop->uv, &loop->wake, run_posted)) {
        uv_mutex_destroy(&loop->mutex);
        goto out;
    }
    if (uv_thread_create(&loop->thread, thread_main, loop)) {
        uv_close((uv_handle_t *)&loop->wake, NULL);
        uv_run(&loop->uv, UV_RUN_DEFAULT);
        uv_mutex_destroy(&loop->mutex);
        goto out;
    }
    *ret_loop = loop;
    return SC_OK;
out:
    uv_loop_close(&loop->uv);
    sc_free(loop);
    return SC_ENOMEM;
}

void sc__loop_stop(sc__loop *loop)
{
    if (!loop)
        return;
    uv_mutex_lock(&loop->mutex);
    loop->stopping = true;
    uv_mutex_unlock(&loop->mutex);
    uv_async_send(&loop->wake);
    uv_thread_join(&loop->thread);
    uv_loop_close(&loop->uv);
    uv_mutex_destroy(&loop->mutex);
    sc_free(loop);
}

bool sc__loop_is_current(const sc__loop *loop)
{
    uv_thread_t self = uv_thread_self();

    return uv_thread_equal(&self, &loop->thread);
}

uv_loop_t *sc__loop_uv(sc__loop *loop)
{
    return &loop->uv;
}

void sc__loop_post(sc__loop *loop, sc__task *task)
{
    bool wake = false;

    uv_mutex_lock(&loop->mutex);
    if (!task->posted) {
        task->posted = true;
        task->next = NULL;
        wake = !loop->first;
        if (loop->last)
            loop->last->next = task;
        else
            loop->first = task;
        loop->last = task;
    }
    uv_mutex_unlock(&loop->mutex);
    if (wake)
        uv_async_send(&loop->wake);
}

struct run_wait {
    sc__task task;
    sc__waiter waiter;
    void (*run)(void *arg);
    void *arg;
};

static void run_and_wake(sc__task *task)
{
    struct run_wait *r = (struct run_wait *)task;

    r->run(r->arg);
    sc__waiter_wake(&r->waiter);
}

void sc__loop_run_wait(sc__loop *loop, void (*run)(void *arg), void *arg)
{
    struct run_wait r = {.task.run = run_and_wake, .run = run, .arg = arg};

    if (sc__loop_is_current(loop)) {
        run(arg);
        return;
    }
    sc__waiter_init(&r.waiter);
    sc__loop_post(loop, &r.task);
    sc__waiter_wait(&r.waiter);
    sc__waiter_release(&r.waiter);
}
