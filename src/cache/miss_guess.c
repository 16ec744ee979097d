#include "miss_guess.h"

#include <xxhash.h>

enum { ALL = 255, SMOOTH = 8 };

/* Not by where it lies: that of sc_cache_get_or_set() lives no longer than the call. */
static size_t place_of(const sc_cache_def *def)
{
    const uint64_t known_by[] = {(uint64_t)(uintptr_t)def->name, (uint64_t)(uintptr_t)def->load,
                                 (uint64_t)(uintptr_t)def->load_many};

    return XXH3_64bits(known_by, sizeof(known_by)) % SC__MISS_GUESSES;
}

bool sc__miss_guesses_expect(const sc__miss_guesses *guesses, const sc_cache_def *def)
{
    return atomic_load_explicit(&guesses->shares[place_of(def)], memory_order_relaxed) > ALL / 2;
}

/* Of two threads at once one may be lost. Where nothing changes nothing is written: the threads share the line. */
void sc__miss_guesses_note(sc__miss_guesses *guesses, const sc_cache_def *def, bool was_missing)
{
    atomic_uchar *share = &guesses->shares[place_of(def)];
    const int before = atomic_load_explicit(share, memory_order_relaxed);
    const int after = before + ((was_missing ? ALL : 0) - before) / SMOOTH;

    if (after != before)
        atomic_store_explicit(share, (unsigned char)after, memory_order_relaxed);
}
