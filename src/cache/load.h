/* A load: what its loader sets, and how that is stored. */
#ifndef SC_CACHE_LOAD_H
#define SC_CACHE_LOAD_H

#include <storychain/cache.h>

#include "codec.h"
#include "ops/cache_tags.h"

struct sc_cache_load {
    const sc_cache_def *def;
    sc__blob *old;    /* what is to be replaced; NULL: nothing. Borrowed */
    sc__blob *value;  /* NULL: nothing set yet */
    bool is_none;     /* there is no such thing */
    int64_t ttl_ms;   /* as the loader said; -1: as the definition does */
    int64_t load_us;  /* how long it took */
    sc_err err;       /* one of many that failed */
    bool was_refused; /* its error: there was no turn for the loader */
    sc__tag_keys *tags;
};

/* Runs the definition's loader. On SC_OK there is a value, or `is_none`. `tags` (empty, or the definition's) grows by the loader's. */
SC_MUST_USE sc_err sc__load_run(sc_cache *cache, const sc_cache_def *def, sc_slice key, void *user,
                                sc__blob *old, sc__tag_keys *tags, sc_cache_load *ret_load);

/* How its value is kept, and for how long. Its tags are borrowed. SC_ESTATE: it isn't. */
SC_MUST_USE sc_err sc__load_envelope(sc_cache *cache, const sc_cache_load *load, int64_t birth,
                                     sc__envelope *ret_envelope, int64_t *ret_life_ms);

/* The loader has returned: `load->err` is its error or this one's own, and nothing is set then. */
void sc__load_end(sc_cache *cache, sc_cache_load *load, sc_err err, int64_t load_us);

/* As it goes to Redis. */
typedef struct sc__sealed {
    sc_slice bytes; /* live as long as the load's value, or in `room` */
    int64_t life_ms;
    char room[SC__ENVELOPE_MAX + SC__SEAL_LEN];
} sc__sealed;

/* What is to be stored of it at `key` (in Redis). SC_ESTATE: nothing. SC_ENOMEM, SC_EINTERNAL. */
SC_MUST_USE sc_err sc__load_seal(sc_cache *cache, const sc_cache_load *load, sc_slice key,
                                 int64_t birth, sc__sealed *ret_sealed);

/* SC_EINVAL for a definition that says nonsense. */
SC_MUST_USE sc_err sc__def_check(const sc_cache_def *def);

size_t sc__def_max_size(const sc_cache *cache, const sc_cache_def *def);

/* The loader's `user` for a load that outlives the call: a copy, or itself where `def` (may be NULL) makes none. SC_ENOMEM. Give it to
 * sc__def_drop() at the end. */
SC_MUST_USE sc_err sc__def_keep(const sc_cache_def *def, void *user, void **ret_kept);
void sc__def_drop(const sc_cache_def *def, void *kept);

#endif
