#include "guarding.h"

#include "telling.h"

/* Its words are in the log already. */
static void on_error(void *user, sc_slice scheduler_id, sc_err err, const char *text)
{
    const sc_worker *w = user;

    (void)scheduler_id, (void)err;
    sc__tell(&w->core, (sc_worker_event){.kind = SC_WORKER_ERROR, .text = sc_slice_of(text)});
}

sc_err sc__guarding_init(sc_worker *w, const sc_repeat_strategy *strategy, sc_reason *ret_reason)
{
    const sc_queue_opts opts = {
        .prefix = w->core.opts.prefix, .repeat_strategy = strategy, .skip_meta = true};

    sc__ticker_on_error(w->ticker, on_error, w);
    if (w->core.opts.skip_guardian)
        return SC_OK;
    return sc_queue_new(w->core.client, w->core.queue_name, &opts, &w->guarded, ret_reason);
}

void sc__guarding_release(sc_worker *w)
{
    sc_queue_free(w->guarded);
}

sc_err sc__guarding_start(sc_worker *w)
{
    const sc_scheduler_guard_opts opts = {.on_error = on_error, .on_error_user = w};

    return w->guarded ? sc_scheduler_guard_start(w->guarded, &opts, &w->guard) : SC_OK;
}

void sc__guarding_stop(sc_worker *w)
{
    sc_scheduler_guard_stop(w->guard);
    w->guard = NULL;
}
