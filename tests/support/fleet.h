/* Processes of a test that act at once, with memory that they share. They are forked before the test has threads. */
#ifndef TEST_SUPPORT_FLEET_H
#define TEST_SUPPORT_FLEET_H

#include <stddef.h>

#include <sys/types.h>

enum { FLEET_MAX = 16 };

struct fleet {
    pid_t pids[FLEET_MAX];
    int count;
};

/* Zeroed memory that is the same in all processes forked later. Only atomics belong there. */
void *fleet_memory(size_t size);

/* Forks `count` processes; each runs `run(memory, its number)` and ends. Assertions may be used in there: a failed one, like any
 * other end than by return, makes fleet_end() fail the test. */
void fleet_start(struct fleet *fleet, int count, void (*run)(void *memory, int number),
                 void *memory);

/* Waits for all that are left. */
void fleet_end(struct fleet *fleet);

/* Kills one with SIGKILL, and waits for its end. */
void fleet_kill(struct fleet *fleet, int number);

#endif
