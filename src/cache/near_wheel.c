#include "near_wheel.h"

enum { SLOT_MASK = SC__NEAR_WHEEL_SLOTS - 1 };

void sc__near_wheel_init(sc__near_wheel *wheel, int64_t now_ms)
{
    *wheel = (sc__near_wheel){.tick = now_ms >> SC__NEAR_TICK_BITS};
}

static void link_at(sc__near_entry **list, sc__near_entry *entry)
{
    entry->due_next = *list;
    if (*list)
        (*list)->due_link = &entry->due_next;
    *list = entry;
    entry->due_link = list;
}

static void file(sc__near_wheel *wheel, int which, int64_t slot, sc__near_entry *entry)
{
    link_at(&wheel->slots[which][slot & SLOT_MASK], entry);
    wheel->used[which] |= UINT64_C(1) << (slot & SLOT_MASK);
}

/* Into the first wheel that reaches so far. */
void sc__near_wheel_add(sc__near_wheel *wheel, sc__near_entry *entry)
{
    int64_t tick = entry->expires_ms >> SC__NEAR_TICK_BITS, slot, now;
    int i = 0;

    entry->due_link = NULL;
    if (entry->expires_ms == INT64_MAX)
        return;
    for (;; i++) {
        now = wheel->tick >> (i * SC__NEAR_WHEEL_BITS);
        slot = tick >> (i * SC__NEAR_WHEEL_BITS);
        if (slot - now < SC__NEAR_WHEEL_SLOTS || i == SC__NEAR_WHEELS - 1)
            break;
    }
    if (slot < now)
        slot = now;
    file(wheel, i, slot - now < SC__NEAR_WHEEL_SLOTS ? slot : now + SLOT_MASK, entry);
    wheel->count++;
}

void sc__near_wheel_remove(sc__near_wheel *wheel, sc__near_entry *entry)
{
    if (!entry->due_link)
        return;
    *entry->due_link = entry->due_next;
    if (entry->due_next)
        entry->due_next->due_link = entry->due_link;
    entry->due_link = NULL;
    wheel->count--;
}

static void make_due(sc__near_wheel *wheel, int which, int64_t slot)
{
    sc__near_entry **from = &wheel->slots[which][slot & SLOT_MASK];

    wheel->due[which] = *from;
    if (*from)
        (*from)->due_link = &wheel->due[which];
    *from = NULL;
    wheel->used[which] &= ~(UINT64_C(1) << (slot & SLOT_MASK));
}

/* Goes to the last tick before the next one at which there may be something to do, or before `now`. */
static void pass_empty(sc__near_wheel *wheel, int64_t now)
{
    int shift = 0;

    for (int i = 0; i < SC__NEAR_WHEELS - 1 && !wheel->used[i]; i++)
        shift += SC__NEAR_WHEEL_BITS;
    wheel->tick |= (INT64_C(1) << shift) - 1;
    if (wheel->tick >= now)
        wheel->tick = now - 1;
}

/* All of a tick have expired when it has passed. Of the coarser wheels those slots are due that begin with the
 * next tick. */
static void turn(sc__near_wheel *wheel, int64_t now)
{
    pass_empty(wheel, now);
    make_due(wheel, 0, wheel->tick++);
    for (int i = 1, shift = SC__NEAR_WHEEL_BITS; i < SC__NEAR_WHEELS;
         i++, shift += SC__NEAR_WHEEL_BITS) {
        if (wheel->tick & ((INT64_C(1) << shift) - 1))
            return;
        make_due(wheel, i, wheel->tick >> shift);
    }
}

static sc__near_entry *first_due(const sc__near_wheel *wheel)
{
    for (int i = 0; i < SC__NEAR_WHEELS; i++)
        if (wheel->due[i])
            return wheel->due[i];
    return NULL;
}

bool sc__near_wheel_step(sc__near_wheel *wheel, int64_t now_ms, sc__near_entry **ret_expired)
{
    sc__near_entry *entry = first_due(wheel);
    const int64_t now = now_ms >> SC__NEAR_TICK_BITS;

    *ret_expired = NULL;
    if (entry && entry->expires_ms <= now_ms) {
        *ret_expired = entry;
    } else if (entry) {
        sc__near_wheel_remove(wheel, entry);
        sc__near_wheel_add(wheel, entry);
    } else if (wheel->tick < now) {
        if (wheel->count)
            turn(wheel, now);
        else
            wheel->tick = now;
    } else {
        return false;
    }
    return true;
}
