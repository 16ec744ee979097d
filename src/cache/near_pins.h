/* Pins: who keeps a value beyond the section in which he found it. A pin has a place of the processor that it was made on, so that
 * threads which keep the same values on different processors share no cache line. Only when the cache gives up the value
 * its pins are counted, and the last one frees it:
 *
 *     free -> pinned -> free
 *             pinned -> counted -> free       the cache gave up the value meanwhile
 *             pinned, counted -> left -> free       the cache has ended; the last of these frees the places, too
 *
 * Where a processor has no place left a pin is counted at once, in the value. */
#ifndef SC_CACHE_NEAR_PINS_H
#define SC_CACHE_NEAR_PINS_H

#include "near_entry.h"

typedef struct sc__near_pins sc__near_pins;

/* For so many processors. SC_ENOMEM. */
SC_MUST_USE sc_err sc__near_pins_new(unsigned processors, sc__near_pins **ret_pins);
size_t sc__near_pins_held(const sc__near_pins *pins); /* bytes of malloc; NULL is fine */

/* Inside a section that found the entry. What it returns is not NULL, has its lowest bit set, and goes to drop(), on whatever thread, once. */
void *sc__near_pins_take(sc__near_pins *pins, unsigned processor, const sc__near_entry *entry);
void sc__near_pins_drop(const void *pin);

/* Entries, chained by `older`, that nobody can find any more: pins of them are counted from now on. */
void sc__near_pins_count(sc__near_pins *pins, const sc__near_entry *entries);

/* The cache ends: the same for all that are pinned, before they are given up. NULL is fine. */
void sc__near_pins_leave(sc__near_pins *pins);

#endif
