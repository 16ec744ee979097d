/* The processors of a worker, by the name of the job. Any thread. */
#ifndef SC_WORKER_HANDLERS_H
#define SC_WORKER_HANDLERS_H

#include <storychain/worker.h>

#include <pthread.h>

struct sc__handler;

typedef struct sc__handlers {
    pthread_rwlock_t lock;
    struct sc__handler *first;
} sc__handlers;

void sc__handlers_init(sc__handlers *handlers);
void sc__handlers_release(sc__handlers *handlers);

/* `name` is copied; empty: for all names without their own. Replaces an earlier one. SC_ENOMEM. */
SC_MUST_USE sc_err sc__handlers_set(sc__handlers *handlers, sc_slice name, sc_processor processor,
                                    void *user);

/* NULL when there is none for this name. */
sc_processor sc__handlers_find(sc__handlers *handlers, sc_slice name, void **ret_user);

#endif
