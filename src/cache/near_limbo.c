/* What is unlinked and may still be seen. */
#include "near_inside.h"

/* A call frees at least so many, and twice what it has unlinked: so no single one pays for all that a reader held up, and
 * the rest shrinks all the same. */
enum { FREED_LEAST = 16 };

void sc__near_to_limbo(sc__near *near, sc__near_entry *entry)
{
    const size_t held = sc__near_entry_held(entry);
    sc__near_batch *fresh = &near->limbo.fresh;

    near->bytes -= held;
    near->limbo.unlinked++;
    entry->older = fresh->first;
    if (!fresh->first)
        fresh->last = entry;
    fresh->first = entry;
    fresh->bytes += held;
}

/* Behind what is there. */
static void move(sc__near_batch *from, sc__near_batch *to)
{
    *(to->first ? &to->last->older : &to->first) = from->first;
    to->last = from->last;
    to->bytes += from->bytes;
    *from = (sc__near_batch){0};
}

static void end_wait(sc__near *near)
{
    sc__near_limbo *limbo = &near->limbo;

    if (limbo->waiting.first && sc__near_readers_are_gone(&near->readers))
        move(&limbo->waiting, &limbo->gone);
}

static void begin_wait(sc__near *near)
{
    sc__near_limbo *limbo = &near->limbo;

    if (limbo->waiting.first || !limbo->fresh.first)
        return;
    move(&limbo->fresh, &limbo->waiting);
    sc__near_readers_await(&near->readers);
}

static void drop_tags(sc__near *near, sc__near_entry *entry)
{
    for (unsigned i = 0; i < entry->tag_count; i++)
        sc__near_tags_unref(&near->tags, sc__near_entry_tags(entry)[i]);
}

/* Some that nobody can see any more, chained by `older`; to be freed without the mutex. */
static sc__near_entry *take_gone(sc__near *near)
{
    sc__near_batch *gone = &near->limbo.gone;
    sc__near_entry *first = gone->first, **end = &first;
    size_t left = 2 * near->limbo.unlinked + FREED_LEAST;

    near->limbo.unlinked = 0;
    for (; *end && left; left--) {
        gone->bytes -= sc__near_entry_held(*end);
        drop_tags(near, *end);
        end = &(*end)->older;
    }
    gone->first = *end;
    *end = NULL;
    return first;
}

size_t sc__near_limbo_bytes(const sc__near_limbo *limbo)
{
    return limbo->fresh.bytes + limbo->waiting.bytes + limbo->gone.bytes;
}

void sc__near_free_list(sc__near_entry *entry)
{
    while (entry) {
        sc__near_entry *next = entry->older;

        sc__near_entry_unref(entry);
        entry = next;
    }
}

bool sc__near_unlock(sc__near *near)
{
    sc__near_entry *gone;
    bool has_more;

    end_wait(near);
    begin_wait(near);
    end_wait(near);
    gone = take_gone(near);
    has_more = near->limbo.gone.first != NULL;
    pthread_mutex_unlock(&near->mutex);
    sc__near_pins_count(near->pins, gone);
    sc__near_free_list(gone);
    return has_more;
}
