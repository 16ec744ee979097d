#include "tracking.h"

void sc__tracking_hear(const sc__tracking *tracking, const sc_reply *push)
{
    const sc_reply *what;

    if (push->type != SC_REPLY_ARRAY || push->count != 2 ||
        push->items[0].type != SC_REPLY_STRING ||
        !sc_slice_eq(push->items[0].str, SC_S("invalidate")))
        return;
    what = &push->items[1];
    if (what->type != SC_REPLY_ARRAY) {
        tracking->all_changed(tracking->user);
        return;
    }
    for (size_t i = 0; i < what->count; i++)
        if (what->items[i].type == SC_REPLY_STRING)
            tracking->changed(tracking->user, what->items[i].str);
}
