#include "near_readers.h"

#include <sched.h>
#include <unistd.h>

#include "base/mem.h"

enum { HIT_SHIFT = 16 };
static const uint64_t inside_mask = (UINT64_C(1) << HIT_SHIFT) - 1;

/* malloc aligns to less than a cache line. */
static size_t memory_size(const sc__near_readers *r)
{
    return (r->count + 1) * sizeof(sc__near_slot);
}

sc_err sc__near_readers_init(sc__near_readers *r)
{
    const uintptr_t line = alignof(sc__near_slot);
    long processors = sysconf(_SC_NPROCESSORS_CONF);

    *r = (sc__near_readers){.count = 1};
    while (r->count < SC__NEAR_SLOTS_MAX && (long)r->count < processors)
        r->count *= 2;
    r->memory = sc__calloc(1, memory_size(r));
    if (!r->memory)
        return SC_ENOMEM;
    r->slots = (sc__near_slot *)(((uintptr_t)r->memory + line - 1) & ~(line - 1));
    return SC_OK;
}

void sc__near_readers_release(sc__near_readers *r)
{
    sc_free(r->memory);
}

size_t sc__near_readers_held(const sc__near_readers *r)
{
    return sc__mem_held(memory_size(r));
}

sc__near_section sc__near_readers_enter(sc__near_readers *r)
{
    int processor = sched_getcpu();
    sc__near_section section;

    section.slot = &r->slots[(unsigned)(processor > 0 ? processor : 0) & (r->count - 1)];
    section.side = atomic_load_explicit(&r->side, memory_order_relaxed);
    /* Before any look at the table, in the one order that writers see as well. */
    atomic_fetch_add(&section.slot->inside[section.side], 1);
    return section;
}

void sc__near_readers_leave(sc__near_section *section, bool was_hit)
{
    const uint64_t hit = was_hit ? UINT64_C(1) << HIT_SHIFT : 0;

    if (!was_hit)
        atomic_fetch_add_explicit(&section->slot->misses, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&section->slot->inside[section->side], hit - 1, memory_order_release);
}

void sc__near_readers_quit(sc__near_section *section)
{
    atomic_fetch_sub_explicit(&section->slot->inside[section->side], 1, memory_order_release);
}

void sc__near_readers_await(sc__near_readers *r)
{
    r->is_waiting = true;
    r->has_turned = false;
    r->waits_for = 1 - atomic_load_explicit(&r->side, memory_order_relaxed);
    r->seen = 0;
}

static bool all_seen(sc__near_readers *r)
{
    for (unsigned i = 0; i < r->count; i++)
        if (!(r->seen >> i & 1) && !(atomic_load(&r->slots[i].inside[r->waits_for]) & inside_mask))
            r->seen |= UINT64_C(1) << i;
    return r->seen == (r->count == 64 ? UINT64_MAX : (UINT64_C(1) << r->count) - 1);
}

bool sc__near_readers_are_gone(sc__near_readers *r)
{
    if (!r->is_waiting)
        return true;
    if (!all_seen(r))
        return false;
    if (!r->has_turned) {
        atomic_store(&r->side, r->waits_for);
        r->has_turned = true;
        r->waits_for = 1 - r->waits_for;
        r->seen = 0;
        if (!all_seen(r))
            return false;
    }
    r->is_waiting = false;
    return true;
}

void sc__near_readers_count(sc__near_readers *r, uint64_t *ret_hits, uint64_t *ret_misses)
{
    uint64_t hits = 0, misses = 0;

    for (unsigned i = 0; i < r->count; i++) {
        for (int side = 0; side < 2; side++)
            hits +=
                atomic_load_explicit(&r->slots[i].inside[side], memory_order_relaxed) >> HIT_SHIFT;
        misses += atomic_load_explicit(&r->slots[i].misses, memory_order_relaxed);
    }
    *ret_hits = hits;
    *ret_misses = misses;
}
