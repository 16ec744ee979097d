/* What a soak's events say became of its jobs: each is somewhere, goes on step by step, and ends once. */
#ifndef TEST_SUPPORT_SOAK_TRAIL_H
#define TEST_SUPPORT_SOAK_TRAIL_H

#include "soak.h"

/* Where a job is, by its events. */
enum {
    SOAK_NOWHERE,
    SOAK_WAITING,
    SOAK_ACTIVE,
    SOAK_PUT_BY, /* delayed, or waiting for children */
    SOAK_ENDED
};

struct soak_trail {
    const struct soak *s;
    char last[SOAK_QUEUES][48]; /* id of the event that was looked at last */
    struct {
        unsigned char state, starts;
        bool completed;
    } * jobs;                  /* by number */
    long ended;                /* events of the queue "jobs" that say so */
    long unasked;              /* jobs that went back to wait, and nobody said why */
    long made[SOAK_SCHEDULES]; /* jobs of each schedule */
    char problem[256];
};

void soak_trail_init(struct soak_trail *t, const struct soak *s);
void soak_trail_release(struct soak_trail *t);

/* The events of a queue that have come since. False when one of them should not have: `problem` says so. */
SC_MUST_USE bool soak_trail_follow(struct soak_trail *t, sc_client *client, int queue);

#endif
