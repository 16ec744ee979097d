#include "backoff.h"

#include "base/clock.h"
#include "base/rand.h"

enum { FIRST_MS = 50, LONGEST_MS = 2000, STEADY_MS = 1000 };

void sc__backoff_up(sc__backoff *b)
{
    b->up_ms = sc__mono_ms();
}

int64_t sc__backoff_next(sc__backoff *b)
{
    int64_t base_ms;

    /* A server that takes us and breaks at once must not be asked twenty times a second. */
    if (b->up_ms && sc__mono_ms() - b->up_ms >= STEADY_MS)
        b->failures = 0;
    b->up_ms = 0;
    base_ms = b->failures < 6 ? (int64_t)FIRST_MS << b->failures : LONGEST_MS;
    if (base_ms > LONGEST_MS)
        base_ms = LONGEST_MS;
    b->failures++;
    return (int64_t)((double)base_ms * (0.5 + sc__rand_unit()));
}
