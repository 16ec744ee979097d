#include "waiter.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

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
        syscall(SYS_futex, &w->state, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

void sc__waiter_wait(sc__waiter *w)
{
    uint32_t state = EMPTY;

    atomic_compare_exchange_strong(&w->state, &state, ASLEEP);
    while (atomic_load(&w->state) != WOKEN)
        syscall(SYS_futex, &w->state, FUTEX_WAIT_PRIVATE, ASLEEP, NULL, NULL, 0);
}
