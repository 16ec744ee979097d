/* A JSON answer through the cache: the key's value, else what the store has, which is then kept. */
#ifndef APP_SERVICES_READ_THROUGH_H
#define APP_SERVICES_READ_THROUGH_H

#include "app/cache_keys.h"
#include "app/cache_ttl.h"

#include "catalog.h"

struct read {
    const struct catalog *catalog;
    sc_slice name;  /* what is asked for: a slug, an id, words */
    sc_slice name2; /* a second one: the chapter's slug, the story's */
    enum story_list list;

    /* Writes the answer. SC_ENOTFOUND and other errors are given on and nothing is kept. */
    sc_err (*load)(const struct read *read, sc__arena *arena, sc__str *out, sc_reason *ret_reason);
};

/* `key_err`: how making the key went. The reason of SC_ENOTFOUND is the caller's to write, for the
 * load may be one that another thread began. */
SC_MUST_USE sc_err read_through(const struct read *read, const sc__str *key, sc_err key_err,
                                enum cache_ttl ttl, sc_cache_value *ret_json,
                                sc_reason *ret_reason);

#endif
