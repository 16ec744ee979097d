/* Which scripts were loaded on a connection, and where in its stream: of a thousand commands that meet a server
 * without their script, one loads it. */
#ifndef SC_REDIS_LOADS_H
#define SC_REDIS_LOADS_H

#include <storychain/base.h>

enum { SC__LOADS_MAX = 64 };

/* Zeroed: none. A script is known by its text's address. When there are too many, the others are loaded
 * more often than needed. */
typedef struct sc__loads {
    struct {
        const sc_slice *text;
        uint64_t order; /* of its last SCRIPT LOAD among what was written */
    } items[SC__LOADS_MAX];
    size_t count;
} sc__loads;

void sc__loads_planned(sc__loads *l, const sc_slice *text); /* to be written soon */
void sc__loads_written(sc__loads *l, const sc_slice *text, uint64_t order);
void sc__loads_dropped(sc__loads *l, const sc_slice *text); /* it will not be written */

/* Will the script be there if what was written as `order` is sent again, after all that is planned? */
bool sc__loads_cover(const sc__loads *l, const sc_slice *text, uint64_t order);

#endif
