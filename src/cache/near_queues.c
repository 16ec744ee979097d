#include "near_inside.h"

enum {
    SMALL_SHARE = 10, /* the small queue has one part in so many, */
    SMALL_LEAST = 2,  /* and so many entries */
    BACK_MAX = 128 /* entries that one eviction may send back to the beginning of the main queue */
};

static sc__near_queue *queue_of(sc__near *near, const sc__near_entry *entry)
{
    return entry->in_main ? &near->queues.main : &near->queues.small;
}

static unsigned uses_of(const sc__near_entry *entry)
{
    return atomic_load_explicit(&entry->uses, memory_order_relaxed);
}

static void push(sc__near_queue *queue, sc__near_entry *entry)
{
    entry->newer = NULL;
    entry->older = queue->newest;
    if (queue->newest)
        queue->newest->newer = entry;
    else
        queue->oldest = entry;
    queue->newest = entry;
    queue->count++;
    queue->bytes += sc__near_entry_held(entry);
}

static void take(sc__near_queue *queue, sc__near_entry *entry)
{
    *(entry->older ? &entry->older->newer : &queue->oldest) = entry->newer;
    *(entry->newer ? &entry->newer->older : &queue->newest) = entry->older;
    queue->count--;
    queue->bytes -= sc__near_entry_held(entry);
}

/* However few entries there are, one has the time of two others to be used again. */
static size_t share_of(size_t bound)
{
    return bound / SMALL_SHARE + SMALL_LEAST;
}

static bool small_is_full(const sc__near *near)
{
    const sc__near_queue *small = &near->queues.small;

    return small->count >= share_of(near->max_entries) ||
           small->bytes >= share_of(near->max_bytes - near->fixed_bytes);
}

void sc__near_queues_add(sc__near *near, sc__near_entry *entry)
{
    entry->in_main = sc__near_ghosts_take(&near->ghosts, entry->hash) ||
                     (!near->queues.was_full && small_is_full(near));
    push(queue_of(near, entry), entry);
}

void sc__near_queues_remove(sc__near *near, sc__near_entry *entry)
{
    take(queue_of(near, entry), entry);
}

void sc__near_queues_replace(sc__near *near, const sc__near_entry *old, sc__near_entry *entry)
{
    sc__near_queue *queue = queue_of(near, old);

    entry->in_main = old->in_main;
    entry->trial = old->trial;
    atomic_init(&entry->uses, atomic_load_explicit(&old->uses, memory_order_relaxed));
    entry->older = old->older;
    entry->newer = old->newer;
    *(entry->older ? &entry->older->newer : &queue->oldest) = entry;
    *(entry->newer ? &entry->newer->older : &queue->newest) = entry;
    queue->bytes += sc__near_entry_held(entry);
    queue->bytes -= sc__near_entry_held(old);
}

bool sc__near_queues_is_used(const sc__near_entry *entry)
{
    return entry->in_main || uses_of(entry) > 0;
}

size_t sc__near_queues_count(const sc__near_queues *queues)
{
    return queues->small.count + queues->main.count;
}

static void evict(sc__near *near, sc__near_entry *entry)
{
    near->evicted += !sc__near_is_cleared(near, entry);
    sc__near_unlink(near, entry);
}

static bool goes_to_main(sc__near *near, sc__near_entry *entry)
{
    uint8_t trial = SC__NEAR_ON_NO_TRIAL;
    bool goes = entry->price == SC__NEAR_PRICE_MAX ||
                sc__near_promotion_grants(&near->queues.promotion, uses_of(entry), &trial);

    entry->trial = trial & 3u;
    return goes;
}

/* The oldest of the small queue goes, or goes on to the main queue. */
static void pass_small(sc__near *near)
{
    sc__near_queues *queues = &near->queues;
    sc__near_entry *entry = queues->small.oldest;

    if (sc__near_is_cleared(near, entry)) {
        evict(near, entry);
    } else if (goes_to_main(near, entry)) {
        take(&queues->small, entry);
        atomic_store_explicit(&entry->uses, 0, memory_order_relaxed);
        entry->in_main = true;
        push(&queues->main, entry);
    } else {
        sc__near_ghosts_add(&near->ghosts, entry->hash);
        evict(near, entry);
    }
}

static void end_trial(sc__near *near, sc__near_entry *entry)
{
    if (!entry->trial)
        return;
    sc__near_promotion_result(&near->queues.promotion, entry->trial, uses_of(entry) > 0,
                              sc__near_queues_count(&near->queues));
    entry->trial = SC__NEAR_ON_NO_TRIAL;
}

/* Whether the oldest of the main queue was used, or is dear. */
static bool goes_back(sc__near_entry *entry)
{
    const unsigned uses = uses_of(entry);

    if (uses) {
        atomic_store_explicit(&entry->uses, (unsigned char)(uses - 1), memory_order_relaxed);
        entry->rounds = entry->price;
        return true;
    }
    if (!entry->rounds)
        return false;
    entry->rounds--;
    return true;
}

/* Evicts the oldest of the main queue that doesn't go back, or the next one when all do. */
static void pass_main(sc__near *near)
{
    sc__near_queue *main = &near->queues.main;

    for (int i = 0; i < BACK_MAX; i++) {
        sc__near_entry *entry = main->oldest;

        if (sc__near_is_cleared(near, entry))
            break;
        end_trial(near, entry);
        if (!goes_back(entry))
            break;
        take(main, entry);
        push(main, entry);
    }
    evict(near, main->oldest);
}

static bool is_over(const sc__near *near, size_t reserve, size_t entries)
{
    return near->fixed_bytes + near->bytes + near->tags.bytes + reserve > near->max_bytes ||
           sc__near_queues_count(&near->queues) + entries > near->max_entries;
}

void sc__near_queues_make_room(sc__near *near, size_t bytes, size_t entries)
{
    sc__near_queues *queues = &near->queues;
    /* What waits for its readers takes room as well; but as it comes from here, a limit of it. */
    const size_t part = near->max_bytes / 16;
    const size_t limbo = sc__near_limbo_bytes(&near->limbo);
    const size_t reserve = bytes + (limbo < part ? limbo : part);

    while (is_over(near, reserve, entries) && sc__near_queues_count(queues)) {
        queues->was_full = true;
        near->ghosts.remember = sc__near_queues_count(queues);
        if (queues->small.count && (small_is_full(near) || !queues->main.count))
            pass_small(near);
        else
            pass_main(near);
    }
}

static int drop_cleared_of(sc__near *near, sc__near_queue *queue, int max)
{
    while (max > 0 && queue->oldest && sc__near_is_cleared(near, queue->oldest)) {
        sc__near_unlink(near, queue->oldest);
        max--;
    }
    return max;
}

bool sc__near_queues_drop_cleared(sc__near *near, int max)
{
    max = drop_cleared_of(near, &near->queues.small, max);
    return drop_cleared_of(near, &near->queues.main, max) == 0;
}
