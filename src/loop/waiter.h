/* One thread waits for one event of another: how a plain call waits for its _async twin. Many may wait for the same event; all of
 * them are woken by one system call, and none has to take a lock. */
#ifndef SC_LOOP_WAITER_H
#define SC_LOOP_WAITER_H

#include <storychain/base.h>

#include <stdatomic.h>

/* On the stack of the waiting thread, or wherever it outlives the last of them. A futex and nothing else: a mutex and a condition cost the waking thread,
 * which is the one that all others wait for, up to five system calls. */
typedef struct sc__waiter {
    _Atomic uint32_t state;
} sc__waiter;

void sc__waiter_init(sc__waiter *w);
void sc__waiter_release(sc__waiter *w);
void sc__waiter_wake(sc__waiter *w); /* once; the waiter may be gone when this returns */
void sc__waiter_wait(sc__waiter *w);

/* False when `timeout_ms` passed first. */
SC_MUST_USE bool sc__waiter_wait_for(sc__waiter *w, int64_t timeout_ms);

#endif
