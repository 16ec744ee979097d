#include "telling.h"

static const char *const names[] = {
#define X(name, text) text,
    SC_WORKER_EVENTS(X)
#undef X
};

const char *sc_worker_event_name(sc_worker_event_kind kind)
{
    return kind >= 0 && kind < SC_WORKER_EVENT_COUNT ? names[kind] : "unknown";
}

void sc__tell(const sc__core *core, sc_worker_event event)
{
    if (!core->opts.on_event)
        return;
    event.worker = core->owner;
    core->opts.on_event(core->opts.on_event_user, &event);
}

void sc__tell_kind(const sc__core *core, sc_worker_event_kind kind)
{
    sc__tell(core, (sc_worker_event){.kind = kind});
}

void sc__tell_ready(sc__core *core)
{
    if (core->is_ready)
        return;
    core->is_ready = true;
    sc__tell_kind(core, SC_WORKER_READY);
}

void sc__tell_drained(sc__core *core)
{
    if (core->is_drained)
        return;
    core->is_drained = true;
    sc__tell_kind(core, SC_WORKER_DRAINED);
}
