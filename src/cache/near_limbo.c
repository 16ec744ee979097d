/* What is unlinked and may still be seen. */
#include "near_inside.h"

void sc__near_to_limbo(sc__near *near, sc__near_entry *entry)
{
    const size_t held = sc__near_entry_held(entry);

    near->bytes -= held;
    near->limbo.bytes += held;
    entry->older = near->limbo.fresh;
    near->limbo.fresh = entry;
}

static void drop_tags(sc__near *near, sc__near_entry *entry)
{
    for (unsigned i = 0; i < entry->tag_count; i++)
        sc__near_tags_unref(&near->tags, sc__near_entry_tags(entry)[i]);
}

/* Entries that nobody can see any more, chained by `older`; to be freed without the mutex. */
static sc__near_entry *take_free(sc__near *near)
{
    sc__near_limbo *limbo = &near->limbo;
    sc__near_entry *gone = NULL;

    if (limbo->waiting && sc__near_readers_are_gone(&near->readers)) {
        gone = limbo->waiting;
        limbo->waiting = NULL;
    }
    if (!limbo->waiting && limbo->fresh) {
        limbo->waiting = limbo->fresh;
        limbo->fresh = NULL;
        sc__near_readers_await(&near->readers);
        if (!gone && sc__near_readers_are_gone(&near->readers)) {
            gone = limbo->waiting;
            limbo->waiting = NULL;
        }
    }
    for (sc__near_entry *entry = gone; entry; entry = entry->older) {
        limbo->bytes -= sc__near_entry_held(entry);
        drop_tags(near, entry);
    }
    return gone;
}

void sc__near_free_list(sc__near_entry *entry)
{
    while (entry) {
        sc__near_entry *next = entry->older;

        sc__near_unpin(entry);
        entry = next;
    }
}

void sc__near_unlock(sc__near *near)
{
    sc__near_entry *gone = take_free(near);

    pthread_mutex_unlock(&near->mutex);
    sc__near_free_list(gone);
}
