/* The processors of a worker, by the name of the job. Any thread. */
#ifndef SC_WORKER_HANDLERS_H
#define SC_WORKER_HANDLERS_H

#include <storychain/worker.h>

#include <pthread.h>
#include <stdatomic.h>

struct sc__handler;

/* What is done with a job. */
typedef struct sc__handler_def {
    sc_processor processor; /* NULL: `batch` does it */
    sc_batch_processor batch;
    void *user;
    sc_handler_opts opts;
    size_t max, min; /* of a batch */
    int64_t linger_ms;
    const void
        *key; /* of the handler, whatever its processor is now; lives as long as the worker */
} sc__handler_def;

typedef struct sc__handlers {
    pthread_rwlock_t lock;
    struct sc__handler *first;
    _Atomic bool has_batches; /* one of them was or is for batches */
} sc__handlers;

void sc__handlers_init(sc__handlers *handlers);
void sc__handlers_release(sc__handlers *handlers);

/* `name` is copied; empty: for all names without their own. Replaces an earlier one. SC_ENOMEM. */
SC_MUST_USE sc_err sc__handlers_set(sc__handlers *handlers, sc_slice name,
                                    const sc__handler_def *def);

/* False when there is none for this name. */
SC_MUST_USE bool sc__handlers_find(sc__handlers *handlers, sc_slice name, sc__handler_def *ret_def);

#endif
