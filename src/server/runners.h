/* Runners: threads that answer requests, and may wait for the store and for Redis.
 *
 * The line before them has a ceiling: a server that can't keep up says so at once. */
#ifndef SERVER_RUNNERS_H
#define SERVER_RUNNERS_H

#include <storychain/base.h>

struct runners;

/* Embedded in what is to be run. */
struct run {
    void (*run)(struct run *run);
    struct run *next;
};

SC_MUST_USE sc_err runners_new(int threads, size_t max_waiting, struct runners **ret_runners);

/* SC_EOVERLOAD: the line is full; SC_ECANCELED: closing. Then `run` is never called. */
SC_MUST_USE sc_err runners_submit(struct runners *runners, struct run *run);

/* Runs what waits, takes no more, joins. The memory stays, so that late runners_submit() calls
 * are refused. */
void runners_close(struct runners *runners);
void runners_free(struct runners *runners); /* after close; NULL is fine */

#endif
