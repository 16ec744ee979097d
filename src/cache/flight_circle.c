#include "flight_circle.h"

#include "flight.h"

void sc__circle_add(sc__circle *circle, sc__flight *flight)
{
    flight->next_loading = circle->loading;
    flight->at_loading = &circle->loading;
    if (circle->loading)
        circle->loading->at_loading = &flight->next_loading;
    circle->loading = flight;
}

void sc__circle_remove(sc__flight *flight)
{
    if (!flight->at_loading)
        return;
    *flight->at_loading = flight->next_loading;
    if (flight->next_loading)
        flight->next_loading->at_loading = flight->at_loading;
    flight->at_loading = NULL;
}

static bool leads(const sc__circle *circle, pthread_t thread)
{
    const sc__flight *f = circle->loading;

    while (f && !pthread_equal(f->leader, thread))
        f = f->next_loading;
    return f != NULL;
}

/* What the leader of a flight waits for; NULL: nothing. */
static const sc__flight *awaited_by_leader(const sc__circle *circle, const sc__flight *flight)
{
    const sc__circle_wait *wait = circle->waits;

    while (wait && !pthread_equal(wait->thread, flight->leader))
        wait = wait->next;
    return wait ? wait->flight : NULL;
}

/* Whoever waits in a loader leads that load; so only he can close a circle, and be a part of one. */
bool sc__circle_enter(sc__circle *circle, sc__circle_wait *wait, const sc__flight *flight)
{
    *wait = (sc__circle_wait){.thread = pthread_self(), .flight = flight};
    if (!leads(circle, wait->thread))
        return true;
    for (const sc__flight *f = flight; f && f->at_loading; f = awaited_by_leader(circle, f))
        if (pthread_equal(f->leader, wait->thread))
            return false;
    wait->next = circle->waits;
    circle->waits = wait;
    wait->is_listed = true;
    return true;
}

void sc__circle_leave(sc__circle *circle, const sc__circle_wait *wait)
{
    sc__circle_wait **at = &circle->waits;

    while (*at != wait)
        at = &(*at)->next;
    *at = wait->next;
}
