/* How often a near cache hits on a trace of requests. */
#ifndef BENCH_NEAR_TRACE_H
#define BENCH_NEAR_TRACE_H

#include "cache/near.h"

/* Prints the miss ratio in a cache of each number of entries, a JSON line each. 0, or 1 with a message. */
int near_trace(const char *path, char *const *entries, int count);

#endif
