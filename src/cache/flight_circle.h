/* Loaders that wait for each other: one asks for a key whose loader asks, perhaps over others, for the first one's. None of
 * them would ever end, so the last who asks is told. */
#ifndef SC_CACHE_FLIGHT_CIRCLE_H
#define SC_CACHE_FLIGHT_CIRCLE_H

#include <pthread.h>
#include <stdbool.h>

struct sc__flight;

/* A thread that leads loads, and waits for another thread's. */
typedef struct sc__circle_wait {
    struct sc__circle_wait *next;
    pthread_t thread;
    const struct sc__flight *flight;
    bool is_listed; /* it can be a part of a circle, and is to be left */
} sc__circle_wait;

/* Under the mutex of the flights. */
typedef struct sc__circle {
    struct sc__flight
        *loading; /* all that a thread leads whose loader may run, in the table or not */
    sc__circle_wait *waits;
} sc__circle;

void sc__circle_add(sc__circle *circle, struct sc__flight *flight);
void sc__circle_remove(struct sc__flight *flight); /* if it is in one */

/* This thread is going to wait for a flight. False: it would wait for itself. */
bool sc__circle_enter(sc__circle *circle, sc__circle_wait *wait, const struct sc__flight *flight);
void sc__circle_leave(sc__circle *circle, const sc__circle_wait *wait);

#endif
