/* Extends the leases of loads under way, so that a long load keeps its right to store, while the lease of a dead
 * process ends soon. */
#ifndef SC_CACHE_LEASE_KEEPER_H
#define SC_CACHE_LEASE_KEEPER_H

#include "flight.h"
#include "redis/client.h"
#include "pulse.h"

enum { SC__LEASE_MS = 1500, SC__LEASE_EXTEND_MS = 500 };

typedef struct sc__lease_keeper {
    sc_client *client;
    sc_slice prefix; /* of the cache's keys beside the values; lives as long as this */
    sc__flights *flights;
    sc__pulse pulse;
} sc__lease_keeper;

void sc__lease_keeper_start(sc__lease_keeper *k, sc_client *client, sc_slice prefix,
                            sc__flights *flights);
void sc__lease_keeper_stop(sc__lease_keeper *k); /* not on the I/O thread */
void sc__lease_keeper_wake(sc__lease_keeper *k); /* a lease was taken. Any thread */

#endif
