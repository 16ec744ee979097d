#include "lease_keeper.h"

#include "base/clock.h"
#include "ops/op_cache.h"

enum { TICK_MS = 250, DUE_MAX = 64 };

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
            sc__op_cache_hold(k->client, (sc_slice){due[i]->key, due[i]->key_len},
                              sc__lease_slice(&due[i]->lease), SC__LEASE_MS, SC__LEASE_MS);
            sc__flight_unref(k->flights, due[i]);
        }
    } while (count == DUE_MAX);
    return any;
}

void sc__lease_keeper_start(sc__lease_keeper *k, sc_client *client, sc__flights *flights)
{
    k->client = client;
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
