/* Condition variables whose waits end by the monotonic clock: a date that is set makes none of them long or short. */
#ifndef SC_BASE_COND_H
#define SC_BASE_COND_H

#include <pthread.h>
#include <stdint.h>
#include <time.h>

void sc__cond_init(pthread_cond_t *cond);

/* `ms` (at least 0) from now, for pthread_cond_timedwait(). Tests don't move this clock. */
struct timespec sc__cond_after(int64_t ms);

#endif
