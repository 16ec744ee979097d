/* How long a call may still wait for Redis: opts.timeout_ms in all, however many commands it takes. Loads, and waiting for those of
 * other processes, are not counted.
 *
 *     begin -> ask, command within left_ms, after -> ask, … until nothing is left
 *
 * Beside it: how long Redis takes to answer at the moment. Where two answers do not fit into a budget it is far, and what
 * can be asked for in one command is. */
#ifndef SC_CACHE_BUDGET_H
#define SC_CACHE_BUDGET_H

#include <stdatomic.h>

#include <storychain/cache.h>

typedef struct sc__budget {
    int64_t left_ms;
    int64_t asked_ms; /* mono; when the last command began */
} sc__budget;

/* Smoothed over about 8 answers. Zeroed: at once. */
typedef struct sc__pace {
    atomic_int_fast64_t answer_us;
} sc__pace;

sc__budget sc__budget_begin(const sc_cache *cache);

/* A command begins. False: no time is left for it. */
SC_MUST_USE bool sc__budget_ask(sc__budget *budget);

/* It has ended, and there is nothing to learn from that. */
void sc__budget_spend(sc__budget *budget);

/* It has ended: sc__cache_after() or sc__cache_after_store(), but the silence of a command that had less than the
 * whole time says nothing about Redis. */
void sc__budget_after(sc_cache *cache, sc__budget *budget, sc_err err);
void sc__budget_after_store(sc_cache *cache, sc__budget *budget, sc_err err,
                            const sc_reason *reason);

/* The same for a command that need not be waited for: false, too, when no answer can be expected in the time that is left. */
SC_MUST_USE bool sc__budget_has_time(const sc_cache *cache, sc__budget *budget);

bool sc__cache_is_far(const sc_cache *cache);

#endif
