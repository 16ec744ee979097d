/* How often a cache without a server hits on a trace of requests. */
#ifndef BENCH_NEAR_TRACE_H
#define BENCH_NEAR_TRACE_H

/* Prints the miss ratio in a cache of each number of entries, a JSON line each. 0, or 1 with a message. */
int near_trace(const char *path, char *const *entries, int count);

#endif
