#include "reconnect.h"

#include "base/clock.h"
#include "base/rand.h"

enum { FIRST_MS = 50, LONGEST_MS = 500, STEADY_MS = 1000 };

void sc__reconnect_up(sc__reconnect *r)
{
    r->up_ms = sc__mono_ms();
}

int64_t sc__reconnect_next(sc__reconnect *r)
{
    int64_t base_ms;

    /* A server that takes us and breaks at once must not be asked twenty times a second. */
    if (r->up_ms && sc__mono_ms() - r->up_ms >= STEADY_MS)
        r->failures = 0;
    r->up_ms = 0;
    base_ms = r->failures < 6 ? (int64_t)FIRST_MS << r->failures : LONGEST_MS;
    if (base_ms > LONGEST_MS)
        base_ms = LONGEST_MS;
    r->failures++;
    return (int64_t)((double)base_ms * (0.5 + sc__rand_unit()));
}
