/* Cached values that are JSON, as jansson holds it (its json_t). They lie in Redis as compact text, so other programs read them.
 *
 * Since 0.1. */
#ifndef STORYCHAIN_CACHE_JSON_H
#define STORYCHAIN_CACHE_JSON_H

#include <storychain/cache.h>

#ifdef __cplusplus
extern "C" {
#endif

struct json_t; /* of <jansson.h> */

/* sc_cache_load_set() with JSON of any type, borrowed. SC_ETOOBIG: its text is over 64 MiB. SC_ENOMEM. */
SC_API SC_MUST_USE sc_err sc_cache_load_set_json(sc_cache_load *load, const struct json_t *json);

/* sc_cache_store() with JSON, borrowed, and the errors of both. */
SC_API SC_MUST_USE sc_err sc_cache_store_json(sc_cache *cache, const sc_cache_def *def,
                                              sc_slice key, const struct json_t *json);

/* What a value holds; free it with json_decref. SC_ENOTFOUND: a miss, or there is no such thing. SC_ESYNTAX, with line and
 * column in the reason: something else wrote there. SC_ENOMEM. */
SC_API SC_MUST_USE sc_err sc_cache_value_json(const sc_cache_value *value, struct json_t **ret_json,
                                              sc_reason *ret_reason);

#ifdef __cplusplus
}
#endif
#endif
