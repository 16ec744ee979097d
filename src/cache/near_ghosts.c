#include "near_ghosts.h"

#include "base/mem.h"

enum { TIMES_A_ROUND = 1 << 13 }; /* while as many are added as are remembered */

/* Sets fill unevenly: with twice the places hardly one is overwritten before its time. */
sc_err sc__near_ghosts_init(sc__near_ghosts *ghosts, size_t count)
{
    *ghosts = (sc__near_ghosts){.set_count = count * 2 / SC__NEAR_GHOST_WAYS + 1};
    while (count >> ghosts->shift > TIMES_A_ROUND)
        ghosts->shift++;
    ghosts->sets = sc__calloc(ghosts->set_count, sizeof(*ghosts->sets));
    return ghosts->sets ? SC_OK : SC_ENOMEM;
}

void sc__near_ghosts_release(sc__near_ghosts *ghosts)
{
    sc_free(ghosts->sets);
}

size_t sc__near_ghosts_held(const sc__near_ghosts *ghosts)
{
    return sc__mem_held(ghosts->set_count * sizeof(*ghosts->sets));
}

static uint32_t *set_of(sc__near_ghosts *ghosts, uint64_t hash)
{
    return ghosts->sets[(hash >> 32) * ghosts->set_count >> 32].places;
}

/* Never 0 together with the time 0: 0 is a free place. */
static uint16_t fingerprint_of(uint64_t hash)
{
    return (uint16_t)(hash | 1);
}

static uint16_t time_of(const sc__near_ghosts *ghosts)
{
    return (uint16_t)(ghosts->added >> ghosts->shift);
}

static uint32_t age_of(const sc__near_ghosts *ghosts, uint32_t place)
{
    return place ? (uint16_t)(time_of(ghosts) - (uint16_t)place) : UINT32_MAX;
}

static uint32_t *find(sc__near_ghosts *ghosts, uint64_t hash)
{
    uint32_t *places = set_of(ghosts, hash);

    for (int i = 0; i < SC__NEAR_GHOST_WAYS; i++)
        if (places[i] && places[i] >> 16 == fingerprint_of(hash))
            return &places[i];
    return NULL;
}

static uint32_t *oldest_of(sc__near_ghosts *ghosts, uint64_t hash)
{
    uint32_t *places = set_of(ghosts, hash), *oldest = places;

    for (int i = 1; i < SC__NEAR_GHOST_WAYS; i++)
        if (age_of(ghosts, places[i]) > age_of(ghosts, *oldest))
            oldest = &places[i];
    return oldest;
}

void sc__near_ghosts_add(sc__near_ghosts *ghosts, uint64_t hash)
{
    uint32_t *place = find(ghosts, hash);

    if (!place)
        place = oldest_of(ghosts, hash);
    ghosts->added++;
    *place = (uint32_t)fingerprint_of(hash) << 16 | time_of(ghosts);
}

bool sc__near_ghosts_take(sc__near_ghosts *ghosts, uint64_t hash)
{
    uint32_t *place = find(ghosts, hash);
    bool is_remembered =
        place && (uint64_t)age_of(ghosts, *place) << ghosts->shift < ghosts->remember;

    if (place)
        *place = 0;
    return is_remembered;
}
