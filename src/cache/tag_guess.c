#include "tag_guess.h"

#include <xxhash.h>

#include "base/mem.h"

struct sc__tag_guess {
    uint64_t hash; /* of the key */
    size_t count;
    unsigned char lens[SC__TAGS_MAX];
    char names[]; /* one behind the other */
};

void sc__tag_guesses_init(sc__tag_guesses *guesses)
{
    pthread_mutex_init(&guesses->mutex, NULL);
    atomic_init(&guesses->places, NULL);
}

void sc__tag_guesses_release(sc__tag_guesses *guesses)
{
    sc__tag_guess **places = atomic_load(&guesses->places);

    for (size_t i = 0; places && i < SC__TAG_GUESSES; i++)
        sc_free(places[i]);
    sc_free((void *)places);
    pthread_mutex_destroy(&guesses->mutex);
}

static uint64_t hash_of(sc_slice key)
{
    return XXH3_64bits(key.ptr, key.len);
}

static void add(const sc__tag_guess *guess, sc__tag_keys *keys)
{
    const char *name = guess->names;

    for (size_t i = 0; i < guess->count; i++) {
        if (sc__tag_keys_add(keys, (sc_slice){name, guess->lens[i]}))
            return;
        name += guess->lens[i];
    }
}

void sc__tag_guesses_add(sc__tag_guesses *guesses, sc_slice key, sc__tag_keys *keys)
{
    sc__tag_guess **places = atomic_load(&guesses->places);
    const uint64_t hash = places ? hash_of(key) : 0;
    const sc__tag_guess *guess;

    if (!places)
        return;
    pthread_mutex_lock(&guesses->mutex);
    guess = places[hash % SC__TAG_GUESSES];
    if (guess && guess->hash == hash)
        add(guess, keys);
    pthread_mutex_unlock(&guesses->mutex);
}

/* NULL: there is nothing to be noted, or no memory. */
static sc__tag_guess *new_guess(uint64_t hash, const sc_slice *tags, size_t count)
{
    sc__tag_guess *guess;
    size_t size = 0;
    char *to;

    for (size_t i = 0; i < count; i++)
        size += tags[i].len;
    if (!size || size > SC__TAG_GUESS_MAX)
        return NULL;
    guess = sc__malloc(sizeof(*guess) + size);
    if (!guess)
        return NULL;
    guess->hash = hash;
    guess->count = count;
    to = guess->names;
    for (size_t i = 0; i < count; i++) {
        guess->lens[i] = (unsigned char)tags[i].len;
        memcpy(to, tags[i].ptr, tags[i].len);
        to += tags[i].len;
    }
    return guess;
}

/* NULL without memory. */
static sc__tag_guess **places_of(sc__tag_guesses *guesses)
{
    sc__tag_guess **places = atomic_load(&guesses->places);

    if (places)
        return places;
    pthread_mutex_lock(&guesses->mutex);
    places = atomic_load(&guesses->places);
    if (!places) {
        places = sc__calloc(SC__TAG_GUESSES, sizeof(*places));
        atomic_store(&guesses->places, places);
    }
    pthread_mutex_unlock(&guesses->mutex);
    return places;
}

void sc__tag_guesses_note(sc__tag_guesses *guesses, sc_slice key, const sc_slice *tags,
                          size_t count)
{
    const uint64_t hash = hash_of(key);
    sc__tag_guess **places = places_of(guesses), *guess, *old;

    if (!places)
        return;
    guess = new_guess(hash, tags, count);
    pthread_mutex_lock(&guesses->mutex);
    old = places[hash % SC__TAG_GUESSES];
    places[hash % SC__TAG_GUESSES] = guess;
    pthread_mutex_unlock(&guesses->mutex);
    sc_free(old);
}
