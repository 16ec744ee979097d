/* How long a failed job waits before its next attempt, with BullMQ's rounding. */
#ifndef SC_BASE_BACKOFF_H
#define SC_BASE_BACKOFF_H

#include <storychain/job.h>

/* `attempts_made` counts the one that has just failed (>= 1). `unit` is a random number in [0, 1) for the jitter.
 * 0: at once. A custom strategy is not known here and waits its delay_ms, as a fixed one. */
int64_t sc__backoff_delay(const sc_backoff *backoff, int64_t attempts_made, double unit);

#endif
