/* Whether the next value of a definition will have to be loaded: yes, where most of its last ones had to be. A guess, by which a call
 * chooses its way; it is right in either case.
 *
 * Of fixed size: definitions that share a place are taken for one. */
#ifndef SC_CACHE_MISS_GUESS_H
#define SC_CACHE_MISS_GUESS_H

#include <stdatomic.h>

#include <storychain/cache.h>

enum { SC__MISS_GUESSES = 256 };

/* Zeroed: everything will be found. */
typedef struct sc__miss_guesses {
    atomic_uchar
        shares[SC__MISS_GUESSES]; /* of values that were missing, of 255; smoothed over 8 */
} sc__miss_guesses;

bool sc__miss_guesses_expect(const sc__miss_guesses *guesses, const sc_cache_def *def);
void sc__miss_guesses_note(sc__miss_guesses *guesses, const sc_cache_def *def, bool was_missing);

#endif
