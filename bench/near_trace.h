/* How often a cache without a server hits on a trace of requests. */
#ifndef BENCH_NEAR_TRACE_H
#define BENCH_NEAR_TRACE_H

/* Prints the miss ratio in a cache of each number of entries, a JSON line each. 0, or 1 with a message. */
int near_trace(const char *path, char *const *entries, int count);

/* Prints what the loads of a trace take together where loads take different times, if the cache doesn't know them
 * and if it does; a JSON line for each way they differ and each number of entries. 0, or 1 with a message. */
int near_cost(const char *path, char *const *entries, int count);

#endif
