#include "waiter.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cond.h"

enum { EMPTY, ASLEEP, WOKEN };

void sc__waiter_init(sc__waiter *w)
{
    atomic_init(&w->state, EMPTY);
}

void sc__waiter_release(sc__waiter *w)
{
    (void)w;
}

void sc__waiter_wake(sc__waiter *w)
{
    /* After the exchange the waiter may return, and its memory be something else. To wake a stranger's address is
     * harmless: every sleep on a futex looks again. */
    if (atomic_exchange(&w->state, WOKEN) == ASLEEP)
        syscall(SYS_futex, &w->state, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

/* `until`: on the monotonic clock, NULL: for ever. */
static bool sleep_until(sc__waiter *w, const struct timespec *until)
{
    uint32_t state = EMPTY;
    long rc;

    atomic_compare_exchange_strong(&w->state, &state, ASLEEP);
    while (atomic_load(&w->state) != WOKEN) {
        rc = syscall(SYS_futex, &w->state, FUTEX_WAIT_BITSET_PRIVATE, ASLEEP, until, NULL,
                     FUTEX_BITSET_MATCH_ANY);
        if (rc && errno == ETIMEDOUT)
            return atomic_load(&w->state) == WOKEN;
    }
    return true;
}

void sc__waiter_wait(sc__waiter *w)
{
    (void)sleep_until(w, NULL);
}

bool sc__waiter_wait_for(sc__waiter *w, int64_t timeout_ms)
{
    const struct timespec until = sc__cond_after(timeout_ms);

    return sleep_until(w, &until);
}
