/* A program as a child of this process, that can't outlive it.
 *
 * The kernel sends the child SIGTERM when the *thread* that forked it ends. So a thread of the child's own,
 * its keeper, forks it and then waits for its end; it lives until sc__child_free().
 *
 * States: down -> up -> down … ; start() may be called again when it is down. Any thread. */
#ifndef SC_REDIS_CHILD_H
#define SC_REDIS_CHILD_H

#include <sys/types.h>

#include <storychain/base.h>

typedef struct sc__child sc__child;

/* `argv` (argv[0]: absolute path; NULL at the end) and `log_path` are borrowed until free. The child gets a
 * session of its own (a ^C at the terminal is not for it), no input, and `log_path` as its output. */
SC_MUST_USE sc_err sc__child_new(const char *const *argv, const char *log_path,
                                 sc__child **ret_child);

/* Does nothing if it is up. SC_EIO: no process could be made. */
SC_MUST_USE sc_err sc__child_start(sc__child *child);

bool sc__child_is_up(sc__child *child);
int64_t sc__child_pid(sc__child *child); /* of the last start */

/* SIGTERM, up to `timeout_ms`, then SIGKILL; waits for its end. */
void sc__child_stop(sc__child *child, int64_t timeout_ms);

/* The child must be down, or is killed. NULL is fine. */
void sc__child_free(sc__child *child);

/* In a process just forked, of which `parent` is to be the parent still: becomes `program`, with a session of its own, signals as they are by
 * default, and no descriptors but these; gets `death_signal` when the thread that forked it ends. System calls only. */
_Noreturn void sc__child_become(const char *program, const char *const *argv, int in_fd, int out_fd,
                                int death_signal, pid_t parent);

#endif
