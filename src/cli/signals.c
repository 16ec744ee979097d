#include "signals.h"

#include "base/log.h"
#include "cmd.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

/* The process' own, like the signals themselves. */
static struct {
    sigset_t set;
    atomic_bool awaited, has_come;
    sem_t came;
} signals;

static void *watch(void *arg)
{
    int number;

    (void)arg;
    sigwait(&signals.set, &number);
    if (!atomic_load(&signals.awaited))
        _exit(EXIT_OK);
    sc__log(SC_LOG_INFO, "%s: finishing what runs (once more: leave at once)",
            number == SIGINT ? "interrupted" : "asked to end");
    atomic_store(&signals.has_come, true);
    sem_post(&signals.came);
    sigwait(&signals.set, &number);
    _exit(EXIT_FAILED);
}

bool signals_start(void)
{
    pthread_t thread;

    sigemptyset(&signals.set);
    sigaddset(&signals.set, SIGTERM);
    sigaddset(&signals.set, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals.set, NULL);
    signal(SIGPIPE, SIG_IGN);
    if (sem_init(&signals.came, 0, 0) || pthread_create(&thread, NULL, watch, NULL))
        return false;
    pthread_detach(thread);
    return true;
}

void signals_wait(void)
{
    atomic_store(&signals.awaited, true);
    while (sem_wait(&signals.came))
        ;
}

void signals_note(void)
{
    atomic_store(&signals.awaited, true);
}

bool signals_came(void)
{
    return atomic_load(&signals.has_come);
}
