/* A cache in front of something slow: get_or_set asks Redis, and on a miss the loader, once.
 *
 * A failure of the cache never breaks its user: without Redis, or with a broken value in it,
 * get_or_set gives what the loader gives, and one line of log tells when that begins and ends.
 *
 * No old value is stored: a load stores what it made only if nobody, here or in another process,
 * deleted or set the key since the load began.
 *
 * Values are bytes. A value that is empty, "null", "0" or "false" is a value, not a miss. A value that another
 * program stored with a plain SET is one, too. Keys are 1 to max_key_size bytes of any kind.
 *
 * docs/cache.md has the guarantees, and how values lie in Redis.
 *
 * Since 0.1. */
#ifndef STORYCHAIN_CACHE_H
#define STORYCHAIN_CACHE_H

#include <storychain/client.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sc_cache sc_cache;

/* A key of encryption. `id`, at least 1, names it in what is stored. */
typedef struct sc_cache_secret {
    int64_t id;
    unsigned char bytes[32];
} sc_cache_secret;

#define SC_CACHE_NEVER SIZE_MAX
#define SC_CACHE_SECRETS_MAX 16

typedef struct sc_cache_opts {
    int64_t timeout_ms;    /* how long Redis may take before the loader is asked; 0: 250 */
    int64_t wait_ms;       /* how long a load of another process is waited for; 0: 10,000 */
    size_t max_value_size; /* larger ones are given but not stored; 0: 8 MiB */
    size_t max_key_size;   /* 0: 1 MiB */
    /* Longer keys stand in Redis as their beginning and their SHA-256; 0: 1 KiB; SC_CACHE_NEVER. The same in all
     * processes that share values. */
    size_t hash_keys_above;
    /* Values of at least that size are compressed (zstd) where that saves a tenth; 0: 1 KiB; SC_CACHE_NEVER. Every cache
     * reads them. */
    size_t compress_above;
    /* If there are any, values are encrypted (AES-256-GCM) with the first, and those encrypted with any of them are read; what
     * is not encrypted is a miss, and is replaced. Up to SC_CACHE_SECRETS_MAX, copied. To change a secret: add the
     * new one at the end everywhere, then put it first everywhere, then leave out the old one. */
    const sc_cache_secret *secrets;
    size_t secret_count;
} sc_cache_opts;

/* The cache gets a connection and an I/O thread of its own, by the client's options. `opts` (NULL: defaults) is copied.
 * SC_EINVAL with a reason. */
SC_API SC_MUST_USE sc_err sc_cache_new(sc_client *client, const sc_cache_opts *opts,
                                       sc_cache **ret_cache, sc_reason *ret_reason);

/* No call may be under way. Not on the I/O thread. NULL is fine. */
SC_API void sc_cache_free(sc_cache *cache);

typedef enum sc_cache_source {
    SC_CACHE_MISS,  /* not there (get), or loaded just now (get_or_set) */
    SC_CACHE_HIT,   /* from Redis */
    SC_CACHE_SHARED /* loaded just now by another thread that asked for the same key */
} sc_cache_source;

/* A value and where it came from. Release each with sc_cache_value_release. */
typedef struct sc_cache_value {
    sc_slice bytes; /* NUL-terminated; {NULL, 0} on a miss */
    sc_cache_source source;
    int64_t age_ms; /* since it was stored; -1: not known, another program stored it */
    void *owner;    /* private */
} sc_cache_value;

SC_API void sc_cache_value_release(sc_cache_value *value);

/* What a stored value must satisfy. ttl_ms: > 0; or SC_TTL_FOREVER. 0 stores nothing. */
#define SC_TTL_FOREVER INT64_MAX

/* Looks a key up. A miss is SC_OK with source SC_CACHE_MISS; so is Redis away (logged). SC_EINVAL, SC_ETOOBIG
 * (the key), SC_EDEADLK. */
SC_API SC_MUST_USE sc_err sc_cache_get(sc_cache *cache, sc_slice key, sc_cache_value *ret_value);

/* Stores; with ttl_ms 0 removes what was there. SC_EINVAL, SC_ETOOBIG, SC_EDEADLK; SC_ECONNECT, SC_ETIMEDOUT, SC_EREPLY
 * (Redis is full), … when it could not be stored: callers may ignore that, for the old value is removed
 * then as by sc_cache_del(). */
SC_API SC_MUST_USE sc_err sc_cache_set(sc_cache *cache, sc_slice key, sc_slice bytes,
                                       int64_t ttl_ms);

/* Removes keys. `*ret_removed` (may be NULL) counts those that were there. A load that is under way, in whatever
 * process, does not store its value afterwards, and no later call here gets it.
 * SC_EINVAL, SC_ETOOBIG, SC_EDEADLK: nothing was done. SC_ECONNECT, SC_ETIMEDOUT, …: Redis did not do it, or not all;
 * the keys are remembered (the newest 10,000), are not read from Redis until then, and are removed as soon
 * as it is back. Callers may ignore that. */
SC_API SC_MUST_USE sc_err sc_cache_del(sc_cache *cache, sc_slice key, bool *ret_removed);
SC_API SC_MUST_USE sc_err sc_cache_del_many(sc_cache *cache, const sc_slice *keys, size_t count,
                                            int64_t *ret_removed);

/* Removes keys that match a glob pattern of Redis (* ? [] \), by SCAN over 500 keys and UNLINK of up to 100 at a time, each well below
 * a millisecond of the server. For keys of unknown names, of whatever program; it walks over the whole keyspace. Keys that
 * are there from the beginning to the end are removed, those made meanwhile perhaps. Long keys are met by their beginning
 * (hash_keys_above). `sweep` (may be NULL) is told after each SCAN. On an error or SC_ECANCELED some were removed, and nothing is
 * remembered. */
SC_API SC_MUST_USE sc_err sc_cache_del_pattern(sc_cache *cache, sc_slice pattern,
                                               const sc_sweep *sweep, int64_t *ret_removed);

/* Whether a get would hit. SC_ECONNECT, … when Redis can't say. */
SC_API SC_MUST_USE sc_err sc_cache_exists(sc_cache *cache, sc_slice key, bool *ret_exists);

/* Makes a value. Runs on the caller's thread and may block. The bytes it sets with sc_cache_load_set
 * are copied; a loader that sets none makes an empty value. An error goes to all who wait for the key;
 * nothing is stored then. It may use the cache, but not ask for its own key. */
typedef struct sc_cache_load sc_cache_load;
typedef sc_err (*sc_cache_loader)(sc_cache_load *load, sc_slice key, void *user);

SC_API SC_MUST_USE sc_err sc_cache_load_set(sc_cache_load *load, sc_slice bytes);
SC_API void sc_cache_load_ttl(sc_cache_load *load, int64_t ttl_ms); /* instead of the call's */

/* The cached value, else the loader's, which is then stored. Callers of one process that ask for one key at the
 * same time share one load, its error too; callers of other processes wait for it. But nobody gets a value whose load began before a removal
 * that had ended when he asked. A key over its limit is loaded and not stored.
 * Never fails because of the cache: only with the loader's error, SC_EINVAL (empty key, negative TTL), SC_ENOMEM, or
 * SC_EDEADLK (on the I/O thread, or a loader asks for its own key). */
SC_API SC_MUST_USE sc_err sc_cache_get_or_set(sc_cache *cache, sc_slice key, int64_t ttl_ms,
                                              sc_cache_loader loader, void *user,
                                              sc_cache_value *ret_value);

/* A cached twin of a loader: the key is made from the argument, the rest is fixed once. */
typedef struct sc_cache_wrapped {
    sc_cache *cache;
    /* Writes the key of `arg` with sc_cache_load_set. */
    sc_err (*make_key)(sc_cache_load *key, const void *arg, void *user);
    sc_err (*load)(sc_cache_load *load, const void *arg, void *user);
    int64_t ttl_ms;
    void *user;
} sc_cache_wrapped;

SC_API SC_MUST_USE sc_err sc_cache_wrapped_get(const sc_cache_wrapped *wrapped, const void *arg,
                                               sc_cache_value *ret_value);

typedef struct sc_cache_stats {
    uint64_t hits, misses, shared, loads, load_errors, sets, deletes, errors;
} sc_cache_stats;

SC_API void sc_cache_stats_get(const sc_cache *cache, sc_cache_stats *ret_stats);

#ifdef __cplusplus
}
#endif
#endif
