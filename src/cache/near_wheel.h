/* When values expire: a wheel of wheels. An entry lies in the slot of its time; the farther away that is, the
 * coarser the slot, and when a coarse slot's time comes its entries are filed anew. Each step is short. */
#ifndef SC_CACHE_NEAR_WHEEL_H
#define SC_CACHE_NEAR_WHEEL_H

#include "near_entry.h"

enum {
    SC__NEAR_TICK_BITS = 8, /* a tick is 256 ms */
    SC__NEAR_WHEEL_BITS = 6,
    SC__NEAR_WHEEL_SLOTS = 1 << SC__NEAR_WHEEL_BITS,
    SC__NEAR_WHEELS = 5 /* 16 s, 17 min, 18 h, 49 days, 8 years; what is later waits in the last */
};

typedef struct sc__near_wheel {
    int64_t tick; /* the next to be worked on */
    size_t count; /* of entries in it */
    sc__near_entry *slots[SC__NEAR_WHEELS][SC__NEAR_WHEEL_SLOTS];
    uint64_t used[SC__NEAR_WHEELS];       /* bits: slots that something was put into */
    sc__near_entry *due[SC__NEAR_WHEELS]; /* from slots whose time has come */
} sc__near_wheel;

void sc__near_wheel_init(sc__near_wheel *wheel, int64_t now_ms);

/* By its expires_ms; INT64_MAX isn't filed. */
void sc__near_wheel_add(sc__near_wheel *wheel, sc__near_entry *entry);
void sc__near_wheel_remove(sc__near_wheel *wheel, sc__near_entry *entry); /* or does nothing */

/* The next step up to `now_ms`. `*ret_expired`: an entry that has expired (it's still in the wheel), or NULL. False:
 * nothing more to do now. */
bool sc__near_wheel_step(sc__near_wheel *wheel, int64_t now_ms, sc__near_entry **ret_expired);

#endif
