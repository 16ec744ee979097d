/* Notes how long a test stood still, for those that must bound a time: what took longer by as much, on a busy machine, is no fault. */
#ifndef TEST_SUPPORT_PULSE_H
#define TEST_SUPPORT_PULSE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "server.h"

struct pulse {
    pthread_t thread;
    atomic_bool stopping;
    _Atomic int64_t own_ms, *still_ms, beat_ms; /* beat: the last one began at, mono */
    const struct test_server *server;
};

/* From now on on a thread of its own, of this process and of the server (NULL: of the process alone; it must live as long as the pulse). The
 * time is added to `*still_ms`, which processes may share; NULL: to one of its own. */
void pulse_start(struct pulse *pulse, const struct test_server *server, _Atomic int64_t *still_ms);

/* So far, in ms; moments that any machine needs are not counted. */
int64_t pulse_still_ms(const struct pulse *pulse);

/* Gives the same, at the end. */
int64_t pulse_stop(struct pulse *pulse);

#endif
