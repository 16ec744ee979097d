#include "cancel.h"

#include "base/mem.h"

static void set_text(sc_run *run, size_t i, sc_slice text)
{
    if (text.len && !atomic_load(&run->cancel_text[i]))
        atomic_store(&run->cancel_text[i], sc__slice_dup(text));
}

void sc__run_cancel(sc_run *run, sc_cancel_cause cause, sc_slice text)
{
    if (cause == SC_CANCEL_RUN)
        set_text(run, 0, text);
    if (cause == SC_CANCEL_JOB) {
        set_text(run, 1, text);
        atomic_store(&run->job_cancelled, true);
    }
    if (cause > atomic_load(&run->cause))
        atomic_store(&run->cause, cause);
}

const char *sc__run_job_cancelled(const sc_run *run)
{
    const char *text = atomic_load(&run->cancel_text[1]);

    if (!atomic_load(&run->job_cancelled))
        return NULL;
    return text ? text : "cancelled";
}

void sc__run_forget_cancel(sc_run *run)
{
    for (size_t i = 0; i < 2; i++)
        sc_free(atomic_load_explicit(&run->cancel_text[i], memory_order_relaxed));
}

bool sc_run_is_cancelled(const sc_run *run)
{
    return atomic_load_explicit(&run->cause, memory_order_relaxed) != SC_CANCEL_NONE;
}

sc_cancel_cause sc_run_cancel_cause(const sc_run *run)
{
    return atomic_load(&run->cause);
}

const char *sc_run_cancel_reason(const sc_run *run)
{
    static const char *const texts[] = {
        [SC_CANCEL_NONE] = "",
        [SC_CANCEL_TIMEOUT] = "timeout",
        [SC_CANCEL_RUN] = "cancelled",
        [SC_CANCEL_JOB] = "cancelled",
        [SC_CANCEL_LOCK_LOST] = "lock lost",
        [SC_CANCEL_CLOSING] = "closing",
        [SC_CANCEL_TIMED_OUT] = "timed out",
    };
    sc_cancel_cause cause = atomic_load(&run->cause);
    const char *own = NULL;

    if (cause == SC_CANCEL_RUN || cause == SC_CANCEL_JOB)
        own = atomic_load(&run->cancel_text[cause == SC_CANCEL_JOB]);
    return own ? own : texts[cause];
}
