/* What becomes of a loaded value in Redis. The caller waits for that while his budget lasts; longer, it is sent and not
 * waited for. */
#ifndef SC_CACHE_SETTLE_H
#define SC_CACHE_SETTLE_H

#include "right.h"

/* The end of a lease of ours: the value or word of the failure takes its place, or it is given up. */
void sc__settle_lease(sc__lead *l, const sc__right *r, sc_err load_err, const sc_cache_load *load);

/* A value without an envelope has no lease: it is stored if nothing else was meanwhile. */
void sc__settle_plain(sc__lead *l, sc_err load_err, const sc_cache_load *load);

/* The new value takes the old one's place; without one that may be stored the old one goes. */
void sc__settle_renewal(sc__lead *l, const sc__right *r, const sc_cache_load *load);

/* The answer to a store that nobody waits for; `user` is the cache. On the I/O thread. */
void sc__on_stored(void *user, sc_err err, const sc_reply *reply);

#endif
