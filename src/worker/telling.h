/* Tells the program what happens in its worker (see <storychain/worker_event.h>). */
#ifndef SC_WORKER_TELLING_H
#define SC_WORKER_TELLING_H

#include <storychain/worker_event.h>

#include "core.h"

/* Does nothing when nobody wants to know. `event->worker` is filled in. */
void sc__tell(const sc__core *core, sc_worker_event event);

/* Would it be heard? For events that cost something to make. */
static inline bool sc__is_heard(const sc__core *core)
{
    return core->opts.on_event != NULL;
}

/* Of the core alone: no job, no words. */
void sc__tell_kind(const sc__core *core, sc_worker_event_kind kind);

/* An answer came. */
void sc__tell_ready(sc__core *core);

/* An answer brought fewer jobs than there was room for. */
void sc__tell_drained(sc__core *core);

#endif
