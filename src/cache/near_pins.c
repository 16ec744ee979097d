#include "near_pins.h"

#include <stdalign.h>

#include "base/mem.h"

enum { PLACES = 7 /* a line's */, IN_ENTRY = 2 };

/* A processor has two lines; of many processors each has one, for the least cache must have room for them all. */
enum { FEW = 8 };

/* What lies in a place: 0, or an entry and these. */
enum { COUNTED = 1, LEFT = 2, FLAGS = COUNTED | LEFT };

typedef atomic_uintptr_t pin_place;

typedef struct pin_line {
    alignas(64) sc__near_pins *pins;
    pin_place places[PLACES];
} pin_line;

struct sc__near_pins {
    atomic_size_t refs; /* the cache's, and those of pins that are left */
    size_t count;       /* of lines, … */
    size_t share;       /* … and a processor's */
    void *memory;       /* that this lies in */
    pin_line lines[];
};

/* malloc aligns to less than a cache line. */
static size_t size_for(size_t lines)
{
    return sizeof(sc__near_pins) + (lines + 1) * sizeof(pin_line);
}

sc_err sc__near_pins_new(unsigned processors, sc__near_pins **ret_pins)
{
    const size_t share = processors > FEW ? 1 : 2, count = processors * share;
    void *memory = sc__calloc(1, size_for(count));
    sc__near_pins *pins;

    if (!memory)
        return SC_ENOMEM;
    pins = (sc__near_pins *)(((uintptr_t)memory + alignof(pin_line) - 1) &
                             ~(uintptr_t)(alignof(pin_line) - 1));
    pins->memory = memory;
    pins->count = count;
    pins->share = share;
    atomic_init(&pins->refs, 1);
    for (size_t i = 0; i < count; i++)
        pins->lines[i].pins = pins;
    *ret_pins = pins;
    return SC_OK;
}

size_t sc__near_pins_held(const sc__near_pins *pins)
{
    return pins ? sc__mem_held(size_for(pins->count)) : 0;
}

static void unref(sc__near_pins *pins)
{
    if (atomic_fetch_sub_explicit(&pins->refs, 1, memory_order_acq_rel) == 1)
        sc_free(pins->memory);
}

static void *take_in_line(pin_line *line, const sc__near_entry *entry)
{
    for (int i = 0; i < PLACES; i++) {
        uintptr_t none = 0;

        /* Whoever gives up the entry sees it here: he waits for the section to be left. */
        if (!atomic_load_explicit(&line->places[i], memory_order_relaxed) &&
            atomic_compare_exchange_strong_explicit(&line->places[i], &none, (uintptr_t)entry,
                                                    memory_order_relaxed, memory_order_relaxed))
            return (char *)&line->places[i] + 1;
    }
    return NULL;
}

void *sc__near_pins_take(sc__near_pins *pins, unsigned processor, const sc__near_entry *entry)
{
    pin_line *lines = &pins->lines[processor * pins->share];

    for (size_t i = 0; i < pins->share; i++) {
        void *pin = take_in_line(&lines[i], entry);

        if (pin)
            return pin;
    }
    sc__near_entry_ref(entry);
    return (char *)(uintptr_t)entry + 1 + IN_ENTRY;
}

static pin_line *line_of(pin_place *place)
{
    return (pin_line *)((uintptr_t)place & ~(uintptr_t)(alignof(pin_line) - 1));
}

static void drop_place(pin_place *place)
{
    uintptr_t held = atomic_exchange_explicit(place, 0, memory_order_acq_rel);

    /* If it was neither, the place and what was pinned may be gone by now. */
    if (held & COUNTED)
        sc__near_entry_unref((const sc__near_entry *)(held & ~(uintptr_t)FLAGS));
    if (held & LEFT)
        unref(line_of(place)->pins);
}

void sc__near_pins_drop(const void *pin)
{
    const char *at = (const char *)pin - 1;

    if ((uintptr_t)at & IN_ENTRY)
        sc__near_entry_unref((const sc__near_entry *)(at - IN_ENTRY));
    else
        drop_place((pin_place *)(uintptr_t)at);
}

/* The entry is the caller's still, so it can be counted first, and taken back when the pin is dropped meanwhile. */
static void count(pin_place *place, uintptr_t held)
{
    const sc__near_entry *entry = (const sc__near_entry *)held;

    sc__near_entry_ref(entry);
    if (!atomic_compare_exchange_strong(place, &held, held | COUNTED))
        sc__near_entry_unref(entry);
}

static bool is_among(uintptr_t held, const sc__near_entry *entries)
{
    while (entries && (uintptr_t)entries != held)
        entries = entries->older;
    return entries;
}

void sc__near_pins_count(sc__near_pins *pins, const sc__near_entry *entries)
{
    for (size_t i = 0; entries && i < pins->count; i++)
        for (int j = 0; j < PLACES; j++) {
            pin_place *place = &pins->lines[i].places[j];
            const uintptr_t held = atomic_load_explicit(place, memory_order_acquire);

            if (held && !(held & COUNTED) && is_among(held, entries))
                count(place, held);
        }
}

static void leave(sc__near_pins *pins, pin_place *place)
{
    uintptr_t held = atomic_load_explicit(place, memory_order_acquire);

    if (held && !(held & COUNTED)) {
        count(place, held);
        held |= COUNTED;
    }
    atomic_fetch_add(&pins->refs, 1);
    if (!held || !atomic_compare_exchange_strong(place, &held, held | LEFT))
        unref(pins);
}

void sc__near_pins_leave(sc__near_pins *pins)
{
    if (!pins)
        return;
    for (size_t i = 0; i < pins->count; i++)
        for (int j = 0; j < PLACES; j++)
            leave(pins, &pins->lines[i].places[j]);
    unref(pins);
}
