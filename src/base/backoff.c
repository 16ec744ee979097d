#include "backoff.h"

#include <math.h>

/* A hundred years: far beyond any use, and far from where dates as doubles overflow. */
#define LONGEST_MS 3155760000000.0

int64_t sc__backoff_delay(const sc_backoff *backoff, int64_t attempts_made, double unit)
{
    double ms = (double)backoff->delay_ms;

    if (backoff->kind == SC_BACKOFF_NONE || backoff->delay_ms == 0)
        return 0; /* twice nothing is nothing, but 2^1024 times nothing is not a number */
    if (backoff->kind == SC_BACKOFF_EXPONENTIAL)
        ms = floor(pow(2, (double)(attempts_made - 1)) * ms + 0.5); /* JavaScript's Math.round */
    if (!(ms < LONGEST_MS))
        ms = LONGEST_MS;
    if (backoff->jitter > 0)
        ms = floor(unit * ms * backoff->jitter + ms * (1 - backoff->jitter));
    return ms > 0 ? (int64_t)ms : 0;
}
