/* An event loop on a thread of its own: libuv, thinly.
 *
 * Everything that lives on the loop (connections, timers) is touched on its thread only; other
 * threads post a function. */
#ifndef SC_LOOP_LOOP_H
#define SC_LOOP_LOOP_H

#include <storychain/base.h>

#include <uv.h>

typedef struct sc__loop sc__loop;

SC_MUST_USE sc_err sc__loop_start(const char *thread_name, sc__loop **ret_loop);

/* Runs what was posted, then ends the thread and frees. Every handle on the loop must be closed, or
 * closing, before. Not on the loop's thread. NULL is fine. */
void sc__loop_stop(sc__loop *loop);

bool sc__loop_is_current(const sc__loop *loop);
uv_loop_t *sc__loop_uv(sc__loop *loop);

/* A function to run on the loop's thread, embedded in what it works on; free to be reused once `run`
 * was entered. Posting wakes the loop once for many posts. Posting a task that is already posted
 * does nothing. Any thread. */
typedef struct sc__task {
    void (*run)(struct sc__task *task);
    struct sc__task *next;
    bool posted;
} sc__task;

void sc__loop_post(sc__loop *loop, sc__task *task);

/* Runs `run(arg)` on the loop's thread and waits for its end; at once when already on it. */
void sc__loop_run_wait(sc__loop *loop, void (*run)(void *arg), void *arg);

#endif
