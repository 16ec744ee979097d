#include "overdue.h"

#include "base/clock.h"

enum { LOOK_AT = 100 };

/* Schedules of BullMQ's kind don't say that they have ended: they keep their last run as the next one. */
static bool has_ended(sc_queue *queue, const sc_scheduler_info *info)
{
    sc_repeat repeat = SC_REPEAT_INIT;
    int64_t next_ms;
    size_t count = 0;

    if (info->limit && info->iterations >= info->limit)
        return true;
    if (!info->end_ms)
        return false;
    if (info->every_ms)
        return info->end_ms - info->next_ms < info->every_ms;
    repeat.pattern = info->pattern;
    repeat.tz = info->tz;
    repeat.end_ms = info->end_ms;
    return sc_scheduler_preview(queue, info->id, &repeat, info->next_ms, &next_ms, 1, &count,
                                NULL) ||
           !count;
}

int64_t schedules_overdue_ms(sc_queue *queue)
{
    int64_t now = sc__wall_ms(), most = 0;
    sc_scheduler_list *list;

    if (sc_scheduler_list_get(queue, 0, LOOK_AT - 1, &list))
        return 0;
    for (size_t i = 0; i < list->count && list->items[i].next_ms < now; i++) {
        const sc_scheduler_info *info = &list->items[i];

        if (info->is_paused || info->is_over || (!info->is_guarded && has_ended(queue, info)))
            continue;
        most = now - info->next_ms > most ? now - info->next_ms : most;
    }
    sc_scheduler_list_free(list);
    return most;
}
