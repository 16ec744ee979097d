/* One connection on which workers of many queues wait for their markers together.
 *
 * BZPOPMIN waits for many keys at once, so a process with 1,000 idle queues needs one connection for them. A worker has a
 * seat; while it waits its marker is among the keys of the call under way. A seat that begins to wait later has that call
 * answered and sent anew with its key: at once, or, where many keys make a call dear, a few ms later.
 *
 * Everything on the I/O thread. */
#ifndef SC_WORKER_HUB_H
#define SC_WORKER_HUB_H

#include "ops/op_work.h"

typedef struct sc__hub sc__hub;

typedef struct sc__seat {
    sc__hub *hub; /* NULL: none taken */
    sc_slice key; /* of the marker; borrowed */
    /* The end of a wait: a marker, or none. The last thing of ours that happens; may wait again, or leave. */
    void (*cb)(void *user, const sc__marker *marker);
    void *user;

    int64_t until_ms; /* mono; when the wait ends without a marker */
    bool waits;
    bool in_call; /* its key is in the call under way */
    bool is_due;  /* in the list of those that are being called */
    struct sc__seat *next, *next_due;
} sc__seat;

/* Takes a seat at the client's hub, which the first one makes; `name` is that one's, for its connection. `seat` has key, cb
 * and user set, and must stay where it is. */
SC_MUST_USE sc_err sc__hub_join(sc_client *client, sc_slice name, sc__seat *seat);

/* Gives it back; the last one ends the hub. Only while the seat does not wait. NULL hub is fine. */
void sc__hub_leave(sc__seat *seat);

/* Waits for the marker, at most `block_ms`; `cb` comes once. */
void sc__hub_wait(sc__seat *seat, int64_t block_ms);

/* Has a wait end now: `cb` comes soon, or from inside of this call. */
void sc__hub_hurry(sc__seat *seat);

#endif
