/* The stored options of a scheduler's jobs: BullMQ's `opts` with `repeat` and what goes with it. */
#ifndef SC_OPS_SCHEDULER_OPTS_H
#define SC_OPS_SCHEDULER_OPTS_H

#include <storychain/scheduler.h>

#include "base/str.h"

/* What the script needs to know about a job's options beside their text. */
typedef struct sc__scheduler_opts {
    int64_t priority, delay_ms;
    bool lifo;
    char dedup_id[256]; /* texts are empty when there is none, or one that doesn't fit */
    /* Of `repeat`: */
    char pattern[1025], tz[128];
    int64_t every_ms, limit, end_ms; /* 0: none */
    int64_t offset_ms;               /* 0: none */
    int64_t nominal_ms;              /* 0: not said */
    int64_t count;                   /* number of this job since the upsert */
} sc__scheduler_opts;

/* Reads stored options of a job, by whatever client; what is missing or odd is as zeroed. */
void sc__scheduler_opts_read(sc_slice stored, sc__scheduler_opts *ret_opts);

/* The template that is stored with a rule: `stored` without what belongs to one job. Nothing is written when nothing is
 * left. */
void sc__scheduler_template_write(sc__str *out, sc_slice stored);

/* A job by its rule: the template and its repeat, `count` being the job's number; without the last brace, for the script adds to
 * it. */
void sc__scheduler_head_write(sc__str *out, sc_slice scheduler_id, sc_slice stored,
                              const sc_repeat *repeat, int64_t count);

/* A run of a guarded rule, likewise: with the time that it stands for as `repeat.nominal`, and with the deduplication id by which runs
 * do not overlap, when the rule has such a policy. */
void sc__scheduler_run_head_write(sc__str *out, const sc_scheduler_info *rule, int64_t count,
                                  int64_t nominal_ms);

/* The job after the one that has the options `stored`: the same with `count`, and by this pattern and zone
 * (empty: by what `repeat` said already). */
void sc__scheduler_next_head_write(sc__str *out, sc_slice scheduler_id, sc_slice stored,
                                   int64_t count, sc_slice pattern, sc_slice tz);

#endif
