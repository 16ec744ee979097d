#include "lease_keeper.h"

#include "base/clock.h"
#include "ops/op_cache_load.h"

enum { TICK_MS = 250, DUE_MAX = 64 };

/* The lease of who renews a value lies beside that. */
static void extend(sc__lease_keeper *k, const sc__flight *flight)
{
    AUTO_STR key = STR_MAX(SIZE_MAX / 2);

    if (flight->renews)
        sc__renewal_key(&key, k->prefix, (sc_slice){flight->key, flight->key_len});
    if (!key.err)
        sc__op_cache_hold(k->client,
                          flight->renews ? sc__str_slice(&key)
                                         : (sc_slice){flight->key, flight->key_len},
                          sc__lease_slice(&flight->lease), SC__LEASE_MS, SC__LEASE_MS);
}

static bool tick(void *arg)
{
    sc__lease_keeper *k = arg;
    sc__flight *due[DUE_MAX];
    int64_t before_ms = sc__mono_ms() - (SC__LEASE_EXTEND_MS - TICK_MS);
    size_t count;
    bool any;

    do {
        count = sc__flights_due(k->flights, before_ms, due, DUE_MAX, &any);
        for (size_t i = 0; i < count; i++) {
            extend(k, due[i]);
            sc__flight_unref(due[i]);
        }
    } while (count == DUE_MAX);
    return any;
}

void sc__lease_keeper_start(sc__lease_keeper *k, sc_client *client, sc_slice prefix,
                            sc__flights *flights)
{
    k->client = client;
    k->prefix = prefix;
    k->flights = flights;
    sc__pulse_init(&k->pulse, sc__client_loop(client), TICK_MS, tick, k);
}

void sc__lease_keeper_stop(sc__lease_keeper *k)
{
    sc__pulse_release(&k->pulse);
}

void sc__lease_keeper_wake(sc__lease_keeper *k)
{
    sc__pulse_wake(&k->pulse);
}
