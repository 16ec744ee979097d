/* Records how runs ended: what is ready goes out in a call, which brings the next jobs too. Nothing waits to be sent together,
 * but for a second call beside the one under way, which is sent when it is worth it.
 *
 * A call that failed is sent again until it is answered; the lock tokens keep that from happening twice. */
#ifndef SC_WORKER_FINISHER_H
#define SC_WORKER_FINISHER_H

#include "loop/timer.h"
#include "run.h"

/* Two: the server works on one while we see to the answer of the other. */
#define SC__FINISH_CALLS 2

typedef struct sc__finish_call {
    struct sc__finisher *finisher;
    bool out; /* under way */
    sc_run *batch[SC__WORK_MAX];
    size_t count;
    size_t wanted; /* jobs that it may bring */
    sc__lock_token token;
} sc__finish_call;

typedef struct sc__finisher {
    sc__task task;
    sc__core *core;
    pthread_mutex_t mutex;            /* of the next four */
    sc_run *ended_first, *ended_last; /* by the pool's threads */
    size_t ended;                     /* how many */
    size_t wake_at;                   /* so many wake us; fewer wait for the reply under way */
    sc_run *first, *last;             /* to be sent */
    size_t ready;                     /* how many */
    sc__finish_call calls[SC__FINISH_CALLS];
    bool singly;   /* the server refused a batch: one at a time, to find the one */
    int failures;  /* in a row */
    bool prompt;   /* see sc__finisher_be_prompt */
    bool given_up; /* records nothing more */
    sc__timer *again;

    /* The owner's. */
    sc_run **spares;
    void (*on_answer)(sc__core *core, const sc__taken *taken, const sc__lock_token *token,
                      size_t wanted);
    void (*on_room)(sc__core *core); /* a slot is free, and no answer will say so */
    void (*on_lost)(sc__core *core, const sc__lock_token *token, size_t wanted);
} sc__finisher;

SC_MUST_USE sc_err sc__finisher_init(sc__finisher *f, sc__core *core);
void sc__finisher_release(sc__finisher *f);

/* A run's processor is through. Any thread. */
void sc__finisher_end(sc__finisher *f, sc_run *run);

/* From now on each end of a run is seen at once (is_ended), also while a call is under way; those of before are seen
 * when it returns. */
void sc__finisher_be_prompt(sc__finisher *f);

/* Nothing is to be recorded and no call is under way. */
bool sc__finisher_is_idle(const sc__finisher *f);

/* Drops what could not be recorded; those jobs are found to be stalled later. */
void sc__finisher_give_up(sc__finisher *f);

#endif
