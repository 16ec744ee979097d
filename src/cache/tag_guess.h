/* Which tags a value had when it was last read, so that who reads it again asks for their versions with the same command. A guess:
 * the value itself says which tags it has; where they are others, those are asked for, and noted.
 *
 * Of fixed size: a key has one place, which it loses to whichever key comes there next. */
#ifndef SC_CACHE_TAG_GUESS_H
#define SC_CACHE_TAG_GUESS_H

#include <pthread.h>
#include <stdatomic.h>

#include "ops/cache_tags.h"

enum {
    SC__TAG_GUESSES = 16 * 1024,
    SC__TAG_GUESS_MAX = 512 /* bytes of the names of a value's tags; more are not noted */
};

typedef struct sc__tag_guess sc__tag_guess;

typedef struct sc__tag_guesses {
    pthread_mutex_t mutex;            /* of what the places hold */
    _Atomic(sc__tag_guess **) places; /* NULL until something is noted */
} sc__tag_guesses;

void sc__tag_guesses_init(sc__tag_guesses *guesses);
void sc__tag_guesses_release(sc__tag_guesses *guesses);

/* Adds the tags of the value at `key` to `keys`, as far as they fit in. */
void sc__tag_guesses_add(sc__tag_guesses *guesses, sc_slice key, sc__tag_keys *keys);

/* Notes the tags that the value has; 0: forgets. */
void sc__tag_guesses_note(sc__tag_guesses *guesses, sc_slice key, const sc_slice *tags,
                          size_t count);

#endif
