/* A pool of threads that run jobs of user code, which may block. */
#ifndef SC_LOOP_POOL_H
#define SC_LOOP_POOL_H

#include <storychain/base.h>

typedef struct sc__pool sc__pool;

/* Work to run on some thread of the pool; embedded in what it works on. */
typedef struct sc__work {
    void (*run)(struct sc__work *work);
    struct sc__work *next;
} sc__work;

/* Threads start when work comes, up to `threads`, each with a stack of `stack_bytes` (0: 256 KiB). */
SC_MUST_USE sc_err sc__pool_new(const char *thread_name, size_t threads, size_t stack_bytes,
                                sc__pool **ret_pool);
void sc__pool_submit(sc__pool *pool, sc__work *work); /* first in, first out. Any thread */

/* Many at once, chained by `next`. */
void sc__pool_submit_list(sc__pool *pool, sc__work *first);

/* From now on up to `threads` (at least 1). Those that are too many end once they are through with what they
 * run. Any thread. */
void sc__pool_resize(sc__pool *pool, size_t threads);

/* Waits for the work that was submitted, then frees. Not from the pool's threads. NULL is fine. */
void sc__pool_free(sc__pool *pool);

#endif
