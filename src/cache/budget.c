#include "budget.h"

#include "base/clock.h"
#include "handle.h"

enum { SMOOTH = 8 };

sc__budget sc__budget_begin(const sc_cache *cache)
{
    return (sc__budget){.left_ms = cache->opts.timeout_ms};
}

bool sc__budget_ask(sc__budget *budget)
{
    budget->asked_ms = sc__mono_ms();
    return budget->left_ms > 0;
}

/* Two threads at once may lose one of their answers. */
static void note_answer(sc__pace *pace, int64_t took_ms)
{
    int64_t before = atomic_load_explicit(&pace->answer_us, memory_order_relaxed);
    int64_t after = before + (took_ms * 1000 - before) / SMOOTH;

    if (after != before)
        atomic_store_explicit(&pace->answer_us, after, memory_order_relaxed);
}

void sc__budget_spend(sc__budget *budget)
{
    budget->left_ms -= sc__mono_ms() - budget->asked_ms;
}

/* True: what was learned may be wrong. */
static bool spend(sc_cache *cache, sc__budget *budget, sc_err err)
{
    const int64_t before_ms = budget->left_ms;
    const bool had_all = before_ms == cache->opts.timeout_ms;

    sc__budget_spend(budget);
    if (!err || err == SC_ETIMEDOUT)
        note_answer(&cache->pace, before_ms - budget->left_ms);
    return err == SC_ETIMEDOUT && !had_all;
}

void sc__budget_after(sc_cache *cache, sc__budget *budget, sc_err err)
{
    if (spend(cache, budget, err))
        sc__cache_count(&cache->count.errors);
    else
        sc__cache_after(cache, err);
}

void sc__budget_after_store(sc_cache *cache, sc__budget *budget, sc_err err,
                            const sc_reason *reason)
{
    if (spend(cache, budget, err))
        sc__cache_count(&cache->count.errors);
    else
        sc__cache_after_store(cache, err, reason);
}

static int64_t answer_us(const sc_cache *cache)
{
    return atomic_load_explicit(&cache->pace.answer_us, memory_order_relaxed);
}

bool sc__budget_has_time(const sc_cache *cache, sc__budget *budget)
{
    return sc__budget_ask(budget) && answer_us(cache) < budget->left_ms * 1000;
}

bool sc__cache_is_far(const sc_cache *cache)
{
    return 2 * answer_us(cache) > cache->opts.timeout_ms * 1000;
}
